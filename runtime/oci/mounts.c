/* mounts.c - one mount of config.json at a time. Runs in the container's first
 * process before pivot_root; mounts only on descriptors opened inside the rootfs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/copy_up.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

int mounts_open_bind_source(const struct spec_mount *m, bool recursive, struct err *err)
{
	int fd;

	if (!m->source || !*m->source)
		return err_set(err, 0, "a bind mount needs a source");
	fd = sys_open_tree(AT_FDCWD, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
	return fd < 0 ? err_set(err, -fd, "open the source %s", m->source) : fd;
}

/* runc's list: what lxcfs and the like put over files of /proc. All else below
 * /proc is refused, for a mount there can disarm masks and labels (CVE-2019-16884, CVE-2023-27561). */
static bool proc_file_allowed(const char *dest)
{
	static const char *const ALLOWED[] = {
		"cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo",
		"net/dev", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled",
	};

	if (strncmp(dest, "/proc/", 6))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ALLOWED); i++)
		if (!strcmp(dest + 6, ALLOWED[i]))
			return true;
	return false;
}

static int refuse_proc(int target, const char *dest, struct err *err)
{
	struct statfs fs;

	if (fstatfs(target, &fs) < 0)
		return err_set(err, errno, "statfs");
	if (fs.f_type == PROC_SUPER_MAGIC && !proc_file_allowed(dest))
		return err_set(err, 0, "cannot be mounted because it is inside /proc");
	return 0;
}

static int set_attr(int fd, unsigned flags, struct mount_attr attr, struct err *err)
{
	int r;

	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
	return r < 0 ? err_set(err, -r, "set the mount's attributes") : 0;
}

/* Flags and propagation of a tree that fd holds, attached or not. */
static int set_flags(int fd, const struct mount_options *o, bool per_mount, struct err *err)
{
	struct mount_attr attr = { 0 };
	int r;

	if (per_mount) {
		mount_options_attr(o, &attr);
		if ((r = set_attr(fd, 0, attr, err)) < 0)
			return r;
	}
	attr = (struct mount_attr){ .attr_set = o->rec_set, .attr_clr = o->rec_clear };
	if ((r = set_attr(fd, AT_RECURSIVE, attr, err)) < 0)
		return r;
	attr = (struct mount_attr){ .propagation = o->propagation & ~(unsigned long)MS_REC };
	return set_attr(fd, o->propagation & MS_REC ? AT_RECURSIVE : 0, attr, err);
}

static int is_directory(int fd, bool *yes, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "stat the source");
	*yes = S_ISDIR(st.st_mode);
	return 0;
}

static int mount_bind(struct rootfs *r, size_t index, struct mount_options *o, struct err *err)
{
	const struct spec_mount *m = &r->spec->mounts[index];
	CLEANUP_FD int tree = -1, target = -1;
	bool directory = false;
	int rc;

	if (o->idmap || m->uid_maps)
		return err_set(err, ENOTSUP, "idmapped mounts");
	if (r->sources && r->sources[index] >= 0) {
		tree = fd_take(&r->sources[index]);
		/* made among the host's mounts: do not stay a peer of them */
		if (!o->propagation)
			o->propagation = MS_SLAVE | MS_REC;
	} else
		tree = mounts_open_bind_source(m, o->recursive, err);
	if (tree < 0)
		return tree;
	if ((rc = is_directory(tree, &directory, err)) < 0)
		return rc;
	target = rootfs_open_target(r, m->destination, directory, err);
	if (target < 0)
		return target;
	if ((rc = refuse_proc(target, m->destination, err)) < 0 || (rc = set_flags(tree, o, true, err)) < 0)
		return rc;
	rc = sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return rc < 0 ? err_set(err, -rc, "bind %s", m->source) : 0;
}

static int mount_fs(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, struct err *err)
{
	bool plain = !strcmp(m->type, "proc") || !strcmp(m->type, "sysfs") || !strcmp(m->destination, "/dev");
	bool after = o->propagation || o->rec_set || o->rec_clear || o->copy_up;
	const char *data = *o->data ? o->data : NULL;
	CLEANUP_FD int target = plain ? rootfs_open_plain(r, m->destination, err) : rootfs_open_target(r, m->destination, true, err);
	CLEANUP_FD int top = -1;
	unsigned long flags = o->flags;
	char to[32];
	int rc;

	if (target < 0)
		return target;
	if (!plain && (rc = refuse_proc(target, m->destination, err)) < 0)
		return rc;
	/* read-only comes last where something is still to be put inside (masks.c for /dev) */
	if (o->copy_up || !strcmp(m->destination, "/dev"))
		flags &= ~(unsigned long)MS_RDONLY;
	rc = sys_mount(m->source ? m->source : m->type, path_of_fd(target, to, sizeof to), m->type, flags, data);
	if (rc < 0)
		return err_set(err, -rc, "mount %s%s%s", m->type, data ? " with " : "", data ? data : "");
	if (!after)
		return 0;
	top = path_open_in(r->fd, m->destination, O_PATH, 0);
	if (top < 0)
		return err_set(err, -top, "open the new mount");
	if (o->copy_up && (rc = copy_up(target, top, err)) < 0)
		return rc;
	return set_flags(top, o, o->copy_up, err);
}

static int mount_remount(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, struct err *err)
{
	CLEANUP_FD int target = path_open_in(r->fd, m->destination, O_PATH, 0);
	char to[32];
	int rc;

	if (target < 0)
		return err_set(err, -target, "open");
	rc = sys_mount(NULL, path_of_fd(target, to, sizeof to), NULL, o->flags | (o->bind ? MS_BIND : 0), *o->data ? o->data : NULL);
	return rc < 0 ? err_set(err, -rc, "remount") : 0;
}

static int mount_cgroup(struct rootfs *r, const struct spec_mount *m, const struct mount_options *o, struct err *err)
{
	CLEANUP_FD int target = rootfs_open_target(r, m->destination, true, err);
	int rc;

	if (target < 0)
		return target;
	if ((rc = refuse_proc(target, m->destination, err)) < 0)
		return rc;
	return cgroup_mount(r->cgroup, r->fd, target, m->destination, o->flags, r->spec->ns[NS_CGROUP].present, err);
}

int mounts_one(struct rootfs *r, size_t index, struct err *err)
{
	const struct spec_mount *m = &r->spec->mounts[index];
	static struct mount_options o;
	int rc = mount_options_parse(m->options, &o, err);

	if (rc < 0)
		goto out;
	if (m->type && !strcmp(m->type, "bind"))
		o.bind = true;
	if (o.flags & MS_REMOUNT)
		rc = mount_remount(r, m, &o, err);
	else if (o.bind)
		rc = mount_bind(r, index, &o, err);
	else if (!m->type || !*m->type)
		rc = err_set(err, 0, "type: missing");
	else if (!strcmp(m->type, "cgroup") || !strcmp(m->type, "cgroup2"))
		rc = mount_cgroup(r, m, &o, err);
	else
		rc = mount_fs(r, m, &o, err);
out:
	return rc < 0 ? err_wrap(err, rc, "mount %s", m->destination) : 0;
}
