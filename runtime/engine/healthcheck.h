/* healthcheck.h - what a healthcheck says and how its state goes on. Pure: no clock, no processes.
 * Source: moby daemon/health.go (monitor, handleProbeResult). */
#ifndef CORACLE_ENGINE_HEALTHCHECK_H
#define CORACLE_ENGINE_HEALTHCHECK_H

#include <stdbool.h>
#include <stdint.h>
#include "arena.h"

enum health_status { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct healthcheck {
	char **test;			/* what runs; NULL: there is no check */
	int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
	int retries;
};

/* json: service.healthcheck (NULL: none). shell: the image's is not known here, /bin/sh -c is taken. False: none, or ["NONE"]. */
bool healthcheck_parse(struct arena *mem, const char *json, struct healthcheck *out);

struct health_state {
	enum health_status status;
	int streak;			/* failures in a row */
};

/* A probe ended (up_ms after the start of the container). True: the status is another now. */
bool healthcheck_step(const struct healthcheck *h, struct health_state *s, bool success, int64_t up_ms);
/* When the next probe is due, in ms from now. */
int64_t healthcheck_delay(const struct healthcheck *h, const struct health_state *s, int64_t up_ms);

const char *healthcheck_name(enum health_status s);

#endif
