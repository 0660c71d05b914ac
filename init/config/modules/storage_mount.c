/* storage_mount.c - mounts what /etc/fstab of this boot says, one line at a time.
 *
 * Runs in coracle-config on the machine. It calls mount(2) itself: options that are for other programs (nofail, x-*, comment=, _netdev) must not reach a file
 * system, which would refuse them, and each failure is told with its reason. What is mounted already stays. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "../run.h"
#include "fd.h"
#include "path.h"
#include "storage.h"
#include "storage_probe.h"
#include "sys.h"

struct options {
	unsigned long flags;
	bool noauto;
	int swap_priority;	/* -1: none given */
	char data[1024];
};

static const struct flag {
	const char *name;
	unsigned long set;
	unsigned long clear;
} flags[] = {
	{ "ro", MS_RDONLY, 0 }, { "rw", 0, MS_RDONLY }, { "nosuid", MS_NOSUID, 0 }, { "suid", 0, MS_NOSUID }, { "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV }, { "noexec", MS_NOEXEC, 0 }, { "exec", 0, MS_NOEXEC }, { "sync", MS_SYNCHRONOUS, 0 }, { "async", 0, MS_SYNCHRONOUS },
	{ "dirsync", MS_DIRSYNC, 0 }, { "noatime", MS_NOATIME, 0 }, { "atime", 0, MS_NOATIME }, { "nodiratime", MS_NODIRATIME, 0 },
	{ "diratime", 0, MS_NODIRATIME }, { "relatime", MS_RELATIME, 0 }, { "norelatime", 0, MS_RELATIME }, { "strictatime", MS_STRICTATIME, 0 },
	{ "lazytime", MS_LAZYTIME, 0 }, { "mand", 0, 0 }, { "nomand", 0, 0 }, { "bind", MS_BIND, 0 }, { "rbind", MS_BIND | MS_REC, 0 },
	{ "user", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0 }, { "users", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0 }, { "owner", MS_NOSUID | MS_NODEV, 0 },
	{ "group", MS_NOSUID | MS_NODEV, 0 },
};

/* For mount(8), fsck(8), systemd or nobody. */
static bool is_for_others(const char *s)
{
	static const char *const words[] = { "defaults", "auto", "nofail", "nobootwait", "bootwait", "_netdev", "nouser", "sw", "iversion", "noiversion" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(s, words[i]))
			return true;
	return !strncmp(s, "x-", 2) || !strncmp(s, "X-", 2) || !strncmp(s, "comment=", 8) || s[0] == '\0';
}

static bool take_flag(struct options *o, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(word, flags[i].name)) {
			o->flags = (o->flags & ~flags[i].clear) | flags[i].set;
			return true;
		}
	return false;
}

static void parse_options(struct run *r, const char *text, struct options *o)
{
	char *copy = arena_strndup(&r->arena, text, strlen(text));
	char *save = NULL;
	size_t len = 0;

	*o = (struct options){ .swap_priority = -1 };
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		word += strspn(word, " ");
		if (!strcmp(word, "noauto"))
			o->noauto = true;
		else if (!strncmp(word, "pri=", 4))
			o->swap_priority = (int)(strtoul(word + 4, NULL, 10) & SWAP_FLAG_PRIO_MASK);
		else if (!is_for_others(word) && !take_flag(o, word))
			len += (size_t)snprintf(o->data + len, len < sizeof(o->data) ? sizeof(o->data) - len : 0, "%s%s", len ? "," : "", word);
		if (len >= sizeof(o->data))
			len = sizeof(o->data);
	}
}

/* The root is read-only: people are told where a directory can be. */
static int make_directory(struct run *r, const char *dir, struct err *err)
{
	CLEANUP_FD int fd = path_mkdirs_in(r->target.rootfd, dir, 0755);

	if (fd == -EROFS)
		return err_set(err, EROFS, "make the directory %s (the root is never written: /mnt, /srv, /opt, /home, /var and /run can be)", dir);
	return fd < 0 ? err_set(err, -fd, "make the directory %s", dir) : 0;
}

/* True when something is mounted exactly there. */
static bool is_mounted(const char *dir)
{
	struct stat here;
	struct stat above;
	char parent[PATH_MAX];

	if (snprintf(parent, sizeof(parent), "%s/..", dir) >= (int)sizeof(parent) || stat(dir, &here) < 0 || stat(parent, &above) < 0)
		return false;
	return here.st_dev != above.st_dev;
}

static int mount_as(const char *source, const char *dir, const char *type, const struct options *o, struct err *err)
{
	int r;

	/* ext4's driver is the one that this kernel has for all three */
	if (!strcmp(type, "ext2") || !strcmp(type, "ext3"))
		type = "ext4";
	r = sys_mount(source, dir, type, o->flags, o->data);

	/* a medium that cannot be written: as mount(8) does */
	if (r == -EROFS || r == -EACCES)
		r = sys_mount(source, dir, type, o->flags | MS_RDONLY, o->data);
	if (r == -ENODEV)
		return err_set(err, ENODEV, "mount %s on %s: this kernel has no file system \"%s\"", source, dir, type);
	return r < 0 ? err_set(err, -r, "mount %s on %s", source, dir) : 0;
}

static int swap_on(const char *path, const struct options *o, struct err *err)
{
	int flag = o->swap_priority >= 0 ? SWAP_FLAG_PREFER | o->swap_priority : 0;

	if (swapon(path, flag) == 0 || errno == EBUSY)
		return 0;
	return err_set(err, errno, "swap on %s%s", path, errno == EINVAL ? " (it is no swap area, or lies on a file system in memory)" : "");
}

int storage_mount(struct run *r, const struct storage_line *line, struct err *err)
{
	const char *spec = line->field[FSTAB_SPEC];
	const char *dir = line->field[FSTAB_FILE];
	const char *type = line->field[FSTAB_TYPE];
	struct options o;
	struct probe found = { .type = "" };
	char node[64];
	int e;

	parse_options(r, line->field[FSTAB_OPTIONS], &o);
	if (o.noauto)
		return 0;
	if ((!strncmp(spec, "LABEL=", 6) || !strncmp(spec, "UUID=", 5))) {
		if ((e = probe_find(spec, node, sizeof(node), err)) < 0)
			return e;
		spec = node;
	}
	if (!strcmp(type, "swap"))
		return swap_on(spec, &o, err);
	if ((e = make_directory(r, dir, err)) < 0 || is_mounted(dir))
		return e;
	if (o.flags & MS_BIND || strcmp(type, "auto") != 0)
		return mount_as(spec, dir, type, &o, err);
	{
		CLEANUP_FD int fd = sys_openat(AT_FDCWD, spec, O_RDONLY | O_NONBLOCK, 0);

		if (fd < 0)
			return err_set(err, -fd, "mount %s on %s", spec, dir);
		e = probe_device(fd, &found);
	}
	if (e <= 0)
		return err_set(err, 0, "mount %s on %s: there is no file system on it", spec, dir);
	return strcmp(found.type, "swap") ? mount_as(spec, dir, found.type, &o, err) : swap_on(spec, &o, err);
}
