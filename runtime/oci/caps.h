/* caps.h - capabilities(7): names, and the five sets of the calling process.
 *
 * Only used by the container's own process between its last privileged act and
 * execve. Straight prctl(2) and capset(2): no library. */
#ifndef CORACLE_OCI_CAPS_H
#define CORACLE_OCI_CAPS_H

#include <stdint.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

#define CAPS_KNOWN 41

/* "CAP_CHOWN" (or "chown" in any case, as --cap takes it) -> 0. -1: unknown. */
int caps_number(const char *name);
/* 0 -> "CAP_CHOWN"; NULL outside 0..CAPS_KNOWN-1. */
const char *caps_name(int number);

/* Those of c that the calling process does not have, so that nobody it makes in this user namespace can get them. */
uint64_t caps_missing(const struct spec_caps *c);
/* Drops everything outside mask from the bounding set. Needs CAP_SETPCAP. */
int caps_limit_bounding(uint64_t mask, struct err *err);
/* Sets effective, permitted, inheritable and ambient. What we do not have
 * ourselves cannot be granted and is left out (config.md, "capabilities"). */
int caps_set(const struct spec_caps *c, struct err *err);

#endif
