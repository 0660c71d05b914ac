/* perform.c - between the pure supervisor and the world: events in, actions out.
 *
 * Runs in PID 1. init_event() returns when every action has been carried out and every answer to it was given. */
#include "init/pid1/init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/data/var.h"
#include "report.h"
#include "sys.h"

struct sup init_sup;

static struct sup_event queue[SUP_ACTIONS_MAX];
static int queued;

static void answer(enum sup_event_type type, int unit, pid_t pid, int status)
{
	if (queued < SUP_ACTIONS_MAX)
		queue[queued++] = (struct sup_event){ .type = type, .unit = unit, .pid = pid, .status = status };
}

static int condition_holds(const struct service *s)
{
	return (!s->when_exists || access(s->when_exists, F_OK) == 0) && (!s->unless_exists || access(s->unless_exists, F_OK) != 0);
}

static void start(int unit)
{
	const struct service *s = &init_services[unit];
	pid_t pid;

	if (!condition_holds(s)) {
		answer(SUP_EV_SKIPPED, unit, 0, 0);
		return;
	}
	pid = spawn_service(unit);
	if (s->stamp_started)
		boot_is_done();
	if (pid > 0 && pidtab_set_unit(pid, unit) < 0) {
		sys_kill(pid, SIGKILL); /* cannot happen: the table has room for every unit */
		pid = -ENOSPC;
	}
	if (pid < 0) {
		answer(SUP_EV_START_FAILED, unit, 0, -pid);
		return;
	}
	if (s->stamp_started && init_sup.run[unit].restarts == 0)
		report_stamp(s->stamp_started);
	answer(SUP_EV_STARTED, unit, pid, 0);
}

/* "exited with code 3", "was ended by signal 11 (Segmentation fault)", "could not be started: No such file". */
static const char *describe_end(int unit, char *buf, size_t size)
{
	const struct sup_run *r = &init_sup.run[unit];

	switch (r->why) {
	case SUP_WHY_START:
		snprintf(buf, size, "could not be started: %s: %s", init_services[unit].argv[0], err_name(r->status));
		break;
	case SUP_WHY_NEEDS:
		snprintf(buf, size, "was not started: it needs %s", init_units[r->status].name);
		break;
	case SUP_WHY_TIMEOUT:
		snprintf(buf, size, "did not finish within %lld s and was stopped", (long long)init_units[unit].start_ms / 1000);
		break;
	default:
		if (WIFSIGNALED(r->status))
			snprintf(buf, size, "was ended by signal %d (%s)", WTERMSIG(r->status), strsignal(WTERMSIG(r->status)));
		else
			snprintf(buf, size, "exited with code %d", WEXITSTATUS(r->status));
	}
	return buf;
}

/* The machine works without its data: what is written to /var is lost at power-off, and that is said. */
void var_fall_back(void)
{
	struct err err = ERR_INIT;

	if (var_mount_tmpfs(&err) < 0)
		report_problem("init", "%s; /var is not there", err.text);
}

static void say_restart(int unit, int64_t delay)
{
	char end[160];
	char when[48] = "started again at once";

	if (delay > 0)
		snprintf(when, sizeof(when), "started again in %lld ms", (long long)delay);
	describe_end(unit, end, sizeof(end));
	/* a shell that someone left is no problem */
	if (init_services[unit].flags & SERVICE_CONSOLE)
		report_note("init", "%s %s; %s", init_units[unit].name, end, when);
	else
		report_problem("init", "%s %s; %s", init_units[unit].name, end, when);
}

static void say_failed(int unit)
{
	char end[160];

	describe_end(unit, end, sizeof(end));
	if (services_is_data(unit)) {
		report_problem("init", "%s %s; /var is kept in memory: nothing written there outlives this boot", init_units[unit].name, end);
		var_fall_back();
	} else {
		report_problem("init", "%s %s", init_units[unit].name, end);
	}
}

static void kill_unit(int unit)
{
	cgroup_kill(unit);
	if (init_sup.run[unit].pid > 0)
		sys_kill(init_sup.run[unit].pid, SIGKILL); /* where there is no cgroup */
}

static void perform(const struct sup_action *a)
{
	const char *name = a->unit >= 0 ? init_units[a->unit].name : "";

	switch (a->type) {
	case SUP_ACT_START:
		start(a->unit);
		break;
	case SUP_ACT_SIGNAL:
		if (init_sup.run[a->unit].pid > 0)
			sys_kill(init_sup.run[a->unit].pid, (int)a->number);
		break;
	case SUP_ACT_KILL:
		kill_unit(a->unit);
		break;
	case SUP_ACT_READY:
		if (init_services[a->unit].stamp_ready && init_sup.run[a->unit].restarts == 0)
			report_stamp(init_services[a->unit].stamp_ready);
		break;
	case SUP_ACT_RESTART:
		say_restart(a->unit, a->number);
		break;
	case SUP_ACT_FAILED:
		say_failed(a->unit);
		break;
	case SUP_ACT_TIMEOUT:
		report_problem("init", "%s takes longer than %lld s: stopping it", name, (long long)init_units[a->unit].start_ms / 1000);
		break;
	case SUP_ACT_STUCK:
		report_problem("init", "%s has processes that cannot be killed; going on without it", name);
		break;
	case SUP_ACT_ESCALATE:
		report_problem("init", "%s failed %lld times in a row: rebooting", name, (long long)a->number);
		shutdown_begin(SHUTDOWN_REBOOT, "a critical service keeps failing");
		break;
	case SUP_ACT_ALL_DOWN:
		shutdown_on_all_down();
		break;
	}
}

int init_event(const struct sup_event *ev)
{
	static struct sup_actions actions;
	static int depth;
	int64_t now = loop_now();
	int r;
	int done = 0;

	/* An action that causes an event (escalation begins the shutdown) only queues it. */
	if (depth > 0) {
		if (queued < SUP_ACTIONS_MAX)
			queue[queued++] = *ev;
		return 0;
	}
	depth++;
	r = sup_step(&init_sup, ev, now, &actions);
	for (;;) {
		struct sup_event next;

		for (int i = 0; i < actions.n; i++)
			perform(&actions.list[i]);
		if (done == queued)
			break;
		next = queue[done++];
		sup_step(&init_sup, &next, now, &actions);
		if (done == queued)
			done = queued = 0;
	}
	depth--;
	return r;
}
