/* json.h - one character of a JSON string at a time (RFC 8259, section 7). No heap. */
#ifndef CORACLE_JSON_H
#define CORACLE_JSON_H

#include <stddef.h>

#define JSON_ESCAPE_MAX 8

/* Escapes the first character of s (n > 0 bytes) into out (no NUL); *used is
 * how many bytes of s it was. A byte that is not UTF-8 becomes U+FFFD. Returns the bytes written. */
size_t json_escape(const char *s, size_t n, size_t *used, char out[JSON_ESCAPE_MAX]);

#endif
