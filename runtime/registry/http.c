/* http.c - requests to coracle-http and their answers, as they come. Runs in coracle-registry; believes no length. */
#include "runtime/registry/http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "runtime/image/say.h"

#define WASTE_MAX (4u << 20)	/* bytes of a body that was refused, until the stream is given up */

/* -- asking -------------------------------------------------------------- */

static int send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int send_frame(int fd, char kind, const char *p, size_t n)
{
	int r;

	do {
		char head[HTTP_FRAME_HEAD];
		size_t piece = MIN(n, HTTP_FRAME_MAX);

		http_frame_head(head, kind, piece);
		if ((r = send_all(fd, head, sizeof(head))) < 0 || (piece && (r = send_all(fd, p, piece)) < 0))
			return r;
		p += piece;
		n -= piece;
	} while (n > 0);
	return 0;
}

static int send_call(int fd, const struct http_call *call)
{
	struct http_limits l = { .max = call->max, .timeout_ms = call->stall_ms, .total_ms = call->total_ms, .tries = 1, .redirects = 5,
		.floor = 1024 };
	char limits[HTTP_LIMITS_TEXT];
	int r = send_frame(fd, HTTP_URL, call->url, strlen(call->url));

	for (const char *const *h = call->header; r == 0 && *h; h++)
		r = send_frame(fd, HTTP_HEADER, *h, strlen(*h));
	if (r == 0 && call->ca[0])
		r = send_frame(fd, HTTP_CA, call->ca, strlen(call->ca));
	if (r == 0 && call->form)
		r = send_frame(fd, HTTP_BODY, call->form, strlen(call->form));
	if (r == 0)
		r = send_frame(fd, HTTP_LIMITS, limits, http_limits_print(&l, limits));
	return r == 0 ? send_frame(fd, HTTP_GO, "", 0) : r;
}

/* -- the head of an answer ------------------------------------------------ */

static bool take_number(const char **s, uint64_t *out)
{
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	errno = 0;
	*out = strtoull(*s, &end, 10);
	*s = end;
	return errno == 0 && *out <= INT64_MAX;
}

/* bytes 5-99/100 */
static void take_range(struct http_head *head, const char *s)
{
	uint64_t last, total = UINT64_MAX;

	if (strncasecmp(s, "bytes ", 6))
		return;
	s += 6;
	if (!take_number(&s, &head->range_from) || *s++ != '-' || !take_number(&s, &last) || *s++ != '/')
		return;
	head->has_range = *s == '*' || take_number(&s, &total);
	head->range_total = total;
}

static void take_type(struct http_head *head, const char *s)
{
	size_t n = strcspn(s, "; \t");

	head->type[0] = '\0';
	for (size_t i = 0; i < n && n < sizeof(head->type); i++) {
		head->type[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
		head->type[i + 1] = '\0';
	}
}

void http_take_header(struct http_head *head, const char *line, size_t n)
{
	char text[2048];
	const char *value, *number;
	uint64_t v;

	if (n >= sizeof(text))
		return;
	memcpy(text, line, n);
	text[n] = '\0';
	if (!(value = strchr(text, ':')))
		return;
	n = (size_t)(value - text);
	for (value++; *value == ' ' || *value == '\t'; value++)
		;
	number = value;
	if (n == 12 && !strncasecmp(text, "content-type", n)) {
		take_type(head, value);
	} else if (n == 14 && !strncasecmp(text, "content-length", n)) {
		head->has_length = take_number(&number, &head->length);
	} else if (n == 13 && !strncasecmp(text, "content-range", n)) {
		take_range(head, value);
	} else if (n == 21 && !strncasecmp(text, "docker-content-digest", n) && image_digest_ok(value)) {
		memcpy(head->digest, value, IMAGE_DIGEST_SIZE);
	} else if (n == 11 && !strncasecmp(text, "retry-after", n) && take_number(&number, &v)) {
		head->retry_after_s = (uint32_t)MIN(v, (uint64_t)3600);
	} else if (n == 16 && !strncasecmp(text, "www-authenticate", n)) {
		challenge_parse(value, &head->challenge);
	}
}

/* -- the answer ----------------------------------------------------------- */

/* The next frame, valid until the next call. Returns 0 or -errno. */
static int next_frame(struct http_conn *c, struct http_frame *f)
{
	for (;;) {
		long used = http_frame_take(c->data + c->at, c->len - c->at, f);
		ssize_t n;

		if (used < 0)
			return -EPROTO;
		c->at += (size_t)used;
		if (used > 0)
			return 0;
		memmove(c->data, c->data + c->at, c->len - c->at);
		c->len -= c->at;
		c->at = 0;
		do
			n = read(c->fd, c->data + c->len, sizeof(c->data) - c->len);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return -EINTR;
		c->len += (size_t)n;
	}
}

static int take_status(struct http_head *head, const struct http_frame *f)
{
	memset(head, 0, sizeof(*head));
	if (f->len != 3 || f->data[0] < '1' || f->data[0] > '9')
		return -EPROTO;
	for (size_t i = 0; i < 3; i++) {
		if (f->data[i] < '0' || f->data[i] > '9')
			return -EPROTO;
		head->status = head->status * 10 + (f->data[i] - '0');
	}
	return 0;
}

/* Returns 1 when the frame cannot be read, else -errno of the failure. */
static int failure(const struct http_frame *f, struct err *err)
{
	char text[400];
	const char *s;
	size_t n;
	int code;

	if (http_failure_read(f, &code, &s, &n) < 0)
		return 1;
	n = MIN(n, sizeof(text) - 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (unsigned char)s[i] < 0x20 || s[i] == 0x7f ? '?' : s[i];
	text[n] = '\0';
	/* EBADMSG: an answer that was cut, or is none: a lie is found by who reads the body */
	return image_say(err, code == EINTR || code == EBADMSG ? EAGAIN : code, "%s", text);
}

static int read_answer(struct http_conn *c, struct http_head *head, http_body *body, void *arg, struct err *err)
{
	struct http_frame f;
	size_t waste = 0;
	int r, refused = 0;

	for (;;) {
		if ((r = next_frame(c, &f)) < 0)
			break;
		switch (f.kind) {
		case HTTP_STATUS:
			r = take_status(head, &f);
			break;
		case HTTP_HEADER:
			http_take_header(head, f.data, f.len);
			break;
		case HTTP_BODY:
			if (!head->status)
				r = -EPROTO;
			else if (!refused)
				refused = body(head, f.data, f.len, arg, err);
			else
				waste += f.len;
			if (refused == -EPIPE || waste > WASTE_MAX) {
				c->broken = true;
				return refused;
			}
			break;
		case HTTP_WHERE:
			break;
		case HTTP_FAILED:
			r = failure(&f, refused ? NULL : err);
			if (r < 0)
				return refused ? refused : r;
			r = -EPROTO;
			break;
		case HTTP_DONE:
			if (head->status)
				return refused;
			r = -EPROTO;
			break;
		default:
			r = -EPROTO;
		}
		if (r < 0)
			break;
	}
	c->broken = true;
	return r == -EINTR ? image_say(err, EINTR, "coracle-http was killed") : image_say(err, EPROTO, "coracle-http does not answer as it should");
}

int http_do(struct http_conn *c, const struct http_call *call, struct http_head *head, http_body *body, void *arg, struct err *err)
{
	memset(head, 0, sizeof(*head));
	if (c->broken)
		return image_say(err, EINTR, "its coracle-http is gone");
	if (send_call(c->fd, call) < 0) {
		c->broken = true;
		return image_say(err, EINTR, "coracle-http was killed");
	}
	return read_answer(c, head, body, arg, err);
}
