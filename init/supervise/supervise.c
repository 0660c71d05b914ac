/* supervise.c - the supervisor's state machine: see supervise.h. Pure; runs in PID 1
 * and in its simulator; must never make a system call. */
#include "init/supervise/supervise.h"

#include <errno.h>
#include <string.h>

#include "cdefs.h"

#define BIT(i) (UINT64_C(1) << (i))

static void act(struct sup_actions *out, enum sup_action_type type, int unit, int64_t number)
{
	/* The size is proved by the simulator; losing an action would be worse than losing a report, so starts and kills come first. */
	if (out->n < SUP_ACTIONS_MAX)
		out->list[out->n++] = (struct sup_action){ type, unit, number };
}

static void enter(struct sup_run *r, enum sup_state state, int64_t deadline)
{
	r->state = state;
	r->deadline = deadline;
}

static int is_active(enum sup_state s)
{
	return s >= SUP_STARTING && s <= SUP_CLEANING;
}

static int is_settled(enum sup_state s)
{
	return s == SUP_OFF || s == SUP_RUNNING || s >= SUP_DONE;
}

static int has_succeeded(enum sup_state s)
{
	return s == SUP_RUNNING || s == SUP_DONE;
}

int64_t sup_backoff(const struct sup_unit *u, int failures)
{
	int64_t delay = u->backoff_ms;

	if (failures <= 1)
		return 0;
	for (int i = 2; i < failures && delay < u->backoff_max_ms; i++)
		delay *= 2;
	return MIN(delay, u->backoff_max_ms);
}

/* Takes one failure off for each decay_ms that the last run lasted, adds this one. */
static void count_failure(const struct sup_unit *u, struct sup_run *r, int64_t now)
{
	int64_t off = u->decay_ms > 0 ? (now - r->started) / u->decay_ms : 0;

	r->failures = off >= r->failures ? 0 : r->failures - (int)off;
	r->failures++;
}

static void fail(struct sup_run *r, int i, struct sup_actions *out)
{
	enter(r, SUP_FAILED, SUP_NEVER);
	act(out, SUP_ACT_FAILED, i, 0);
}

/* The unit's processes are all gone: what next? */
static void run_ended(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];
	int good = r->why == SUP_WHY_EXIT && r->status == 0;

	if (r->why == SUP_WHY_ASKED || s->shutting_down) {
		int again = r->again && !s->shutting_down;

		r->again = 0;
		enter(r, again ? SUP_WAITING : SUP_OFF, SUP_NEVER);
		return;
	}
	if (good && (u->type == SUP_ONESHOT || u->restart != SUP_RESTART_ALWAYS)) {
		enter(r, SUP_DONE, SUP_NEVER);
		act(out, SUP_ACT_READY, i, 0);
		return;
	}
	if (u->restart == SUP_RESTART_NO) {
		fail(r, i, out);
		return;
	}
	count_failure(u, r, now);
	if (u->escalate && r->failures >= u->escalate)
		act(out, SUP_ACT_ESCALATE, i, r->failures);
	if (u->give_up && r->failures >= u->give_up) {
		fail(r, i, out);
		return;
	}
	r->restarts++;
	enter(r, SUP_BACKOFF, now + sup_backoff(u, r->failures));
	act(out, SUP_ACT_RESTART, i, sup_backoff(u, r->failures));
}

static void begin_kill(struct sup *s, int i, enum sup_state state, int64_t now, struct sup_actions *out)
{
	enter(&s->run[i], state, now + SUP_KILL_MS);
	act(out, SUP_ACT_KILL, i, 0);
}

static void begin_stop(struct sup *s, int i, enum sup_why why, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[i];

	r->why = why;
	enter(r, SUP_STOPPING, now + s->units[i].stop_ms);
	act(out, SUP_ACT_SIGNAL, i, s->units[i].stop_signal);
}

/* A waiting unit: may it start now, must it wait, or can it never? */
static void consider(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];
	int unsettled = 0;
	int not_begun = 0;

	for (int d = 0; d < s->n; d++) {
		enum sup_state ds = s->run[d].state;

		if (u->needs & BIT(d)) {
			if (!is_settled(ds)) {
				r->deadline = SUP_NEVER;
				return;
			}
			if (!has_succeeded(ds)) {
				r->why = SUP_WHY_NEEDS;
				r->status = d;
				fail(r, i, out);
				return;
			}
		} else if (u->after & BIT(d)) {
			unsettled |= !is_settled(ds);
			not_begun |= ds == SUP_WAITING;
		}
	}
	if (unsettled && (not_begun || u->wait_ms == 0)) {
		r->deadline = SUP_NEVER;
		return;
	}
	if (unsettled && r->deadline == SUP_NEVER)
		r->deadline = now + u->wait_ms;
	if (unsettled && now < r->deadline)
		return;
	r->pid = 0;
	r->busy = 0;
	r->why = SUP_WHY_NONE;
	r->started = now;
	enter(r, SUP_STARTING, u->start_ms ? now + u->start_ms : SUP_NEVER);
	act(out, SUP_ACT_START, i, 0);
}

