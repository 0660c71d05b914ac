/* httpframe.c - frames between coracle-http and its users; pure, no heap. */
#include "httpframe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cdefs.h"

void http_frame_head(char out[HTTP_FRAME_HEAD], char kind, size_t n)
{
	out[0] = kind;
	for (unsigned i = 0; i < 4; i++)
		out[1 + i] = (char)(unsigned char)(n >> (8 * i));
}

int http_frame_send(int (*write)(const void *data, size_t n), char kind, const void *data, size_t n)
{
	const char *p = data;

	do {
		char head[HTTP_FRAME_HEAD];
		size_t piece = MIN(n, HTTP_FRAME_MAX);
		int r;

		http_frame_head(head, kind, piece);
		if ((r = write(head, sizeof(head))) < 0 || (piece && (r = write(p, piece)) < 0))
			return r;
		if (piece)
			p += piece;
		n -= piece;
	} while (n > 0);
	return 0;
}

long http_frame_take(const char *bytes, size_t n, struct http_frame *f)
{
	size_t len = 0;

	if (n < HTTP_FRAME_HEAD)
		return 0;
	for (unsigned i = 0; i < 4; i++)
		len |= (size_t)(unsigned char)bytes[1 + i] << (8 * i);
	if (len > HTTP_FRAME_MAX)
		return -EBADMSG;
	if (n - HTTP_FRAME_HEAD < len)
		return 0;
	*f = (struct http_frame){ bytes[0], bytes + HTTP_FRAME_HEAD, len };
	return (long)(HTTP_FRAME_HEAD + len);
}

size_t http_limits_print(const struct http_limits *l, char out[HTTP_LIMITS_TEXT])
{
	int n = snprintf(out, HTTP_LIMITS_TEXT, "%" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32, l->max, l->timeout_ms,
			 l->total_ms, l->tries, l->redirects);

	return (size_t)n;
}

/* A number of at most max and the blank behind it, if there is one. */
static int take_number(const char **s, const char *end, uint64_t max, uint64_t *out)
{
	const char *p = *s;
	uint64_t v = 0;

	if (p == end || *p < '0' || *p > '9')
		return -EBADMSG;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (v > (max - digit) / 10)
			return -EBADMSG;
		v = v * 10 + digit;
	}
	if (p < end && *p++ != ' ')
		return -EBADMSG;
	*s = p;
	*out = v;
	return 0;
}

int http_limits_read(const struct http_frame *f, struct http_limits *l)
{
	const char *s = f->data;
	const char *end = f->data + f->len;
	uint64_t v[5];

	for (unsigned i = 0; i < 5; i++)
		if (take_number(&s, end, i ? UINT32_MAX : UINT64_MAX / 2, &v[i]) < 0)
			return -EBADMSG;
	if (s != end)
		return -EBADMSG;
	*l = (struct http_limits){ v[0], (uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3], (uint32_t)v[4] };
	return 0;
}

int http_failure_read(const struct http_frame *f, int *code, const char **text, size_t *len)
{
	const char *s = f->data;
	const char *end = f->data + f->len;
	uint64_t v;

	if (take_number(&s, end, 4095, &v) < 0 || v == 0)
		return -EBADMSG;
	*code = (int)v;
	*text = s;
	*len = (size_t)(end - s);
	return 0;
}
