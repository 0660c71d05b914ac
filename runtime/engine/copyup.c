/* copyup.c - the image's content into new volumes (child of coracle-engine). Never leaves the container's root: links are copied, not followed. */
#include "copyup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "path.h"
#include "runtime/store/store.h"
#include "text.h"

#define DEPTH_MAX 200
#define XATTR_MAX 65536

static int copy_level(int src, int dst, int depth, struct err *err);

static bool has_entries(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool any = false;

	for (struct dirent *e; d && !any && (e = readdir(d));)
		any = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (d)
		closedir(d);
	else
		fd_close(&fd);
	return any;
}

/* Opens both ends; false when there is nothing to do. */
static bool open_ends(const struct container *c, const struct service_mount *m, int *src, int *dst)
{
	char path[512];
	CLEANUP_FD int root = -1;

	*src = *dst = -1;
	if (m->type != MOUNT_VOLUME)
		return false;
	for (char **o = m->options; *o; o++)
		if (strcmp(*o, "nocopy") == 0)
			return false;
	root = open(store_rootfs_path(engine.store, c->id, path, sizeof(path)), O_PATH | O_DIRECTORY | O_CLOEXEC);
	*src = root < 0 ? -1 : path_open_in(root, m->target, O_RDONLY | O_DIRECTORY, 0);
	if (*src < 0 || !has_entries(*src) || store_volume(engine.store, m->source, path, sizeof(path), NULL) < 0)
		return false;
	*dst = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *dst >= 0 && !has_entries(*dst);
}

bool copyup_needed(const struct container *c)
{
	bool any = false;

	for (size_t i = 0; i < c->svc.mount_count && !any; i++) {
		int src, dst;

		any = open_ends(c, &c->svc.mounts[i], &src, &dst);
		fd_close(&src);
		fd_close(&dst);
	}
	return any;
}

/* from and to are /proc/self/fd paths; nofollow for links. What cannot be kept is left away, as Docker does. */
static void copy_xattrs(const char *from, const char *to)
{
	static char names[XATTR_MAX], value[XATTR_MAX];
	ssize_t n = llistxattr(from, names, sizeof(names)), v;

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		if (strncmp(names + at, "trusted.overlay.", 16) == 0)
			continue;
		v = lgetxattr(from, names + at, value, sizeof(value));
		if (v >= 0)
			lsetxattr(to, names + at, value, (size_t)v, 0);
	}
}

static int copy_bytes(int src, int dst)
{
	for (;;) {
		ssize_t n = sendfile(dst, src, NULL, 1 << 20);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int copy_file(int src, int dst, const char *name, const struct stat *st)
{
	CLEANUP_FD int in = openat(src, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	CLEANUP_FD int out = openat(dst, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st->st_mode & 0777);

	return in < 0 || out < 0 ? -errno : copy_bytes(in, out);
}

static int copy_link(int src, int dst, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(src, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, dst, name) < 0 ? -errno : 0;
}

static int copy_directory(int src, int dst, const char *name, int depth, struct err *err)
{
	CLEANUP_FD int in = openat(src, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int out = -1;

	if (in < 0 || mkdirat(dst, name, 0700) < 0)
		return -errno;
	out = openat(dst, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return out < 0 ? -errno : copy_level(in, out, depth + 1, err);
}

static int copy_attributes(int src, int dst, const char *name, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char from[300], to[300];

	if (fchownat(dst, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(dst, name, st->st_mode & 07777, 0) < 0)
		return -errno;
	text_set(from, sizeof(from), "/proc/self/fd/%d/%s", src, name);
	text_set(to, sizeof(to), "/proc/self/fd/%d/%s", dst, name);
	copy_xattrs(from, to);
	utimensat(dst, name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int copy_entry(int src, int dst, const char *name, int depth, struct err *err)
{
	struct stat st;
	int r;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		r = copy_directory(src, dst, name, depth, err);
	else if (S_ISREG(st.st_mode))
		r = copy_file(src, dst, name, &st);
	else if (S_ISLNK(st.st_mode))
		r = copy_link(src, dst, name);
	else if (S_ISSOCK(st.st_mode))
		return 0;
	else
		r = mknodat(dst, name, st.st_mode & (S_IFMT | 0777), st.st_rdev) < 0 ? -errno : 0;
	return r < 0 ? r : copy_attributes(src, dst, name, &st);
}

static int copy_level(int src, int dst, int depth, struct err *err)
{
	int fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d || depth > DEPTH_MAX) {
		r = d ? -ELOOP : -errno;
		fd_close(&fd);
		return r;
	}
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = copy_entry(src, dst, e->d_name, depth, err);
		if (r < 0 && err && !err->code)
			err_set(err, -r, "copy %s", e->d_name);
	}
	closedir(d);
	return r;
}

int copyup_tree(int src, int dst, struct err *err)
{
	struct stat st;
	int r = copy_level(src, dst, 0, err);

	if (r < 0)
		return r;
	if (fstat(src, &st) < 0 || fchown(dst, st.st_uid, st.st_gid) < 0 || fchmod(dst, st.st_mode & 07777) < 0)
		return err_set(err, errno, "owner and mode");
	return 0;
}

/* Empties the volume again, so that the next start tries anew. */
static void empty(int dst)
{
	int fd = openat(dst, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			path_remove_tree(dst, e->d_name);
	if (d)
		closedir(d);
}

int copyup_run(const struct container *c, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->svc.mount_count; i++) {
		const struct service_mount *m = &c->svc.mounts[i];
		int src, dst;

		if (open_ends(c, m, &src, &dst)) {
			r = copyup_tree(src, dst, err);
			if (r < 0) {
				err_wrap(err, r, "copy %s of the image into volume %s", m->target, m->source);
				empty(dst);
			}
		}
		fd_close(&src);
		fd_close(&dst);
	}
	return r;
}
