/* layer.c - from tar entries to files. Runs in coracle-fetch. */
#include "runtime/image/fetch/layer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "runtime/image/fetch/answer.h"
#include "runtime/image/fetch/tarread.h"
#include "runtime/image/say.h"

#define XATTR_VALUE_MAX 65536u

int layer_xattr_wanted(const char *name)
{
	static const char *const exact[] = {
		"security.capability", "system.posix_acl_access", "system.posix_acl_default",
	};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (!strcmp(name, exact[i]))
			return 1;
	/* an image must not speak to overlayfs */
	if (!strncmp(name, "user.overlay.", 13))
		return 0;
	if (!strncmp(name, "user.", 5) && name[5])
		return 1;
	/* labels of the build host's policy mean nothing here; macOS writes com.apple.* */
	if (!strcmp(name, "security.selinux") || !strncmp(name, "com.apple.", 10))
		return -1;
	return 0;
}

static int set_xattrs(struct archive_entry *e, const char *path, int fd, struct err *err)
{
	const char *name;
	const void *value;
	size_t size;

	if (archive_entry_xattr_reset(e) == 0)
		return 0;
	while (archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
		int wanted = name ? layer_xattr_wanted(name) : 0;

		if (wanted <= 0 || size > XATTR_VALUE_MAX) {
			if (wanted >= 0)
				answer_warning("entry '%s': extended attribute %s left away", path, name ? name : "?");
			continue;
		}
		if (fsetxattr(fd, name, value, size, 0) == 0)
			continue;
		/* without its capabilities a program fails far from here and for no visible reason */
		if (!strncmp(name, "user.", 5) && (errno == EOPNOTSUPP || errno == EPERM || errno == ENOSPC))
			answer_warning("entry '%s': extended attribute %s: %s", path, name, err_name(errno));
		else if (errno == EOPNOTSUPP && !strncmp(name, "system.", 7))
			answer_warning("entry '%s': extended attribute %s: not supported here", path, name);
		else
			return err_set(err, errno, "set extended attribute %s", name);
	}
	return 0;
}

static int read_meta(struct archive_entry *e, struct tree_meta *m, struct err *err)
{
	int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);

	memset(m, 0, sizeof(*m));
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return image_bad(err, "has an owner out of range");
	m->uid = (uint64_t)uid;
	m->gid = (uint64_t)gid;
	m->mode = archive_entry_mode(e);
	m->mtime.tv_sec = archive_entry_mtime(e);
	m->mtime.tv_nsec = archive_entry_mtime_nsec(e);
	if (m->mtime.tv_nsec < 0 || m->mtime.tv_nsec > 999999999)
		m->mtime.tv_nsec = 0;
	/* before 1970: libarchive reads "-5.5" of a pax header as -5 s and + 0.5 s */
	if (m->mtime.tv_sec < 0 && m->mtime.tv_nsec > 0) {
		m->mtime.tv_sec--;
		m->mtime.tv_nsec = 1000000000 - m->mtime.tv_nsec;
	}
	if (S_ISCHR(m->mode) || S_ISBLK(m->mode)) {
		m->major = (uint64_t)archive_entry_rdevmajor(e);
		m->minor = (uint64_t)archive_entry_rdevminor(e);
	}
	return 0;
}

struct layer {
	struct stream *in;
	struct archive *a;
	struct tree *t;
	int over;		/* the tar has ended without its padding */
};

