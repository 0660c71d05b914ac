/* bundle_devices.c - the devices of a container: all of the machine for a privileged one, and those that it names (coracle-engine). Only looks at /dev. */
#include "bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fd.h"
#include "jw.h"
#include "text.h"

#define DEVICES_MAX 2048
#define DEPTH_MAX 4

/* libcontainer devices.GetDevices: what a container has of its own */
static bool is_own(const char *name)
{
	static const char *const own[] = { ".", "..", "pts", "shm", "fd", "mqueue", ".lxc", ".udev", "console", "ptmx", "hugepages" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

static void add_device(struct buf *b, const char *path, const struct stat *st)
{
	jw_open(b, '{');
	jw_kstr(b, "type", S_ISBLK(st->st_mode) ? "b" : "c");
	jw_kstr(b, "path", path);
	jw_kint(b, "major", major(st->st_rdev));
	jw_kint(b, "minor", minor(st->st_rdev));
	jw_kint(b, "fileMode", st->st_mode & 0777);
	jw_kint(b, "uid", st->st_uid);
	jw_kint(b, "gid", st->st_gid);
	jw_close(b, '}');
}

/* What add_device() is called for below a directory: the name inside, and what is done with it. */
struct walk {
	struct buf *b;
	const char *from, *to;	/* FROM/x on the machine is TO/x inside */
	const char *access;	/* NULL: "devices"; else rules, with this access */
	int count;
};

static void add_rule(struct buf *b, const struct stat *st, const char *access)
{
	jw_open(b, '{');
	jw_kbool(b, "allow", true);
	jw_kstr(b, "type", S_ISBLK(st->st_mode) ? "b" : "c");
	jw_kint(b, "major", major(st->st_rdev));
	jw_kint(b, "minor", minor(st->st_rdev));
	jw_kstr(b, "access", access);
	jw_close(b, '}');
}

static void add_one(struct walk *w, const char *path, const struct stat *st)
{
	char inside[512];

	w->count++;
	if (w->access) {
		add_rule(w->b, st, w->access);
		return;
	}
	if (text_set(inside, sizeof(inside), "%s%s", w->to, path + strlen(w->from)))
		add_device(w->b, inside, st);
}

static void walk(struct walk *w, const char *dir, int depth)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		fd_close(&fd);
		return;
	}
	for (struct dirent *e; w->count < DEVICES_MAX && (e = readdir(d));) {
		char path[512];
		struct stat st;

		if (is_own(e->d_name) || fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !text_set(path, sizeof(path), "%s/%s", dir, e->d_name))
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			walk(w, path, depth + 1);
		else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			add_one(w, path, &st);
	}
	closedir(d);
}

/* SOURCE:TARGET:PERMISSIONS; a directory means the devices in it. */
static int add_named(struct buf *b, const char *text, bool rules, struct err *err)
{
	char copy[1200], *source = copy, *target, *access;
	struct walk w = { .b = b };
	struct stat st;

	if (!text_set(copy, sizeof(copy), "%s", text) || !(target = strchr(source, ':')) || !(access = strchr(target + 1, ':')))
		return err_set(err, 0, "devices: \"%.100s\" is not SOURCE:TARGET:PERMISSIONS", text);
	*target++ = '\0';
	*access++ = '\0';
	if (stat(source, &st) < 0)
		return err_set(err, errno, "device %s", source);
	w.from = source;
	w.to = target;
	w.access = rules ? access : NULL;
	if (S_ISDIR(st.st_mode))
		walk(&w, source, 0);
	else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		add_one(&w, source, &st);
	return w.count ? 0 : err_set(err, 0, "device %s: it is none, and holds none", source);
}

int bundle_add_devices(struct buf *b, const struct service *s, struct err *err)
{
	struct walk all = { .b = b, .from = "", .to = "" };
	int r = 0;

	if (!s->privileged && !s->devices)
		return 0;
	jw_karr(b, "devices");
	if (s->privileged)
		walk(&all, "/dev", 0);
	for (char **d = s->devices; d && *d && r == 0 && !s->privileged; d++)
		r = add_named(b, *d, false, err);
	jw_close(b, ']');
	return r;
}

/* "c 1:3 rwm", "b *:* m", "a" */
static int add_rule_text(struct buf *b, const char *text, struct err *err)
{
	char type = text[0], one[2] = { text[0], '\0' }, access[4] = "rwm";
	char numbers[2][12] = { "*", "*" };

	if (strcmp(text, "a") != 0 && sscanf(text, "%c %11[0-9*]:%11[0-9*] %3[rwm]", &type, numbers[0], numbers[1], access) != 4)
		return err_set(err, 0, "device_cgroup_rules: \"%.60s\" is not TYPE MAJOR:MINOR ACCESS", text);
	jw_open(b, '{');
	jw_kbool(b, "allow", true);
	jw_kstr(b, "type", one);
	if (numbers[0][0] != '*')
		jw_kint(b, "major", atoi(numbers[0]));
	if (numbers[1][0] != '*')
		jw_kint(b, "minor", atoi(numbers[1]));
	jw_kstr(b, "access", access);
	jw_close(b, '}');
	return 0;
}

int bundle_add_device_rules(struct buf *b, const struct service *s, struct err *err)
{
	int r = 0;

	for (char **d = s->devices; d && *d && r == 0 && !s->privileged; d++)
		r = add_named(b, *d, true, err);
	for (char **t = s->device_rules; t && *t && r == 0; t++)
		r = add_rule_text(b, *t, err);
	return r;
}
