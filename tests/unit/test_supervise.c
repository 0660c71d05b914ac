/* test_supervise.c - init/supervise: its rules one by one, then a simulator with random storms of events.
 *
 * The simulator owns the processes: it starts one when the supervisor orders it, lets it become ready, exit, ignore
 * signals, leave children behind or hang for ever, and checks after every step what must always hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdefs.h"
#include "init/supervise/supervise.h"

#define BIT(i) (UINT64_C(1) << (i))

static struct sup s;
static struct sup_actions out;
static int64_t now;

static int step(enum sup_event_type type, int unit, int value, int busy)
{
	struct sup_event ev = { .type = type, .unit = unit, .pid = value, .status = value, .busy = busy };

	return sup_step(&s, &ev, now, &out);
}

static int count(enum sup_action_type type, int unit)
{
	int n = 0;

	for (int i = 0; i < out.n; i++)
		n += out.list[i].type == type && out.list[i].unit == unit;
	return n;
}

static const struct sup_unit daemon_unit = {
	.name = "d", .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .stop_ms = 3000, .stop_signal = SIGTERM,
	.backoff_ms = 100, .backoff_max_ms = 1000, .decay_ms = 10000,
};
static const struct sup_unit oneshot_unit = { .name = "o", .type = SUP_ONESHOT, .start_ms = 5000, .stop_ms = 1000, .stop_signal = SIGTERM };

static void test_order(void **state)
{
	struct sup_unit u[3] = { oneshot_unit, daemon_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[1].after = BIT(0);
	u[1].notifies = 1;
	u[2].after = BIT(1);
	assert_int_equal(sup_init(&s, u, 3), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
	step(SUP_EV_STARTED, 0, 10, 0);
	assert_int_equal(out.n, 0);
	step(SUP_EV_EXITED, 0, 256, 0); /* a failed one-shot has settled: after is order, not need */
	assert_int_equal(count(SUP_ACT_FAILED, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 1), 1);
	step(SUP_EV_STARTED, 1, 11, 0);
	assert_int_equal(count(SUP_ACT_START, 2), 0);
	step(SUP_EV_READY, 1, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 2), 1);
	step(SUP_EV_SKIPPED, 2, 0, 0);
	assert_int_equal(s.run[2].state, SUP_SKIPPED);
}

static void test_needs(void **state)
{
	struct sup_unit u[3] = { oneshot_unit, oneshot_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[1].needs = BIT(0);
	u[2].needs = BIT(1);
	assert_int_equal(sup_init(&s, u, 3), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_START_FAILED, 0, ENOENT, 0);
	assert_int_equal(s.run[0].why, SUP_WHY_START);
	assert_int_equal(s.run[0].status, ENOENT);
	assert_int_equal(count(SUP_ACT_FAILED, 1), 1);
	assert_int_equal(count(SUP_ACT_FAILED, 2), 1);
	assert_int_equal(s.run[2].why, SUP_WHY_NEEDS);
}

static void test_wait_limit(void **state)
{
	struct sup_unit u[3] = { oneshot_unit, daemon_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[1].after = BIT(0);
	u[1].notifies = 1;
	u[2].after = BIT(1);
	u[2].wait_ms = 60000;
	assert_int_equal(sup_init(&s, u, 3), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	now = 4000; /* the limit runs from the start of what is waited for, not from boot */
	step(SUP_EV_EXITED, 0, 0, 0);
	step(SUP_EV_STARTED, 1, 11, 0);
	assert_int_equal(sup_next(&s), 64000);
	now = 63999;
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 2), 0);
	now = 64000;
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 2), 1);
}

