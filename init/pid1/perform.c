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
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define AGAIN_MS 500
#define RESTARTS_SAID 8

struct sup init_sup;

/* Starts for which the kernel had no process: its table is full, or its memory. The unit is not to blame, so that is no failure of it. */
static struct {
	uint64_t units;
	int64_t at;
	int said;
} again;

const struct state_section perform_state[] = {
	STATE_SPAN("supv", init_sup, n, down_by), STATE_TABLE("runs", init_sup.run, &init_sup.n), STATE_ONE("agai", again), STATE_END,
};

void perform_restored(void)
{
	init_sup.units = units.sup;
	init_sup.n = MIN(init_sup.n, units.n);
}

SPARSE static struct sup_event queue[SUP_ACTIONS_MAX];
static int queued;

static void answer(enum sup_event_type type, int unit, pid_t pid, int status)
{
	if (queued < SUP_ACTIONS_MAX)
		queue[queued++] = (struct sup_event){ .type = type, .unit = unit, .pid = pid, .status = status };
}

/* In /run/coracle/boot-times: NAME when it is ready, NAME-started when a daemon was started before. */
static void stamp(int unit, int is_ready)
{
	char name[96];
	int is_daemon = units.sup[unit].type == SUP_DAEMON;

	if (!(units.service[unit].flags & UNIT_STAMPED) || init_sup.run[unit].restarts || (!is_ready && !is_daemon))
		return;
	snprintf(name, sizeof(name), "%s%s", unit_name(unit), !is_daemon ? "" : is_ready ? "-ready" : "-started");
	report_stamp(name);
}

static void start_later(int unit, int error)
{
	if (!again.said)
		report_problem("init", "there is no process for %s: %s; it is tried again", unit_name(unit), err_name(error));
	again.said = 1;
	again.units |= UINT64_C(1) << unit;
	again.at = loop_now() + AGAIN_MS;
}

static void start_now(int unit)
{
	pid_t pid;

	notify_forget(unit);
	sockets_listen(unit, 0);
	pid = recover_adopt(unit);
	if (pid == 0 && (pid = spawn_service(unit)) > 0)
		recover_note(RECOVER_STARTED, unit, pid, 0);
	if (units.sup[unit].flags & SUP_CRITICAL)
		boot_is_done();
	if (pid > 0 && pidtab_set_unit(pid, unit) < 0) {
		sys_kill(pid, SIGKILL); /* cannot happen: the table has room for every unit */
		pid = -ENOSPC;
	}
	if (pid == -EAGAIN || pid == -ENOMEM) {
		start_later(unit, -pid);
		return;
	}
	if (pid < 0) {
		answer(SUP_EV_START_FAILED, unit, 0, -pid);
		return;
	}
	stamp(unit, 0);
	times_started(unit);
	answer(SUP_EV_STARTED, unit, pid, 0);
}

static void start(int unit, int holds)
{
	if (holds > 0)
		start_now(unit);
	else if (holds == 0)
		answer(SUP_EV_SKIPPED, unit, 0, 0);
	else if (holds != -EINPROGRESS)
		start_later(unit, -holds);
}

