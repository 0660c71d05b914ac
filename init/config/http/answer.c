/* answer.c - takes the frames of an answer apart. Pure; whatever the bytes are, it stays within the limits of its buffers. */
#include "answer.h"

#include <errno.h>

#include "httpframe.h"

static int read_status(const struct http_frame *f)
{
	if (f->len != 3 || f->data[0] < '1' || f->data[0] > '9' || f->data[1] < '0' || f->data[1] > '9' || f->data[2] < '0' || f->data[2] > '9')
		return -1;
	return (f->data[0] - '0') * 100 + (f->data[1] - '0') * 10 + (f->data[2] - '0');
}

static int take_failure(struct answering *a, const struct http_frame *f)
{
	char text[400];
	const char *s;
	size_t n;

	if (http_failure_read(f, &a->failed, &s, &n) < 0)
		return -EBADMSG;
	n = MIN(n, sizeof(text) - 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
	text[n] = '\0';
	err_set(a->err, 0, "%s", text);
	a->done = true;
	return 0;
}

/* One frame of the answer. Returns 0, or -errno when it breaks the rules. */
static int take_frame(struct answering *a, const struct http_frame *f)
{
	switch (f->kind) {
	case HTTP_STATUS:
		a->status = read_status(f);
		return a->status < 0 ? -EBADMSG : 0;
	case HTTP_WHERE:
		buf_reset(&a->url);
		buf_add(&a->url, f->data, f->len);
		return 0;
	case HTTP_HEADER:
		return 0;
	case HTTP_BODY:
		buf_add(&a->body, f->data, f->len);
		return buf_error(&a->body);
	case HTTP_AGAIN:
		buf_reset(&a->body);
		a->status = 0;
		return 0;
	case HTTP_FAILED:
		return take_failure(a, f);
	case HTTP_DONE:
		a->done = true;
		return a->status > 0 ? 0 : -EBADMSG;
	default:
		return -EBADMSG;
	}
}

int http_take_frames(struct buf *in, struct answering *a)
{
	struct http_frame f;
	size_t used = 0;
	int r = 0;
	long n = 0;

	while (r == 0 && !a->done && (n = http_frame_take(in->data + used, in->len - used, &f)) > 0) {
		r = take_frame(a, &f);
		used += (size_t)n;
	}
	buf_consume(in, used);
	return r < 0 ? r : n < 0 ? (int)n : 0;
}