static int wanted_by_active(const struct sup *s, int i)
{
	for (int v = 0; v < s->n; v++)
		if (v != i && is_active(s->run[v].state) && ((s->units[v].after | s->units[v].needs) & BIT(i)))
			return 1;
	return 0;
}

int sup_still_up(const struct sup *s)
{
	for (int i = s->n - 1; i >= 0; i--)
		if (is_active(s->run[i].state))
			return i;
	return -1;
}

static void go_down(struct sup *s, int64_t now, struct sup_actions *out)
{
	for (int i = s->n - 1; i >= 0; i--) {
		enum sup_state state = s->run[i].state;

		if (state == SUP_WAITING || state == SUP_BACKOFF)
			enter(&s->run[i], SUP_OFF, SUP_NEVER);
		else if ((state == SUP_STARTING || state == SUP_RUNNING) && !wanted_by_active(s, i))
			begin_stop(s, i, SUP_WHY_ASKED, now, out);
	}
	if (!s->down_said && sup_still_up(s) < 0) {
		s->down_said = 1;
		act(out, SUP_ACT_ALL_DOWN, -1, 0);
	}
}

/* Lets every unit go as far as it can. Units that fail for want of another can fail others, so until nothing changes; each
 * round settles at least one unit, so it ends. */
static void advance(struct sup *s, int64_t now, struct sup_actions *out)
{
	int before;

	if (s->shutting_down) {
		go_down(s, now, out);
		return;
	}
	do {
		before = out->n;
		for (int i = 0; i < s->n; i++)
			if (s->run[i].state == SUP_WAITING)
				consider(s, i, now, out);
	} while (out->n != before);
}

static void expire(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[i];

	switch (r->state) {
	case SUP_STARTING:
		act(out, SUP_ACT_TIMEOUT, i, 0);
		begin_stop(s, i, SUP_WHY_TIMEOUT, now, out);
		break;
	case SUP_STOPPING:
		begin_kill(s, i, SUP_KILLING, now, out);
		break;
	case SUP_KILLING:
	case SUP_CLEANING:
		enter(r, SUP_STUCK, SUP_NEVER);
		act(out, SUP_ACT_STUCK, i, 0);
		break;
	case SUP_BACKOFF:
		enter(r, SUP_WAITING, SUP_NEVER);
		break;
	default:
		break; /* waiting: consider() looks at it */
	}
}

static int on_exited(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (r->pid == 0)
		return -EINVAL;
	r->pid = 0;
	r->status = ev->status;
	r->busy = ev->busy;
	if (r->why == SUP_WHY_NONE)
		r->why = SUP_WHY_EXIT;
	if (!r->busy)
		run_ended(s, ev->unit, now, out);
	else if (r->state != SUP_KILLING && r->state != SUP_STUCK)
		begin_kill(s, ev->unit, SUP_CLEANING, now, out);
	return 0;
}

static int on_empty(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (!r->busy || r->pid != 0)
		return -EINVAL;
	r->busy = 0;
	run_ended(s, ev->unit, now, out);
	return 0;
}

static int on_answer(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	/* A stop may have come between the order and its answer. */
	if ((r->state != SUP_STARTING && r->state != SUP_STOPPING) || r->pid != 0)
		return -EINVAL;
	if (ev->type == SUP_EV_SKIPPED) {
		enter(r, SUP_SKIPPED, SUP_NEVER);
	} else if (ev->type == SUP_EV_START_FAILED) {
		if (r->why == SUP_WHY_NONE)
			r->why = SUP_WHY_START;
		r->status = ev->status;
		run_ended(s, ev->unit, now, out);
	} else {
		r->pid = ev->pid;
		if (r->state == SUP_STARTING && s->units[ev->unit].type == SUP_DAEMON && !s->units[ev->unit].notifies) {
			enter(r, SUP_RUNNING, SUP_NEVER);
			act(out, SUP_ACT_READY, ev->unit, 0);
		}
	}
	return 0;
}

