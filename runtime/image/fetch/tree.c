/* tree.c - directories of a layer: names, the cache of open ones, their end.
 * What lies in them: treefile.c. Runs in coracle-fetch. */
#include "runtime/image/fetch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/fetch/treeint.h"
#include "runtime/image/say.h"

/* The permissions of a directory that has no entry (yet): no tool writes such a mode, so that it tells at
 * the end which directories never got an entry. */
#define IMPLICIT_MODE 01311
#define NAMES_MAX (64u << 20)

void tree_init(struct tree *t, int rootfd, int owners, void (*on_mark)(enum tree_mark, const char *))
{
	memset(t, 0, sizeof(*t));
	t->root = rootfd;
	t->owners = owners;
	t->on_mark = on_mark;
}

/* Notes a directory for tree_finish(). */
static int dir_note(struct tree *t, const char *path, const struct tree_meta *m, struct err *err)
{
	size_t len = strlen(path) + 1;
	struct tree_dir *d;

	if (t->dirs == t->dirs_cap) {
		size_t cap = t->dirs_cap ? t->dirs_cap * 2 : 256;
		struct tree_dir *more = realloc(t->dir, cap * sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "remember directories");
		t->dir = more;
		t->dirs_cap = cap;
	}
	if (t->names_len + len > t->names_cap) {
		size_t cap = MAX(t->names_cap * 2, t->names_len + len + 8192);
		char *more = cap > NAMES_MAX ? NULL : realloc(t->names, cap);

		if (!more)
			return err_set(err, ENOMEM, "remember directories");
		t->names = more;
		t->names_cap = cap;
	}
	memcpy(t->names + t->names_len, path, len);
	d = &t->dir[t->dirs++];
	memset(d, 0, sizeof(*d));
	d->path = (uint32_t)t->names_len;
	t->names_len += len;
	d->implicit = m == NULL;
	if (m) {
		d->mode = m->mode & 07777;
		d->mtime = m->mtime;
	}
	return 0;
}

int tree_begin(struct tree *t, struct err *err)
{
	if (fchmod(t->root, IMPLICIT_MODE) < 0)
		return err_set(err, errno, "change the mode of the layer's root");
	return dir_note(t, "", NULL, err);
}

void tree_cache_clear(struct tree *t)
{
	for (size_t i = 0; i < TREE_CACHE; i++) {
		if (!t->cache[i].path)
			continue;
		close(t->cache[i].fd);
		free(t->cache[i].path);
		t->cache[i].path = NULL;
	}
}

void tree_free(struct tree *t)
{
	tree_cache_clear(t);
	free(t->dir);
	free(t->names);
	t->dir = NULL;
	t->names = NULL;
}

int tree_normalise(const char *name, char out[PATH_MAX], struct err *err)
{
	size_t n = 0;

	if (*name == '\0')
		return image_bad(err, "has an empty name");
	if (*name == '/' && name[strspn(name, "/")] != '\0')
		return image_bad(err, "leaves the layer (absolute name)");
	while (*name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.')
			return image_bad(err, "leaves the layer");
		if (len > NAME_MAX || n + len + 2 > PATH_MAX)
			return image_bad(err, "has a name that is too long");
		if (len && !(len == 1 && name[0] == '.')) {
			if (n)
				out[n++] = '/';
			memcpy(out + n, name, len);
			n += len;
		}
		name += len;
		name += strspn(name, "/");
	}
	out[n] = '\0';
	return 0;
}

static int open_beneath(struct tree *t, const char *path, int flags, uint64_t more)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_DIRECTORY | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV | more,
	};

	return sys_openat2(t->root, *path ? path : ".", &how);
}

static void cache_add(struct tree *t, const char *path, int fd)
{
	size_t oldest = 0;

	for (size_t i = 0; i < TREE_CACHE; i++) {
		if (!t->cache[i].path) {
			oldest = i;
			break;
		}
		if (t->cache[i].used < t->cache[oldest].used)
			oldest = i;
	}
	if (t->cache[oldest].path) {
		close(t->cache[oldest].fd);
		free(t->cache[oldest].path);
	}
	t->cache[oldest].path = strdup(path);
	t->cache[oldest].fd = fd;
	t->cache[oldest].used = ++t->clock;
}

int tree_mark(struct tree *t, enum tree_mark mark, const char *path, struct err *err)
{
	if (++t->marks > FETCH_MARKS_MAX)
		return image_bad(err, "has too many directories without entries or too many opaque ones");
	if (t->on_mark)
		t->on_mark(mark, path);
	return 0;
}

/* What openat2 says about a path that cannot be taken. */
static int refuse(int r, struct err *err)
{
	if (r == -EXDEV || r == -ELOOP)
		return image_bad(err, "leaves the layer through a symbolic link");
	if (r == -ENOTDIR)
		return image_bad(err, "lies below something that is not a directory");
	return err_set(err, -r, "open the directory above");
}

