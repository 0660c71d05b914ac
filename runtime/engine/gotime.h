/* gotime.h - times and durations as Docker's clients expect them (Go's formats). Pure. */
#ifndef CORACLE_ENGINE_GOTIME_H
#define CORACLE_ENGINE_GOTIME_H

#include <stddef.h>
#include <stdint.h>

#define GOTIME_MAX 40		/* "2026-11-23T23:42:38.257995795Z" and a NUL */

/* RFC 3339 with nanoseconds, UTC, zeros at the end of the fraction cut, as time.RFC3339Nano.
 * ns: since 1970; 0 gives Go's zero time, 0001-01-01T00:00:00Z. Returns out. */
char *gotime_format(int64_t ns, char out[GOTIME_MAX]);
/* The same with all nine digits (what `docker logs -t` prints). */
char *gotime_format_fixed(int64_t ns, char out[GOTIME_MAX]);
/* Parses what the two above write (any number of digits, 'Z' or +hh:mm), "SECONDS[.FRACTION]", returns 0 or -EINVAL. */
int gotime_parse(const char *s, int64_t *ns);

/* go-units HumanDuration: "Less than a second", "3 minutes", "About an hour". Returns out. */
char *gotime_human(int64_t seconds, char *out, size_t size);

#endif
