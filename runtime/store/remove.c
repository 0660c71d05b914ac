/* remove.c - removing a tree that a stranger made.
 *
 * A layer or a container can nest directories deeper than any recursion or path
 * may go. So nothing recurses: a directory that is not empty is moved up beside the
 * tree's own children, and its turn comes later. Runs in the engine. */
#include "runtime/store/storeint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"

#define MOVED ".coracle-moved-"

/* Empties dir, moving its non-empty directories to top. Returns 0 or -errno. */
static int empty_directory(int top, int dir, unsigned *serial)
{
	int dup_fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	DIR *d = dup_fd < 0 ? NULL : fdopendir(dup_fd);
	struct dirent *e;
	int first = 0;

	if (!d) {
		first = -errno;
		fd_close(&dup_fd);
		return first;
	}
	while ((e = readdir(d))) {
		char moved[64];
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = sys_unlinkat(dir, e->d_name, 0);
		if (r == -EISDIR || r == -EPERM)
			r = sys_unlinkat(dir, e->d_name, AT_REMOVEDIR);
		if (r == -ENOTEMPTY || r == -EEXIST) {
			snprintf(moved, sizeof(moved), MOVED "%u", (*serial)++);
			r = sys_renameat2(dir, e->d_name, top, moved, 0);
		}
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	closedir(d);
	return first;
}

/* One round: empties each directory directly below top. *left: how many there were. */
static int empty_children(int top, unsigned *serial, unsigned *left)
{
	int dup_fd = sys_openat(top, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = dup_fd < 0 ? NULL : fdopendir(dup_fd);
	struct dirent *e;
	int first = 0;

	if (!d)
		return dup_fd < 0 ? dup_fd : -errno;
	*left = 0;
	while ((e = readdir(d))) {
		CLEANUP_FD int fd = -1;
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = sys_unlinkat(top, e->d_name, 0);
		if (r == -EISDIR || r == -EPERM)
			r = sys_unlinkat(top, e->d_name, AT_REMOVEDIR);
		if (r == -ENOTEMPTY || r == -EEXIST) {
			++*left;
			fd = sys_openat(top, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
			r = fd < 0 ? fd : empty_directory(top, fd, serial);
		}
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	closedir(d);
	return first;
}

int store_tree_remove(int dirfd, const char *name)
{
	CLEANUP_FD int top = -1;
	unsigned serial = 0, left = 1;
	int r = sys_unlinkat(dirfd, name, 0);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (r != -EISDIR && r != -EPERM)
		return r;
	top = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (top < 0)
		return top;
	while (left) {
		r = empty_children(top, &serial, &left);
		if (r < 0)
			return r;
	}
	return sys_unlinkat(dirfd, name, AT_REMOVEDIR);
}
