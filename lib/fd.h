/* fd.h - descriptors: ownership, whole reads and writes.
 *
 * Every descriptor is close-on-exec from birth. */
#ifndef CORACLE_FD_H
#define CORACLE_FD_H

#include <stdint.h>
#include <sys/types.h>
#include "cdefs.h"
#include "err.h"

/* Returns *fd and leaves -1 behind. */
int fd_take(int *fd);

/* Closes *fd when it is open and leaves -1 behind; errno is kept. */
void fd_close(int *fd);

/* Reads until n bytes, end of file or an error; EINTR is hidden.
 * Returns the number of bytes or -errno. */
ssize_t fd_read_full(int fd, void *buf, size_t n);

/* Writes all n bytes. Returns 0 or -errno. */
int fd_write_full(int fd, const void *buf, size_t n);

/* Reads a whole file of at most max bytes into a fresh NUL-terminated buffer
 * that the caller frees; *len (may be NULL) is its length. -EFBIG when it is larger. */
int fd_read_file(int dirfd, const char *path, size_t max, char **out, size_t *len, struct err *err);

/* The same from an open descriptor, which stays open; path names it in err. */
int fd_read_whole(int fd, const char *path, size_t max, char **out, size_t *len, struct err *err);

/* The same into a fixed buffer (size includes the NUL), no heap. A trailing
 * newline is cut. Returns the length or -errno; -EFBIG when it does not fit. */
ssize_t fd_read_small(int dirfd, const char *path, char *buf, size_t size);

/* Writes text to an existing file such as /proc/sys/... or a cgroup file, in one write(2). */
int fd_write_small(int dirfd, const char *path, const char *text);

/* Replaces path (below dirfd) with the bytes: temporary file, fsync, rename,
 * fsync of the directory. mode: permissions. After a crash the file is the
 * old one or the new one. */
int fd_replace_file(int dirfd, const char *path, const void *data, size_t n, mode_t mode, struct err *err);

int fd_set_nonblock(int fd);

#endif
