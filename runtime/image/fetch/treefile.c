/* treefile.c - everything in a layer that is not a directory. Runs in coracle-fetch. */
#include "runtime/image/fetch/treeint.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

#define WHITEOUT ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"
#define WHITEOUT_META ".wh..wh."	/* aufs' own files: no meaning here */

int tree_remove(struct tree *t, int parent, const char *base, struct err *err)
{
	int r = sys_unlinkat(parent, base, 0);

	if (r == -EISDIR || r == -EPERM)
		r = path_remove_tree(parent, base);
	tree_cache_clear(t);
	return r < 0 ? err_set(err, -r, "replace an earlier entry") : 0;
}

/* Makes room for base and gives its directory again, which tree_remove() closed. The layer's root is not replaced. */
static int replace(struct tree *t, const char *path, const char **base, struct err *err)
{
	int parent = tree_parent(t, path, base, err);
	int r;

	if (parent < 0)
		return parent;
	if (!**base)
		return image_bad(err, "would replace the layer's root");
	if ((r = tree_remove(t, parent, *base, err)) < 0)
		return r;
	return tree_parent(t, path, base, err);
}

int tree_file(struct tree *t, const char *path, const struct tree_meta *m, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	const char *base;
	int parent = tree_parent(t, path, &base, err);
	int fd;

	t->entries++;
	if (parent < 0)
		return parent;
	fd = *base ? sys_openat(parent, base, flags, m->mode & 0777) : -EEXIST;
	if (fd == -EEXIST) {
		if ((parent = replace(t, path, &base, err)) < 0)
			return parent;
		fd = sys_openat(parent, base, flags, m->mode & 0777);
	}
	return fd < 0 ? err_set(err, -fd, "create") : fd;
}

int tree_file_done(struct tree *t, int fd, const struct tree_meta *m, struct err *err)
{
	struct timespec times[2] = { m->mtime, m->mtime };

	/* a file of root is root's already: the root directory carries no set-group-id bit before the end */
	if (t->owners && (m->uid || m->gid) && fchown(fd, (uid_t)m->uid, (gid_t)m->gid) < 0)
		return err_set(err, errno, "change the owner");
	if ((m->mode & 07000) && fchmod(fd, m->mode & 07777) < 0)
		return err_set(err, errno, "change the mode");
	if (futimens(fd, times) < 0)
		return err_set(err, errno, "set the time");
	return 0;
}

/* Owner, mode (mode 0: none) and time of what has no descriptor. */
static int finish_name(struct tree *t, int parent, const char *base, const struct tree_meta *m, mode_t mode, struct err *err)
{
	struct timespec times[2] = { m->mtime, m->mtime };
	int r;

	if (t->owners && (m->uid || m->gid) &&
	    (r = sys_fchownat(parent, base, (uid_t)m->uid, (gid_t)m->gid, AT_SYMLINK_NOFOLLOW)) < 0)
		return err_set(err, -r, "change the owner");
	if ((mode & 07000) && (r = sys_fchmodat(parent, base, mode)) < 0)
		return err_set(err, -r, "change the mode");
	if (utimensat(parent, base, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno, "set the time");
	return 0;
}

int tree_symlink(struct tree *t, const char *path, const char *target, const struct tree_meta *m, struct err *err)
{
	const char *base;
	int parent = tree_parent(t, path, &base, err);
	int r;

	t->entries++;
	if (parent < 0)
		return parent;
	r = *base ? sys_symlinkat(target, parent, base) : -EEXIST;
	if (r == -EEXIST) {
		if ((parent = replace(t, path, &base, err)) < 0)
			return parent;
		r = sys_symlinkat(target, parent, base);
	}
	if (r < 0)
		return err_set(err, -r, "make the symbolic link");
	return finish_name(t, parent, base, m, 0, err);
}

int tree_node(struct tree *t, const char *path, const struct tree_meta *m, struct err *err)
{
	const char *base;
	int parent = tree_parent(t, path, &base, err);
	mode_t mode = (m->mode & S_IFMT) | (m->mode & 0777);
	dev_t dev = makedev((unsigned)m->major, (unsigned)m->minor);
	int r;

	t->entries++;
	if (parent < 0)
		return parent;
	if (m->major > 0xfff || m->minor > 0xfffff)
		return image_bad(err, "has a device number out of range");
	r = *base ? sys_mknodat(parent, base, mode, dev) : -EEXIST;
	if (r == -EEXIST) {
		if ((parent = replace(t, path, &base, err)) < 0)
			return parent;
		r = sys_mknodat(parent, base, mode, dev);
	}
	if (r == -EPERM && !t->owners)
		return 0;	/* devices are root's */
	if (r < 0)
		return err_set(err, -r, "make the device or pipe");
	return finish_name(t, parent, base, m, m->mode & 07777, err);
}

int tree_link(struct tree *t, const char *path, const char *target, struct err *err)
{
	const char *slash = strrchr(target, '/');
	const char *from_base = slash ? slash + 1 : target, *base;
	CLEANUP_FD int from = -1;
	int parent, r;

	t->entries++;
	r = tree_dirfd(t, target, slash ? (size_t)(slash - target) : 0, 1, err);
	if (r == -ELOOP || r == -EXDEV)
		return image_bad(err, "is a hard link through a symbolic link ('%s')", target);
	if (r == -ENOENT || r == -ENOTDIR || !*from_base)
		return image_bad(err, "is a hard link to '%s', which is not in this layer", target);
	if (r < 0)
		return err_set(err, -r, "open '%s'", target);
	/* the cache may close it below */
	from = fcntl(r, F_DUPFD_CLOEXEC, 0);
	if (from < 0)
		return err_set(err, errno, "open '%s'", target);
	if (!strcmp(path, target))
		return 0;
	parent = tree_parent(t, path, &base, err);
	if (parent < 0)
		return parent;
	r = *base ? sys_linkat(from, from_base, parent, base, 0) : -EEXIST;
	if (r == -EEXIST) {
		if ((parent = replace(t, path, &base, err)) < 0)
			return parent;
		r = sys_linkat(from, from_base, parent, base, 0);
	}
	if (r == -ENOENT || r == -EPERM)
		return image_bad(err, "is a hard link to '%s', which is not a file of this layer", target);
	return r < 0 ? err_set(err, -r, "link to '%s'", target) : 0;
}

int tree_whiteout(struct tree *t, const char *path, struct err *err)
{
	const char *base, *name;
	struct stat st;
	int parent, r;

	t->entries++;
	parent = tree_parent(t, path, &base, err);
	if (parent < 0)
		return parent;
	name = base + strlen(WHITEOUT);
	if (!strcmp(base, WHITEOUT_OPAQUE)) {
		char dir[PATH_MAX];
		size_t n = base == path ? 0 : (size_t)(base - path - 1);

		memcpy(dir, path, n);
		dir[n] = '\0';
		return tree_mark(t, TREE_OPAQUE, dir, err);
	}
	if (!strncmp(base, WHITEOUT_META, strlen(WHITEOUT_META)))
		return 0;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return image_bad(err, "is a whiteout of nothing");
	r = sys_mknodat(parent, name, S_IFCHR, 0);
	if (r != -EEXIST)
		return r < 0 ? err_set(err, -r, "make the whiteout") : 0;
	/* Whiteouts speak of lower layers only: what this layer has itself stays, and a file hides
	 * what is below anyway. A directory has to be told. */
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		char dir[PATH_MAX];

		memcpy(dir, path, (size_t)(base - path));
		strcpy(dir + (base - path), name);
		return tree_mark(t, TREE_OPAQUE, dir, err);
	}
	return 0;
}
