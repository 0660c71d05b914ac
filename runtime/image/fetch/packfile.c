/* packfile.c - contents and attributes of one entry. Runs in coracle-fetch.
 *
 * Holes stay holes (GNU's sparse format 1.0 in pax records, which libarchive, GNU tar and Go's archive/tar read). */
#include "runtime/image/fetch/packint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/fetch/layer.h"
#include "runtime/image/say.h"

#define XATTR_LIST_MAX 65536
#define XATTR_VALUE_MAX 65536
#define SEGMENTS_MAX 4096		/* a file of more pieces is written with its zeros */
#define SPARSE_LEAST (64 << 10)		/* smaller holes are not worth a map */

struct segment {
	int64_t at, n;
};

int pack_open(struct pack *p, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return sys_openat2(p->root, *path ? path : ".", &how);
}

struct tar_entry pack_entry(const char *path, const struct stat *st, enum tar_type type)
{
	return (struct tar_entry){ .name = path, .type = type, .mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid,
		.mtime = st->st_mtim.tv_sec, .major = major(st->st_rdev), .minor = minor(st->st_rdev) };
}

static int has_value(int fd, const char *name, char want)
{
	char value[2];
	ssize_t n = fgetxattr(fd, name, value, sizeof(value));

	return want ? n == 1 && value[0] == want : n >= 0 || errno == ERANGE;
}

int pack_is_opaque(int fd)
{
	return has_value(fd, "trusted.overlay.opaque", 'y') || has_value(fd, "user.overlay.opaque", 'y');
}

int pack_check_overlay(int fd, struct err *err)
{
	static const char *const foreign[] = {
		"trusted.overlay.redirect", "trusted.overlay.metacopy", "user.overlay.redirect", "user.overlay.metacopy",
	};

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (has_value(fd, foreign[i], 0))
			return image_say(err, EOPNOTSUPP, "overlayfs has moved it in its own way (%s), which a layer cannot say",
				foreign[i]);
	return 0;
}

int pack_xattrs(int fd, struct buf *pax, struct err *err)
{
	CLEANUP_FREE char *names = malloc(XATTR_LIST_MAX);
	CLEANUP_FREE char *value = malloc(XATTR_VALUE_MAX);
	char key[XATTR_NAME_MAX + 16];
	ssize_t len;

	if (!names || !value)
		return err_set(err, ENOMEM, "read extended attributes");
	len = flistxattr(fd, names, XATTR_LIST_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : err_set(err, errno, "read extended attributes");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t n;

		if (layer_xattr_wanted(name) <= 0)
			continue;
		n = fgetxattr(fd, name, value, XATTR_VALUE_MAX);
		if (n < 0 && errno == ENODATA)
			continue;
		if (n < 0)
			return err_set(err, errno, "read extended attribute %s", name);
		snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
		tar_record(pax, key, value, (size_t)n);
	}
	return 0;
}

/* The pieces that hold data; SEGMENTS_MAX + 1: too many. */
static size_t find_segments(int fd, const struct stat *st, struct segment *out)
{
	int64_t at = 0;
	size_t n = 0;

	while (at < st->st_size && n <= SEGMENTS_MAX) {
		int64_t from = lseek(fd, at, SEEK_DATA), to;

		if (from < 0 || from >= st->st_size)
			break;
		to = lseek(fd, from, SEEK_HOLE);
		if (to < 0 || to > st->st_size)
			to = st->st_size;
		if (n < SEGMENTS_MAX)
			out[n] = (struct segment){ from, to - from };
		n++;
		at = to;
	}
	return n;
}

/* What is missing, as the file became shorter meanwhile, is zeros. */
static int copy_range(struct pack *p, int fd, int64_t at, int64_t n, struct err *err)
{
	static char block[65536];
	int r = 0;

	while (r == 0 && n > 0) {
		ssize_t got = pread(fd, block, (size_t)MIN(n, (int64_t)sizeof(block)), at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, errno, "read");
		if (got == 0)
			return pack_zeros(p, (uint64_t)n, err);
		r = pack_write(p, block, (size_t)got, err);
		at += got;
		n -= got;
	}
	return r;
}

static int put_plain(struct pack *p, int fd, struct tar_entry *e, const struct stat *st, const struct buf *pax, struct err *err)
{
	int r;

	e->size = (uint64_t)st->st_size;
	if ((r = pack_header(p, e, pax, err)) < 0 || (r = copy_range(p, fd, 0, st->st_size, err)) < 0)
		return r;
	return pack_zeros(p, tar_padding(e->size), err);
}

static int put_sparse(struct pack *p, int fd, struct tar_entry *e, const struct stat *st, const struct segment *seg, size_t n,
	struct buf *pax, struct err *err)
{
	CLEANUP_BUF struct buf map;
	char text[32], name[PATH_MAX + 32];
	int r;

	buf_init(&map, 1u << 20);
	buf_printf(&map, "%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		buf_printf(&map, "%lld\n%lld\n", (long long)seg[i].at, (long long)seg[i].n);
		e->size += (uint64_t)seg[i].n;
	}
	while (map.len % TAR_BLOCK && !buf_error(&map))
		buf_putc(&map, '\0');
	e->size += map.len;
	tar_record(pax, "GNU.sparse.major", "1", 1);
	tar_record(pax, "GNU.sparse.minor", "0", 1);
	tar_record(pax, "GNU.sparse.name", e->name, strlen(e->name));
	tar_record(pax, "GNU.sparse.realsize", text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)st->st_size));
	snprintf(name, sizeof(name), "GNUSparseFile.0/%s", e->name);
	e->name = name;
	if ((r = pack_header(p, e, pax, err)) < 0 || (r = pack_write(p, map.data, map.len, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = copy_range(p, fd, seg[i].at, seg[i].n, err);
	return r < 0 ? r : pack_zeros(p, tar_padding(e->size), err);
}

int pack_file(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err)
{
	static struct segment seg[SEGMENTS_MAX];
	CLEANUP_BUF struct buf pax;
	struct tar_entry e = pack_entry(path, st, TAR_FILE);
	size_t n;
	int r;

	buf_init(&pax, 16u << 20);
	if ((r = pack_xattrs(fd, &pax, err)) < 0)
		return r;
	if (st->st_blocks * 512 + SPARSE_LEAST > st->st_size)
		return put_plain(p, fd, &e, st, &pax, err);
	n = find_segments(fd, st, seg);
	return n > SEGMENTS_MAX ? put_plain(p, fd, &e, st, &pax, err) : put_sparse(p, fd, &e, st, seg, n, &pax, err);
}
