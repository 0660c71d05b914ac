/* final.c - the last stage: its modules (the instance's scripts are one), then the power state.
 *
 * Runs as coracle-config final, after the containers have been started. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "final.h"
#include "modules/module.h"
#include "report.h"

/* Last of all, when the status is written. Returns true when the machine goes down. */
static bool change_power(struct run *r)
{
	const struct config_power *p = &r->config.power;
	struct timespec delay = { .tv_sec = (time_t)p->delay_minutes * 60 };
	struct err err = ERR_INIT;

	if (p->message)
		report_problem("config", "%s: %s", p->mode, p->message);
	while (delay.tv_sec > 0 && nanosleep(&delay, &delay) < 0)
		;
	if (init_ask(p->mode, &err) == 0)
		return true;
	diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "power_state: %s", err.text);
	return false;
}

int final_run(struct run *r)
{
	struct err err = ERR_INIT;
	int e = final_read(r);

	if (e == -ENOENT)
		return 0;
	if (status_read(&r->ctx, &r->target, &r->status) < 0)
		r->status.datasource = "";
	r->status.running = STAGE_FINAL;
	r->status.stage[STAGE_FINAL].start = status_now();
	status_write(&r->target, &r->status, &err);
	r->diags.stage = STAGE_FINAL;
	if (e < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s cannot be read: %s", FINAL_PATH, err_name(-e));
	else
		modules_run(r, STAGE_FINAL);
	r->status.running = -1;
	r->status.stage[STAGE_FINAL].finished = status_now();
	status_add_diags(&r->ctx, &r->status);
	if (status_write(&r->target, &r->status, &err) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s", err.text);
	target_unlink(&r->target, FINAL_PATH);
	run_report(r);
	if (r->change_power && !change_power(r))
		report_problem("config", "power_state: the machine stays up: %s", r->diags.first ? r->diags.first->text : "?");
	return status_exit(&r->status);
}
