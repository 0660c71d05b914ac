/* rootfs_open.c - opening places of the rootfs, and making them. Runs in the
 * container's first process before pivot_root. A hostile program may share the
 * tree and rename in it all the while: what we have mounted on /proc, /sys and
 * /dev is held by descriptor (anchors), so that masks and devices go there and
 * not to what has meanwhile taken the name (CVE-2023-27561, CVE-2026-47766). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/rootfs.h"

#define LINKS_MAX 8

static const struct { const char *path, *type; unsigned long magic; } ANCHORS[ROOTFS_ANCHORS] = {
	{ "/proc", "proc", PROC_SUPER_MAGIC }, { "/sys", "sysfs", SYSFS_MAGIC }, { "/dev", "tmpfs", TMPFS_MAGIC },
};

int rootfs_anchor(struct rootfs *r, const char *dest, const char *type, struct err *err)
{
	for (int i = 0; i < ROOTFS_ANCHORS; i++) {
		struct statfs fs;

		if (strcmp(dest, ANCHORS[i].path) && strcmp(dest, "/"))
			continue;
		fd_close(&r->anchor[i]);
		if (!type || strcmp(type, ANCHORS[i].type) || strcmp(dest, ANCHORS[i].path))
			continue;
		r->anchor[i] = rootfs_open_plain(r, dest, err);
		if (r->anchor[i] < 0)
			return r->anchor[i];
		if (fstatfs(r->anchor[i], &fs) < 0 || (unsigned long)fs.f_type != ANCHORS[i].magic)
			return err_set(err, 0, "%s was exchanged for something else while it was mounted on", dest);
	}
	return 0;
}

int rootfs_at(const struct rootfs *r, const char **path)
{
	for (int i = 0; i < ROOTFS_ANCHORS; i++) {
		size_t n = strlen(ANCHORS[i].path);

		if (r->anchor[i] < 0 || strncmp(*path, ANCHORS[i].path, n) || (*path)[n] != '/' || !(*path)[n + 1])
			continue;
		*path += n + 1;
		return r->anchor[i];
	}
	return r->fd;
}

int rootfs_open(const struct rootfs *r, const char *path, int flags)
{
	int at = rootfs_at(r, &path);

	return path_open_in(at, path, flags, 0);
}

int rootfs_open_file_at(int dir, const char *base, const char *name, struct err *err)
{
	int fd, rc = sys_mknodat(dir, base, S_IFREG | 0644, 0);
	struct stat st;

	if (rc < 0 && rc != -EEXIST)
		return err_set(err, -rc, "make %s in the rootfs", name);
	/* O_PATH: to open a device or a pipe that somebody put there would already do something */
	fd = sys_openat(dir, base, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_set(err, -fd, "open %s in the rootfs", name);
	if (fstat(fd, &st) < 0 || S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(err, 0, "%s is a %s in the rootfs, not a file", name, S_ISDIR(st.st_mode) ? "directory" : "symbolic link");
	}
	return fd;
}

/* Makes the file that dest names, at the end of links that lead nowhere yet too. */
static int make_file(struct rootfs *r, const char *dest, struct err *err)
{
	const char *below = dest;
	int at = rootfs_at(r, &below);
	char path[PATH_MAX], link[PATH_MAX];

	if (snprintf(path, sizeof path, "%s", below) >= (int)sizeof path)
		return err_set(err, ENAMETOOLONG, "make %s in the rootfs", dest);
	for (int links = 0; links < LINKS_MAX; links++) {
		const char *base;
		CLEANUP_FD int dir = path_open_parent_in(at, path, 0755, &base);
		ssize_t n;

		if (dir < 0)
			return err_set(err, -dir, "make the directory of %s in the rootfs", dest);
		n = readlinkat(dir, base, link, sizeof link - 1);
		if (n < 0)
			return rootfs_open_file_at(dir, base, dest, err);
		link[n] = '\0';
		n = *link == '/' ? 0 : base - path;
		if (snprintf(path + n, sizeof path - (size_t)n, "%s", link) >= (int)sizeof path - (int)n)
			return err_set(err, ENAMETOOLONG, "follow %s in the rootfs", dest);
	}
	return err_set(err, ELOOP, "follow %s in the rootfs", dest);
}

int rootfs_open_target(struct rootfs *r, const char *dest, bool directory, struct err *err)
{
	const char *below = dest;
	int at = rootfs_at(r, &below), fd = path_open_in(at, below, O_PATH, 0);

	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return err_set(err, -fd, "open %s in the rootfs", dest);
	if (!directory)
		return make_file(r, dest, err);
	fd = path_mkdirs_in(at, below, 0755);
	return fd < 0 ? err_set(err, -fd, "make %s in the rootfs", dest) : fd;
}

int rootfs_open_plain(struct rootfs *r, const char *dest, struct err *err)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS };
	int fd;

	for (int i = 0; i < ROOTFS_ANCHORS; i++)
		if (r->anchor[i] >= 0 && !strcmp(dest, ANCHORS[i].path)) {
			fd = path_open_in(r->anchor[i], ".", O_PATH | O_DIRECTORY, 0);
			return fd < 0 ? err_set(err, -fd, "open %s in the rootfs", dest) : fd;
		}
	fd = sys_openat2(r->fd, dest, &how);
	if (fd == -ENOENT) {
		fd = path_mkdirs_in(r->fd, dest, 0755);
		if (fd < 0)
			return err_set(err, -fd, "make %s in the rootfs", dest);
		close(fd);
		fd = sys_openat2(r->fd, dest, &how);
	}
	if (fd == -ELOOP)
		return err_set(err, 0, "%s must be an ordinary directory of the rootfs, not a symbolic link", dest);
	return fd < 0 ? err_set(err, -fd, "open %s in the rootfs", dest) : fd;
}