static int on_ready(struct sup *s, const struct sup_event *ev, struct sup_actions *out)
{
	struct sup_run *r = &s->run[ev->unit];

	if (r->state != SUP_STARTING || r->pid == 0 || s->units[ev->unit].type != SUP_DAEMON)
		return -EINVAL;
	enter(r, SUP_RUNNING, SUP_NEVER);
	act(out, SUP_ACT_READY, ev->unit, 0);
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
	r->failures = 0;
	if (r->state == SUP_STARTING || r->state == SUP_RUNNING) {
		if (ev->type == SUP_EV_START)
			return 0;
		r->again = start;
		begin_stop(s, ev->unit, SUP_WHY_ASKED, now, out);
	} else if (is_active(r->state)) {
		r->again = start;
		r->why = SUP_WHY_ASKED;
	} else if (start) {
		enter(r, SUP_WAITING, SUP_NEVER);
	} else if (r->state == SUP_WAITING || r->state == SUP_BACKOFF) {
		enter(r, SUP_OFF, SUP_NEVER);
	}
	return 0;
}

static void on_force(struct sup *s, int64_t now, struct sup_actions *out)
{
	s->shutting_down = 1;
	for (int i = s->n - 1; i >= 0; i--) {
		struct sup_run *r = &s->run[i];

		if (r->state == SUP_STARTING || r->state == SUP_RUNNING || r->state == SUP_STOPPING) {
			r->why = SUP_WHY_ASKED;
			begin_kill(s, i, SUP_KILLING, now, out);
		}
	}
}

static int dispatch(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	switch (ev->type) {
	case SUP_EV_BOOT:
		for (int i = 0; i < s->n && !s->shutting_down; i++)
			if (s->run[i].state == SUP_OFF)
				enter(&s->run[i], SUP_WAITING, SUP_NEVER);
		return 0;
	case SUP_EV_STARTED:
	case SUP_EV_START_FAILED:
	case SUP_EV_SKIPPED:
		return on_answer(s, ev, now, out);
	case SUP_EV_READY:
		return on_ready(s, ev, out);
	case SUP_EV_MAIN_PID:
		if (s->run[ev->unit].pid == 0)
			return -EINVAL;
		s->run[ev->unit].pid = ev->pid;
		return 0;
	case SUP_EV_EXITED:
		return on_exited(s, ev, now, out);
	case SUP_EV_EMPTY:
		return on_empty(s, ev, now, out);
	case SUP_EV_START:
	case SUP_EV_STOP:
	case SUP_EV_RESTART:
		return on_command(s, ev, now, out);
	case SUP_EV_SHUTDOWN:
		s->shutting_down = 1;
		return 0;
	case SUP_EV_FORCE:
		on_force(s, now, out);
		return 0;
	case SUP_EV_TICK:
		break;
	}
	return 0;
}

int sup_step(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out)
{
	int whole = ev->type == SUP_EV_BOOT || ev->type == SUP_EV_TICK || ev->type == SUP_EV_SHUTDOWN || ev->type == SUP_EV_FORCE;
	int r;

	out->n = 0;
	if (!whole && (ev->unit < 0 || ev->unit >= s->n))
		return -EINVAL;
	r = dispatch(s, ev, now, out);
	for (int i = 0; i < s->n; i++)
		if (s->run[i].deadline <= now)
			expire(s, i, now, out);
	advance(s, now, out);
	return r;
}

int64_t sup_next(const struct sup *s)
{
	int64_t next = SUP_NEVER;

	for (int i = 0; i < s->n; i++)
		next = MIN(next, s->run[i].deadline);
	return next;
}

/* Kahn's algorithm on bit sets: takes away units without open dependencies until none is left or nothing moves. */
static int order_is_circular(const struct sup_unit *units, int n)
{
	uint64_t left = n == 64 ? UINT64_MAX : BIT(n) - 1;
	uint64_t before;

	do {
		before = left;
		for (int i = 0; i < n; i++)
			if ((left & BIT(i)) && !((units[i].after | units[i].needs) & left))
				left &= ~BIT(i);
	} while (left != before);
	return left != 0;
}

int sup_init(struct sup *s, const struct sup_unit *units, int n)
{
	if (n < 0 || n > SUP_UNITS_MAX)
		return -E2BIG;
	for (int i = 0; i < n; i++)
		if (n < 64 && ((units[i].after | units[i].needs) >> n))
			return -EINVAL;
	if (order_is_circular(units, n))
		return -ELOOP;
	memset(s, 0, sizeof(*s));
	s->units = units;
	s->n = n;
	for (int i = 0; i < n; i++)
		s->run[i].deadline = SUP_NEVER;
	return 0;
}

const char *sup_state_name(enum sup_state state)
{
	static const char *const names[] = {
		"off", "waiting", "starting", "running", "stopping", "killing", "cleaning",
		"backoff", "done", "failed", "skipped", "stuck",
	};

	return names[state];
}
