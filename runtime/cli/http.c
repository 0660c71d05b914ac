/* http.c - HTTP/1.1 over a unix socket (coracle). Believes no length that the server sends beyond its ceilings. */
#include "http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <yyjson.h>

#include "fd.h"

struct conn {
	int fd;
	char data[16384];
	size_t at, len;
};

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set(err, ENAMETOOLONG, "%s", path);
	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(err, errno, "connect to %s", path);
	return fd_take(&fd);
}

/* More bytes: 1, the end: 0, or -errno. */
static int fill(struct conn *c)
{
	ssize_t n;

	do
		n = read(c->fd, c->data, sizeof(c->data));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	c->at = 0;
	c->len = (size_t)n;
	return n > 0;
}

/* One line without its end into line; -EPROTO when it is too long or missing. */
static int read_line(struct conn *c, char *line, size_t size)
{
	size_t n = 0;

	for (;;) {
		char ch;
		int r;

		if (c->at == c->len) {
			r = fill(c);
			if (r <= 0)
				return r < 0 ? r : -EPROTO;
		}
		ch = c->data[c->at++];
		if (ch == '\n')
			break;
		if (n + 1 >= size)
			return -EPROTO;
		line[n++] = ch;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return (int)n;
}

struct framing {
	bool chunked, has_length;
	unsigned long long length;
};

static int read_head(struct conn *c, struct http_reply *reply, struct framing *f)
{
	char line[4096];
	int r = read_line(c, line, sizeof(line));

	if (r < 0)
		return r;
	if (sscanf(line, "HTTP/1.%*d %d", &reply->status) != 1)
		return -EPROTO;
	for (size_t total = 0; (r = read_line(c, line, sizeof(line))) > 0;) {
		total += (size_t)r;
		if (total > HTTP_HEAD_MAX)
			return -EPROTO;
		if (strncasecmp(line, "Content-Type: ", 14) == 0)
			snprintf(reply->type, sizeof(reply->type), "%.90s", line + 14);
		else if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0)
			f->chunked = true;
		else if (strncasecmp(line, "Content-Length: ", 16) == 0) {
			f->has_length = true;
			f->length = strtoull(line + 16, NULL, 10);
		}
	}
	return r;
}

/* Passes on n bytes of the body, or (until_end) all that come. */
static int pass(struct conn *c, const struct http_reply *reply, unsigned long long n, bool until_end,
	int (*body)(const struct http_reply *, const char *, size_t, void *), void *arg)
{
	while (n > 0 || until_end) {
		size_t part;
		int r;

		if (c->at == c->len) {
			r = fill(c);
			if (r <= 0)
				return r < 0 ? r : until_end ? 0 : -EPROTO;
		}
		part = c->len - c->at;
		if (!until_end && part > n)
			part = (size_t)n;
		r = body(reply, c->data + c->at, part, arg);
		if (r < 0)
			return r;
		c->at += part;
		n -= until_end ? 0 : part;
	}
	return 0;
}

static int read_chunks(struct conn *c, const struct http_reply *reply,
	int (*body)(const struct http_reply *, const char *, size_t, void *), void *arg)
{
	char line[128], *end;

	for (;;) {
		unsigned long long n;
		int r = read_line(c, line, sizeof(line));

		if (r < 0)
			return r;
		n = strtoull(line, &end, 16);
		if (end == line)
			return -EPROTO;
		if (n == 0)
			return 0;
		r = pass(c, reply, n, false, body, arg);
		if (r < 0)
			return r;
		r = read_line(c, line, sizeof(line));
		if (r != 0)
			return r < 0 ? r : -EPROTO;
	}
}

int http_stream(const char *socket_path, const char *method, const char *path, struct http_reply *reply,
	int (*body)(const struct http_reply *reply, const char *data, size_t n, void *arg), void *arg, struct err *err)
{
	struct conn c = { .fd = connect_to(socket_path, err) };
	struct framing f = { 0 };
	CLEANUP_FD int fd = c.fd;
	CLEANUP_BUF struct buf head = { 0 };
	int r;

	if (fd < 0)
		return fd;
	*reply = (struct http_reply){ 0 };
	buf_init(&head, HTTP_HEAD_MAX);
	buf_printf(&head, "%s /v1.47%s HTTP/1.1\r\nHost: coracle\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, path);
	r = buf_error(&head) ? buf_error(&head) : fd_write_full(fd, head.data, head.len);
	r = r < 0 ? r : read_head(&c, reply, &f);
	if (r < 0)
		return err_set(err, -r, "%s %s", method, path);
	if (reply->status == 204 || reply->status == 304)
		return 0;
	r = f.chunked ? read_chunks(&c, reply, body, arg) : pass(&c, reply, f.length, !f.has_length, body, arg);
	return r < 0 ? err_set(err, -r, "%s %s", method, path) : 0;
}

static int collect(const struct http_reply *reply, const char *data, size_t n, void *arg)
{
	struct buf *b = arg;

	(void)reply;
	buf_add(b, data, n);
	return buf_error(b);
}

int http_get(const char *socket_path, const char *method, const char *path, struct buf *out, struct err *err)
{
	struct http_reply reply;
	yyjson_doc *doc;
	const char *msg;
	int r = http_stream(socket_path, method, path, &reply, collect, out, err);

	if (r < 0 || reply.status < 400)
		return r < 0 ? r : reply.status == 304;
	doc = yyjson_read(out->data, out->len, 0);
	msg = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "message"));
	if (msg)
		err_set(err, 0, "%s", msg);
	else
		err_set(err, 0, "the engine answered %d", reply.status);
	yyjson_doc_free(doc);
	return -EREMOTEIO;
}

void http_escape(struct buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_.~", c))
			buf_putc(b, (char)c);
		else
			buf_printf(b, "%%%02X", c);
	}
}
