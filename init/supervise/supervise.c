/* supervise.c - the supervisor's events: see supervise.h. Pure; runs in PID 1 and in its
 * simulator; must never make a system call. */
#include "init/supervise/parts.h"

#include <errno.h>
#include <string.h>

#include "cdefs.h"

void sup_act(struct sup_actions *out, enum sup_action_type type, int unit, int64_t number)
{
	/* The simulator shows that the room suffices; losing one would be losing a start or a kill. */
	if (out->n < SUP_ACTIONS_MAX)
		out->list[out->n++] = (struct sup_action){ type, unit, number };
}

int64_t sup_later(int64_t now, int64_t ms)
{
	return ms >= SUP_NEVER - now ? SUP_NEVER : now + ms;
}

void sup_enter(struct sup_run *r, enum sup_state state, int64_t deadline)
{
	r->state = state;
	r->deadline = deadline;
	r->watchdog = SUP_NEVER;
}

int sup_is_active(enum sup_state s)
{
	return s >= SUP_STARTING && s <= SUP_CLEANING;
}

void sup_fail(struct sup *s, int i, struct sup_actions *out)
{
	sup_enter(&s->run[i], SUP_FAILED, SUP_NEVER);
	sup_act(out, SUP_ACT_FAILED, i, 0);
}

int sup_still_up(const struct sup *s)
{
	for (int i = s->n - 1; i >= 0; i--)
		if (sup_is_active(s->run[i].state))
			return i;
	return -1;
}

int sup_ill(const struct sup *s)
{
	for (int i = 0; i < s->n && !s->shutting_down; i++) {
		const struct sup_run *r = &s->run[i];

		if (!(s->units[i].flags & SUP_CRITICAL))
			continue;
		if (r->state == SUP_FAILED || r->state == SUP_STUCK || (sup_is_active(r->state) && r->cause == SUP_WHY_WATCHDOG))
			return i;
	}
	return -1;
}

static void set_watchdog(struct sup_run *r, int64_t now)
{
	r->watchdog = r->watchdog_ms > 0 ? sup_later(now, r->watchdog_ms) : SUP_NEVER;
}

static void become_ready(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[i];

	sup_enter(r, SUP_RUNNING, s->units[i].run_ms ? sup_later(now, s->units[i].run_ms) : SUP_NEVER);
	set_watchdog(r, now);
	sup_act(out, SUP_ACT_READY, i, 0);
}

static void on_boot(struct sup *s, int64_t now, struct sup_actions *out)
{
	for (int i = 0; i < s->n && !s->shutting_down; i++) {
		unsigned flags = s->units[i].flags;

		if (s->run[i].state != SUP_OFF || s->run[i].why == SUP_WHY_ASKED)
			continue;
		if (!(flags & SUP_ON_DEMAND))
			sup_want(s, i, SUP_WISH_AUTO, now);
		else if (flags & SUP_LISTENS)
			sup_rest(s, i, SUP_OFF, out);
	}
}

static int on_answer(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[ev->unit];
	struct sup_run *r = &s->run[ev->unit];

	/* starting without an order and a process: PID 1 was executed again between the two, and has found the process */
	if (!r->ordered && (r->state != SUP_STARTING || r->pid != 0))
		return -EINVAL;
	r->ordered = 0;
	if (ev->type == SUP_EV_SKIPPED) {
		sup_enter(r, SUP_SKIPPED, SUP_NEVER);
		return 0;
	}
	if (ev->type == SUP_EV_START_FAILED) {
		r->why = SUP_WHY_START;
		r->status = ev->status;
		sup_ended(s, ev->unit, now, out);
		return 0;
	}
	r->pid = ev->pid;
	/* the shutdown may have come between the order and its answer */
	if (r->state == SUP_STOPPING)
		sup_act(out, SUP_ACT_SIGNAL, ev->unit, u->stop_signal);
	else if (r->state != SUP_STARTING)
		sup_act(out, SUP_ACT_KILL, ev->unit, 0);
	else if (u->type == SUP_DAEMON && !(u->flags & SUP_NOTIFIES))
		become_ready(s, ev->unit, now, out);
	return 0;
}

static int on_ready(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	const struct sup_run *r = &s->run[ev->unit];

	if (r->state != SUP_STARTING || r->pid == 0 || s->units[ev->unit].type != SUP_DAEMON)
		return -EINVAL;
	become_ready(s, ev->unit, now, out);
	return 0;
}

static int on_exited(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[ev->unit];
	struct sup_run *r = &s->run[ev->unit];
	int unready = r->state == SUP_STARTING && u->type == SUP_DAEMON && (u->flags & SUP_NOTIFIES);

	if (r->pid == 0)
		return -EINVAL;
	r->pid = 0;
	r->status = ev->status;
	r->busy = ev->busy;
	r->clean = r->cause == SUP_WHY_NONE && sup_end_is_clean(u, ev);
	r->why = r->clean && unready ? SUP_WHY_NOT_READY : SUP_WHY_EXIT;
	if (unready)
		r->clean = 0;
	if (!r->busy)
		sup_ended(s, ev->unit, now, out);
	else if (r->state != SUP_KILLING && r->state != SUP_STUCK)
		sup_begin_kill(s, ev->unit, SUP_CLEANING, now, out);
	return 0;
}

