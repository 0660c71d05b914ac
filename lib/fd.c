/* fd.c - descriptors without heap: ownership, whole reads and writes. */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

int fd_take(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd); /* not repeated on EINTR: Linux has closed it all the same */
	*fd = -1;
	errno = saved;
}

void fd_cleanup(int *fd)
{
	fd_close(fd);
}

ssize_t fd_read_full(int fd, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = sys_read(fd, (char *)buf + done, n - done);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t r = sys_write(fd, (const char *)buf + done, n - done);

		if (r < 0)
			return (int)r;
		if (r == 0)
			return -EIO;
		done += (size_t)r;
	}
	return 0;
}

ssize_t fd_read_small(int dirfd, const char *path, char *buf, size_t size)
{
	CLEANUP_FD int fd = sys_openat(dirfd, path, O_RDONLY | O_NOCTTY, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = fd_read_full(fd, buf, size);
	if (n < 0)
		return n;
	if ((size_t)n == size)
		return -EFBIG;
	buf[n] = '\0';
	if (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return n;
}

int fd_write_small(int dirfd, const char *path, const char *text)
{
	CLEANUP_FD int fd = sys_openat(dirfd, path, O_WRONLY | O_NOCTTY, 0);
	size_t n = strlen(text);
	ssize_t r;

	if (fd < 0)
		return fd;
	r = sys_write(fd, text, n);
	if (r < 0)
		return (int)r;
	return (size_t)r == n ? 0 : -EIO;
}

int fd_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}
