/* base64.h - decoding of what a configuration carries: base64 and gzip, with ceilings. */
#ifndef CORACLE_CONFIG_BASE64_H
#define CORACLE_CONFIG_BASE64_H

#include <stddef.h>
#include "arena.h"

/* Decodes RFC 4648 base64; white space is skipped, padding may be missing.
 * Returns a fresh buffer in the arena with a NUL behind its *len bytes, or NULL when it is not base64. */
char *base64_decode(struct arena *a, const char *s, size_t n, size_t *len);

/* Decompresses one gzip stream (RFC 1952; further members too) of at most max
 * bytes. Returns the bytes with a NUL behind, or NULL and *why. */
char *gunzip(struct arena *a, const char *s, size_t n, size_t max, size_t *len, const char **why);

/* True when the bytes begin as gzip does. */
int is_gzip(const char *s, size_t n);

#endif