static int on_empty(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (!r->busy || r->pid != 0)
		return -EINVAL;
	r->busy = 0;
	sup_ended(s, ev->unit, now, out);
	return 0;
}

static int on_oom(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (r->state == SUP_STARTING || r->state == SUP_RUNNING) {
		sup_begin_stop(s, ev->unit, SUP_WHY_OOM, now, out);
		return 0;
	}
	if (!sup_is_active(r->state))
		return -EINVAL;
	if (r->cause == SUP_WHY_NONE) { /* its main process was the one, or it was ending by itself */
		r->cause = SUP_WHY_OOM;
		r->clean = 0;
	}
	return 0;
}

static int on_command(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];
	int start = ev->type != SUP_EV_STOP;

	if (s->shutting_down)
		return -ESHUTDOWN;
	if (r->state == SUP_STUCK)
		return -EBUSY;
	if (s->units[ev->unit].type == SUP_TARGET && ev->type != SUP_EV_START)
		return -EINVAL;
	r->failures = 0;
	if (r->state == SUP_STARTING || r->state == SUP_RUNNING || (r->state == SUP_STOPPING && r->cause == SUP_WHY_NONE)) {
		if (ev->type == SUP_EV_START && r->state != SUP_STOPPING)
			return 0;
		r->again = start;
		sup_begin_stop(s, ev->unit, SUP_WHY_ASKED, now, out);
	} else if (sup_is_active(r->state)) {
		r->again = start;
		r->cause = SUP_WHY_ASKED;
	} else if (start) {
		if (r->state == SUP_BACKOFF)
			sup_enter(r, SUP_OFF, SUP_NEVER);
		sup_want(s, ev->unit, SUP_WISH_COMMAND, now);
	} else if (r->state == SUP_WAITING || r->state == SUP_BACKOFF) {
		r->why = SUP_WHY_ASKED;
		sup_rest(s, ev->unit, SUP_OFF, out);
	} else if (r->state == SUP_LISTENING) {
		r->why = SUP_WHY_ASKED;
		sup_enter(r, SUP_OFF, SUP_NEVER);
	}
	return 0;
}

/* Somebody comes to the sockets again and again, and each run leaves them there. */
static int is_triggered_in_vain(struct sup_run *r, int64_t now)
{
	if (r->triggers == 0 || now - r->triggered >= SUP_TRIGGERS_MS) {
		r->triggered = now;
		r->triggers = 0;
	}
	return ++r->triggers > SUP_TRIGGERS_MAX;
}

static int on_trigger(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (s->shutting_down)
		return -ESHUTDOWN;
	if (s->units[ev->unit].type == SUP_TARGET)
		return -EINVAL;
	if (r->state == SUP_LISTENING && is_triggered_in_vain(r, now)) {
		r->why = SUP_WHY_TRIGGERS;
		r->triggers = 0;
		sup_fail(s, ev->unit, out);
		return 0;
	}
	sup_want(s, ev->unit, SUP_WISH_TRIGGER, now);
	return 0;
}

static int on_reached(struct sup *s, const struct sup_event *ev, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (s->units[ev->unit].type != SUP_TARGET || r->state == SUP_DONE || s->shutting_down || sup_is_active(r->state))
		return -EINVAL;
	sup_enter(r, SUP_DONE, SUP_NEVER);
	sup_act(out, SUP_ACT_READY, ev->unit, 0);
	return 0;
}

/* What a running service says about itself and its time. */
static int on_word(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];
	int running = r->state == SUP_RUNNING;

	if (r->pid == 0 || ev->number < 0)
		return -EINVAL;
	switch (ev->type) {
	case SUP_EV_FED:
		if (running) {
			r->healthy = 1;
			set_watchdog(r, now);
		}
		return 0;
	case SUP_EV_WATCHDOG_MS:
		r->watchdog_ms = ev->number;
		if (running)
			set_watchdog(r, now);
		return 0;
	case SUP_EV_BITES:
		if (running || r->state == SUP_STARTING)
			sup_bite(s, ev->unit, now, out);
		return 0;
	case SUP_EV_EXTEND:
		if ((running || r->state == SUP_STARTING || r->state == SUP_STOPPING) && r->deadline != SUP_NEVER)
			r->deadline = MAX(r->deadline, sup_later(now, ev->number));
		return 0;
	default: /* STOPPING */
		if (running)
			sup_enter(r, SUP_STOPPING, sup_later(now, s->units[ev->unit].stop_ms));
		return running ? 0 : -EINVAL;
	}
}

