/* order.c - the supervisor's order: who may start, who is started for another's sake, who stops first. Pure; see supervise.h. */
#include "init/supervise/parts.h"

#include <stddef.h>

enum verdict { GO, WAIT, FAIL };

static uint64_t requires(const struct sup_unit *u)
{
	return u->needs | u->finished | u->healthy;
}

static uint64_t orders(const struct sup_unit *u)
{
	return u->after | requires(u);
}

static int is_settled(enum sup_state s)
{
	return s == SUP_OFF || s == SUP_RUNNING || s >= SUP_DONE;
}

/* A unit that has sockets is never done, it listens again; that counts when its last run ended well. */
static int has_finished(const struct sup_run *r)
{
	return r->state == SUP_DONE || (r->state == SUP_LISTENING && r->clean);
}

/* Skipped by its condition is no failure, as in systemd. */
static int has_succeeded(enum sup_state s)
{
	return s == SUP_RUNNING || s == SUP_DONE || s == SUP_LISTENING || s == SUP_SKIPPED;
}

/* One unit that another requires. */
static enum verdict judge(const struct sup_run *r, int finished, int healthy)
{
	if (!is_settled(r->state))
		return WAIT;
	if (finished && r->state == SUP_RUNNING)
		return WAIT;
	if (finished && !has_finished(r))
		return FAIL;
	if (healthy && r->state != SUP_RUNNING)
		return FAIL;
	if (healthy && !r->healthy)
		return WAIT;
	return has_succeeded(r->state) ? GO : FAIL;
}

static void order_start(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];

	r->pid = 0;
	r->busy = 0;
	r->ordered = 1;
	r->healthy = 0;
	r->clean = 0;
	r->cause = SUP_WHY_NONE;
	r->started = now;
	r->watchdog_ms = u->watchdog_ms;
	sup_enter(r, SUP_STARTING, u->start_ms ? sup_later(now, u->start_ms) : SUP_NEVER);
	sup_act(out, SUP_ACT_START, i, 0);
}

/* A waiting unit: may it start now, must it wait, or can it never? */
static void consider(struct sup *s, int i, int64_t now, struct sup_actions *out)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];
	int open = 0;		/* something that it requires is not decided yet */
	int unsettled = 0;
	int not_begun = 0;

	if (u->type == SUP_TARGET)
		return; /* until it is reached, or its deadline */
	for (int d = 0; d < s->n; d++) {
		const struct sup_run *dr = &s->run[d];

		if (requires(u) & BIT(d)) {
			enum verdict v = judge(dr, (u->finished & BIT(d)) != 0, (u->healthy & BIT(d)) != 0);

			if (v == FAIL) {
				r->why = SUP_WHY_NEEDS;
				r->status = d;
				sup_fail(s, i, out);
				return;
			}
			open |= v == WAIT;
		} else if (u->after & BIT(d)) {
			unsettled |= !is_settled(dr->state);
			not_begun |= dr->state == SUP_WAITING && s->units[d].type != SUP_TARGET;
		}
	}
	/* once it runs, wait_ms runs on: what is waited for may be in a loop of crashes */
	if (open || (unsettled && (u->wait_ms == 0 || (not_begun && r->deadline == SUP_NEVER)))) {
		r->deadline = SUP_NEVER;
		return;
	}
	if (unsettled && r->deadline == SUP_NEVER)
		r->deadline = sup_later(now, u->wait_ms);
	if (unsettled && now < r->deadline)
		return;
	order_start(s, i, now, out);
}

/* Goes to waiting if it rests. must_run: being ready to be started or having ended is not enough. Returns true when it did. */
static int wake(struct sup *s, int i, int must_run, enum sup_wish wish, int64_t now)
{
	const struct sup_unit *u = &s->units[i];
	struct sup_run *r = &s->run[i];

	switch (r->state) {
	case SUP_OFF:
		break;
	case SUP_DONE:
	case SUP_LISTENING:
		if (!must_run)
			return 0;
		break;
	case SUP_FAILED:
	case SUP_SKIPPED:
		if (wish == SUP_WISH_AUTO)
			return 0;
		break;
	case SUP_STOPPING:
	case SUP_KILLING:
	case SUP_CLEANING:
		/* a command is stopping it: it is wanted again when it is down */
		r->again |= r->cause == SUP_WHY_ASKED;
		return 0;
	default:
		return 0;
	}
	if (u->type == SUP_TARGET && r->state == SUP_DONE)
		return 0;
	if (wish == SUP_WISH_COMMAND)
		r->failures = 0;
	sup_enter(r, SUP_WAITING, u->type == SUP_TARGET && u->start_ms ? sup_later(now, u->start_ms) : SUP_NEVER);
	return 1;
}

void sup_want(struct sup *s, int i, enum sup_wish wish, int64_t now)
{
	uint64_t todo = BIT(i);
	uint64_t must_run = BIT(i);

	while (todo) {
		int k = __builtin_ctzll(todo);
		const struct sup_unit *u = &s->units[k];

		todo &= ~BIT(k);
		if (!wake(s, k, (must_run & BIT(k)) != 0, wish, now))
			continue;
		todo |= requires(u);
		must_run |= u->healthy;
		for (int d = 0; d < s->n; d++)
			if ((u->finished & BIT(d)) && !has_finished(&s->run[d]))
				must_run |= BIT(d);
	}
}

static int wanted_by_active(const struct sup *s, int i)
{
	for (int v = 0; v < s->n; v++)
		if (v != i && sup_is_active(s->run[v].state) && (orders(&s->units[v]) & BIT(i)))
			return 1;
	return 0;
}

static void go_down(struct sup *s, int64_t now, struct sup_actions *out)
{
	for (int i = s->n - 1; i >= 0; i--) {
		enum sup_state state = s->run[i].state;

		if (state == SUP_WAITING || state == SUP_BACKOFF || state == SUP_LISTENING)
			sup_enter(&s->run[i], SUP_OFF, SUP_NEVER);
		else if ((state == SUP_STARTING || state == SUP_RUNNING) && !wanted_by_active(s, i))
			sup_begin_stop(s, i, SUP_WHY_ASKED, now, out);
	}
	if (!s->down_said && sup_still_up(s) < 0) {
		s->down_said = 1;
		sup_act(out, SUP_ACT_ALL_DOWN, -1, 0);
	}
}

/* Units that fail for want of another can fail others, so until nothing changes; each round settles at least one unit, so it ends. */
void sup_advance(struct sup *s, int64_t now, struct sup_actions *out)
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

/* Kahn's algorithm on bit sets: takes away units without open dependencies until none is left or nothing moves. */
int sup_order_is_circular(const struct sup_unit *units, int n)
{
	uint64_t left = n == 64 ? UINT64_MAX : BIT(n) - 1;
	uint64_t before;

	do {
		before = left;
		for (int i = 0; i < n; i++)
			if ((left & BIT(i)) && !(orders(&units[i]) & left))
				left &= ~BIT(i);
	} while (left != before);
	return left != 0;
}
