/* jw.h - writing JSON into a buffer, one token after the other.
 *
 * Commas come by themselves: a token is preceded by one unless the buffer is
 * empty or ends in an opening bracket or a colon. The buffer's ceiling holds;
 * check buf_error() at the end. */
#ifndef CORACLE_ENGINE_JW_H
#define CORACLE_ENGINE_JW_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"

void jw_open(struct buf *b, char bracket);	/* '{' or '[' */
void jw_close(struct buf *b, char bracket);	/* '}' or ']' */
void jw_key(struct buf *b, const char *key);
void jw_str(struct buf *b, const char *s);	/* NULL is null */
void jw_int(struct buf *b, int64_t v);
void jw_bool(struct buf *b, bool v);
void jw_raw(struct buf *b, const char *json);	/* a value that is JSON already */
void jw_strv(struct buf *b, char *const *v);	/* NULL is null */

/* A key and its value. */
void jw_kobj(struct buf *b, const char *key);	/* key, '{' */
void jw_karr(struct buf *b, const char *key);	/* key, '[' */
void jw_kstr(struct buf *b, const char *key, const char *s);
void jw_kint(struct buf *b, const char *key, int64_t v);
void jw_kbool(struct buf *b, const char *key, bool v);
void jw_kraw(struct buf *b, const char *key, const char *json);
void jw_kstrv(struct buf *b, const char *key, char *const *v);
/* {"k":"v"} of an array of "k=v". */
void jw_kmap(struct buf *b, const char *key, char *const *v);

#endif
