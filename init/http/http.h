/* http.h - the parts of coracle-http.
 *
 * main.c reads requests, fetch.c carries them out by libcurl, confine.c gives up what is not needed for that. */
#ifndef CORACLE_HTTP_HTTP_H
#define CORACLE_HTTP_HTTP_H

#include "buf.h"
#include "httpframe.h"

#define HTTP_REQUEST_BODY_MAX ((size_t)8 << 20)
#define HTTP_REQUEST_HEADERS_MAX ((size_t)32 << 10)

struct request {
	struct buf method;
	struct buf url;
	struct buf headers;	/* each with a newline behind it */
	struct buf body;
	struct http_limits limits;
	int bad;		/* errno of what was wrong with it, 0: nothing */
};

/* Becomes nobody (when it was root), takes limits on memory, files and processes, and a filter of system calls.
 * Returns 0 or -errno. Call it before the first byte is read. */
int confine(void);

void fetch_begin(void);
/* Carries out one request; the answer goes to standard output. Returns 0, or -errno when nobody reads it any more. */
int fetch(const struct request *q);

/* One frame to standard output; longer data becomes several. Returns 0 or -errno. */
int say(char kind, const void *data, size_t n);
int say_failed(int code, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
