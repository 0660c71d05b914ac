/* restart.h - Docker's restart policies as pure functions (moby restartmanager).
 *
 * The delay is 100 ms, doubled for each restart, at most 60 s; a run of at
 * least 10 s sets it back. Nothing here knows a clock: times come in. */
#ifndef CORACLE_ENGINE_RESTART_H
#define CORACLE_ENGINE_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED };

#define RESTART_DELAY_MIN 100u		/* ms */
#define RESTART_DELAY_MAX 60000u	/* ms */
#define RESTART_GOOD_RUN 10000u		/* ms */

struct restart_rule {
	enum restart_policy policy;
	int max_retries;	/* on-failure: 0 is no limit */
};

struct restart_state {
	uint32_t delay;		/* the last delay, 0: none yet */
	int count;		/* restarts since the last start by hand */
	bool stopped_by_hand;	/* stop or kill was asked for */
};

/* A run of ran_ms ended with exit_code. Returns the delay in ms before the next start
 * (and counts it), or -1: stay down. */
int64_t restart_after_exit(const struct restart_rule *rule, struct restart_state *st, int exit_code, uint64_t ran_ms);

/* The engine comes up and finds a container that was started before and does not run.
 * new_boot: the machine has booted since (the boot configuration wants its services started, unless one was
 * stopped by hand under unless-stopped); otherwise only the engine was restarted. */
bool restart_at_engine_start(const struct restart_rule *rule, const struct restart_state *st, int exit_code, bool new_boot);

/* "no", "always", "on-failure", "unless-stopped"; parse returns -1 for anything else. */
const char *restart_policy_name(enum restart_policy p);
int restart_policy_parse(const char *s);

#endif
