/* test_supervise.c - init/supervise: its rules one by one. All of them at once and at random: test_supervise_sim.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
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

static int say(enum sup_event_type type, int unit, int64_t number)
{
	struct sup_event ev = { .type = type, .unit = unit, .number = number };

	return sup_step(&s, &ev, now, &out);
}

static void tick(int64_t at)
{
	now = at;
	step(SUP_EV_TICK, 0, 0, 0);
}

static int count(enum sup_action_type type, int unit)
{
	int n = 0;

	for (int i = 0; i < out.n; i++)
		n += out.list[i].type == type && out.list[i].unit == unit;
	return n;
}

static const struct sup_unit daemon_unit = {
	.type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .stop_ms = 3000, .stop_signal = SIGTERM,
	.backoff_ms = 100, .backoff_max_ms = 1000, .decay_ms = 10000,
};
static const struct sup_unit oneshot_unit = { .type = SUP_ONESHOT, .start_ms = 5000, .stop_ms = 1000, .stop_signal = SIGTERM };

static void test_order(void **state)
{
	struct sup_unit u[3] = { oneshot_unit, daemon_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[1].after = BIT(0);
	u[1].flags = SUP_NOTIFIES;
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
	u[1].flags = SUP_NOTIFIES;
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

/* The table of Restart= in systemd.service(5), cell by cell. */
static void test_restart_table(void **state)
{
	static const struct { const char *end; enum sup_event_type event; int status; const char *restarted; } rows[] = {
		/* in the order of enum sup_restart: no on-success on-failure on-abnormal on-abort on-watchdog always */
		{ "code 0", SUP_EV_EXITED, 0, "0100001" },
		{ "SIGTERM", SUP_EV_EXITED, SIGTERM, "0100001" },
		{ "SIGHUP", SUP_EV_EXITED, SIGHUP, "0100001" },
		{ "SIGINT", SUP_EV_EXITED, SIGINT, "0100001" },
		{ "SIGPIPE", SUP_EV_EXITED, SIGPIPE, "0100001" },
		{ "code 1", SUP_EV_EXITED, 1 << 8, "0010001" },
		{ "SIGSEGV", SUP_EV_EXITED, SIGSEGV | 0x80, "0011101" },
		{ "SIGKILL", SUP_EV_EXITED, SIGKILL, "0011101" },
		{ "timeout", SUP_EV_TICK, 0, "0011001" },
		{ "watchdog", SUP_EV_BITES, 0, "0011011" },
		{ "out of memory", SUP_EV_OOM, 0, "0011001" },
	};

	(void)state;
	for (size_t row = 0; row < ARRAY_SIZE(rows); row++) {
		for (int policy = SUP_RESTART_NO; policy <= SUP_RESTART_ALWAYS; policy++) {
			struct sup_unit u = daemon_unit;
			int again = rows[row].restarted[policy] == '1';

			now = 0;
			u.restart = (enum sup_restart)policy;
			u.run_ms = 5000;
			assert_int_equal(sup_init(&s, &u, 1), 0);
			step(SUP_EV_BOOT, 0, 0, 0);
			step(SUP_EV_STARTED, 0, 10, 0);
			if (rows[row].event == SUP_EV_TICK)
				tick(5000);
			else
				step(rows[row].event, 0, rows[row].status, 0);
			if (rows[row].event != SUP_EV_EXITED) {
				assert_int_equal(count(SUP_ACT_SIGNAL, 0), 1);
				step(SUP_EV_EXITED, 0, 0, 0); /* how it ends then does not matter */
			}
			if (count(SUP_ACT_RESTART, 0) != again)
				fail_msg("policy %d after %s", policy, rows[row].end);
			assert_int_equal(count(SUP_ACT_ENDED, 0), 1);
		}
	}
}

