/* path.c - names inside trees that we do not trust (openat2, RESOLVE_IN_ROOT). */
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "sys.h"

#define LINKS_MAX 8	/* dangling links one behind the other */

int path_open_in(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int r;

	/* EAGAIN: a rename elsewhere raced with ".."; openat2(2) says try again */
	for (int tries = 0; tries < 32; tries++) {
		r = sys_openat2(rootfd, path, &how);
		if (r != -EAGAIN)
			break;
	}
	return r;
}

int path_component_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > NAME_MAX || !strcmp(s, ".") || !strcmp(s, ".."))
		return 0;
	for (; *s; s++)
		if (*s == '/' || (unsigned char)*s < 0x20 || *s == 0x7f)
			return 0;
	return 1;
}

static int make_dirs(int rootfd, const char *path, mode_t mode, int depth);

/* prefix is a link to what is not there yet: makes that, inside the root too. parent and dir: the directory that holds the link. */
static int make_behind_link(int rootfd, int parent, const char *dir, const char *name, mode_t mode, int depth)
{
	char text[PATH_MAX], path[2 * PATH_MAX];
	ssize_t n = readlinkat(parent, name, text, sizeof(text) - 1);

	if (n < 0)
		return -ENOENT;
	if (depth >= LINKS_MAX)
		return -ELOOP;
	text[n] = '\0';
	snprintf(path, sizeof(path), "%s%s%s", text[0] == '/' ? "" : dir, text[0] == '/' ? "" : "/", text);
	return make_dirs(rootfd, path, mode, depth + 1);
}

/* Opens the directory at prefix, whose last name is in parent, after that name was made or found there. A link, and "..", is
 * resolved from the root, so that it stays inside. */
static int open_made(int rootfd, int parent, const char *prefix, const char *name, int made, mode_t mode, int depth)
{
	char dir[PATH_MAX];
	int fd = path_component_ok(name) ? sys_openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0) : -ELOOP;

	if (fd != -ENOTDIR && fd != -ELOOP)
		return fd;
	fd = path_open_in(rootfd, prefix, O_PATH | O_DIRECTORY, 0);
	if (fd != -ENOENT || made != -EEXIST)
		return fd;
	snprintf(dir, sizeof(dir), "%.*s", name > prefix ? (int)(name - prefix - 1) : 0, prefix);
	return make_behind_link(rootfd, parent, dir, name, mode, depth);
}

/* The length of the longest part of path, which is n bytes long, that is a directory already; *fd is that directory. */
static size_t deepest(int rootfd, const char *path, size_t n, int *fd)
{
	char prefix[PATH_MAX];

	memcpy(prefix, path, n + 1);
	for (;;) {
		*fd = path_open_in(rootfd, n ? prefix : ".", O_PATH | O_DIRECTORY, 0);
		if (*fd != -ENOENT || n == 0)
			return n;
		while (n && prefix[n - 1] != '/')
			n--;
		while (n && prefix[n - 1] == '/')
			n--;
		prefix[n] = '\0';
	}
}

static int make_dirs(int rootfd, const char *path, mode_t mode, int depth)
{
	CLEANUP_FD int fd = -1;
	char prefix[PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(prefix))
		return -ENAMETOOLONG;
	n = deepest(rootfd, path, n, &fd);
	memcpy(prefix, path, n);
	while (fd >= 0) {
		size_t len = strspn(path + n, "/");
		int made, next;

		memcpy(prefix + n, path + n, len);
		n += len;
		len = strcspn(path + n, "/");
		if (len == 0)
			break;
		memcpy(prefix + n, path + n, len);
		prefix[n + len] = '\0';
		made = sys_mkdirat(fd, prefix + n, mode);
		if (made < 0 && made != -EEXIST)
			return made;
		next = open_made(rootfd, fd, prefix, prefix + n, made, mode, depth);
		fd_close(&fd);
		fd = next;
		n += len;
	}
	return fd_take(&fd);
}

int path_mkdirs_in(int rootfd, const char *path, mode_t mode)
{
	return make_dirs(rootfd, path, mode, 0);
}

int path_open_parent_in(int rootfd, const char *path, mode_t mode, const char **base)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	*base = slash ? slash + 1 : path;
	if (!path_component_ok(*base))
		return -EINVAL;
	if (slash && (size_t)(slash - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) : 0, path);
	return path_mkdirs_in(rootfd, dir, mode);
}

int path_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return n ? -ENAMETOOLONG : -EINVAL;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		int r;

		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		r = sys_mkdirat(AT_FDCWD, part, mode);
		if (r < 0 && r != -EEXIST)
			return r;
		part[i] = i < n ? '/' : '\0';
	}
	return 0;
}

const char *path_of_fd(int fd, char *buf, size_t size)
{
	snprintf(buf, size, "/proc/self/fd/%d", fd);
	return buf;
}
