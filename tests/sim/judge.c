/* judge.c - what must be true of the supervisor's actions, from an account of its own. See sim.h. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cdefs.h"

#define ACT(type) (1u << SUP_ACT_##type)
#define OUTCOMES (ACT(RESTART) | ACT(FAILED) | ACT(ESCALATE) | ACT(LISTEN) | ACT(READY))

/* Restart= of systemd.service(5), as the page prints it: one column for each policy in the order of enum sup_restart. */
enum end { CLEAN, CODE, SIGNAL, ABNORMAL, WATCHDOG };
static const char policy[][8] = {
	/*             no s f a b w A */
	[CLEAN]    = { 0, 1, 0, 0, 0, 0, 1 },
	[CODE]     = { 0, 0, 1, 0, 0, 0, 1 },
	[SIGNAL]   = { 0, 0, 1, 1, 1, 0, 1 },
	[ABNORMAL] = { 0, 0, 1, 1, 0, 0, 1 },	/* timeout, out of memory, ended before it was ready */
	[WATCHDOG] = { 0, 0, 1, 1, 0, 1, 1 },
};

static enum end end_of(int i)
{
	const struct sim *p = &sim[i];
	int sig = WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
	int good = p->status == 0 || p->success ||
		   (sim_unit[i].type == SUP_DAEMON && (sig == SIGTERM || sig == SIGHUP || sig == SIGINT || sig == SIGPIPE));

	if (p->cause == SUP_WHY_WATCHDOG)
		return WATCHDOG;
	if (p->cause == SUP_WHY_TIMEOUT || p->cause == SUP_WHY_OOM || (good && p->unready))
		return ABNORMAL;
	return good ? CLEAN : sig ? SIGNAL : CODE;
}

static int64_t delay_after(const struct sup_unit *u, int failures)
{
	double delay = (double)u->backoff_ms;

	if (failures == 1)
		return 0;
	for (int k = 2; k < failures && delay < 1e12; k++)
		delay = 2 * delay;
	return delay > (double)u->backoff_max_ms ? u->backoff_max_ms : (int64_t)delay;
}

/* Its last process is gone: what has to follow. */
static void expect(int i, int failed_start)
{
	const struct sup_unit *u = &sim_unit[i];
	struct sim *p = &sim[i];
	enum end end = failed_start ? CODE : end_of(i);
	int again = policy[end][u->restart] && !(end == CLEAN && u->type == SUP_ONESHOT);

	assert_true(!p->alive && !p->left);
	p->ended_now = 1;
	p->phase = REST;
	p->clean = 0;
	p->expected = 0;
	if (p->cause == SUP_WHY_ASKED || sim_down) {
		if (!p->again && !sim_down && (u->flags & SUP_LISTENS))
			p->expected = ACT(LISTEN);
		return;
	}
	p->clean = end == CLEAN;
	if (end == CLEAN && !again) {
		p->failures = 0;
		p->expected = (u->type == SUP_ONESHOT ? ACT(READY) : 0) | (u->flags & SUP_LISTENS ? ACT(LISTEN) : 0);
		return;
	}
	if (u->decay_ms)
		p->failures -= (int)MIN((sim_now - p->started) / u->decay_ms, p->failures);
	p->failures++;
	if (u->escalate && p->failures >= u->escalate)
		p->expected |= ACT(ESCALATE);
	if (!again) {
		p->expected |= ACT(FAILED) | (u->flags & SUP_LISTENS ? ACT(LISTEN) : 0);
	} else if (u->give_up && p->failures >= u->give_up) {
		p->expected |= ACT(FAILED);
		sim_counts.given_up++;
	} else {
		p->expected |= ACT(RESTART);
		p->delay = delay_after(u, p->failures);
		p->not_before = sim_now + p->delay;
	}
}

enum verdict { GO, WAIT, NEVER };

static uint64_t requires(const struct sup_unit *u)
{
	return u->needs | u->finished | u->healthy;
}

