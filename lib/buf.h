/* buf.h - growing byte buffers that all have a ceiling.
 *
 * The text is always NUL-terminated (data is never NULL after buf_init).
 * The first failure (ceiling or memory) sticks: later additions do nothing
 * and buf_error() tells, so that a row of additions needs one check. */
#ifndef CORACLE_BUF_H
#define CORACLE_BUF_H

#include <stddef.h>
#include "cdefs.h"

struct buf {
	char *data;		/* NUL-terminated */
	size_t len;		/* bytes without the NUL */
	size_t cap;		/* bytes allocated */
	size_t max;		/* ceiling of len */
	int error;		/* 0, -EFBIG or -ENOMEM */
};

/* max: most bytes it may ever hold. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds s (n bytes) as a JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void buf_json_string(struct buf *b, const char *s, size_t n);
/* Removes the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Returns the string and leaves an empty buffer; NULL when an error stuck. The caller frees it. */
char *buf_take(struct buf *b);
static inline int buf_error(const struct buf *b) { return b->error; }

#endif
