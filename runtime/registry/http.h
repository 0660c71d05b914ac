/* http.h - asks a coracle-http, one request after another on one stream. Blocks. Runs in coracle-registry. */
#ifndef CORACLE_REGISTRY_HTTP_H
#define CORACLE_REGISTRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "lib/httpframe.h"
#include "runtime/image/image.h"
#include "runtime/registry/challenge.h"

#define HTTP_CALL_HEADERS 4

struct http_conn {
	int fd;
	bool broken;		/* an answer was not read to its end, or the program is gone: of no use any more */
	size_t at, len;
	char data[HTTP_FRAME_HEAD + HTTP_FRAME_MAX + 4096];
};

struct http_call {
	const char *url;
	const char *header[HTTP_CALL_HEADERS + 1];	/* NULL at the end */
	const char *ca;			/* PEM, "" */
	const char *form;		/* body of a POST; NULL: GET */
	uint64_t max;			/* bytes of the answer's body */
	uint32_t stall_ms, total_ms;
};

struct http_head {
	int status;
	char type[128];			/* Content-Type without parameters, lower case; "" */
	char digest[IMAGE_DIGEST_SIZE];	/* Docker-Content-Digest; "" */
	bool has_length, has_range;
	uint64_t length;		/* Content-Length */
	uint64_t range_from, range_total;	/* Content-Range; total UINT64_MAX: "*" */
	uint32_t retry_after_s;		/* 0: not said */
	struct challenge challenge;
};

/* Called for each piece of the body, behind the head. Returns 0, or -errno with a text in err: the call ends so. */
typedef int http_body(const struct http_head *head, const char *data, size_t n, void *arg, struct err *err);

/* Returns 0 (whatever the status), -EINTR when coracle-http was killed, what the body said, or -errno of the failure: ETIMEDOUT,
 * ECONNREFUSED, EHOSTUNREACH, EFBIG (more than max), EKEYREJECTED (certificate), EBADMSG (cut, no HTTP)... */
int http_do(struct http_conn *c, const struct http_call *call, struct http_head *head, http_body *body, void *arg, struct err *err);

/* One line "Name: value" into the head; what is not known is left. Pure. */
void http_take_header(struct http_head *head, const char *line, size_t n);

#endif
