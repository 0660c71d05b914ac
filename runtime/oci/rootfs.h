/* rootfs.h - the container's file system tree, built by its first process in
 * its own mount namespace before pivot_root.
 *
 * The host's tree is trusted, the rootfs is not: everything in it is opened by
 * openat2 with RESOLVE_IN_ROOT below the rootfs's descriptor, and mounted on
 * through /proc/self/fd/N or move_mount(2), so that no symbolic link, however
 * it changes meanwhile, leads a mount out of the tree (CVE-2021-30465 and kin). */
#ifndef CORACLE_OCI_ROOTFS_H
#define CORACLE_OCI_ROOTFS_H

#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/spec.h"

#define ROOTFS_ANCHORS 3	/* /proc, /sys, /dev */

struct rootfs {
	const struct spec *spec;
	const struct cgroup *cgroup;
	const char *path;	/* absolute, on the host */
	int fd;			/* root of the tree once rootfs_prepare has run */
	int tree;		/* a clone made before entering a user namespace, or -1 */
	int *sources;		/* per mount: a clone made before entering a user namespace, or -1; NULL: none */
	bool in_userns;
	int anchor[ROOTFS_ANCHORS];	/* roots of the file systems that we have mounted there, or -1 (rootfs_open.c) */
};

/* Clones the rootfs and the sources of bind mounts while the caller may still reach them; the first
 * process of a container with a user namespace may not. Idmapped ones are mapped here. Called before clone3. */
int rootfs_open_sources(struct rootfs *r, struct arena *a, struct err *err);
/* Propagation of "/", and the rootfs as a mount of its own. */
int rootfs_prepare(struct rootfs *r, struct err *err);
/* The mounts of config.json in their order. */
int rootfs_mount_all(struct rootfs *r, struct err *err);
/* Device nodes and links below /dev (devices.c). */
int rootfs_make_devices(struct rootfs *r, struct err *err);
/* linux.maskedPaths and readonlyPaths, and the flags that had to wait (masks.c). */
int rootfs_mask_paths(struct rootfs *r, struct err *err);
/* root.readonly; then pivot_root and the host's tree goes away, or (no_pivot) MS_MOVE and chroot. */
int rootfs_enter(struct rootfs *r, bool no_pivot, struct err *err);

/* To be called when dest has been mounted on: holds a new /proc, /sys or /dev by descriptor. type NULL: a bind. */
int rootfs_anchor(struct rootfs *r, const char *dest, const char *type, struct err *err);
/* The directory to open path from: an anchor, or the root. path is advanced to what is below it. */
int rootfs_at(const struct rootfs *r, const char **path);
/* Opens path inside the rootfs. Returns the descriptor or -errno. */
int rootfs_open(const struct rootfs *r, const char *path, int flags);

/* Opens a place to mount on, made when it is missing: a directory, or an empty file. Returns O_PATH or -errno. */
int rootfs_open_target(struct rootfs *r, const char *dest, bool directory, struct err *err);

/* The same for a directory that no symbolic link may lead to: /dev, and where proc and sysfs go. A link would
 * put them, and all that is masked below them, somewhere else. */
int rootfs_open_plain(struct rootfs *r, const char *dest, struct err *err);

/* The file base of an open directory, made when it is missing; a link or a directory there is an error. name: for messages. Returns O_PATH or -errno. */
int rootfs_open_file_at(int dir, const char *base, const char *name, struct err *err);

struct mount_options;

/* mounts.c */
int mounts_one(struct rootfs *r, size_t index, struct err *err);
/* Options of one mount, those of binds checked. */
int mounts_parse(const struct spec_mount *m, struct mount_options *o, struct err *err);
/* Flags and propagation of a tree that fd holds, attached or not. per_mount: those of its top mount too. */
int mounts_set_flags(int fd, const struct mount_options *o, bool per_mount, struct err *err);
int mounts_open_bind_source(const struct spec_mount *m, bool recursive, struct err *err);

/* mounts_fs.c: a new file system. target: where, already opened. */
int mounts_fs(struct rootfs *r, const struct spec_mount *m, struct mount_options *o, int target, struct err *err);

#endif
