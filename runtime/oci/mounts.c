/* mounts.c - one mount of config.json at a time: where it goes, binds and
 * remounts. Runs in the container's first process before pivot_root; mounts
 * only on descriptors opened inside the rootfs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

int mounts_open_bind_source(const struct spec_mount *m, bool recursive, struct err *err)
{
	int fd;

	if (!m->source || !*m->source)
		return err_set(err, 0, "a bind mount needs a source");
	fd = sys_open_tree(AT_FDCWD, m->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
	/* user_namespaces(7): what the host has mounted below must stay covered */
	if (fd == -EINVAL && !recursive)
		return err_set(err, EINVAL, "open the source %s; where mounts below it belong to another user namespace, use rbind", m->source);
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

static int is_proc(int fd, bool *yes, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return err_set(err, errno, "statfs");
	*yes = fs.f_type == PROC_SUPER_MAGIC;
	return 0;
}

/* By name for a /proc that is not mounted yet, by what the target is for every name that leads there. tree: source of a bind, or -1. */
static int refuse_proc(int target, int tree, const char *dest, struct err *err)
{
	bool inside = false, proc = false;
	int r;

	if (proc_file_allowed(dest))
		return 0;
	if ((r = is_proc(target, &inside, err)) < 0)
		return r;
	if (!strcmp(dest, "/proc")) {
		/* another procfs is what belongs there (a bind of the host's: pid namespace shared) */
		if (tree >= 0 && (r = is_proc(tree, &proc, err)) < 0)
			return r;
		return proc ? 0 : err_set(err, 0, "only a proc file system can be mounted there");
	}
	if (inside || !strncmp(dest, "/proc/", 6))
		return err_set(err, 0, "cannot be mounted because it is inside /proc");
	return 0;
}

static int set_attr(int fd, unsigned flags, struct mount_attr attr, struct err *err)
{
	int r;

	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr);
	if (r == -EPERM && attr.attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME)
		return err_set(err, EPERM, "set the mount's attributes; an option such as rw, suid, dev or exec undoes what the host has set on the source");
	return r < 0 ? err_set(err, -r, "set the mount's attributes") : 0;
}

int mounts_set_flags(int fd, const struct mount_options *o, bool per_mount, struct err *err)
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

static int mount_bind(struct rootfs *r, size_t index, struct mount_options *o, struct err *err)
{
	const struct spec_mount *m = &r->spec->mounts[index];
	CLEANUP_FD int tree = -1, target = -1;
	struct stat st, to;
	int rc;

	if (r->sources && r->sources[index] >= 0) {
		tree = fd_take(&r->sources[index]);
		/* made among the host's mounts: do not stay a peer of them */
		if (!o->propagation)
			o->propagation = MS_SLAVE | MS_REC;
	} else
		tree = mounts_open_bind_source(m, o->recursive, err);
	if (tree < 0)
		return tree;
	if (fstat(tree, &st) < 0)
		return err_set(err, errno, "stat the source");
	target = rootfs_open_target(r, m->destination, S_ISDIR(st.st_mode), err);
	if (target < 0)
		return target;
	if ((rc = refuse_proc(target, tree, m->destination, err)) < 0 || (rc = mounts_set_flags(tree, o, true, err)) < 0)
		return rc;
	rc = sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	if (rc < 0 && fstat(target, &to) == 0 && S_ISDIR(st.st_mode) != S_ISDIR(to.st_mode))
		return err_set(err, ENOTDIR, "bind %s: one of it and the destination is a directory, the other is not", m->source);
	return rc < 0 ? err_set(err, -rc, "bind %s", m->source) : rootfs_anchor(r, m->destination, NULL, err);
}

/* bind: only what the options say changes, so that in a user namespace what the host has locked stays as it is */
static int mount_remount(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, struct err *err)
{
	CLEANUP_FD int target = rootfs_open(r, m->destination, O_PATH);
	char to[32];
	int rc;

	if (target < 0)
		return err_set(err, -target, "open");
	if (o->bind)
		return mounts_set_flags(target, o, true, err);
	rc = sys_mount(NULL, path_of_fd(target, to, sizeof to), NULL, o->flags, *o->data ? o->data : NULL);
	return rc < 0 ? err_set(err, -rc, "remount") : 0;
}

int mounts_parse(const struct spec_mount *m, struct mount_options *o, struct err *err)
{
	int r = mount_options_parse(m->options, o, err);

	if (r < 0)
		return r;
	if (m->type && !strcmp(m->type, "bind"))
		o->bind = true;
	if (m->uid_maps)
		o->idmap = true;
	if (o->bind && *o->data)
		return err_set(err, 0, "options: bind mounts cannot have any filesystem-specific options applied: \"%s\"", o->data);
	if (o->idmap && (!o->bind || o->flags & MS_REMOUNT))
		return err_set(err, 0, "options: id-mapped mounts are only supported for bind-mounts");
	return 0;
}

static int mount_new(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, struct err *err)
{
	bool proc, plain;
	CLEANUP_FD int target = -1;
	int rc;

	if (!m->type || !*m->type)
		return err_set(err, 0, "type: missing");
	proc = !strcmp(m->type, "proc");
	plain = proc || !strcmp(m->type, "sysfs") || !strcmp(m->destination, "/dev") || !strcmp(m->destination, "/proc");
	target = plain ? rootfs_open_plain(r, m->destination, err) : rootfs_open_target(r, m->destination, true, err);
	if (target < 0)
		return target;
	if (!(proc && !strcmp(m->destination, "/proc")) && (rc = refuse_proc(target, -1, m->destination, err)) < 0)
		return rc;
	if (!strcmp(m->type, "cgroup") || !strcmp(m->type, "cgroup2"))
		return cgroup_mount(r->cgroup, target, o->flags, r->spec->ns[NS_CGROUP].present, r->spec->mount_label, err);
	rc = mounts_fs(r, m, o, target, err);
	return rc < 0 ? rc : rootfs_anchor(r, m->destination, m->type, err);
}

int mounts_one(struct rootfs *r, size_t index, struct err *err)
{
	const struct spec_mount *m = &r->spec->mounts[index];
	static struct mount_options o;
	int rc = mounts_parse(m, &o, err);

	if (rc < 0)
		goto out;
	if (o.flags & MS_REMOUNT)
		rc = mount_remount(r, m, &o, err);
	else if (o.bind)
		rc = mount_bind(r, index, &o, err);
	else
		rc = mount_new(r, m, &o, err);
out:
	return rc < 0 ? err_wrap(err, rc, "mount %s", m->destination) : 0;
}
