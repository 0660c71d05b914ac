/* restart.c - Docker's restart policies. Pure: no clock, no calls. */
#include "restart.h"

#include <string.h>
#include "cdefs.h"

static const char *const names[] = {
	[RESTART_NO] = "no", [RESTART_ALWAYS] = "always",
	[RESTART_ON_FAILURE] = "on-failure", [RESTART_UNLESS_STOPPED] = "unless-stopped",
};

static bool wants_restart(const struct restart_rule *rule, const struct restart_state *st, int exit_code)
{
	switch (rule->policy) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return exit_code != 0 && (rule->max_retries == 0 || st->count < rule->max_retries);
	default:
		return false;
	}
}

int64_t restart_after_exit(const struct restart_rule *rule, struct restart_state *st, int exit_code, uint64_t ran_ms)
{
	if (st->stopped_by_hand || !wants_restart(rule, st, exit_code))
		return -1;
	if (st->delay == 0 || ran_ms >= RESTART_GOOD_RUN)
		st->delay = RESTART_DELAY_MIN;
	else
		st->delay = MIN(st->delay * 2, RESTART_DELAY_MAX);
	st->count++;
	return st->delay;
}

bool restart_at_engine_start(const struct restart_rule *rule, const struct restart_state *st, int exit_code, bool new_boot)
{
	if (new_boot)
		return rule->policy != RESTART_UNLESS_STOPPED || !st->stopped_by_hand;
	if (rule->policy == RESTART_ALWAYS)
		return true;
	return !st->stopped_by_hand && wants_restart(rule, st, exit_code);
}

const char *restart_policy_name(enum restart_policy p)
{
	return names[p];
}

int restart_policy_parse(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(s, names[i]) == 0)
			return (int)i;
	return -1;
}