static int is_settled(enum sup_state st)
{
	return st == SUP_OFF || st == SUP_RUNNING || st == SUP_DONE || st == SUP_FAILED || st == SUP_SKIPPED || st == SUP_STUCK || st == SUP_LISTENING;
}

static enum verdict judge_one(const struct sup_unit *u, int d)
{
	enum sup_state st = sim_sup.run[d].state;

	if (!is_settled(st))
		return WAIT;
	if (u->finished & BIT(d)) {
		if (sim[d].alive && st != SUP_STUCK)
			return WAIT;
		return (st == SUP_DONE || st == SUP_LISTENING) && (sim[d].clean || sim_unit[d].type == SUP_TARGET) ? GO : NEVER;
	}
	if (u->healthy & BIT(d))
		return sim[d].phase != UP ? NEVER : sim[d].fed ? GO : WAIT;
	return sim[d].phase == UP || st == SUP_DONE || st == SUP_LISTENING || st == SUP_SKIPPED ? GO : NEVER;
}

/* What the unit has to do that is waiting; *soft: 1 only `after` holds it back, 2 and all of those have begun. */
static enum verdict judge(int i, int *soft)
{
	const struct sup_unit *u = &sim_unit[i];
	uint64_t hard = requires(u);
	enum verdict v = GO;
	int unsettled = 0;
	int begun = 1;

	for (int d = 0; d < sim_n; d++) {
		if (hard & BIT(d)) {
			enum verdict one = judge_one(u, d);

			if (one == NEVER)
				return NEVER;
			v = MAX(v, one);
		} else if (u->after & BIT(d)) {
			unsettled |= !is_settled(sim_sup.run[d].state);
			begun &= sim_sup.run[d].state != SUP_WAITING || sim_unit[d].type == SUP_TARGET;
		}
	}
	*soft = v == GO && unsettled ? 1 + begun : 0;
	return unsettled ? WAIT : v;
}

static void on_start(int i)
{
	const struct sup_unit *u = &sim_unit[i];
	struct sim *p = &sim[i];
	int soft = 0;
	enum verdict v = judge(i, &soft);

	sim_counts.starts++;
	assert_int_not_equal(u->type, SUP_TARGET);
	assert_false(sim_all_down || sim_down);
	assert_true(p->phase == REST && !p->alive && !p->left);
	assert_true(sim_now >= p->not_before);
	if (v == WAIT && soft && u->wait_ms && p->wait_from != SUP_NEVER && sim_now >= p->wait_from + u->wait_ms)
		v = GO;
	assert_int_equal(v, GO);
	p->phase = BEGUN;
	p->cause = SUP_WHY_NONE;
	p->again = p->fed = p->clean = p->answered = p->unready = 0;
	p->started = sim_now;
	p->wd_ms = u->watchdog_ms;
	p->start_by = u->start_ms ? sim_now + u->start_ms : SUP_NEVER;
	p->run_by = p->feed_by = p->stop_by = p->kill_by = SUP_NEVER;
}

static void become_up(int i)
{
	const struct sup_unit *u = &sim_unit[i];
	struct sim *p = &sim[i];

	p->phase = UP;
	p->run_by = u->run_ms ? sim_now + u->run_ms : SUP_NEVER;
	p->feed_by = p->wd_ms ? sim_now + p->wd_ms : SUP_NEVER;
	p->feeds = p->wd_ms ? sim_now + p->wd_ms / 2 : SUP_NEVER;
}

static int has_follower(int i)
{
	for (int v = 0; v < sim_n; v++)
		if (sim[v].phase != REST && sim_sup.run[v].state != SUP_STUCK &&
		    ((sim_unit[v].after | requires(&sim_unit[v])) & BIT(i)))
			return 1;
	return 0;
}

