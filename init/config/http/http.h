/* http.h - fetching over HTTP and HTTPS for coracle-config.
 *
 * The fetching itself, with its parsers and TLS, happens in a program of its own, coracle-http, which runs as nobody, holds no files
 * but the socket to here, and ends when that is closed (lib/httpframe.h is what the two say to each other). It is found beside coracle-config, or in /usr/lib/coracle.
 * Used by the datasources, #include, write_files' source, phone_home. Nothing here touches the machine, but ctx->need_network, when it is set, is called before the first request. */
#ifndef CORACLE_CONFIG_HTTP_H
#define CORACLE_CONFIG_HTTP_H

#include <stddef.h>
#include "../schema.h"
#include "err.h"

#define HTTP_URL_MAX ((size_t)8192)
#define HTTP_HEADERS_MAX 32
#define HTTP_BODY_MAX ((size_t)8 << 20)		/* most that may be asked for with max, and most of a request's body */

struct http_request {
	const char *method;		/* NULL: GET (POST with a body) */
	const char *url;		/* http:// or https:// ; an IPv6 address may have a zone: http://[fe80::1%25eth0]/ */
	const char *const *headers;	/* "Name: value", ends with NULL; NULL: none. Never sent on to another host by a redirect */
	const char *body;		/* NULL: none */
	size_t body_len;
	size_t max;			/* an answer whose body is larger is an error, 0: 1 MiB */
	unsigned timeout_ms;		/* of one try, to connect and to answer; 0: 5 s */
	unsigned tries;			/* 0 and 1: one; the next comes 1 s after one that failed. 4xx answers (but 408, 429) are not tried again */
	unsigned total_ms;		/* of all tries together; 0: 60 s */
};

struct http_answer {
	int status;		/* 200, 404, ... */
	const char *body;	/* in the arena, with a NUL behind */
	size_t len;
	const char *url;	/* of the last redirect, or the request's */
};

/* Returns 0 when an answer came, whatever its status (5xx only when no try was left), else -errno and a text:
 * -EFBIG larger than max, -ETIMEDOUT, -ELOOP more than 5 redirects, -EPROTONOSUPPORT neither http nor https, -ECONNREFUSED, -ENETUNREACH, -EBADMSG a broken
 * answer, -EINVAL a bad request. Texts name the URL without its user information and query (they hold secrets). */
int http_fetch(struct ctx *ctx, const struct http_request *q, struct http_answer *a, struct err *err);

/* Ends coracle-http, which http_fetch() keeps for the next request. It would end with this process too. */
void http_end(void);

/* The same as http_fetch(), for an answer that has to be 200: another is -ENOENT (404), -EACCES (401, 403), else -EREMOTEIO, with a text. */
int http_get(struct ctx *ctx, const struct http_request *q, struct http_answer *a, struct err *err);

/* The URL as it may be shown: without user information, query and fragment. */
const char *http_url_shown(struct arena *a, const char *url);

#endif