static void test_backoff(void **state)
{
	static const int64_t want[] = { 0, 100, 200, 400, 800, 1000, 1000 };

	(void)state;
	now = 1000;
	assert_int_equal(sup_init(&s, &daemon_unit, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		step(SUP_EV_STARTED, 0, 100 + (int)i, 0);
		assert_int_equal(s.run[0].state, SUP_RUNNING);
		step(SUP_EV_EXITED, 0, 0, 0);
		assert_int_equal(count(SUP_ACT_RESTART, 0), 1);
		assert_int_equal(count(SUP_ACT_START, 0), want[i] == 0);
		if (want[i]) {
			assert_int_equal(sup_next(&s), now + want[i]);
			now += want[i];
			step(SUP_EV_TICK, 0, 0, 0);
			assert_int_equal(count(SUP_ACT_START, 0), 1);
		}
	}
	/* seven failures; 40 s of running take four off, so this one is the fourth in the row: 3 + 1 */
	step(SUP_EV_STARTED, 0, 200, 0);
	now += 40000;
	step(SUP_EV_EXITED, 0, 0, 0);
	assert_int_equal(s.run[0].failures, 4);
	assert_int_equal(sup_next(&s), now + 400);
}

static void test_one_shot_deadline(void **state)
{
	(void)state;
	now = 0;
	assert_int_equal(sup_init(&s, &oneshot_unit, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	now = 5000;
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_TIMEOUT, 0), 1);
	assert_int_equal(count(SUP_ACT_SIGNAL, 0), 1);
	now = 6000;
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_KILL, 0), 1);
	now = 6000 + SUP_KILL_MS;
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_STUCK, 0), 1);
	assert_int_equal(step(SUP_EV_START, 0, 0, 0), -EBUSY);
	step(SUP_EV_EXITED, 0, 9, 0); /* it died after all */
	assert_int_equal(s.run[0].state, SUP_FAILED);
	assert_int_equal(s.run[0].why, SUP_WHY_TIMEOUT);
	assert_int_equal(step(SUP_EV_START, 0, 0, 0), 0);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
}