static void on_signal(int i, const struct sup_event *ev, int64_t number)
{
	struct sim *p = &sim[i];
	int mine = ev->unit == i;

	assert_true(p->alive && p->phase != KILLED);
	assert_int_equal(number, p->cause == SUP_WHY_WATCHDOG ? SIGABRT : sim_unit[i].stop_signal);
	if (p->phase == BEGUN || p->phase == UP || p->phase == SELF) {
		int why = (p->seen & (ACT(TIMEOUT) | ACT(WATCHDOG))) || (mine && (ev->type == SUP_EV_OOM || p->cause == SUP_WHY_ASKED));

		if (!why) {
			assert_true(sim_down && !has_follower(i)); /* in reverse order */
			p->cause = SUP_WHY_ASKED;
		}
	} else {
		assert_true(mine && ev->type == SUP_EV_STARTED); /* the shutdown came before the answer */
	}
	p->phase = ENDING;
	p->stop_by = sim_now + sim_unit[i].stop_ms;
}

static void on_kill(int i, const struct sup_event *ev)
{
	struct sim *p = &sim[i];
	int forced = ev->type == SUP_EV_FORCE || (sim_down && sim_now >= sim_down_by);

	assert_true(p->alive || p->left || !p->answered);
	assert_true(forced || (ev->unit == i && (ev->type == SUP_EV_EXITED || ev->type == SUP_EV_STARTED)) || sim_now >= p->stop_by);
	if (forced && p->phase != KILLED)
		p->cause = SUP_WHY_ASKED;
	else if (p->cause == SUP_WHY_NONE && !(ev->type == SUP_EV_EXITED && ev->unit == i))
		p->cause = SUP_WHY_TIMEOUT;
	if (p->phase != KILLED)
		p->kill_by = sim_now + SUP_KILL_MS;
	p->phase = KILLED;
}

/* A unit that was wanted in this step has pulled in what it requires. */
static void check_pull(int i, int d, const struct sup_event *ev)
{
	enum sup_state was = sim[d].was;
	enum sup_state is = sim_sup.run[d].state;

	if (was == SUP_OFF)
		assert_true(is != SUP_OFF);
	if (sim[d].phase != REST && sim[d].cause == SUP_WHY_ASKED && !sim[d].ended_now && is != SUP_STUCK)
		assert_true(sim_sup.run[d].again);
	if (ev->type == SUP_EV_START && ev->unit == i && (was == SUP_FAILED || was == SUP_SKIPPED))
		assert_true(is != was || (sim[d].seen & (ACT(START) | ACT(FAILED))));
}

static void on_failed(int i, const struct sup_event *ev)
{
	struct sim *p = &sim[i];
	enum sup_why why = sim_sup.run[i].why;
	int soft;

	assert_false(p->alive);
	if (why == SUP_WHY_NEEDS) {
		/* also in the step in which it ended, when it is to start again at once */
		assert_int_equal(judge(i, &soft), NEVER);
		sim_counts.needs++;
		p->needs_failed = 1;
		if (p->was != SUP_WAITING)
			check_pull(i, sim_sup.run[i].status, ev);
	} else if (sim_unit[i].type == SUP_TARGET) {
		assert_true(p->start_by <= sim_now);
		p->start_by = SUP_NEVER;
	} else if (why == SUP_WHY_TRIGGERS) {
		assert_true(p->triggers == SUP_TRIGGERS_MAX + 1 && sim_now - p->triggered < SUP_TRIGGERS_MS);
		p->triggers = 0;
		sim_counts.vain++;
	} else {
		assert_true(p->ended_now && (p->expected & ACT(FAILED)));
	}
}

static void on_ready(int i, const struct sup_event *ev)
{
	if (sim[i].ended_now)
		return; /* a one-shot that finished well: compared with what is expected */
	assert_int_equal(ev->unit, i);
	assert_true(ev->type == SUP_EV_READY || ev->type == SUP_EV_STARTED || ev->type == SUP_EV_REACHED);
	if (ev->type == SUP_EV_REACHED) {
		assert_true(sim_unit[i].type == SUP_TARGET && sim[i].was != SUP_DONE);
		sim[i].start_by = SUP_NEVER;
		sim_counts.reached++;
	} else {
		become_up(i);
	}
}

