/* text.h - checks and small searches on text that came from outside. Used by coracle-config only. */
#ifndef CORACLE_CONFIG_TEXT_H
#define CORACLE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "diag.h"

/* Refuses what YAML may not hold: bytes that are not UTF-8, NUL and other
 * control characters. Each is reported with its place (at most 10). Returns 0 or -EINVAL. */
int text_check(struct diags *diags, const struct source *source);

/* The start of line number n (from 1), or NULL. */
const char *text_line(const char *text, size_t len, unsigned n);

/* True when the n bytes have no control character (newlines and NUL are such). */
bool text_single_line(const char *s, size_t n);

/* Length of the UTF-8 character at s (1..4), 0 when it is none. left: bytes that are there. */
size_t text_utf8_length(const char *s, size_t left);

/* For tables of hashes; another in each process, so that no input can be made to hold only equal ones. */
uint32_t text_hash(const char *s, size_t n);

/* The nearest name by edit distance (a swap of neighbours counts one), or NULL when none is near. name(i, arg) returns NULL at the end. */
const char *text_nearest(const char *s, size_t n, const char *(*name)(size_t i, const void *arg), const void *arg);

#endif