/* Holes stay holes: libarchive gives the blocks of data with their offsets. */
static int copy_data(struct layer *l, struct archive_entry *e, int fd, struct err *err)
{
	const void *block;
	size_t n;
	la_int64_t offset, end = 0, size = archive_entry_size(e);
	int r;

	while ((r = archive_read_data_block(l->a, &block, &n, &offset)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		if (offset != end && lseek(fd, offset, SEEK_SET) < 0)
			return err_set(err, errno, "seek to %lld", (long long)offset);
		if (n && (r = fd_write_full(fd, block, n)) < 0)
			return err_set(err, -r, "write");
		end = offset + (la_int64_t)n;
	}
	/* umoci insert ends a tar right after the last file's last byte, and Go's reader takes it */
	if (r == ARCHIVE_FATAL && end == size && stream_at_end(l->in))
		l->over = 1;
	else if (r != ARCHIVE_EOF)
		return tarread_error(l->a, err, "tar");
	if (size > end && ftruncate(fd, size) < 0)
		return err_set(err, errno, "set its size");
	return 0;
}

static int unpack_file(struct layer *l, struct archive_entry *e, const char *path, const struct tree_meta *m, struct err *err)
{
	CLEANUP_FD int fd = tree_file(l->t, path, m, err);
	int r;

	if (fd < 0)
		return fd;
	if (archive_entry_size(e) > 0 && (r = copy_data(l, e, fd, err)) < 0)
		return r;
	if ((m->mode & 07000) || m->uid || m->gid || archive_entry_xattr_count(e)) {
		/* writing and a change of owner take capabilities and set-id bits away: attributes come after */
		if ((r = tree_file_done(l->t, fd, m, err)) < 0)
			return r;
		return set_xattrs(e, path, fd, err);
	}
	return tree_file_done(l->t, fd, m, err);
}

static int unpack_directory(struct archive_entry *e, struct tree *t, const char *path, const struct tree_meta *m,
	struct err *err)
{
	CLEANUP_FD int fd = -1;
	int r = tree_directory(t, path, m, err);

	if (r < 0 || archive_entry_xattr_count(e) == 0)
		return r;
	fd = tree_open_directory(t, path);
	if (fd < 0)
		return err_set(err, -fd, "open");
	return set_xattrs(e, path, fd, err);
}

static int unpack_typed(struct layer *l, struct archive_entry *e, const char *path, const struct tree_meta *m, struct err *err)
{
	const char *target = archive_entry_symlink(e);

	switch (m->mode & S_IFMT) {
	case S_IFREG:
		return unpack_file(l, e, path, m, err);
	case S_IFDIR:
		return unpack_directory(e, l->t, path, m, err);
	case S_IFLNK:
		if (!target || !*target)
			return image_bad(err, "is a symbolic link to nothing");
		return tree_symlink(l->t, path, target, m, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return tree_node(l->t, path, m, err);
	default:
		return image_bad(err, "is of a type that layers do not have");
	}
}

static int unpack_entry(struct layer *l, struct archive_entry *e, const char *name, struct err *err)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *link = archive_entry_hardlink(e), *base;
	struct tree_meta m;
	int r = tree_normalise(name, path, err);

	if (r < 0)
		return r;
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	if (!strncmp(base, ".wh.", 4))
		return tree_whiteout(l->t, path, err);
	if (link) {
		if ((r = tree_normalise(link, target, err)) < 0)
			return image_bad(err, "is a hard link to '%s', which leaves the layer", link);
		return tree_link(l->t, path, target, err);
	}
	if ((r = read_meta(e, &m, err)) < 0)
		return r;
	return unpack_typed(l, e, path, &m, err);
}

int layer_unpack(struct stream *in, struct tree *t, struct err *err)
{
	struct layer l = { .in = in, .t = t };
	struct archive_entry *e = archive_entry_new();
	int r = e ? tree_begin(t, err) : err_set(err, ENOMEM, "read tar");

	if (r == 0)
		r = tarread_open(&l.a, in, err);
	while (r >= 0 && !l.over && (r = tarread_next(l.a, e, err)) == 1) {
		const char *name = archive_entry_pathname(e);

		if (!name)
			r = image_bad(err, "entry %llu has a name that cannot be read", (unsigned long long)t->entries);
		else if ((r = unpack_entry(&l, e, name, err)) < 0)
			err_wrap(err, r, "entry '%s'", name);
	}
	if (r >= 0)
		r = tree_finish(t, err);
	archive_read_free(l.a);
	archive_entry_free(e);
	return r;
}