static void on_action(const struct sup_action *a, const struct sup_event *ev)
{
	int i = a->unit;
	struct sim *p = &sim[i >= 0 ? i : 0];

	switch (a->type) {
	case SUP_ACT_START: on_start(i); break;
	case SUP_ACT_SIGNAL: on_signal(i, ev, a->number); break;
	case SUP_ACT_KILL: on_kill(i, ev); break;
	case SUP_ACT_READY: on_ready(i, ev); break;
	case SUP_ACT_ENDED: expect(i, ev->type == SUP_EV_START_FAILED); break;
	case SUP_ACT_FAILED: on_failed(i, ev); break;
	case SUP_ACT_RESTART:
		assert_true(p->ended_now);
		assert_int_equal(a->number, p->delay);
		sim_counts.restarts++;
		break;
	case SUP_ACT_ESCALATE:
		assert_true(p->ended_now);
		assert_int_equal(a->number, p->failures);
		sim_counts.escalations++;
		break;
	case SUP_ACT_TIMEOUT:
		assert_true(p->phase == BEGUN ? sim_now >= p->start_by : p->phase == UP && sim_now >= p->run_by);
		assert_int_equal(a->number, p->phase == BEGUN ? sim_unit[i].start_ms : sim_unit[i].run_ms);
		p->cause = SUP_WHY_TIMEOUT;
		sim_counts.timeouts++;
		break;
	case SUP_ACT_WATCHDOG:
		assert_true((p->phase == UP && sim_now >= p->feed_by) || (ev->type == SUP_EV_BITES && ev->unit == i));
		p->cause = SUP_WHY_WATCHDOG;
		sim_counts.bites++;
		break;
	case SUP_ACT_STUCK:
		assert_true(p->phase == KILLED && sim_now >= p->kill_by && (p->alive || p->left));
		sim_counts.stuck++;
		break;
	case SUP_ACT_LISTEN:
		assert_true((sim_unit[i].flags & SUP_LISTENS) && !p->alive && !p->left && !sim_down);
		assert_true(p->ended_now || ev->type == SUP_EV_BOOT || ev->type == SUP_EV_STOP);
		sim_counts.listens++;
		break;
	case SUP_ACT_ALL_DOWN:
		assert_false(sim_all_down);
		assert_true(sim_down);
		sim_all_down = 1;
		for (int k = 0; k < sim_n; k++)
			assert_true((!sim[k].alive && !sim[k].left) || sim_sup.run[k].state == SUP_STUCK);
		break;
	}
}

