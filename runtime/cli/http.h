/* http.h - a small HTTP/1.1 client over a unix socket, for `coracle`.
 *
 * One request per connection. Knows Content-Length, chunked bodies and bodies that end with the connection. */
#ifndef CORACLE_CLI_HTTP_H
#define CORACLE_CLI_HTTP_H

#include <stddef.h>
#include "buf.h"
#include "err.h"

#define HTTP_HEAD_MAX 16384u
#define HTTP_BODY_MAX (16u << 20)

struct http_reply {
	int status;
	char type[96];			/* Content-Type */
};

/* Sends METHOD PATH to the socket. body is called with the pieces of the reply's body as they come; it returns 0, or
 * -errno to stop. Returns 0 or -errno. */
int http_stream(const char *socket_path, const char *method, const char *path, struct http_reply *reply,
	int (*body)(const struct http_reply *reply, const char *data, size_t n, void *arg), void *arg, struct err *err);

/* The same with the whole body in out. A status of 400 and more is an error with the server's message: -EREMOTEIO. */
int http_get(const char *socket_path, const char *method, const char *path, struct buf *out, struct err *err);

/* Adds s percent-encoded. */
void http_escape(struct buf *b, const char *s);

#endif
