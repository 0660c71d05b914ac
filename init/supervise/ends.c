/* ends.c - the supervisor's ends: stopping, killing, what a unit comes to when its processes are gone. Pure; see supervise.h. */
#include "init/supervise/parts.h"

#include <signal.h>
#include <sys/wait.h>

#include "cdefs.h"

int64_t sup_backoff(const struct sup_unit *u, int failures)
{
	int64_t delay = u->backoff_ms;

	if (failures <= 1)
		return 0;
	for (int i = 2; i < failures && delay < u->backoff_max_ms; i++)
		delay *= 2;
	return MIN(delay, u->backoff_max_ms);
}

int sup_end_is_clean(const struct sup_unit *u, const struct sup_event *ev)
{
	int sig = WIFSIGNALED(ev->status) ? WTERMSIG(ev->status) : 0;

	if (ev->status == 0 || ev->clean)
		return 1;
	return u->type != SUP_ONESHOT && (sig == SIGHUP || sig == SIGINT || sig == SIGTERM || sig == SIGPIPE);
}

/* The table of Restart= in systemd.service(5). */
static int is_restarted(const struct sup_unit *u, const struct sup_run *r)
{
	int by_signal = r->why == SUP_WHY_EXIT && WIFSIGNALED(r->status);
	int by_code = (r->why == SUP_WHY_EXIT && !by_signal) || r->why == SUP_WHY_START;

	if (r->clean)
		return u->type != SUP_ONESHOT && (u->restart == SUP_RESTART_ALWAYS || u->restart == SUP_RESTART_ON_SUCCESS);
	switch (u->restart) {
	case SUP_RESTART_ALWAYS:
	case SUP_RESTART_ON_FAILURE:
		return 1;
	case SUP_RESTART_ON_ABNORMAL:
		return !by_code;
	case SUP_RESTART_ON_ABORT:
		return by_signal;
	case SUP_RESTART_ON_WATCHDOG:
		return r->why == SUP_WHY_WATCHDOG;
	default:
		return 0;
	}
}

/* Takes one failure off for each decay_ms that the last run lasted, adds this one. */
static void count_failure(const struct sup_unit *u, struct sup_run *r, int64_t now)
{
	int64_t off = u->decay_ms > 0 ? (now - r->started) / u->decay_ms : 0;

	r->failures = off >= r->failures ? 0 : r->failures - (int)off;
	r->failures++;
}

void sup_rest(struct sup *s, int i, enum sup_state state, struct sup_actions *out)
{
	if (!(s->units[i].flags & SUP_LISTENS) || s->shutting_down) {
		sup_enter(&s->run[i], state, SUP_NEVER);
		return;
	}
	sup_enter(&s->run[i], SUP_LISTENING, SUP_NEVER);
	sup_act(out, SUP_ACT_LISTEN, i, 0);
}

/* It failed and its policy does not restart it. Who comes to its sockets next may find it well; SUP_TRIGGERS_MAX bounds that. */
static void settle_failed(struct sup *s, int i, struct sup_actions *out)
{
	sup_fail(s, i, out);
	if (s->units[i].flags & SUP_LISTENS)
		sup_rest(s, i, SUP_FAILED, out);
}

static void on_own_end(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];
	int restarted = is_restarted(u, r);

	if (r->clean && !restarted) {
		r->failures = 0;
		if (u->type == SUP_ONESHOT)
			sup_act(out, SUP_ACT_READY, i, 0);
		sup_rest(s, i, SUP_DONE, out);
		return;
	}
	count_failure(u, r, now);
	if (u->escalate && r->failures >= u->escalate)
		sup_act(out, SUP_ACT_ESCALATE, i, r->failures);
	if (!restarted) {
		settle_failed(s, i, out);
		return;
	}
	if (u->give_up && r->failures >= u->give_up) {
		sup_fail(s, i, out);
		return;
	}
	r->restarts++;
	sup_enter(r, SUP_BACKOFF, sup_later(now, sup_backoff(u, r->failures)));
	sup_act(out, SUP_ACT_RESTART, i, sup_backoff(u, r->failures));
}

void sup_ended(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[i];
	int again = r->again && !s->shutting_down;

	sup_act(out, SUP_ACT_ENDED, i, 0);
	if (r->cause != SUP_WHY_NONE)
		r->why = r->cause;
	r->cause = SUP_WHY_NONE;
	r->again = 0;
	if (r->why != SUP_WHY_ASKED && !s->shutting_down) {
		on_own_end(s, i, now, out);
	} else if (again) {
		sup_enter(r, SUP_OFF, SUP_NEVER);
		sup_want(s, i, SUP_WISH_COMMAND, now);
	} else {
		sup_rest(s, i, SUP_OFF, out);
	}
}

void sup_begin_kill(struct sup *s, int i, enum sup_state state, int64_t now, struct sup_actions *out)
{
	sup_enter(&s->run[i], state, sup_later(now, SUP_KILL_MS));
	sup_act(out, SUP_ACT_KILL, i, 0);
}

static void stop_with(struct sup *s, int i, enum sup_why why, int sig, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[i];

	r->cause = why;
	sup_enter(r, SUP_STOPPING, sup_later(now, s->units[i].stop_ms));
	/* a start that was not answered yet: the signal follows the answer */
	if (r->pid != 0)
		sup_act(out, SUP_ACT_SIGNAL, i, sig);
}

void sup_begin_stop(struct sup *s, int i, enum sup_why why, int64_t now, struct sup_actions *out)
{
	stop_with(s, i, why, s->units[i].stop_signal, now, out);
}

void sup_bite(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	sup_act(out, SUP_ACT_WATCHDOG, i, s->run[i].watchdog_ms);
	stop_with(s, i, SUP_WHY_WATCHDOG, s->units[i].watchdog_signal, now, out);
}

void sup_expire(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];

	switch (r->state) {
	case SUP_WAITING: /* else sup_advance() looks at it */
		if (u->type != SUP_TARGET)
			break;
		r->why = SUP_WHY_TIMEOUT;
		sup_fail(s, i, out);
		break;
	case SUP_STARTING:
	case SUP_RUNNING:
		sup_act(out, SUP_ACT_TIMEOUT, i, r->state == SUP_STARTING ? u->start_ms : u->run_ms);
		sup_begin_stop(s, i, SUP_WHY_TIMEOUT, now, out);
		break;
	case SUP_STOPPING:
		if (r->cause == SUP_WHY_NONE) /* it said STOPPING=1, and then did not end */
			r->cause = SUP_WHY_TIMEOUT;
		sup_begin_kill(s, i, SUP_KILLING, now, out);
		break;
	case SUP_KILLING:
	case SUP_CLEANING:
		sup_enter(r, SUP_STUCK, SUP_NEVER);
		sup_act(out, SUP_ACT_STUCK, i, 0);
		break;
	case SUP_BACKOFF:
		sup_enter(r, SUP_OFF, SUP_NEVER);
		sup_want(s, i, SUP_WISH_AUTO, now);
		break;
	default:
		break;
	}
}