/* The event as the account sees it. Where it does not fit, the supervisor has to refuse it, and it has no effect. */
void sim_before(const struct sup_event *ev)
{
	struct sim *p = &sim[ev->unit];
	enum sup_state st = sim_sup.run[ev->unit].state;
	int active = p->phase != REST && st != SUP_STUCK;
	int starting = p->phase == BEGUN || p->phase == UP;

	for (int i = 0; i < sim_n; i++) {
		sim[i].was = sim_sup.run[i].state;
		sim[i].ended_now = sim[i].needs_failed = 0;
		sim[i].seen = 0;
	}
	/* a unit that is being stopped may be wanted again meanwhile by one that requires it */
	for (int i = 0; i < sim_n; i++)
		sim[i].again |= sim[i].phase != REST && sim[i].cause == SUP_WHY_ASKED && sim_sup.run[i].again;
	switch (ev->type) {
	case SUP_EV_START: case SUP_EV_STOP: case SUP_EV_RESTART:
		if (sim_down || st == SUP_STUCK || sim_unit[ev->unit].type == SUP_TARGET)
			break;
		p->not_before = 0; /* a command is a person's wish: it does not wait */
		if (active && !(starting && ev->type == SUP_EV_START)) {
			p->cause = SUP_WHY_ASKED;
			p->again = ev->type != SUP_EV_STOP;
		}
		break;
	case SUP_EV_TRIGGER:
		if (st == SUP_LISTENING && !sim_down) {
			if (p->triggers == 0 || sim_now - p->triggered >= SUP_TRIGGERS_MS) {
				p->triggers = 0;
				p->triggered = sim_now;
			}
			p->triggers++;
		}
		break;
	case SUP_EV_STARTED: p->answered = 1; break;
	case SUP_EV_START_FAILED: case SUP_EV_SKIPPED: p->answered = 1; p->phase = ev->type == SUP_EV_SKIPPED ? REST : p->phase; break;
	case SUP_EV_EXITED: p->unready = p->phase == BEGUN && sim_unit[ev->unit].type == SUP_DAEMON && (sim_unit[ev->unit].flags & SUP_NOTIFIES); break;
	case SUP_EV_OOM:
		if (active && (starting || p->cause == SUP_WHY_NONE)) {
			p->cause = SUP_WHY_OOM;
			sim_counts.ooms++;
		}
		break;
	case SUP_EV_FED:
		if (p->phase == UP && p->alive) {
			p->fed = 1;
			p->feed_by = p->wd_ms ? sim_now + p->wd_ms : SUP_NEVER;
		}
		break;
	case SUP_EV_WATCHDOG_MS:
		if (!p->alive)
			break;
		p->wd_ms = ev->number;
		if (p->phase == UP)
			p->feed_by = p->wd_ms ? sim_now + p->wd_ms : SUP_NEVER;
		break;
	case SUP_EV_EXTEND:
		if (p->phase == BEGUN && p->start_by != SUP_NEVER)
			p->start_by = MAX(p->start_by, sim_now + ev->number);
		if (p->phase == UP && p->run_by != SUP_NEVER)
			p->run_by = MAX(p->run_by, sim_now + ev->number);
		if ((p->phase == ENDING || p->phase == SELF) && p->alive)
			p->stop_by = MAX(p->stop_by, sim_now + ev->number);
		break;
	case SUP_EV_STOPPING:
		if (p->phase == UP && p->alive) {
			p->phase = SELF;
			p->stop_by = sim_now + sim_unit[ev->unit].stop_ms;
		}
		break;
	case SUP_EV_SHUTDOWN:
		sim_down = 1;
		if (ev->number)
			sim_down_by = MIN(sim_down_by, sim_now + ev->number);
		break;
	case SUP_EV_FORCE: sim_down = 1; sim_down_by = sim_now; break;
	default: break;
	}
}

/* The next time at which something has to happen. */
static int64_t next_due(void)
{
	int64_t due = sim_down_by > sim_now && !sim_all_down ? sim_down_by : SUP_NEVER;

	for (int i = 0; i < sim_n; i++) {
		const struct sim *p = &sim[i];
		enum sup_state st = sim_sup.run[i].state;

		if ((p->phase == BEGUN && p->answered) || (st == SUP_WAITING && sim_unit[i].type == SUP_TARGET))
			due = MIN(due, p->start_by);
		if (p->phase == UP)
			due = MIN(due, MIN(p->run_by, p->feed_by));
		if (p->phase == SELF || p->phase == ENDING)
			due = MIN(due, p->stop_by);
		if (p->phase == KILLED && st != SUP_STUCK)
			due = MIN(due, p->kill_by);
		if (st == SUP_BACKOFF)
			due = MIN(due, p->not_before);
	}
	return due;
}

