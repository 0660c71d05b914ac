/* power.c - the module power_state_change: in the last stage it finds out whether the machine shall go down; final.c does it, last of all. */
#include <errno.h>
#include <string.h>

#include "module.h"

#define CONDITION_PATH "/run/coracle/final-condition"

bool power_state_wanted(const struct run *r)
{
	return r->config.power.mode && !r->config.power.never;
}

void apply_power_state(struct run *r)
{
	const struct config_power *p = &r->config.power;
	int status = 0;

	if (p->condition) {
		module_put(r, CONDITION_PATH, p->condition, 0700);
		status = script_run(r, "/bin/sh", CONDITION_PATH, (unsigned)p->timeout_s);
		target_unlink(&r->target, CONDITION_PATH);
	}
	if (status < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the condition of power_state cannot be tested: %s", err_name(-status));
	r->change_power = status == 0;
}