static void on_force(struct sup *s, int64_t now, struct sup_actions *out)
{
	s->shutting_down = 1;
	s->down_by = SUP_NEVER;
	for (int i = s->n - 1; i >= 0; i--) {
		struct sup_run *r = &s->run[i];

		if (r->state == SUP_STARTING || r->state == SUP_RUNNING || r->state == SUP_STOPPING) {
			r->cause = SUP_WHY_ASKED;
			sup_begin_kill(s, i, SUP_KILLING, now, out);
		}
	}
}

static void on_shutdown(struct sup *s, const struct sup_event *ev, int64_t now)
{
	s->shutting_down = 1;
	if (ev->number > 0)
		s->down_by = MIN(s->down_by, sup_later(now, ev->number));
}

static int on_main_pid(struct sup *s, const struct sup_event *ev)
{
	if (s->run[ev->unit].pid == 0 || ev->pid <= 0)
		return -EINVAL;
	s->run[ev->unit].pid = ev->pid;
	return 0;
}

static int dispatch(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	switch (ev->type) {
	case SUP_EV_BOOT:
		on_boot(s, now, out);
		return 0;
	case SUP_EV_STARTED:
	case SUP_EV_START_FAILED:
	case SUP_EV_SKIPPED:
		return on_answer(s, ev, now, out);
	case SUP_EV_READY:
		return on_ready(s, ev, now, out);
	case SUP_EV_MAIN_PID:
		return on_main_pid(s, ev);
	case SUP_EV_EXITED:
		return on_exited(s, ev, now, out);
	case SUP_EV_EMPTY:
		return on_empty(s, ev, now, out);
	case SUP_EV_OOM:
		return on_oom(s, ev, now, out);
	case SUP_EV_START:
	case SUP_EV_STOP:
	case SUP_EV_RESTART:
		return on_command(s, ev, now, out);
	case SUP_EV_TRIGGER:
		return on_trigger(s, ev, now, out);
	case SUP_EV_REACHED:
		return on_reached(s, ev, out);
	case SUP_EV_FED:
	case SUP_EV_WATCHDOG_MS:
	case SUP_EV_BITES:
	case SUP_EV_EXTEND:
	case SUP_EV_STOPPING:
		return on_word(s, ev, now, out);
	case SUP_EV_SHUTDOWN:
		on_shutdown(s, ev, now);
		return 0;
	case SUP_EV_FORCE:
		on_force(s, now, out);
		return 0;
	case SUP_EV_TICK:
		return 0;
	}
	return -EINVAL;
}

int sup_step(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	int whole = ev->type == SUP_EV_BOOT || ev->type == SUP_EV_TICK || ev->type == SUP_EV_SHUTDOWN || ev->type == SUP_EV_FORCE;
	int r;

	out->n = 0;
	if (!whole && (ev->unit < 0 || ev->unit >= s->n))
		return -EINVAL;
	r = dispatch(s, ev, now, out);
	for (int i = 0; i < s->n; i++) {
		if (s->run[i].deadline <= now)
			sup_expire(s, i, now, out);
		if (s->run[i].watchdog <= now)
			sup_bite(s, i, now, out);
	}
	if (s->down_by <= now)
		on_force(s, now, out);
	sup_advance(s, now, out);
	return r;
}

int64_t sup_next(const struct sup *s)
{
	int64_t next = s->down_said ? SUP_NEVER : s->down_by;

	for (int i = 0; i < s->n; i++)
		next = MIN(next, MIN(s->run[i].deadline, s->run[i].watchdog));
	return next;
}

static int check(const struct sup_unit *units, int n)
{
	if (n < 0 || n > SUP_UNITS_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++)
		if (n < 64 && ((units[i].after | units[i].needs | units[i].finished | units[i].healthy) >> n))
			return -EINVAL;
	return sup_order_is_circular(units, n) ? -ELOOP : 0;
}

int sup_init(struct sup *s, const struct sup_unit *units, int n)
{
	int r = check(units, n);

	if (r < 0)
		return r;
	memset(s, 0, sizeof(*s));
	s->units = units;
	s->down_by = SUP_NEVER;
	return sup_load(s, n);
}

int sup_load(struct sup *s, int n)
{
	int r = check(s->units, n);

	if (r < 0)
		return r;
	if (n < s->n)
		return -EINVAL;
	for (int i = s->n; i < n; i++) {
		memset(&s->run[i], 0, sizeof(s->run[i]));
		sup_enter(&s->run[i], SUP_OFF, SUP_NEVER);
	}
	s->n = n;
	for (int i = 0; i < n; i++)
		if (s->run[i].state == SUP_LISTENING && !(s->units[i].flags & SUP_LISTENS))
			sup_enter(&s->run[i], SUP_OFF, SUP_NEVER);
	return 0;
}

const char *sup_state_name(enum sup_state state)
{
	static const char *const names[] = {
		"off", "waiting", "starting", "running", "stopping", "killing", "cleaning",
		"backoff", "done", "failed", "skipped", "stuck", "listening",
	};

	return names[state];
}
