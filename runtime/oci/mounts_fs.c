/* mounts_fs.c - mounts that are new file systems (proc, tmpfs, devpts...).
 * Runs in the container's first process before pivot_root. One mount(2) where
 * that is all; where something follows (propagation, recursive options,
 * tmpcopyup) the file system is finished unattached, so that nothing has to be
 * found again by a name that may meanwhile mean something else. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/copy_up.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

/* As runc: proc, sysfs and mqueue take no context= (mqueue is labelled afterwards). */
static bool takes_context(const char *type)
{
	return strcmp(type, "proc") && strcmp(type, "sysfs") && strcmp(type, "mqueue");
}

static int add_label(char *data, size_t size, const char *label)
{
	size_t n = strlen(data);

	if (snprintf(data + n, size - n, "%scontext=\"%s\"", n ? "," : "", label) >= (int)(size - n))
		return -E2BIG;
	return 0;
}

/* The root of the user namespace and its kind see ids that are mapped only. */
static const char *unmapped(const struct rootfs *r, const char *data, const char *key, const struct spec_id_map *map, size_t n)
{
	const char *p = strstr(data, key);
	char *end;
	unsigned long id;

	if (!r->in_userns || !n || !p || (p != data && p[-1] != ','))
		return NULL;
	id = strtoul(p + 4, &end, 10);
	for (size_t i = 0; i < n; i++)
		if (id >= map[i].container && id - map[i].container < map[i].size)
			return NULL;
	return key;
}

static int explain(const struct rootfs *r, const struct spec_mount *m, const char *data, int code, struct err *err)
{
	const char *how = "", *key;

	if (r->spec->mount_label && code == EINVAL && strstr(data, "context="))
		how = " (linux.mountLabel needs a kernel with SELinux)";
	else if ((key = unmapped(r, data, "gid=", r->spec->gid_map, r->spec->gid_maps)) ||
		 (key = unmapped(r, data, "uid=", r->spec->uid_map, r->spec->uid_maps)))
		how = *key == 'g' ? " (this gid is not in linux.gidMappings)" : " (this uid is not in linux.uidMappings)";
	else if (code == EPERM && !strcmp(m->type, "sysfs"))
		how = " (sysfs needs a network namespace of the same user namespace; else bind /sys)";
	else if (code == EPERM && !strcmp(m->type, "proc"))
		how = " (in a user namespace proc needs a pid namespace, and a /proc outside that is not masked)";
	return err_set(err, code, "mount %s%s%s%s", m->type, *data ? " with " : "", data, how);
}

/* Options for fsconfig(2), one by one. Quoted values (context=) may hold commas. */
static int configure(int fs, char *data)
{
	while (*data) {
		char *value = NULL, *p = data;
		bool quoted = false;
		int r;

		for (; *p && (quoted || *p != ','); p++) {
			if (*p == '"')
				quoted = !quoted;
			if (*p == '=' && !value) {
				*p = '\0';
				value = p + 1;
			}
		}
		if (*p)
			*p++ = '\0';
		if (value && *value == '"') {
			value[strlen(value) - 1] = '\0';
			value++;
		}
		r = value ? sys_fsconfig(fs, FSCONFIG_SET_STRING, data, value, 0) : sys_fsconfig(fs, FSCONFIG_SET_FLAG, data, NULL, 0);
		if (r < 0)
			return r;
		data = p;
	}
	return 0;
}

static int create_fs(const struct spec_mount *m, unsigned long flags, const char *options)
{
	static const struct { unsigned long flag; const char *name; } SUPER[] = {
		{ MS_RDONLY, "ro" }, { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" }, { MS_LAZYTIME, "lazytime" }, { MS_MANDLOCK, "mand" },
	};
	CLEANUP_FD int fs = sys_fsopen(m->type, FSOPEN_CLOEXEC);
	char data[MOUNT_DATA_MAX];
	int r;

	if (fs < 0)
		return fs;
	snprintf(data, sizeof data, "%s", options);
	if ((r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source ? m->source : m->type, 0)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(SUPER); i++)
		if (flags & SUPER[i].flag && (r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, SUPER[i].name, NULL, 0)) < 0)
			return r;
	if ((r = configure(fs, data)) < 0 || (r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) < 0)
		return r;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static int mount_detached(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, int target, struct err *err)
{
	/* read-only comes last: something is still to be put inside */
	bool later = o->copy_up || !strcmp(m->destination, "/dev");
	CLEANUP_FD int top = create_fs(m, later ? o->flags & ~(unsigned long)MS_RDONLY : o->flags, o->data);
	int rc;

	if (top < 0)
		return explain(r, m, o->data, -top, err);
	if (o->copy_up && (rc = copy_up(target, top, err)) < 0)
		return rc;
	if (!strcmp(m->destination, "/dev"))
		o->flags &= ~(unsigned long)MS_RDONLY;	/* masks.c, when the nodes are made */
	if ((rc = mounts_set_flags(top, o, true, err)) < 0)
		return rc;
	rc = sys_move_mount(top, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return rc < 0 ? err_set(err, -rc, "mount %s", m->type) : 0;
}

/* security.selinux of the queue's root, where SELinux is. */
static int label_mqueue(struct rootfs *r, const struct spec_mount *m, struct err *err)
{
	CLEANUP_FD int top = rootfs_open(r, m->destination, O_RDONLY | O_DIRECTORY);

	if (top < 0)
		return err_set(err, -top, "open the new mount");
	if (fsetxattr(top, "security.selinux", r->spec->mount_label, strlen(r->spec->mount_label) + 1, 0) < 0 && errno != EOPNOTSUPP)
		return err_set(err, errno, "label it with linux.mountLabel");
	return 0;
}

int mounts_fs(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, int target, struct err *err)
{
	const char *label = r->spec->mount_label;
	unsigned long flags = o->flags;
	char to[32];
	int rc;

	if (label && *label && takes_context(m->type) && (rc = add_label(o->data, sizeof o->data, label)) < 0)
		return err_set(err, -rc, "linux.mountLabel");
	if (strcmp(m->type, "tmpfs"))
		o->copy_up = false;	/* as runc */
	if (o->propagation || o->rec_set || o->rec_clear || o->copy_up)
		return mount_detached(r, m, o, target, err);
	/* a read-only /dev is made so when it has its nodes (masks.c) */
	if (!strcmp(m->destination, "/dev"))
		flags &= ~(unsigned long)MS_RDONLY;
	rc = sys_mount(m->source ? m->source : m->type, path_of_fd(target, to, sizeof to), m->type, flags, *o->data ? o->data : NULL);
	if (rc < 0)
		return explain(r, m, o->data, -rc, err);
	return label && *label && !strcmp(m->type, "mqueue") ? label_mqueue(r, m, err) : 0;
}
