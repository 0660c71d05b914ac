/* tarread.c - libarchive on a stream. Runs in coracle-fetch. */
#include "runtime/image/fetch/tarread.h"

#include <errno.h>

#include "runtime/image/say.h"

static la_ssize_t read_block(struct archive *a, void *arg, const void **data)
{
	struct stream *in = arg;
	long n = stream_next(in, data);

	if (n < 0)
		archive_set_error(a, (int)-n, "%s", stream_error(in)->text);
	return n < 0 ? ARCHIVE_FATAL : n;
}

int tarread_error(struct archive *a, struct err *err, const char *what)
{
	const char *text = archive_error_string(a);
	int code = archive_errno(a);

	/* libarchive's own numbers (EILSEQ, -1) mean that the content is wrong; these come from reading it */
	if (code != ENOMEM && code != EIO && code != ENOSPC && code != EDQUOT && code != EFBIG)
		code = EBADMSG;
	return image_say(err, code, "%s: %s", what, text ? text : "unknown");
}

int tarread_open(struct archive **out, struct stream *in, struct err *err)
{
	struct archive *a = archive_read_new();
	int r;

	if (!a)
		return err_set(err, ENOMEM, "read tar");
	archive_read_support_format_tar(a);
	archive_read_support_format_empty(a);
	if (archive_read_open(a, in, NULL, read_block, NULL) != ARCHIVE_OK) {
		r = tarread_error(a, err, "not a tar");
		archive_read_free(a);
		return r;
	}
	*out = a;
	return 0;
}

int tarread_next(struct archive *a, struct archive_entry *entry, struct err *err)
{
	int r = archive_read_next_header2(a, entry);

	if (r == ARCHIVE_EOF)
		return 0;
	/* a warning is a name that is not UTF-8 or a header that is out of the ordinary: the entry is whole */
	if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
		return 1;
	return tarread_error(a, err, "tar");
}
