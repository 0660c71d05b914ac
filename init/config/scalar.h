/* scalar.h - what the text of a scalar means when a certain type is wanted.
 *
 * Pure functions on NUL-terminated text; all return 0 or -EINVAL and leave *out alone on failure. */
#ifndef CORACLE_CONFIG_SCALAR_H
#define CORACLE_CONFIG_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

/* true false yes no on off 1 0, any case (YAML 1.1 and cloud-init's strings). */
int scalar_bool(const char *s, bool *out);
/* Decimal digits only, at most max. */
int scalar_uint(const char *s, uint64_t max, uint64_t *out);
/* Octal permissions: 0644, 644, 0o644; at most 07777. *bare is set for a number without a leading 0. */
int scalar_mode(const char *s, unsigned *out, bool *bare);
/* Compose durations: one or more of NUMBER + us|ms|s|m|h, as 1h30m5s20ms; milliseconds, rounded up. At most a year. */
int scalar_duration(const char *s, uint64_t *ms);

#endif