static void test_leftovers_before_restart(void **state)
{
	(void)state;
	now = 0;
	assert_int_equal(sup_init(&s, &daemon_unit, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_EXITED, 0, 0, 1);
	assert_int_equal(count(SUP_ACT_KILL, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 0), 0);
	step(SUP_EV_EMPTY, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
}

static void test_commands(void **state)
{
	(void)state;
	now = 0;
	assert_int_equal(sup_init(&s, &daemon_unit, 1), 0);
	assert_int_equal(step(SUP_EV_START, 0, 0, 0), 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	assert_int_equal(step(SUP_EV_RESTART, 0, 0, 0), 0);
	assert_int_equal(count(SUP_ACT_SIGNAL, 0), 1);
	step(SUP_EV_EXITED, 0, 15, 0);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
	assert_int_equal(s.run[0].failures, 0); /* asked for: no failure */
	step(SUP_EV_STARTED, 0, 11, 0);
	step(SUP_EV_STOP, 0, 0, 0);
	step(SUP_EV_EXITED, 0, 15, 0);
	assert_int_equal(s.run[0].state, SUP_OFF);
	assert_int_equal(count(SUP_ACT_START, 0), 0);
	assert_int_equal(step(SUP_EV_START, 5, 0, 0), -EINVAL);
}

static void test_escalation(void **state)
{
	struct sup_unit u = daemon_unit;

	(void)state;
	now = 0;
	u.escalate = 3;
	assert_int_equal(sup_init(&s, &u, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	for (int i = 1; i <= 3; i++) {
		step(SUP_EV_STARTED, 0, i, 0);
		step(SUP_EV_EXITED, 0, 256, 0);
		assert_int_equal(count(SUP_ACT_ESCALATE, 0), i == 3);
		now = sup_next(&s) == SUP_NEVER ? now : sup_next(&s);
		step(SUP_EV_TICK, 0, 0, 0);
	}
}

static void test_shutdown_order(void **state)
{
	struct sup_unit u[2] = { daemon_unit, daemon_unit };

	(void)state;
	now = 0;
	u[1].after = BIT(0);
	assert_int_equal(sup_init(&s, u, 2), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_STARTED, 1, 11, 0);
	step(SUP_EV_SHUTDOWN, 0, 0, 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(count(SUP_ACT_SIGNAL, 1), 1);
	assert_int_equal(step(SUP_EV_START, 0, 0, 0), -ESHUTDOWN);
	step(SUP_EV_EXITED, 1, 0, 0);
	assert_int_equal(count(SUP_ACT_SIGNAL, 0), 1);
	step(SUP_EV_EXITED, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_ALL_DOWN, -1), 1);
	step(SUP_EV_TICK, 0, 0, 0);
	assert_int_equal(out.n, 0);
}

static void test_bad_tables(void **state)
{
	struct sup_unit u[3] = { daemon_unit, daemon_unit, daemon_unit };
	static struct sup_unit many[SUP_UNITS_MAX + 1];

	(void)state;
	u[0].after = BIT(2);
	u[2].needs = BIT(1);
	assert_int_equal(sup_init(&s, u, 3), 0);
	u[1].after = BIT(0);
	assert_int_equal(sup_init(&s, u, 3), -ELOOP);
	u[1].after = BIT(1);
	assert_int_equal(sup_init(&s, u, 3), -ELOOP);
	u[1].after = BIT(3);
	assert_int_equal(sup_init(&s, u, 3), -EINVAL);
	assert_int_equal(sup_init(&s, many, SUP_UNITS_MAX + 1), -E2BIG);
	assert_int_equal(sup_init(&s, many, SUP_UNITS_MAX), 0);
}

/* ---- the simulator */

enum { SIM_UNITS = 20, SIM_STEPS = 400000, SIM_EPOCH = 1500 };

static struct sim {
	int alive;		/* main process */
	int left;		/* other processes in the cgroup */
	int ignores_term;
	int immortal;		/* state D: not even SIGKILL */
	int64_t ends;		/* when it will have died, SUP_NEVER: not decided */
	int64_t empties;
	int64_t ended;		/* when its last run was over */
	int64_t not_before;	/* the earliest legal restart */
	int ever_settled;
} sim[SIM_UNITS];

static struct sup_unit units[SIM_UNITS];
static uint64_t rng = 88172645463325252u;
static int pids;
static int all_down;
static long starts, escalations;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

static void sim_units(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };

	for (int i = 0; i < SIM_UNITS; i++) {
		struct sup_unit *u = &units[i];

		memset(u, 0, sizeof(*u));
		u->name = names[i % 4];
		u->type = rnd(3) == 0 ? SUP_ONESHOT : SUP_DAEMON;
		u->restart = (enum sup_restart)rnd(3);
		u->notifies = (int)rnd(2);
		for (int d = 0; d < i; d++) {
			u->after |= rnd(6) == 0 ? BIT(d) : 0;
			u->needs |= rnd(12) == 0 ? BIT(d) : 0;
		}
		u->wait_ms = rnd(3) ? 0 : 1 + rnd(5000);
		u->start_ms = rnd(2) ? 0 : 1 + rnd(5000);
		u->stop_ms = rnd(3000);
		u->stop_signal = SIGTERM;
		u->backoff_ms = 1 + rnd(200);
		u->backoff_max_ms = u->backoff_ms + rnd(5000);
		u->decay_ms = rnd(2) ? 0 : 1000 + rnd(10000);
		u->give_up = rnd(4) ? 0 : 1 + (int)rnd(10);
		u->escalate = rnd(4) ? 0 : 1 + (int)rnd(10);
	}
}

static void event(enum sup_event_type type, int unit, int value, int busy);

static int settled(enum sup_state st)
{
	return st == SUP_OFF || st == SUP_RUNNING || st >= SUP_DONE;
}

static void sim_check_order(int i)
{
	const struct sup_unit *u = &units[i];

	for (int d = 0; d < SIM_UNITS; d++) {
		enum sup_state st = s.run[d].state;

		if (u->needs & BIT(d))
			assert_true(st == SUP_RUNNING || st == SUP_DONE);
		if (u->after & ~u->needs & BIT(d) && u->wait_ms == 0)
			assert_true(settled(st));
	}
}

static void sim_start(int i)
{
	struct sim *p = &sim[i];

	starts++;
	assert_false(all_down);
	assert_false(s.shutting_down);
	assert_false(p->alive); /* never two processes of one unit, nor anything left of the last one */
	assert_false(p->left);
	assert_true(now >= p->not_before);
	if (rnd(15) == 0) {
		event(rnd(2) ? SUP_EV_START_FAILED : SUP_EV_SKIPPED, i, ENOENT, 0);
		return;
	}
	memset(p, 0, sizeof(*p));
	p->alive = 1;
	p->ignores_term = rnd(10) == 0;
	p->immortal = rnd(300) == 0;
	p->ends = p->empties = SUP_NEVER;
	p->not_before = 0;
	event(SUP_EV_STARTED, i, ++pids, 0);
}

/* A queue, as perform.c has it: answers are given after all actions of a step were seen. */
static struct { enum sup_event_type type; int unit, value, busy; } todo[SUP_ACTIONS_MAX];
static int todo_n;
static int in_actions;

static void sim_act(const struct sup_action *a)
{
	struct sim *p = a->unit >= 0 ? &sim[a->unit] : NULL;

	switch (a->type) {
	case SUP_ACT_START:
		sim_start(a->unit);
		break;
	case SUP_ACT_SIGNAL:
		assert_true(p->alive);
		if (!p->ignores_term && !p->immortal && p->ends == SUP_NEVER)
			p->ends = now + rnd(4000);
		break;
	case SUP_ACT_KILL:
		if (p->immortal)
			break;
		if (p->alive)
			p->ends = MIN(p->ends, now + rnd(20));
		if (p->left)
			p->empties = MIN(p->empties, now + rnd(20));
		break;
	case SUP_ACT_RESTART:
		/* the bound: no restart before the delay that the failures in a row demand */
		assert_int_equal(a->number, sup_backoff(&units[a->unit], s.run[a->unit].failures));
		if (s.run[a->unit].failures > 1)
			assert_true(a->number >= MIN(units[a->unit].backoff_ms, units[a->unit].backoff_max_ms));
		p->not_before = now + a->number;
		break;
	case SUP_ACT_FAILED:
		assert_false(p->alive);
		break;
	case SUP_ACT_ESCALATE:
		escalations++;
		assert_true(units[a->unit].escalate && a->number >= units[a->unit].escalate);
		break;
	case SUP_ACT_ALL_DOWN:
		assert_false(all_down);
		all_down = 1;
		for (int i = 0; i < SIM_UNITS; i++)
			if ((sim[i].alive || sim[i].left) && s.run[i].state != SUP_STUCK)
				fail_msg("unit %d runs after ALL_DOWN", i);
		break;
	default:
		break;
	}
}

static void sim_invariants(void)
{
	for (int i = 0; i < SIM_UNITS; i++) {
		const struct sup_run *r = &s.run[i];

		assert_int_equal(r->pid != 0, sim[i].alive); /* every process is known */
		if (r->state == SUP_OFF || r->state == SUP_WAITING || r->state == SUP_BACKOFF || r->state == SUP_DONE || r->state == SUP_FAILED)
			assert_true(!sim[i].alive && !sim[i].left);
		/* nothing that waits for an end waits for ever */
		if (r->state == SUP_STOPPING || r->state == SUP_KILLING || r->state == SUP_CLEANING || r->state == SUP_BACKOFF)
			assert_true(r->deadline != SUP_NEVER);
		assert_true(r->deadline == SUP_NEVER || r->deadline > now - 1);
	}
}

static void event(enum sup_event_type type, int unit, int value, int busy)
{
	struct sup_actions mine;

	if (in_actions) {
		assert_true(todo_n < SUP_ACTIONS_MAX);
		todo[todo_n].type = type;
		todo[todo_n].unit = unit;
		todo[todo_n].value = value;
		todo[todo_n++].busy = busy;
		return;
	}
	step(type, unit, value, busy);
	for (int done = 0;; done++) {
		mine = out;
		assert_true(mine.n < SUP_ACTIONS_MAX);
		in_actions = 1;
		for (int i = 0; i < mine.n; i++)
			if (mine.list[i].type == SUP_ACT_START)
				sim_check_order(mine.list[i].unit);
		for (int i = 0; i < mine.n; i++)
			sim_act(&mine.list[i]);
		in_actions = 0;
		if (done == todo_n)
			break;
		step(todo[done].type, todo[done].unit, todo[done].value, todo[done].busy);
	}
	todo_n = 0;
	sim_invariants();
}

static void sim_end(int i)
{
	sim[i].alive = 0;
	sim[i].ends = SUP_NEVER;
	sim[i].left = sim[i].left || rnd(4) == 0;
	event(SUP_EV_EXITED, i, rnd(2) ? 0 : 256, sim[i].left);
}

/* Lets time pass to the next thing that is due, at most so far. */
static void sim_pass(int64_t most)
{
	int64_t next = MIN(now + most, sup_next(&s));
	int who = -1;

	for (int i = 0; i < SIM_UNITS; i++) {
		int64_t due = sim[i].alive ? sim[i].ends : sim[i].left ? sim[i].empties : SUP_NEVER;

		if (due <= next) {
			next = due;
			who = i;
		}
	}
	now = MAX(now, next);
	if (who < 0) {
		event(SUP_EV_TICK, 0, 0, 0);
	} else if (sim[who].alive) {
		sim_end(who);
	} else {
		sim[who].left = 0;
		event(SUP_EV_EMPTY, who, 0, 0);
	}
}

static void sim_random(void)
{
	int i = (int)rnd(SIM_UNITS);

	switch (rnd(12)) {
	case 0:
		if (sim[i].alive && !sim[i].immortal)
			sim_end(i);
		break;
	case 1:
	case 2:
		event(SUP_EV_READY, i, 0, 0); /* also at the wrong time */
		break;
	case 3: /* a command is a person's wish: it does not wait for the back-off */
		sim[i].not_before = 0;
		event(SUP_EV_START, i, 0, 0);
		break;
	case 4:
		event(rnd(4) ? SUP_EV_TICK : SUP_EV_STOP, i, 0, 0);
		break;
	case 5:
		if (rnd(4) == 0) {
			sim[i].not_before = 0;
			event(SUP_EV_RESTART, i, 0, 0);
		}
		break;
	case 6: /* events that fit nothing must change nothing */
		if (!sim[i].alive)
			assert_int_equal(step(SUP_EV_EXITED, i, 0, 0), -EINVAL);
		else
			assert_int_equal(step(SUP_EV_EMPTY, i, 0, 0), -EINVAL);
		assert_int_equal(out.n, 0);
		break;
	default:
		sim_pass(1 + rnd(3000));
		break;
	}
}

static void sim_shutdown(void)
{
	int64_t limit = now;

	for (int i = 0; i < SIM_UNITS; i++)
		limit += units[i].stop_ms + 2 * SUP_KILL_MS;
	event(rnd(5) ? SUP_EV_SHUTDOWN : SUP_EV_FORCE, 0, 0, 0);
	for (long n = 0; !all_down; n++) {
		assert_true(now <= limit && n < 1000000);
		sim_pass(1000);
		if (rnd(3) == 0)
			event(SUP_EV_READY, (int)rnd(SIM_UNITS), 0, 0);
		if (rnd(50) == 0)
			event(SUP_EV_FORCE, 0, 0, 0);
	}
}

static void test_storm(void **state)
{
	long steps = 0;

	(void)state;
	while (steps < SIM_STEPS) {
		now = 1;
		all_down = 0;
		memset(sim, 0, sizeof(sim));
		sim_units();
		assert_int_equal(sup_init(&s, units, SIM_UNITS), 0);
		event(SUP_EV_BOOT, 0, 0, 0);
		for (uint32_t i = rnd(SIM_EPOCH); i > 0; i--, steps++)
			sim_random();
		sim_shutdown();
	}
	print_message("%ld random events, %ld starts, %ld escalations\n", steps, starts, escalations);
	assert_true(starts > SIM_STEPS / 100);
	assert_true(escalations > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_needs), cmocka_unit_test(test_wait_limit),
		cmocka_unit_test(test_backoff), cmocka_unit_test(test_one_shot_deadline), cmocka_unit_test(test_leftovers_before_restart),
		cmocka_unit_test(test_commands), cmocka_unit_test(test_escalation), cmocka_unit_test(test_shutdown_order),
		cmocka_unit_test(test_bad_tables), cmocka_unit_test(test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