/* "exited with code 3", "was ended by signal 11 (Segmentation fault)", "could not be started: No such file". */
static const char *describe_end(int unit, char *buf, size_t size)
{
	const struct sup_run *r = &init_sup.run[unit];
	char why[128];

	switch (r->why) {
	case SUP_WHY_START:
		if (!spawn_explain(unit, why, sizeof(why)))
			snprintf(why, sizeof(why), "%s", err_name(r->status));
		snprintf(buf, size, "could not be started: %s", why);
		break;
	case SUP_WHY_NEEDS:
		snprintf(buf, size, "was not started: it needs %s", unit_name(r->status));
		break;
	case SUP_WHY_TIMEOUT:
		snprintf(buf, size, units.sup[unit].type == SUP_TARGET ? "was not reached in time" : "took too long and was stopped");
		break;
	case SUP_WHY_WATCHDOG:
		snprintf(buf, size, "did not feed its watchdog and was stopped");
		break;
	case SUP_WHY_OOM:
		if (!limits_explain(unit, buf, size))
			snprintf(buf, size, "was stopped: the kernel killed a process of it for want of memory");
		break;
	case SUP_WHY_NOT_READY:
		snprintf(buf, size, "exited with code 0 before it said that it was ready");
		break;
	case SUP_WHY_TRIGGERS:
		snprintf(buf, size, "was started %d times within %d s and left its sockets unserved", SUP_TRIGGERS_MAX, SUP_TRIGGERS_MS / 1000);
		break;
	case SUP_WHY_EXIT:
	case SUP_WHY_ASKED:
	case SUP_WHY_NONE:
		if (limits_explain(unit, buf, size))
			break;
		if (spawn_explain(unit, why, sizeof(why)))
			snprintf(buf, size, "could not be started: %s", why);
		else if (WIFSIGNALED(r->status))
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

/* Restarts in a row are said eight times, then at every power of two: a service that ends at once must not fill the log. One that ends well and
 * is wanted always is no problem, nor is a shell that someone left. */
static void say_restart(int unit, int64_t delay)
{
	const struct sup_run *r = &init_sup.run[unit];
	int is_normal = units.service[unit].flags & UNIT_CONSOLE || (r->why == SUP_WHY_EXIT && r->status == 0);
	char end[160];
	char when[80] = "started again at once";

	if (r->failures > RESTARTS_SAID && r->failures & (r->failures - 1))
		return;

	if (delay > 0)
		snprintf(when, sizeof(when), "started again in %lld ms", (long long)delay);
	if (r->failures > RESTARTS_SAID)
		snprintf(when + strlen(when), sizeof(when) - strlen(when), " (time %d in a row)", r->failures);
	describe_end(unit, end, sizeof(end));
	if (is_normal)
		report_note("init", "%s %s; %s", unit_name(unit), end, when);
	else
		report_problem("init", "%s %s; %s", unit_name(unit), end, when);
}

static void say_failed(int unit)
{
	char end[160];

	describe_end(unit, end, sizeof(end));
	if (services_is_data(unit)) {
		report_problem("init", "%s %s; /var is kept in memory: nothing written there outlives this boot", unit_name(unit), end);
		var_fall_back();
	} else {
		report_problem("init", "%s %s", unit_name(unit), end);
	}
}

/* With a rescue shell somebody is there to look, and would lose what they see. */
static void escalate(int unit, int64_t failures)
{
	char end[160];
	char text[200];

	describe_end(unit, end, sizeof(end));
	snprintf(text, sizeof(text), "%s failed %lld times in a row: at last it %s", unit_name(unit), (long long)failures, end);
	report_problem("init", "%s%s", text, init_options.rescue ? "" : "; rebooting");
	if (init_options.rescue)
		return;
	reason_record("service", text);
	shutdown_begin(SHUTDOWN_REBOOT, text);
}

static void kill_unit(int unit)
{
	cgroup_kill(unit);
	condition_kill(unit);
	if (init_sup.run[unit].pid > 0)
		sys_kill(init_sup.run[unit].pid, SIGKILL); /* where there is no cgroup */
}

static void perform(const struct sup_action *a)
{
	const char *name = a->unit >= 0 ? unit_name(a->unit) : "";

	switch (a->type) {
	case SUP_ACT_START:
		start(a->unit, condition_holds(a->unit));
		break;
	case SUP_ACT_SIGNAL:
		if (init_sup.run[a->unit].pid > 0)
			sys_kill(init_sup.run[a->unit].pid, (int)a->number);
		break;
	case SUP_ACT_KILL:
		kill_unit(a->unit);
		break;
	case SUP_ACT_READY:
		stamp(a->unit, 1);
		times_ready(a->unit);
		break;
	case SUP_ACT_RESTART:
		say_restart(a->unit, a->number);
		break;
	case SUP_ACT_FAILED:
		say_failed(a->unit);
		break;
	case SUP_ACT_TIMEOUT:
		report_problem("init", "%s takes longer than %lld ms: stopping it", name, (long long)a->number);
		break;
	case SUP_ACT_WATCHDOG:
		report_problem("init", "%s did not feed its watchdog for %lld ms: stopping it", name, (long long)a->number);
		break;
	case SUP_ACT_STUCK:
		report_problem("init", "%s has processes that cannot be killed; going on without it", name);
		break;
	case SUP_ACT_ESCALATE:
		escalate(a->unit, a->number);
		break;
	case SUP_ACT_LISTEN:
		sockets_listen(a->unit, 1);
		break;
	case SUP_ACT_ENDED:
		timers_on_ended(a->unit);
		break;
	case SUP_ACT_ALL_DOWN:
		shutdown_on_all_down();
		break;
	}
}

/* SuccessExitStatus= */
static int is_success(int unit, int status)
{
	const struct service *s = &units.service[unit];

	if (WIFSIGNALED(status))
		return (s->success_signals >> (WTERMSIG(status) - 1)) & 1;
	for (int i = 0; i < s->success_n; i++)
		if (WIFEXITED(status) && WEXITSTATUS(status) == s->success[i])
			return 1;
	return 0;
}

int init_event(const struct sup_event *ev)
{
	SPARSE static struct sup_actions actions;
	struct sup_event first = *ev;
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
	if (ev->type == SUP_EV_EXITED) {
		services_on_exit(ev->unit);
		first.clean = is_success(ev->unit, ev->status);
	}
	depth++;
	r = sup_step(&init_sup, &first, now, &actions);
	if (actions.n)
		loop_give_back();
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

/* A start that was put off. */
static void go_on(int unit, int holds)
{
	if (init_sup.run[unit].state == SUP_STARTING)
		start(unit, holds);
	else
		answer(SUP_EV_START_FAILED, unit, 0, EAGAIN); /* it was stopped meanwhile */
}

void perform_go_on(int unit, int holds)
{
	go_on(unit, holds);
	init_event(&(struct sup_event){ .type = SUP_EV_TICK });
}

int64_t perform_turn(int64_t now)
{
	uint64_t todo = again.units;

	if (!todo)
		return SUP_NEVER;
	if (again.at > now)
		return again.at;
	again.units = 0;
	for (int i = 0; i < init_sup.n; i++) {
		if (!(todo >> i & 1))
			continue;
		go_on(i, init_sup.run[i].state == SUP_STARTING ? condition_holds(i) : 0);
	}
	if (!again.units)
		again.said = 0;
	/* gives the answers to the supervisor */
	init_event(&(struct sup_event){ .type = SUP_EV_TICK });
	return again.units ? again.at : SUP_NEVER;
}