static void check_unit(int i)
{
	const struct sup_run *r = &sim_sup.run[i];
	struct sim *p = &sim[i];
	int stuck = r->state == SUP_STUCK;
	int just_stopped = sim_unit[i].stop_ms == 0 && p->stop_by == sim_now; /* the next tick kills it, and comes at once */
	int soft = 0;
	enum verdict v;

	if (p->ended_now)
		assert_int_equal(p->seen & OUTCOMES & ~(p->needs_failed ? ACT(FAILED) : 0), p->expected);
	assert_int_equal(r->pid != 0, p->alive && p->answered); /* every process is known */
	assert_int_equal(r->state == SUP_RUNNING, p->phase == UP);
	if (p->phase == REST)
		assert_true(!p->alive && !p->left && (r->state < SUP_STARTING || r->state > SUP_CLEANING));
	/* nothing that is due is forgotten */
	assert_false(p->phase == BEGUN && p->start_by <= sim_now);
	assert_false(p->phase == UP && (p->run_by <= sim_now || p->feed_by <= sim_now));
	assert_false((p->phase == ENDING || p->phase == SELF) && p->stop_by <= sim_now && !just_stopped);
	assert_false(p->phase == KILLED && p->kill_by <= sim_now && !stuck);
	assert_false(sim_down && sim_down_by <= sim_now && !stuck && p->phase != REST && p->phase != KILLED);
	assert_false(r->state == SUP_BACKOFF && p->not_before <= sim_now);
	assert_false(sim_down && (r->state == SUP_BACKOFF || r->state == SUP_WAITING || r->state == SUP_LISTENING));
	assert_false(sim_down && (p->phase == BEGUN || p->phase == UP) && p->answered && !has_follower(i));
	if (p->ended_now && p->again && !sim_down)
		assert_true(r->state == SUP_WAITING || r->state == SUP_STARTING || (r->state == SUP_FAILED && r->why == SUP_WHY_NEEDS));
	if (r->state != SUP_WAITING) {
		p->wait_from = SUP_NEVER;
		return;
	}
	if (sim_unit[i].type == SUP_TARGET) {
		p->start_by = p->start_by == SUP_NEVER && sim_unit[i].start_ms ? sim_now + sim_unit[i].start_ms : p->start_by;
		assert_true(p->start_by > sim_now);
		return;
	}
	v = judge(i, &soft);
	assert_int_equal(v, WAIT);
	p->wait_from = !soft ? SUP_NEVER : soft == 2 ? MIN(p->wait_from, sim_now) : p->wait_from;
	assert_false(soft && sim_unit[i].wait_ms && p->wait_from != SUP_NEVER && sim_now >= p->wait_from + sim_unit[i].wait_ms);
}

void sim_after(const struct sup_event *ev, int result, const struct sup_actions *out)
{
	int wish = ev->type == SUP_EV_START || ev->type == SUP_EV_RESTART || ev->type == SUP_EV_STOP;

	assert_true(out->n < SUP_ACTIONS_MAX);
	sim_counts.most = MAX(sim_counts.most, out->n);
	if (ev->type == SUP_EV_STOP && result == 0)
		assert_true(sim_unit[ev->unit].type != SUP_TARGET && !sim_sup.run[ev->unit].again);
	if (wish && sim_down)
		assert_int_equal(result, -ESHUTDOWN);
	else if (ev->type == SUP_EV_START || ev->type == SUP_EV_RESTART)
		assert_int_equal(result, sim_sup.run[ev->unit].state == SUP_STUCK ? -EBUSY :
				 sim_unit[ev->unit].type == SUP_TARGET && ev->type == SUP_EV_RESTART ? -EINVAL : 0);
	for (int k = 0; k < out->n; k++) {
		if (out->list[k].unit >= 0)
			sim[out->list[k].unit].seen |= 1u << out->list[k].type;
		on_action(&out->list[k], ev);
	}
	/* a stop or a kill that came before the process was there */
	if (ev->type == SUP_EV_STARTED && sim[ev->unit].phase != BEGUN && sim[ev->unit].phase != UP)
		assert_true(sim[ev->unit].seen & (ACT(SIGNAL) | ACT(KILL)));
	if (ev->type == SUP_EV_STARTED)
		assert_false(sim_sup.run[ev->unit].state == SUP_STOPPING && sim[ev->unit].phase != ENDING);
	for (int i = 0; i < sim_n; i++)
		wish |= sim[i].ended_now && sim[i].again;
	for (int i = 0; i < sim_n; i++) {
		/* a command forgets the failures of its unit and of those that it pulls in */
		if (wish && sim_sup.run[i].failures == 0)
			sim[i].failures = 0;
		assert_int_equal(sim_sup.run[i].failures, sim[i].failures);
		check_unit(i);
		for (int d = 0; d < sim_n; d++)
			if (sim_sup.run[i].state == SUP_WAITING && sim[i].was != SUP_WAITING && (requires(&sim_unit[i]) & BIT(d)))
				check_pull(i, d, ev);
	}
	assert_true(sup_next(&sim_sup) <= next_due());
}
