/* pathtree.c - removing a tree: no links followed, no other file system entered. Uses the heap (readdir). */
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

#define TREE_DEPTH_MAX 512	/* bounds the recursion: each level holds one descriptor */

static int remove_entry(int dirfd, const char *name, dev_t dev, int depth);

static int remove_children(int fd, dev_t dev, int depth)
{
	int dup_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *d = dup_fd < 0 ? NULL : fdopendir(dup_fd);
	struct dirent *e;
	int first = 0;

	if (!d) {
		first = -errno;
		fd_close(&dup_fd);
		return first;
	}
	while ((e = readdir(d))) {
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = remove_entry(fd, e->d_name, dev, depth + 1);
		if (r < 0 && first == 0)
			first = r;
	}
	closedir(d);
	return first;
}

static int remove_entry(int dirfd, const char *name, dev_t dev, int depth)
{
	CLEANUP_FD int fd = -1;
	struct stat st;
	int first;
	int r;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return sys_unlinkat(dirfd, name, 0);
	if (depth > 0 && st.st_dev != dev)
		return -EXDEV;
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	first = remove_children(fd, st.st_dev, depth);
	fd_close(&fd);
	r = sys_unlinkat(dirfd, name, AT_REMOVEDIR);
	return first < 0 ? first : r;
}

int path_remove_tree(int dirfd, const char *name)
{
	return remove_entry(dirfd, name, 0, 0);
}
