/* inflate.c - gzip (zlib) and zstd streams, several members after each other too.
 * Runs in coracle-fetch's reader thread. */
#include "runtime/image/fetch/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/cdefs.h"
#include "runtime/image/say.h"

struct inflate {
	enum image_compression how;
	int open;		/* within a member */
	int padding;		/* zero bytes after the last member */
	z_stream gz;
	ZSTD_DStream *zstd;
};

enum image_compression inflate_guess(const unsigned char *p, size_t n)
{
	if (n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8)
		return IMAGE_GZIP;
	if (n >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
		return IMAGE_ZSTD;
	/* a skippable frame, as pzstd and zstd:chunked write */
	if (n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
		return IMAGE_ZSTD;
	return IMAGE_PLAIN;
}

int inflate_new(struct inflate **out, enum image_compression how, struct err *err)
{
	struct inflate *z = calloc(1, sizeof(*z));

	if (!z)
		return err_set(err, ENOMEM, "decompress");
	z->how = how;
	if (how == IMAGE_GZIP && inflateInit2(&z->gz, 15 + 16) != Z_OK)
		goto no_memory;
	if (how == IMAGE_ZSTD) {
		z->zstd = ZSTD_createDStream();
		if (!z->zstd)
			goto no_memory;
		ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax, INFLATE_WINDOW_LOG_MAX);
	}
	z->open = how != IMAGE_PLAIN;
	*out = z;
	return 0;
no_memory:
	free(z);
	return err_set(err, ENOMEM, "decompress");
}

void inflate_free(struct inflate *z)
{
	if (!z)
		return;
	if (z->how == IMAGE_GZIP)
		inflateEnd(&z->gz);
	ZSTD_freeDStream(z->zstd);
	free(z);
}

static long step_gzip(struct inflate *z, const unsigned char **in, size_t *n, unsigned char *out, size_t cap, struct err *err)
{
	int r;

	if (!z->open) {
		/* after a member: another one, or the zeros some writers pad with */
		for (; *n && **in == 0; (*in)++, (*n)--)
			z->padding = 1;
		if (*n == 0)
			return 0;
		if (z->padding || inflateReset(&z->gz) != Z_OK)
			return image_bad(err, "bytes after the end of the gzip stream");
		z->open = 1;
	}
	z->gz.next_in = (unsigned char *)(uintptr_t)*in;
	z->gz.avail_in = (uInt)*n;
	z->gz.next_out = out;
	z->gz.avail_out = (uInt)cap;
	r = inflate(&z->gz, Z_NO_FLUSH);
	*in = z->gz.next_in;
	*n = z->gz.avail_in;
	if (r == Z_STREAM_END)
		z->open = 0;
	else if (r == Z_MEM_ERROR)
		return err_set(err, ENOMEM, "decompress gzip");
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return image_bad(err, "gzip stream is damaged (%s)", z->gz.msg ? z->gz.msg : "unknown");
	return (long)(cap - z->gz.avail_out);
}

static long step_zstd(struct inflate *z, const unsigned char **in, size_t *n, unsigned char *out, size_t cap, struct err *err)
{
	ZSTD_inBuffer from = { *in, *n, 0 };
	ZSTD_outBuffer to = { out, cap, 0 };
	size_t r = ZSTD_decompressStream(z->zstd, &to, &from);

	*in += from.pos;
	*n -= from.pos;
	if (ZSTD_isError(r)) {
		int code = ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? ENOMEM : EBADMSG;

		return err_set(err, code, "zstd stream: %s", ZSTD_getErrorName(r));
	}
	if (from.pos || to.pos)
		z->open = r != 0;
	return (long)to.pos;
}

long inflate_step(struct inflate *z, const unsigned char **in, size_t *n, unsigned char *out, size_t cap, struct err *err)
{
	size_t take = MIN(*n, cap);

	if (z->how == IMAGE_GZIP)
		return step_gzip(z, in, n, out, cap, err);
	if (z->how == IMAGE_ZSTD)
		return step_zstd(z, in, n, out, cap, err);
	memcpy(out, *in, take);
	*in += take;
	*n -= take;
	return (long)take;
}

int inflate_end(struct inflate *z, struct err *err)
{
	if (z->open)
		return image_bad(err, "%s stream is truncated", z->how == IMAGE_GZIP ? "gzip" : "zstd");
	return 0;
}
