/* fdfile.c - whole files: read into the heap, replace so that a crash leaves the old or the new. */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

int fd_read_file(int dirfd, const char *path, size_t max, char **out, size_t *len, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(dirfd, path, O_RDONLY | O_NOCTTY, 0);

	return fd < 0 ? err_set(err, -fd, "open %s", path) : fd_read_whole(fd, path, max, out, len, err);
}

int fd_read_whole(int fd, const char *path, size_t max, char **out, size_t *len, struct err *err)
{
	CLEANUP_FREE char *data = NULL;
	size_t used = 0;
	size_t cap = 4096;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size <= max)
		cap = (size_t)st.st_size + 1; /* files in /proc say 0: they grow below */
	data = malloc(cap + 1);
	if (!data)
		return err_set(err, ENOMEM, "read %s", path);
	for (;;) {
		ssize_t r = sys_read(fd, data + used, cap - used);

		if (r < 0)
			return err_set(err, (int)-r, "read %s", path);
		if (r == 0)
			break;
		used += (size_t)r;
		if (used > max)
			return err_set(err, EFBIG, "read %s: more than %zu bytes", path, max);
		if (used == cap) {
			char *bigger = realloc(data, cap * 2 + 1);

			if (!bigger)
				return err_set(err, ENOMEM, "read %s", path);
			data = bigger;
			cap *= 2;
		}
	}
	data[used] = '\0';
	*out = ptr_take(&data);
	if (len)
		*len = used;
	return 0;
}

static int write_temporary(int dirfd, const char *tmp, const void *data, size_t n, mode_t mode)
{
	CLEANUP_FD int fd = sys_openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return fd;
	if (fchmod(fd, mode) < 0) /* past the umask */
		return -errno;
	r = fd_write_full(fd, data, n);
	return r < 0 ? r : sys_fsync(fd);
}

static int sync_parent(int dirfd, const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	CLEANUP_FD int fd = -1;

	if (!slash) {
		snprintf(dir, sizeof(dir), ".");
	} else {
		size_t n = slash == path ? 1 : (size_t)(slash - path);

		if (n >= sizeof(dir))
			return -ENAMETOOLONG;
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	fd = sys_openat(dirfd, dir, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? fd : sys_fsync(fd);
}

int fd_replace_file(int dirfd, const char *path, const void *data, size_t n, mode_t mode, struct err *err)
{
	char tmp[PATH_MAX];
	int r;

	/* one writer per file: a fixed temporary name also cleans up after a crash */
	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", path) >= sizeof(tmp))
		return err_set(err, ENAMETOOLONG, "write %s", path);
	r = write_temporary(dirfd, tmp, data, n, mode);
	if (r == 0)
		r = sys_renameat2(dirfd, tmp, dirfd, path, 0);
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return err_set(err, -r, "write %s", path);
	}
	r = sync_parent(dirfd, path);
	return r < 0 ? err_set(err, -r, "sync the directory of %s", path) : 0;
}
