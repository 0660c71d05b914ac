/* rootfs.c - the container's tree: propagation, the root mount, pivot_root.
 * Runs in the container's first process; never changes the host's mounts,
 * which it sees as slaves only. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/idmap.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

#define MNT_DETACH 2	/* <sys/mount.h> does not go with <linux/mount.h> */

/* root.path itself, never by way of a link: what a link leads to can change between now and the mount (runc refuses them too). */
static int open_root_dir(const char *path, struct err *err)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	int fd = sys_openat2(AT_FDCWD, path, &how);

	if (fd == -ELOOP)
		return err_set(err, 0, "root.path: open the rootfs %s: it is a symbolic link or behind one; name the directory itself", path);
	return fd < 0 ? err_set(err, -fd, "root.path: open the rootfs %s", path) : fd;
}

static int clone_root(int dir, const char *path, struct err *err)
{
	int fd = sys_open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

	return fd < 0 ? err_set(err, -fd, "root.path: clone the mount of the rootfs %s", path) : fd;
}

static int open_sources(struct rootfs *r, bool idmapped_only, struct arena *a, struct err *err)
{
	static struct mount_options o;

	r->sources = arena_array(a, r->spec->mounts_n, sizeof *r->sources);
	if (!r->sources)
		return err_set(err, ENOMEM, "mounts");
	for (size_t i = 0; i < r->spec->mounts_n; i++)
		r->sources[i] = -1;
	for (size_t i = 0; i < r->spec->mounts_n; i++) {
		const struct spec_mount *m = &r->spec->mounts[i];
		int rc = mounts_parse(m, &o, err);

		if (rc >= 0 && !o.idmap && (idmapped_only || !o.bind || o.flags & MS_REMOUNT))
			continue;
		if (rc >= 0)
			rc = r->sources[i] = mounts_open_bind_source(m, o.recursive, err);
		if (rc >= 0 && o.idmap)
			rc = idmap_apply(r->sources[i], r->spec, m, o.idmap_recursive, err);
		if (rc < 0)
			return err_wrap(err, rc, "mount %s", m->destination);
	}
	return 0;
}

int rootfs_open_sources(struct rootfs *r, struct arena *a, struct err *err)
{
	bool idmapped = idmap_wanted(r->spec);
	CLEANUP_FD int dir = -1;

	if (idmapped && geteuid())
		return err_set(err, 0, "mounts: id-mapped mounts are not supported for rootless containers");
	if (r->in_userns) {
		dir = open_root_dir(r->path, err);
		if (dir < 0)
			return dir;
		r->tree = clone_root(dir, r->path, err);
		/* not allowed to clone mounts here: rootless. The first process is, and as the same user it can reach what we can. */
		if (r->tree == -EPERM) {
			r->tree = -1;
			return 0;
		}
		if (r->tree < 0)
			return r->tree;
	}
	return r->in_userns || idmapped ? open_sources(r, !r->in_userns, a, err) : 0;
}

/* pivot_root(2) refuses a new root whose parent mount is shared: makes the
 * mount that holds the rootfs private. Only needed where "/" stays shared. */
static int parent_private(const char *path, struct err *err)
{
	char dir[PATH_MAX];
	int r;

	if (snprintf(dir, sizeof dir, "%s", path) >= (int)sizeof dir)
		return err_set(err, ENAMETOOLONG, "rootfs");
	for (;;) {
		char *slash = strrchr(dir, '/');

		r = sys_mount(NULL, *dir ? dir : "/", NULL, MS_PRIVATE, NULL);
		if (r != -EINVAL || !slash || !*dir)
			return r < 0 ? err_set(err, -r, "make the mount of %s private", path) : 0;
		*slash = '\0';
	}
}

