/* values.h - the values that unit files hold: words, spans of time, sizes, signals.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap. All return -EINVAL for a text that is not such a value. */
#ifndef CORACLE_INIT_VALUES_H
#define CORACLE_INIT_VALUES_H

#include <stdint.h>

#include "cdefs.h"
#include "err.h"

#define VALUE_FOREVER INT64_MAX		/* "infinity" as a span */
#define VALUE_SPAN_MAX_MS INT64_C(3153600000000)	/* a hundred years: what is added to a clock does not overflow */

/* 1 for yes, true, on, 1 (and y, t), 0 for their opposites. */
COLD int value_bool(const char *s);

/* "5min 20s", "1.5s", "300" (in units of bare microseconds each) -> microseconds; "infinity" -> VALUE_FOREVER. systemd.time(7). */
COLD int value_span(const char *s, int64_t bare, int64_t *us);

/* "64M", "1024" -> bytes (K, M, G, T, E are powers of 1024); "infinity" -> UINT64_MAX. */
COLD int value_size(const char *s, uint64_t *out);

/* A whole number within the bounds. */
COLD int value_number(const char *s, int64_t min, int64_t max, int64_t *out);

/* "022": octal, at most 07777. */
COLD int value_octal(const char *s, unsigned *out);

/* "SIGTERM", "TERM", "RTMIN+3", "15" -> number. */
COLD int value_signal(const char *s);

/* The place of s in a list of names, each with its NUL, an empty one at the end. */
COLD int value_choice(const char *names, const char *s);

/* The next word of a line, decoded in place: quotes of both kinds, C's escapes (systemd.syntax(7)). *at moves behind it. NULL at the end of the
 * line, and when the quoting is wrong; then err->text says how. *quoted (may be NULL): it was written with quotes or escapes. */
COLD char *value_word(char **at, int *quoted, struct err *err);

#endif
