/* copy_up.c - fills a tmpfs with the directory it covers. Runs in the
 * container's first process before pivot_root; follows no symbolic link. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/copy_up.h"

#define DEPTH_MAX 64

static int copy_dir(int from, int to, int depth);

/* Opens for reading what is a regular file for certain: a device that took its name meanwhile would act on being opened. */
static int open_regular(int from, const char *name)
{
	CLEANUP_FD int fd = sys_openat(from, name, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	char path[32];

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EAGAIN;
	return sys_openat(AT_FDCWD, path_of_fd(fd, path, sizeof path), O_RDONLY, 0);
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	CLEANUP_FD int in = open_regular(from, name);
	CLEANUP_FD int out = -1;
	char buf[16384];
	ssize_t n;
	int r;

	if (in < 0)
		return in;
	out = sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (out < 0)
		return out;
	while ((n = sys_read(in, buf, sizeof buf)) > 0)
		if ((r = fd_write_full(out, buf, (size_t)n)) < 0)
			return r;
	if (n < 0)
		return (int)n;
	if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof target - 1);
	int r;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if ((r = sys_symlinkat(target, to, name)) < 0)
		return r;
	return sys_fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int copy_subdir(int from, int to, const char *name, const struct stat *st, int depth)
{
	CLEANUP_FD int in = -1, out = -1;
	int r = sys_mkdirat(to, name, 0700);

	if (r < 0)
		return r;
	in = sys_openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (in < 0)
		return in;
	out = sys_openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (out < 0)
		return out;
	if ((r = copy_dir(in, out, depth + 1)) < 0)
		return r;
	if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_dir(int from, int to, int depth)
{
	int fd = sys_openat(from, ".", O_RDONLY | O_DIRECTORY, 0), r = 0;
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while (r >= 0 && (e = readdir(d))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
		else if (S_ISREG(st.st_mode))
			r = copy_file(from, to, e->d_name, &st);
		else if (S_ISLNK(st.st_mode))
			r = copy_link(from, to, e->d_name, &st);
		else if (S_ISDIR(st.st_mode))
			r = depth < DEPTH_MAX ? copy_subdir(from, to, e->d_name, &st, depth) : -ELOOP;
	}
	closedir(d);
	return r;
}

int copy_up(int from, int to, struct err *err)
{
	struct stat st;
	int r = copy_dir(from, to, 0);

	if (r >= 0 && fstat(from, &st) == 0 && fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		r = -errno;
	return r < 0 ? err_set(err, -r, "copy what the tmpfs covers") : 0;
}
