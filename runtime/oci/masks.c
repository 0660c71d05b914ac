/* masks.c - paths the container may not read (linux.maskedPaths) or write
 * (readonlyPaths). Runs in the container's first process before pivot_root.
 * Each path is opened once inside the rootfs and covered through that
 * descriptor; /dev/null is the host's, never the container's (CVE-2025-31133). */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/rootfs.h"

/* The first directory gets an empty read-only tmpfs, the others binds of it:
 * a file system more costs far more than a mount more. */
static int mask_dir(int target, int *empty)
{
	char from[32], to[32];
	CLEANUP_FD int fs = -1;
	int r;

	if (*empty >= 0)
		return sys_mount(path_of_fd(*empty, from, sizeof from), path_of_fd(target, to, sizeof to), NULL, MS_BIND, NULL);
	fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	if ((r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0)) < 0 ||
	    (r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) < 0)
		return r;
	*empty = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (*empty < 0)
		return *empty;
	return sys_move_mount(*empty, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int mask(struct rootfs *r, const char *path, int *empty, struct err *err)
{
	CLEANUP_FD int target = rootfs_open(r, path, O_PATH);
	char to[32];
	int rc;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(err, -target, "linux.maskedPaths: mask %s", path);
	rc = sys_mount("/dev/null", path_of_fd(target, to, sizeof to), NULL, MS_BIND, NULL);
	if (rc == -ENOTDIR)
		rc = mask_dir(target, empty);
	return rc < 0 ? err_set(err, -rc, "linux.maskedPaths: mask %s", path) : 0;
}

static int make_readonly(struct rootfs *r, const char *path, struct err *err)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	CLEANUP_FD int target = rootfs_open(r, path, O_PATH);
	CLEANUP_FD int tree = -1;
	int rc;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(err, -target, "linux.readonlyPaths: make %s read-only", path);
	tree = sys_open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0)
		return err_set(err, -tree, "linux.readonlyPaths: make %s read-only", path);
	if ((rc = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof ro)) < 0 ||
	    (rc = sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) < 0)
		return err_set(err, -rc, "linux.readonlyPaths: make %s read-only", path);
	return 0;
}

/* A read-only /dev was mounted writable for its nodes. */
static int finish_dev(struct rootfs *r, struct err *err)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	bool wanted = false;

	for (size_t i = 0; i < r->spec->mounts_n; i++) {
		const struct spec_mount *m = &r->spec->mounts[i];

		if (strcmp(m->destination, "/dev") || (m->type && !strcmp(m->type, "bind")))
			continue;
		wanted = false;
		for (char **o = m->options; *o; o++)
			if (!strcmp(*o, "ro") || !strcmp(*o, "rw"))
				wanted = (*o)[1] == 'o';
	}
	if (wanted) {
		CLEANUP_FD int fd = rootfs_open_plain(r, "/dev", err);
		int rc = fd < 0 ? fd : sys_mount_setattr(fd, "", AT_EMPTY_PATH, &ro, sizeof ro);

		if (fd >= 0 && rc < 0)
			return err_set(err, -rc, "make /dev read-only");
		return rc;
	}
	return 0;
}

int rootfs_mask_paths(struct rootfs *r, struct err *err)
{
	CLEANUP_FD int empty = -1;
	int rc = finish_dev(r, err);

	for (char **p = r->spec->readonly; rc >= 0 && p && *p; p++)
		rc = make_readonly(r, *p, err);
	for (char **p = r->spec->masked; rc >= 0 && p && *p; p++)
		rc = mask(r, *p, &empty, err);
	return rc;
}