/* SuccessExitStatus=; and signals are never a clean end of a one-shot. */
static void test_clean_ends(void **state)
{
	struct sup_unit u = daemon_unit;
	struct sup_event ev = { .type = SUP_EV_EXITED, .status = 3 << 8, .clean = 1 };

	(void)state;
	now = 0;
	u.restart = SUP_RESTART_ON_FAILURE;
	assert_int_equal(sup_init(&s, &u, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	sup_step(&s, &ev, now, &out);
	assert_int_equal(s.run[0].state, SUP_DONE);
	u = oneshot_unit;
	assert_int_equal(sup_init(&s, &u, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_EXITED, 0, SIGTERM, 0);
	assert_int_equal(s.run[0].state, SUP_FAILED);
	/* success before READY=1 is none */
	u = daemon_unit;
	u.restart = SUP_RESTART_NO;
	u.flags = SUP_NOTIFIES;
	assert_int_equal(sup_init(&s, &u, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_EXITED, 0, 0, 0);
	assert_int_equal(s.run[0].state, SUP_FAILED);
	assert_int_equal(s.run[0].why, SUP_WHY_NOT_READY);
}

static void test_watchdog(void **state)
{
	struct sup_unit u = daemon_unit;

	(void)state;
	now = 0;
	u.flags = SUP_NOTIFIES | SUP_CRITICAL;
	u.watchdog_ms = 1000;
	u.watchdog_signal = SIGABRT;
	assert_int_equal(sup_init(&s, &u, 1), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	tick(5000); /* it does not run before it is ready */
	assert_int_equal(out.n, 0);
	step(SUP_EV_READY, 0, 0, 0);
	assert_int_equal(sup_next(&s), 6000);
	now = 5900;
	say(SUP_EV_FED, 0, 0);
	assert_int_equal(sup_next(&s), 6900);
	say(SUP_EV_WATCHDOG_MS, 0, 500); /* WATCHDOG_USEC= counts from now */
	assert_int_equal(sup_next(&s), 6400);
	tick(6399);
	assert_int_equal(out.n, 0);
	assert_int_equal(sup_ill(&s), -1);
	tick(6400);
	assert_int_equal(count(SUP_ACT_WATCHDOG, 0), 1);
	assert_int_equal(out.list[1].type, SUP_ACT_SIGNAL);
	assert_int_equal(out.list[1].number, SIGABRT);
	assert_true(sup_ill(&s) >= 0);
	tick(9400);
	assert_int_equal(count(SUP_ACT_KILL, 0), 1);
	step(SUP_EV_EXITED, 0, SIGKILL, 0);
	assert_int_equal(s.run[0].why, SUP_WHY_WATCHDOG);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
	assert_int_equal(sup_ill(&s), -1);
	/* the next run has the unit's own time again; STOPPING=1 ends the watch, and its own end is no failure of it */
	step(SUP_EV_STARTED, 0, 11, 0);
	step(SUP_EV_READY, 0, 0, 0);
	assert_int_equal(sup_next(&s), now + 1000);
	say(SUP_EV_STOPPING, 0, 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(sup_next(&s), now + 3000);
	say(SUP_EV_EXTEND, 0, 10000);
	assert_int_equal(sup_next(&s), now + 10000);
	step(SUP_EV_EXITED, 0, 0, 0);
	assert_int_equal(s.run[0].why, SUP_WHY_EXIT);
}

static void test_finished_and_healthy(void **state)
{
	struct sup_unit u[4] = { oneshot_unit, daemon_unit, oneshot_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[1].flags = SUP_ON_DEMAND; /* pulled in by who requires it */
	u[1].watchdog_ms = 1000;
	u[2].finished = BIT(0);
	u[3].healthy = BIT(1);
	assert_int_equal(sup_init(&s, u, 4), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 1), 1);
	assert_int_equal(out.n, 2);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_STARTED, 1, 11, 0);
	assert_int_equal(s.run[1].state, SUP_RUNNING);
	assert_int_equal(count(SUP_ACT_START, 3), 0); /* ready is not healthy */
	say(SUP_EV_FED, 1, 0);
	assert_int_equal(count(SUP_ACT_START, 3), 1);
	step(SUP_EV_EXITED, 0, 256, 0); /* it ended, but not well */
	assert_int_equal(count(SUP_ACT_FAILED, 2), 1);
	assert_int_equal(s.run[2].why, SUP_WHY_NEEDS);
	step(SUP_EV_START, 2, 0, 0); /* a command tries again what failed */
	assert_int_equal(count(SUP_ACT_START, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 2), 0);
	step(SUP_EV_STARTED, 0, 12, 0);
	step(SUP_EV_EXITED, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_START, 2), 1);
}

static void test_targets(void **state)
{
	struct sup_unit u[3] = { { .type = SUP_TARGET }, oneshot_unit, oneshot_unit };

	(void)state;
	now = 0;
	u[0].start_ms = 10000;
	u[1].needs = BIT(0);
	u[2].after = BIT(0);
	u[2].wait_ms = 2000;
	assert_int_equal(sup_init(&s, u, 3), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(s.run[0].state, SUP_WAITING);
	tick(2000);
	assert_int_equal(count(SUP_ACT_START, 2), 1);
	say(SUP_EV_REACHED, 0, 0);
	assert_int_equal(count(SUP_ACT_READY, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 1), 1);
	assert_int_equal(say(SUP_EV_REACHED, 0, 0), -EINVAL);
	assert_int_equal(step(SUP_EV_STOP, 0, 0, 0), -EINVAL);
	assert_int_equal(step(SUP_EV_START, 0, 0, 0), 0);
	assert_int_equal(s.run[0].state, SUP_DONE);
	/* not reached in time: who needs it fails, and it may still be reached */
	now = 0;
	assert_int_equal(sup_init(&s, u, 3), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	tick(10000);
	assert_int_equal(count(SUP_ACT_FAILED, 0), 1);
	assert_int_equal(count(SUP_ACT_FAILED, 1), 1);
	say(SUP_EV_REACHED, 0, 0);
	assert_int_equal(s.run[0].state, SUP_DONE);
	assert_int_equal(sup_still_up(&s), 2);
}

static void test_listening(void **state)
{
	struct sup_unit u[2] = { daemon_unit, oneshot_unit };

	(void)state;
	now = 1000000;
	u[0].restart = SUP_RESTART_NO;
	u[0].flags = SUP_LISTENS | SUP_ON_DEMAND;
	u[1].needs = BIT(0); /* listening is success enough */
	assert_int_equal(sup_init(&s, u, 2), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	assert_int_equal(count(SUP_ACT_LISTEN, 0), 1);
	assert_int_equal(count(SUP_ACT_START, 1), 1);
	for (int i = 0; i < SUP_TRIGGERS_MAX; i++) {
		say(SUP_EV_TRIGGER, 0, 0);
		assert_int_equal(count(SUP_ACT_START, 0), 1);
		step(SUP_EV_STARTED, 0, 10 + i, 0);
		assert_int_equal(say(SUP_EV_TRIGGER, 0, 0), 0);
		assert_int_equal(out.n, 0);
		now += 50;
		step(SUP_EV_EXITED, 0, i % 2 ? SIGSEGV : 0, 0);
		assert_int_equal(count(SUP_ACT_LISTEN, 0), 1);
		assert_int_equal(count(SUP_ACT_FAILED, 0), i % 2);
	}
	say(SUP_EV_TRIGGER, 0, 0);
	assert_int_equal(count(SUP_ACT_FAILED, 0), 1);
	assert_int_equal(s.run[0].why, SUP_WHY_TRIGGERS);
	/* a stop of the service leaves its sockets, a second one closes them, too */
	step(SUP_EV_START, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 90, 0);
	step(SUP_EV_STOP, 0, 0, 0);
	step(SUP_EV_EXITED, 0, SIGTERM, 0);
	assert_int_equal(s.run[0].state, SUP_LISTENING);
	step(SUP_EV_STOP, 0, 0, 0);
	assert_int_equal(s.run[0].state, SUP_OFF);
}

static void test_load(void **state)
{
	struct sup_unit u[4] = { daemon_unit, daemon_unit, oneshot_unit, oneshot_unit };

	(void)state;
	now = 0;
	assert_int_equal(sup_init(&s, u, 2), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_STARTED, 1, 11, 0);
	step(SUP_EV_STOP, 1, 0, 0);
	step(SUP_EV_EXITED, 1, SIGTERM, 0);
	u[2].after = BIT(3);
	u[3].after = BIT(2);
	assert_int_equal(sup_load(&s, 4), -ELOOP);
	assert_int_equal(s.n, 2);
	u[2].after = BIT(0);
	assert_int_equal(sup_load(&s, 4), 0);
	assert_int_equal(s.run[0].pid, 10);
	assert_int_equal(s.run[3].state, SUP_OFF);
	assert_int_equal(sup_load(&s, 3), -EINVAL);
	step(SUP_EV_BOOT, 0, 0, 0); /* the new ones, and not what somebody has stopped */
	assert_int_equal(out.n, 1);
	assert_int_equal(count(SUP_ACT_START, 2), 1);
}

/* down_by: what has not stopped by itself then is killed, whatever its own time is. */
static void test_shutdown_deadline(void **state)
{
	struct sup_unit u[2] = { daemon_unit, daemon_unit };

	(void)state;
	now = 0;
	u[0].stop_ms = u[1].stop_ms = 90000;
	u[1].after = BIT(0);
	assert_int_equal(sup_init(&s, u, 2), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	step(SUP_EV_STARTED, 0, 10, 0);
	step(SUP_EV_STARTED, 1, 11, 0);
	say(SUP_EV_SHUTDOWN, 0, 20000);
	assert_int_equal(out.n, 1);
	say(SUP_EV_EXTEND, 1, 1000000);
	assert_int_equal(sup_next(&s), 20000);
	tick(20000);
	assert_int_equal(count(SUP_ACT_KILL, 0), 1);
	assert_int_equal(count(SUP_ACT_KILL, 1), 1);
	tick(20000 + SUP_KILL_MS);
	assert_int_equal(count(SUP_ACT_STUCK, 0), 1);
	assert_int_equal(count(SUP_ACT_ALL_DOWN, -1), 1);
}

/* The largest steps there are: each of 64 units times out, and the shutdown forces all. */
static void test_room_for_actions(void **state)
{
	static struct sup_unit u[SUP_UNITS_MAX];

	(void)state;
	now = 0;
	for (int i = 0; i < SUP_UNITS_MAX; i++) {
		u[i] = daemon_unit;
		u[i].run_ms = 1000;
		u[i].stop_ms = 500;
	}
	assert_int_equal(sup_init(&s, u, SUP_UNITS_MAX), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	assert_int_equal(out.n, SUP_UNITS_MAX);
	for (int i = 0; i < SUP_UNITS_MAX; i++)
		step(SUP_EV_STARTED, i, 10 + i, 0);
	say(SUP_EV_SHUTDOWN, 0, 1);
	assert_int_equal(out.n, SUP_UNITS_MAX);
	tick(5000);
	assert_true(out.n >= SUP_UNITS_MAX && out.n < SUP_ACTIONS_MAX);
	tick(5000 + SUP_KILL_MS);
	assert_int_equal(out.n, SUP_UNITS_MAX + 1);
	now = 0;
	assert_int_equal(sup_init(&s, u, SUP_UNITS_MAX), 0);
	step(SUP_EV_BOOT, 0, 0, 0);
	for (int i = 0; i < SUP_UNITS_MAX; i++)
		step(SUP_EV_STARTED, i, 10 + i, 0);
	tick(1000);
	assert_int_equal(out.n, 2 * SUP_UNITS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_needs), cmocka_unit_test(test_wait_limit),
		cmocka_unit_test(test_backoff), cmocka_unit_test(test_one_shot_deadline), cmocka_unit_test(test_leftovers_before_restart),
		cmocka_unit_test(test_commands), cmocka_unit_test(test_escalation), cmocka_unit_test(test_shutdown_order),
		cmocka_unit_test(test_bad_tables), cmocka_unit_test(test_restart_table), cmocka_unit_test(test_clean_ends),
		cmocka_unit_test(test_watchdog), cmocka_unit_test(test_finished_and_healthy), cmocka_unit_test(test_targets),
		cmocka_unit_test(test_listening), cmocka_unit_test(test_load), cmocka_unit_test(test_shutdown_deadline),
		cmocka_unit_test(test_room_for_actions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
