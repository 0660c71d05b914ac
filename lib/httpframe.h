/* httpframe.h - what coracle-http and who uses it say to each other over a stream.
 *
 * A frame is one byte of kind, four of length (little endian), and that many bytes. A request is a row of frames that
 * ends with HTTP_GO; an answer one that ends with HTTP_DONE or HTTP_FAILED. Requests follow each other on one stream; its end
 * ends the program. Neither side trusts the other: lengths are bounded here, whole bodies by the reader. No heap. */
#ifndef CORACLE_HTTPFRAME_H
#define CORACLE_HTTPFRAME_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_FRAME_HEAD 5
#define HTTP_FRAME_MAX ((size_t)65536)	/* bytes of one frame without its head; bodies are cut into such */

enum http_frame_kind {
	/* request */
	HTTP_METHOD = 'M',	/* GET, PUT, POST, HEAD, ...; GET when missing, POST when there is a body */
	HTTP_URL = 'U',		/* http:// or https:// */
	HTTP_HEADER = 'H',	/* "Name: value"; repeatable, in answers too (those of the last response) */
	HTTP_BODY = 'B',	/* a piece of the body; repeatable, in answers too */
	HTTP_LIMITS = 'L',	/* struct http_limits as text: see http_limits_print() */
	HTTP_GO = '.',		/* empty: do it */
	/* answer */
	HTTP_STATUS = 'S',	/* three digits */
	HTTP_WHERE = 'W',	/* the URL that answered, after redirects */
	HTTP_AGAIN = 'R',	/* empty: forget the answer so far, it is tried once more */
	HTTP_FAILED = 'E',	/* "ERRNO TEXT" */
	HTTP_DONE = 'D',	/* empty: that was all of it */
};

struct http_limits {
	uint64_t max;		/* bytes of the answer's body */
	uint32_t timeout_ms;	/* of one try */
	uint32_t total_ms;	/* of all */
	uint32_t tries;
	uint32_t redirects;
};

struct http_frame {
	char kind;
	const char *data;	/* points into the reader's bytes, no NUL behind */
	size_t len;
};

/* Writes the head of a frame; n at most HTTP_FRAME_MAX. */
void http_frame_head(char out[HTTP_FRAME_HEAD], char kind, size_t n);

/* Cuts n bytes into frames of this kind (one, when there are none) and gives head and bytes of each to write(), which takes all or returns -errno:
 * so does this. Otherwise 0. */
int http_frame_send(int (*write)(const void *data, size_t n), char kind, const void *data, size_t n);

/* Takes the first frame of n bytes. Returns the bytes it is made of, 0 when more are needed, -EBADMSG when it is longer than allowed. */
long http_frame_take(const char *bytes, size_t n, struct http_frame *f);

/* "max timeout total tries redirects" in decimal; out has HTTP_LIMITS_TEXT bytes. Returns the length. */
#define HTTP_LIMITS_TEXT 80
size_t http_limits_print(const struct http_limits *l, char out[HTTP_LIMITS_TEXT]);
/* Reads such a text. Returns 0 or -EBADMSG. */
int http_limits_read(const struct http_frame *f, struct http_limits *l);

/* "ERRNO TEXT" of an HTTP_FAILED frame: *code is 1 to 4095, *text points behind the blank. Returns 0 or -EBADMSG. */
int http_failure_read(const struct http_frame *f, int *code, const char **text, size_t *len);

#endif
