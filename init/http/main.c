/* main.c - coracle-http: fetches over HTTP and HTTPS for other programs, so that these need neither parsers of HTTP nor TLS.
 *
 * Started by who wants something, with requests on standard input and answers on standard output (lib/httpframe.h); ends at the
 * end of its input. Runs as nobody; must never write a file, start a program, or keep anything from one request to the next but connections. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "http.h"

static int write_out(const void *data, size_t n)
{
	return fd_write_full(1, data, n);
}

int say(char kind, const void *data, size_t n)
{
	return http_frame_send(write_out, kind, data, n);
}

int say_failed(int code, const char *fmt, ...)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%d ", code);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	return say(HTTP_FAILED, text, strlen(text));
}

static void request_init(struct request *q)
{
	*q = (struct request){ .limits = { (uint64_t)1 << 20, 5000, 60000, 1, 5 } };
	buf_init(&q->method, 32);
	buf_init(&q->url, 8192);
	buf_init(&q->headers, HTTP_REQUEST_HEADERS_MAX);
	buf_init(&q->body, HTTP_REQUEST_BODY_MAX);
}

static void request_fini(struct request *q)
{
	buf_free(&q->method);
	buf_free(&q->url);
	buf_free(&q->headers);
	buf_free(&q->body);
}

/* Text that goes into the request's head: a line break in it would be another header. */
static void add_text(struct request *q, struct buf *b, const struct http_frame *f)
{
	for (size_t i = 0; i < f->len; i++)
		if ((unsigned char)f->data[i] < 0x20 || f->data[i] == 0x7f)
			q->bad = EINVAL;
	buf_add(b, f->data, f->len);
}

static void add_frame(struct request *q, const struct http_frame *f)
{
	switch (f->kind) {
	case HTTP_METHOD:
		add_text(q, &q->method, f);
		break;
	case HTTP_URL:
		add_text(q, &q->url, f);
		break;
	case HTTP_HEADER:
		add_text(q, &q->headers, f);
		buf_putc(&q->headers, '\n');
		break;
	case HTTP_BODY:
		buf_add(&q->body, f->data, f->len);
		break;
	case HTTP_LIMITS:
		if (http_limits_read(f, &q->limits) < 0)
			q->bad = EINVAL;
		break;
	default:
		q->bad = EINVAL;
	}
}

static int carry_out(const struct request *q)
{
	if (buf_error(&q->method) || buf_error(&q->url) || buf_error(&q->headers) || buf_error(&q->body))
		return say_failed(E2BIG, "the request is too large");
	if (q->bad || !q->url.len)
		return say_failed(EINVAL, "the request cannot be read");
	return fetch(q);
}

/* Every whole frame in the buffer. Returns 0, or -errno when it has to end. */
static int take_frames(struct request *q, struct buf *in)
{
	struct http_frame f;
	size_t used = 0;
	long n;

	while ((n = http_frame_take(in->data + used, in->len - used, &f)) > 0) {
		used += (size_t)n;
		if (f.kind == HTTP_GO) {
			int r = carry_out(q);

			request_fini(q);
			request_init(q);
			if (r < 0)
				return r;
		} else {
			add_frame(q, &f);
		}
	}
	buf_consume(in, used);
	return (int)n;
}

int main(void)
{
	struct request q;
	struct buf in = { 0 };
	int r = confine();

	if (r < 0) {
		say_failed(-r, "coracle-http cannot confine itself: %s", err_name(-r));
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	fetch_begin();
	request_init(&q);
	buf_init(&in, 2 * (HTTP_FRAME_HEAD + HTTP_FRAME_MAX));
	for (;;) {
		char piece[16384];
		ssize_t n = read(0, piece, sizeof(piece));

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return 1;
		if (n > 0)
			buf_add(&in, piece, (size_t)n);
		if (buf_error(&in) || take_frames(&q, &in) < 0)
			return 1;
	}
}
