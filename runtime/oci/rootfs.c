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
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

#define MNT_DETACH 2	/* <sys/mount.h> does not go with <linux/mount.h> */

static int clone_root(const char *path, struct err *err)
{
	int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	struct stat st;

	if (fd < 0)
		return err_set(err, -fd, "open the rootfs %s", path);
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(err, ENOTDIR, "open the rootfs %s", path);
	}
	return fd;
}

int rootfs_open_sources(struct rootfs *r, struct arena *a, struct err *err)
{
	static struct mount_options o;

	r->tree = clone_root(r->path, err);
	if (r->tree < 0)
		return r->tree;
	r->sources = arena_array(a, r->spec->mounts_n, sizeof *r->sources);
	if (!r->sources)
		return err_set(err, ENOMEM, "mounts");
	for (size_t i = 0; i < r->spec->mounts_n; i++) {
		const struct spec_mount *m = &r->spec->mounts[i];
		int rc = mount_options_parse(m->options, &o, err);

		r->sources[i] = -1;
		if (rc < 0)
			return err_wrap(err, rc, "mount %s", m->destination);
		if (!(o.bind || (m->type && !strcmp(m->type, "bind"))) || o.flags & MS_REMOUNT)
			continue;
		r->sources[i] = mounts_open_bind_source(m, o.recursive, err);
		if (r->sources[i] < 0)
			return err_wrap(err, r->sources[i], "mount %s", m->destination);
	}
	return 0;
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
	int rc;

	/* the mounts are the host's: the tree is entered as it is */
	if (!r->spec->ns[NS_MNT].present) {
		r->fd = sys_openat(AT_FDCWD, r->path, O_PATH | O_DIRECTORY, 0);
		return r->fd < 0 ? err_set(err, -r->fd, "open the rootfs %s", r->path) : 0;
	}
	/* a slave still sees the host's later mounts below shared volumes, and sends nothing back */
	if (how != MS_SHARED && how != MS_PRIVATE)
		how = MS_SLAVE;
	rc = sys_mount(NULL, "/", NULL, how | MS_REC, NULL);
	if (rc < 0)
		return err_set(err, -rc, "set the propagation of /");
	if (how == MS_SHARED && (rc = parent_private(r->path, err)) < 0)
		return rc;
	r->fd = r->tree >= 0 ? fd_take(&r->tree) : clone_root(r->path, err);
	if (r->fd < 0)
		return r->fd;
	if (r->in_userns) {
		struct mount_attr attr = { .propagation = MS_SLAVE };

		/* cloned among the host's mounts: must not be their peer */
		rc = sys_mount_setattr(r->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr);
		if (rc < 0)
			return err_set(err, -rc, "set the propagation of the rootfs");
		rc = sys_move_mount(r->fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	} else
		rc = sys_move_mount(r->fd, "", AT_FDCWD, r->path, MOVE_MOUNT_F_EMPTY_PATH);
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

int rootfs_open_target(struct rootfs *r, const char *dest, bool directory, struct err *err)
{
	const char *base;
	int dir, fd = path_open_in(r->fd, dest, O_PATH, 0);

	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return err_set(err, -fd, "open %s in the rootfs", dest);
	if (directory) {
		fd = path_mkdirs_in(r->fd, dest, 0755);
		return fd < 0 ? err_set(err, -fd, "make %s in the rootfs", dest) : fd;
	}
	dir = path_open_parent_in(r->fd, dest, 0755, &base);
	if (dir < 0)
		return err_set(err, -dir, "make the directory of %s in the rootfs", dest);
	close(dir);
	/* by its whole path, so that a dangling link leads to a place inside the root too */
	fd = path_open_in(r->fd, dest, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);
	if (fd < 0)
		return err_set(err, -fd, "make %s in the rootfs", dest);
	close(fd);
	fd = path_open_in(r->fd, dest, O_PATH, 0);
	return fd < 0 ? err_set(err, -fd, "open %s in the rootfs", dest) : fd;
}

int rootfs_open_plain(struct rootfs *r, const char *dest, struct err *err)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
	int fd = sys_openat2(r->fd, dest, &how);

	if (fd == -ENOENT) {
		fd = path_mkdirs_in(r->fd, dest, 0755);
		if (fd >= 0) {
			close(fd);
			fd = sys_openat2(r->fd, dest, &how);
		}
	}
	if (fd == -ELOOP)
		return err_set(err, 0, "%s must be an ordinary directory of the rootfs, not a symbolic link", dest);
	return fd < 0 ? err_set(err, -fd, "open %s in the rootfs", dest) : fd;
}

static int pivot(struct rootfs *r, struct err *err)
{
	int rc;

	if (fchdir(r->fd) < 0)
		return err_set(err, errno, "enter the rootfs");
	/* the old root ends up on top of the new one and is taken off at once: needs no directory for it */
	rc = sys_pivot_root(".", ".");
	if (rc < 0)
		return err_set(err, -rc, "pivot_root");
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
	rc = sys_mount(".", "/", NULL, MS_MOVE, NULL);
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
