/* target.c - files inside the tree that a configuration is applied to. */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "path.h"
#include "sys.h"

#define APPEND_MAX ((size_t)16 << 20)	/* files larger than this are not appended to */

int target_open(struct target *t, const char *root, bool machine, struct err *err)
{
	*t = (struct target){ .rootfd = sys_openat(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0), .root = root, .machine = machine };
	return t->rootfd < 0 ? err_set(err, -t->rootfd, "open %s", root) : 0;
}

void target_close(struct target *t)
{
	fd_close(&t->rootfd);
}

/* Opens the directory of path, making it; *base is the last component. */
static int open_parent(const struct target *t, const char *path, const char **base, struct err *err)
{
	int fd = path_open_parent_in(t->rootfd, path, 0755, base);

	return fd < 0 ? err_set(err, -fd, "%s: its directory", path) : fd;
}

static bool has_content(int fd, const struct target_file *f)
{
	CLEANUP_FREE char *have = malloc(f->len + 1);

	return have && fd_read_full(fd, have, f->len) == (ssize_t)f->len && !memcmp(have, f->data, f->len);
}

/* True when the file is there already, to the bit. */
static bool is_written(int dirfd, const char *name, const struct target_file *f)
{
	CLEANUP_FD int fd = sys_openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != f->mode)
		return false;
	if (f->owned && (st.st_uid != f->uid || st.st_gid != f->gid))
		return false;
	return (size_t)st.st_size == f->len && has_content(fd, f);
}

/* Fills a fresh temporary file beside its place. */
static int fill_temporary(int dirfd, const char *temporary, const struct target_file *f, bool *owner_failed)
{
	CLEANUP_FD int fd = -1;
	int r;

	fd = sys_openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd == -EEXIST) { /* left by a run that was cut */
		sys_unlinkat(dirfd, temporary, 0);
		fd = sys_openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	}
	if (fd < 0)
		return fd;
	r = fd_write_full(fd, f->data, f->len);
	/* the owner first: changing it clears the set-id bits */
	if (r == 0 && f->owned && fchown(fd, f->uid, f->gid) < 0) {
		if (!owner_failed || errno != EPERM)
			return -errno;
		*owner_failed = true;
	}
	if (r == 0 && fchmod(fd, f->mode) < 0)
		r = -errno;
	if (r == 0 && f->sync)
		r = sys_fsync(fd);
	return r;
}

static int sync_directory(int dirfd, const struct target_file *f, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : sys_fsync(fd);

	return r < 0 ? err_set(err, -r, "sync the directory of %s", f->path) : 0;
}

/* Remembers the file system of dirfd, to be synced once for all files on it. False: there is no room, or no way to. */
static bool sync_later(int dirfd, struct target_syncs *s)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return false;
	for (unsigned i = 0; i < s->count; i++)
		if (s->dev[i] == st.st_dev)
			return true;
	if (s->count == TARGET_SYNCS_MAX)
		return false;
	s->fd[s->count] = sys_openat(dirfd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (s->fd[s->count] < 0)
		return false;
	s->dev[s->count++] = st.st_dev;
	return true;
}

int target_sync(struct target_syncs *s, struct err *err)
{
	int result = 0;

	for (unsigned i = 0; i < s->count; i++) {
		if (syncfs(s->fd[i]) < 0 && result == 0)
			result = err_set(err, errno, "sync what was written");
		fd_close(&s->fd[i]);
	}
	s->count = 0;
	return result;
}

static int replace(int dirfd, const char *base, const struct target_file *f, bool *owner_failed, struct err *err)
{
	struct target_file file = *f;
	char temporary[64];
	int r;

	if (is_written(dirfd, base, f))
		return 0;
	if (file.sync && f->syncs && sync_later(dirfd, f->syncs))
		file.sync = false;
	snprintf(temporary, sizeof(temporary), ".coracle-config.%d", (int)getpid());
	r = fill_temporary(dirfd, temporary, &file, owner_failed);
	if (r == 0)
		r = sys_renameat2(dirfd, temporary, dirfd, base, 0);
	if (r == 0)
		return file.sync ? sync_directory(dirfd, f, err) : 0;
	sys_unlinkat(dirfd, temporary, 0);
	return err_set(err, -r, "write %s", f->path);
}

/* What the file shall hold after appending: the old bytes and the new, unless they are there. */
static int append(int dirfd, const char *base, const struct target_file *f, bool *owner_failed, struct err *err)
{
	CLEANUP_FREE char *old = NULL;
	CLEANUP_FREE char *joined = NULL;
	struct target_file whole = *f;
	size_t len = 0;
	int r = fd_read_file(dirfd, base, APPEND_MAX, &old, &len, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (len >= f->len && !memcmp(old + len - f->len, f->data, f->len))
		return 0;
	joined = malloc(len + f->len + 1);
	if (!joined)
		return err_set(err, ENOMEM, "write %s", f->path);
	if (len)
		memcpy(joined, old, len);
	memcpy(joined + len, f->data, f->len);
	whole.data = joined;
	whole.len = len + f->len;
	return replace(dirfd, base, &whole, owner_failed, err);
}

int target_write(const struct target *t, const struct target_file *f, bool *owner_failed, struct err *err)
{
	const char *base;
	CLEANUP_FD int dirfd = open_parent(t, f->path, &base, err);

	if (dirfd < 0)
		return dirfd;
	return f->append ? append(dirfd, base, f, owner_failed, err) : replace(dirfd, base, f, owner_failed, err);
}

int target_put(const struct target *t, const char *path, const char *text, mode_t mode, struct err *err)
{
	struct target_file f = { .path = path, .data = text, .len = strlen(text), .mode = mode };

	return target_write(t, &f, NULL, err);
}

int target_unlink(const struct target *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	CLEANUP_FD int dirfd = -1;
	char dir[PATH_MAX];

	if (!path_component_ok(base))
		return -EINVAL;
	if ((size_t)(base - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	snprintf(dir, sizeof(dir), "%.*s", (int)(base - path), path);
	dirfd = path_open_in(t->rootfd, dir[0] ? dir : ".", O_PATH | O_DIRECTORY, 0);
	return dirfd < 0 ? dirfd : sys_unlinkat(dirfd, base, 0);
}

int target_symlink(const struct target *t, const char *value, const char *path, struct err *err)
{
	const char *base;
	CLEANUP_FD int dirfd = open_parent(t, path, &base, err);
	char have[256];
	ssize_t n;
	int r;

	if (dirfd < 0)
		return dirfd;
	n = readlinkat(dirfd, base, have, sizeof(have));
	if (n == (ssize_t)strlen(value) && !memcmp(have, value, (size_t)n))
		return 0;
	if (n >= 0)
		sys_unlinkat(dirfd, base, 0);
	r = sys_symlinkat(value, dirfd, base);
	return r < 0 ? err_set(err, -r, "link %s", path) : 0;
}

bool target_exists(const struct target *t, const char *path)
{
	CLEANUP_FD int fd = path_open_in(t->rootfd, path, O_PATH, 0);

	return fd >= 0;
}

int target_read(const struct target *t, const char *path, size_t max, char **out, size_t *len)
{
	CLEANUP_FD int fd = path_open_in(t->rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	return fd < 0 ? fd : fd_read_whole(fd, path, max, out, len, NULL);
}