int rootfs_prepare(struct rootfs *r, struct err *err)
{
	unsigned long how = r->spec->root_propagation & ~(unsigned long)MS_REC;
	CLEANUP_FD int dir = -1;
	int rc;

	for (int i = 0; i < ROOTFS_ANCHORS; i++)
		r->anchor[i] = -1;
	/* the mounts are the host's: the tree is entered as it is */
	if (!r->spec->ns[NS_MNT].present) {
		r->fd = open_root_dir(r->path, err);
		return r->fd < 0 ? r->fd : 0;
	}
	/* a slave still sees the host's later mounts below shared volumes, and sends nothing back */
	if (how != MS_SHARED && how != MS_PRIVATE)
		how = MS_SLAVE;
	rc = sys_mount(NULL, "/", NULL, how | MS_REC, NULL);
	if (rc < 0)
		return err_set(err, -rc, "set the propagation of /");
	if (how == MS_SHARED && (rc = parent_private(r->path, err)) < 0)
		return rc;
	if (r->tree < 0) {
		dir = open_root_dir(r->path, err);
		if (dir < 0)
			return dir;
	}
	r->fd = r->tree >= 0 ? fd_take(&r->tree) : clone_root(dir, r->path, err);
	if (r->fd < 0)
		return r->fd;
	if (r->in_userns) {
		struct mount_attr attr = { .propagation = MS_SLAVE };

		/* cloned among the host's mounts: must not be their peer */
		rc = sys_mount_setattr(r->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr);
		if (rc < 0)
			return err_set(err, -rc, "set the propagation of the rootfs");
		/* the place it came from may be out of reach here; "/" never is */
		rc = sys_move_mount(r->fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	} else
		rc = sys_move_mount(r->fd, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	return rc < 0 ? err_set(err, -rc, "mount the rootfs %s", r->path) : 0;
}

int rootfs_mount_all(struct rootfs *r, struct err *err)
{
	for (size_t i = 0; i < r->spec->mounts_n; i++) {
		int rc = mounts_one(r, i, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int pivot(struct rootfs *r, struct err *err)
{
	bool shared = (r->spec->root_propagation & ~(unsigned long)MS_REC) == MS_SHARED;
	struct mount_attr slave = { .propagation = MS_SLAVE };
	CLEANUP_FD int old = shared ? sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0) : -1;
	int rc;

	if (shared && old < 0)
		return err_set(err, -old, "open /");
	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "enter the rootfs");
	/* the old root ends up on top of the new one and is taken off at once: needs no directory for it */
	rc = sys_pivot_root(".", ".");
	if (rc < 0)
		return err_set(err, -rc, "pivot_root");
	/* where "/" was left shared, taking the old tree off would take the host's own mounts off */
	if (shared && (rc = sys_mount_setattr(old, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof slave)) < 0)
		return err_set(err, -rc, "set the propagation of the old root");
	rc = sys_umount2(".", MNT_DETACH);
	if (rc < 0)
		return err_set(err, -rc, "unmount the old root");
	return 0;
}

static int move_and_chroot(struct rootfs *r, struct err *err)
{
	int rc;

	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "enter the rootfs");
	/* in a user namespace it is on "/" already (rootfs_prepare) */
	rc = r->in_userns ? 0 : sys_mount(".", "/", NULL, MS_MOVE, NULL);
	if (rc < 0)
		return err_set(err, -rc, "move the rootfs to /");
	if (chroot(".") < 0)
		return err_set(err, errno, "chroot");
	return 0;
}

static int only_chroot(struct rootfs *r, struct err *err)
{
	if (fchdir(r->fd) < 0 || chroot(".") < 0)
		return err_set(err, errno, "enter the rootfs");
	return 0;
}

int rootfs_enter(struct rootfs *r, bool no_pivot, struct err *err)
{
	unsigned long how = r->spec->root_propagation;
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	int rc;

	if (!r->spec->ns[NS_MNT].present)
		return only_chroot(r, err);
	if (r->spec->root_readonly) {
		rc = sys_mount_setattr(r->fd, "", AT_EMPTY_PATH, &ro, sizeof ro);
		if (rc < 0)
			return err_set(err, -rc, "make the rootfs read-only");
	}
	rc = no_pivot ? move_and_chroot(r, err) : pivot(r, err);
	if (rc < 0)
		return rc;
	if (chdir("/") < 0)
		return err_set(err, errno, "chdir /");
	if (how && (rc = sys_mount(NULL, "/", NULL, how, NULL)) < 0)
		return err_set(err, -rc, "set linux.rootfsPropagation");
	return 0;
}