/* Makes PATH, whose parent is there or is made first. Deep chains are bounded by PATH_MAX. */
static int make_implicit(struct tree *t, const char *path, struct err *err)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	memcpy(part, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		CLEANUP_FD int parent = -1;
		char *slash;
		int r, fd;

		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		fd = open_beneath(t, part, O_PATH, 0);
		if (fd >= 0) {
			close(fd);
		} else if (fd == -ENOENT) {
			slash = strrchr(part, '/');
			if (slash)
				*slash = '\0';
			parent = open_beneath(t, slash ? part : "", O_PATH, 0);
			if (slash)
				*slash = '/';
			r = parent < 0 ? parent : sys_mkdirat(parent, slash ? slash + 1 : part, IMPLICIT_MODE);
			if (r == -EEXIST)
				return image_bad(err, "passes through a symbolic link to nothing");
			if (r < 0)
				return err_set(err, -r, "make the directory above");
			if ((r = dir_note(t, part, NULL, err)) < 0)
				return r;
		} else {
			return refuse(fd, err);
		}
		part[i] = i < n ? '/' : '\0';
	}
	return 0;
}

int tree_dirfd(struct tree *t, const char *path, size_t len, int strict, struct err *err)
{
	char dir[PATH_MAX];
	int fd, r;

	memcpy(dir, path, len);
	dir[len] = '\0';
	if (strict) {
		fd = open_beneath(t, dir, O_PATH, RESOLVE_NO_SYMLINKS);
		return fd < 0 ? fd : (close(fd), tree_dirfd(t, path, len, 0, err));
	}
	for (size_t i = 0; i < TREE_CACHE; i++)
		if (t->cache[i].path && !strcmp(t->cache[i].path, dir)) {
			t->cache[i].used = ++t->clock;
			return t->cache[i].fd;
		}
	fd = open_beneath(t, dir, O_PATH, 0);
	if (fd == -ENOENT) {
		if ((r = make_implicit(t, dir, err)) < 0)
			return r;
		fd = open_beneath(t, dir, O_PATH, 0);
	}
	if (fd < 0)
		return refuse(fd, err);
	cache_add(t, dir, fd);
	return fd;
}

int tree_parent(struct tree *t, const char *path, const char **base, struct err *err)
{
	const char *slash = strrchr(path, '/');

	*base = slash ? slash + 1 : path;
	return tree_dirfd(t, path, slash ? (size_t)(slash - path) : 0, 0, err);
}

int tree_open_directory(struct tree *t, const char *path)
{
	return open_beneath(t, path, O_RDONLY, 0);
}

int tree_directory(struct tree *t, const char *path, const struct tree_meta *m, struct err *err)
{
	const char *base;
	int parent, opaque = 0, r;
	mode_t mode = m->mode & 0777;
	struct stat st;

	if (!t->owners)
		mode |= 0700;
	t->entries++;
	parent = tree_parent(t, path, &base, err);
	if (parent < 0)
		return parent;
	r = *path ? sys_mkdirat(parent, base, mode) : -EEXIST;
	if (r == -EEXIST && *path) {
		if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, errno, "look at what is there");
		if (!S_ISDIR(st.st_mode)) {
			opaque = S_ISCHR(st.st_mode) && st.st_rdev == 0;
			if ((r = tree_remove(t, parent, base, err)) < 0)
				return r;
			parent = tree_parent(t, path, &base, err);
			r = parent < 0 ? parent : sys_mkdirat(parent, base, mode);
		}
	}
	if (r == -EEXIST)
		r = sys_fchmodat(parent, *path ? base : ".", mode);
	if (r < 0)
		return err_set(err, -r, "make the directory");
	if (t->owners && (r = sys_fchownat(parent, *path ? base : ".", (uid_t)m->uid, (gid_t)m->gid, 0)) < 0)
		return err_set(err, -r, "change the owner");
	if (opaque && (r = tree_mark(t, TREE_OPAQUE, path, err)) < 0)
		return r;
	return dir_note(t, path, m, err);
}

int tree_finish(struct tree *t, struct err *err)
{
	tree_cache_clear(t);
	for (size_t i = 0; i < t->dirs; i++) {
		const struct tree_dir *d = &t->dir[i];
		const char *path = t->names + d->path;
		struct timespec times[2] = { d->mtime, d->mtime };
		CLEANUP_FD int fd = open_beneath(t, path, O_RDONLY, 0);
		struct stat st;
		mode_t mode = d->mode;
		int r;

		if (fd < 0)
			continue;	/* replaced by a later entry */
		if (d->implicit) {
			if (fstat(fd, &st) < 0 || (st.st_mode & 07777) != IMPLICIT_MODE)
				continue;	/* got its entry later */
			mode = 0755;
			if ((r = tree_mark(t, TREE_IMPLICIT, path, err)) < 0)
				return err_wrap(err, r, "layer");
		}
		if ((d->implicit || (mode & 07000)) && fchmod(fd, mode) < 0)
			return err_set(err, errno, "entry '%s': change the mode", path);
		if (futimens(fd, times) < 0)
			return err_set(err, errno, "entry '%s': set the time", path);
	}
	return 0;
}
