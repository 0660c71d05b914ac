/* index.c - outer archives: where the blobs lie, or the blobs themselves. Runs in coracle-fetch. */
#include "runtime/image/fetch/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sha256.h"
#include "lib/sys.h"
#include "runtime/image/fetch/answer.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/fetch/inflate.h"
#include "runtime/image/fetch/tarread.h"
#include "runtime/image/fetch/tree.h"
#include "runtime/image/say.h"

#define LIST_BLOCK 65536

struct lister {
	int fd;
	off_t at, size;
	unsigned char data[LIST_BLOCK];
};

static la_ssize_t list_read(struct archive *a, void *arg, const void **data)
{
	struct lister *l = arg;
	ssize_t n = pread(l->fd, l->data, sizeof(l->data), l->at);

	if (n < 0) {
		archive_set_error(a, errno, "read: %s", err_name(errno));
		return ARCHIVE_FATAL;
	}
	l->at += n;
	*data = l->data;
	return n;
}

static la_int64_t list_skip(struct archive *a UNUSED, void *arg, la_int64_t request)
{
	struct lister *l = arg;
	la_int64_t left = l->size - l->at, n = request < left ? request : left;

	if (n < 0)
		n = 0;
	l->at += n;
	return n;
}

/* A member's name without "./"; NULL and an error for one that leaves the archive. */
static const char *member_name(struct archive_entry *e, char path[PATH_MAX], struct err *err)
{
	const char *name = archive_entry_pathname(e);

	if (!name || tree_normalise(name, path, err) < 0) {
		image_bad(err, "member '%s' has a name that is not taken", name ? name : "?");
		return NULL;
	}
	return path;
}

static int tell_link(struct archive_entry *e, const char *path, struct err *err)
{
	char name[FETCH_LINE_MAX / 3], target[FETCH_LINE_MAX / 3], joined[2 * PATH_MAX];
	const char *to = archive_entry_hardlink(e);
	size_t n = 0;

	if (!to) {
		const char *slash = strrchr(path, '/');

		to = archive_entry_symlink(e);
		if (!to)
			return image_bad(err, "member '%s' is a link to nothing", path);
		/* docker save before 25 wrote ID/layer.tar -> ../OTHER/layer.tar */
		if (slash && !strncmp(to, "../", 3) && !memchr(path, '/', (size_t)(slash - path)))
			to += 3;
		else if (slash)
			n = (size_t)(slash - path + 1);
		memcpy(joined, path, n);
	}
	if (strlen(to) >= PATH_MAX)
		return image_bad(err, "member '%s' is a link to a name that is too long", path);
	strcpy(joined + n, to);
	answer("link %s %s", fetch_escape(path, name, sizeof(name)), fetch_escape(joined, target, sizeof(target)));
	return 0;
}

static int list_member(struct archive *a, struct archive_entry *e, const struct lister *l, struct err *err)
{
	char path[PATH_MAX], name[FETCH_LINE_MAX / 3];
	la_int64_t at = archive_filter_bytes(a, 0), size = archive_entry_size(e);

	if (archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	if (!member_name(e, path, err))
		return -EBADMSG;
	if (archive_entry_hardlink(e) || archive_entry_filetype(e) == AE_IFLNK)
		return tell_link(e, path, err);
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_sparse_count(e) > 0)
		return image_bad(err, "member '%s' is not a plain file", path);
	if (at < 0 || size < 0 || at > l->size || size > l->size - at)
		return image_bad(err, "truncated: member '%s' goes beyond the end", path);
	answer("at %lld %lld %s", (long long)at, (long long)size, fetch_escape(path, name, sizeof(name)));
	return 0;
}

int index_list(int fd, struct err *err)
{
	static struct lister l;
	struct archive *a;
	struct archive_entry *e;
	struct stat st;
	unsigned char head[4];
	size_t members = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at the archive");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 1;
	if (pread(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return image_bad(err, "empty, not an archive");
	if (inflate_guess(head, sizeof(head)) != IMAGE_PLAIN)
		return 1;
	l.fd = fd;
	l.at = 0;
	l.size = S_ISREG(st.st_mode) ? st.st_size : lseek(fd, 0, SEEK_END);
	a = archive_read_new();
	e = archive_entry_new();
	if (!a || !e)
		return err_set(err, ENOMEM, "read tar");
	archive_read_support_format_tar(a);
	if (archive_read_open2(a, &l, NULL, list_read, list_skip, NULL) != ARCHIVE_OK)
		r = tarread_error(a, err, "not a tar");
	else
		while ((r = tarread_next(a, e, err)) == 1) {
			if (++members > FETCH_MEMBERS_MAX)
				r = image_bad(err, "more than %d members", FETCH_MEMBERS_MAX);
			else
				r = list_member(a, e, &l, err);
			if (r < 0)
				break;
		}
	archive_entry_free(e);
	archive_read_free(a);
	return r;
}

static int extract_file(struct archive *a, int dirfd, size_t number, uint64_t *size, char digest[IMAGE_DIGEST_SIZE],
	struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct sha256 hash;
	char name[32];
	const void *block;
	size_t n;
	la_int64_t offset;
	int r;

	snprintf(name, sizeof(name), "%zu", number);
	fd = sys_openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -fd, "create %s", name);
	sha256_init(&hash);
	*size = 0;
	while ((r = archive_read_data_block(a, &block, &n, &offset)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		if ((uint64_t)offset != *size)
			return image_bad(err, "a member is sparse");
		if ((r = fd_write_full(fd, block, n)) < 0)
			return err_set(err, -r, "write %s", name);
		sha256_update(&hash, block, n);
		*size += n;
	}
	if (r != ARCHIVE_EOF)
		return tarread_error(a, err, "tar");
	memcpy(digest, "sha256:", 7);
	sha256_final_hex(&hash, digest + 7);
	return 0;
}

static int extract_member(struct archive *a, struct archive_entry *e, int dirfd, size_t number, struct err *err)
{
	char path[PATH_MAX], name[FETCH_LINE_MAX / 3], digest[IMAGE_DIGEST_SIZE];
	uint64_t size = 0;
	int r;

	if (archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	if (!member_name(e, path, err))
		return -EBADMSG;
	if (archive_entry_hardlink(e) || archive_entry_filetype(e) == AE_IFLNK)
		return tell_link(e, path, err);
	if (archive_entry_filetype(e) != AE_IFREG)
		return image_bad(err, "member '%s' is not a plain file", path);
	if ((r = extract_file(a, dirfd, number, &size, digest, err)) < 0)
		return err_wrap(err, r, "member '%s'", path);
	answer("staged %zu %llu %s %s", number, (unsigned long long)size, digest, fetch_escape(path, name, sizeof(name)));
	return 0;
}

int index_extract(struct stream *in, int dirfd, struct err *err)
{
	struct archive *a = NULL;
	struct archive_entry *e = archive_entry_new();
	size_t members = 0;
	int r = e ? tarread_open(&a, in, err) : err_set(err, ENOMEM, "read tar");

	while (r >= 0 && (r = tarread_next(a, e, err)) == 1) {
		if (++members > FETCH_MEMBERS_MAX)
			r = image_bad(err, "more than %d members", FETCH_MEMBERS_MAX);
		else
			r = extract_member(a, e, dirfd, members, err);
	}
	if (r >= 0 && members == 0)
		r = image_bad(err, "not a tar, or an empty one");
	archive_read_free(a);
	archive_entry_free(e);
	return r;
}
