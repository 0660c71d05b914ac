/* test_init_timers.c - init/pid1/timers.c with both clocks in our hands: boots, starts, ends, the calendar, and clocks that jump by a year. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cdefs.h"
#include "init/pid1/init.h"
#include "init/pid1/recover.h"

#define YEAR (INT64_C(365) * 86400)
#define NOON INT64_C(1800014400)	/* 2027-01-15 12:00:00 UTC */

struct sup init_sup;

static int64_t now, real;
static int started[4];		/* triggers of each unit */
static int refuses;		/* units are skipped when they are triggered */
static int reached;
static int watches;

int64_t loop_now(void)
{
	return now;
}

int64_t loop_real_now(void)
{
	return real;
}

int loop_add(int fd, enum watch who, int index, unsigned events)
{
	(void)events;
	assert_true(fd >= 0 && who == WATCH_CLOCK && index == 0);
	watches++;
	return 0;
}

int recover_keep(int fd)
{
	(void)fd;
	return 0;
}

/* The supervisor's part: a unit that rests is started. */
int init_event(const struct sup_event *ev)
{
	struct sup_run *r = &init_sup.run[ev->unit];

	if (ev->type == SUP_EV_REACHED) {
		reached++;
		r->state = SUP_DONE;
		return 0;
	}
	assert_int_equal(ev->type, SUP_EV_TRIGGER);
	if (r->state == SUP_STARTING)
		return 0;
	started[ev->unit]++;
	r->state = refuses ? SUP_SKIPPED : SUP_STARTING;
	if (!refuses)
		r->started = now;
	return 0;
}

static void ends(int unit)
{
	init_sup.run[unit].state = SUP_DONE;
	timers_on_ended(unit);
}

static void set_up(const char *timers)
{
	struct err err = ERR_INIT;
	char text[512];

	memset(&init_sup, 0, sizeof(init_sup));
	memset(started, 0, sizeof(started));
	refuses = reached = 0;
	units.timers_n = 0;
	timers_load(); /* forget the last test's */
	units_begin(NULL);
	snprintf(text, sizeof(text), "[Service]\nType=oneshot\nExecStart=/bin/true\n[Timer]\n%s\n", timers);
	assert_int_equal(unit_compile("job", "job.unit", text, strlen(text), &err), 0);
	init_sup.n = units.n;
	now = 100000;
	real = NOON;
	timers_load();
}

/* Turns until the time, each when the last one wanted it, or when the calendar's timer would have woken us. */
static void run_to(int64_t end)
{
	int turns = 0;

	while (now < end) {
		int64_t next = timers_turn(now);
		int64_t step = MIN(MAX(next, now), MIN(end, now + 1000)) - now;

		assert_true(turns++ < 100000);
		if (step == 0 && next > now)
			break;
		now += step;
		real = NOON + (now - 100000) / 1000;
	}
	timers_turn(now);
}

static void test_boot(void **state)
{
	(void)state;
	set_up("OnBootSec=1s\nOnBootSec=105s"); /* the first is in the past: at once */
	assert_int_equal(timers_turn(now), now);
	assert_int_equal(started[0], 1);
	assert_int_equal(timers_turn(now), 105000);
	now = 104999;
	timers_turn(now);
	assert_int_equal(started[0], 1);
	ends(0);
	now = 105000;
	timers_turn(now);
	assert_int_equal(started[0], 2);
	assert_int_equal(timers_turn(now), SUP_NEVER);
	timers_load(); /* a reload does not begin again */
	ends(0);
	assert_int_equal(timers_turn(now + 1000), SUP_NEVER);
	assert_int_equal(started[0], 2);
}

static void test_active(void **state)
{
	(void)state;
	set_up("OnUnitActiveSec=10s");
	assert_int_equal(timers_turn(now), SUP_NEVER); /* never started: nothing to count from */
	init_sup.run[0].started = now;
	init_sup.run[0].state = SUP_STARTING;
	assert_int_equal(timers_turn(now + 11000), SUP_NEVER); /* it still runs */
	now += 15000;
	ends(0);
	timers_turn(now); /* longer than its period: at once */
	assert_int_equal(started[0], 1);
	now += 1000;
	ends(0);
	assert_int_equal(timers_turn(now), now + 9000);
	/* a condition that does not hold: each period once, and no storm */
	refuses = 1;
	started[0] = 0;
	run_to(now + 100000);
	assert_in_range(started[0], 9, 11);
}

static void test_inactive(void **state)
{
	(void)state;
	set_up("OnUnitInactiveSec=10s");
	init_sup.run[0].started = now;
	init_sup.run[0].state = SUP_STARTING;
	assert_int_equal(timers_turn(now), SUP_NEVER);
	now += 5000;
	ends(0);
	assert_int_equal(timers_turn(now), now + 10000);
	now += 10000;
	timers_turn(now);
	assert_int_equal(started[0], 1);
	assert_int_equal(timers_turn(now), SUP_NEVER);
}

static void test_calendar(void **state)
{
	(void)state;
	set_up("OnCalendar=hourly");
	assert_int_equal(timers_turn(now), SUP_NEVER); /* of monotonic time: the clock's timer waits */
	assert_int_equal(watches, 1);
	real = NOON + 3599;
	timers_turn(now);
	assert_int_equal(started[0], 0);
	real = NOON + 3600;
	timers_turn(now);
	timers_turn(now);
	assert_int_equal(started[0], 1);
	real = NOON + 7200; /* it still runs: spent */
	timers_turn(now);
	ends(0);
	timers_turn(now);
	assert_int_equal(started[0], 1);
	real = NOON + 10800;
	timers_turn(now);
	assert_int_equal(started[0], 2);
}

/* A year forward is one event and not 8,760; then the next hour is the next one. A year back, likewise. */
static void test_jumps(void **state)
{
	(void)state;
	set_up("OnCalendar=hourly");
	timers_turn(now);
	for (int jump = 0; jump < 2; jump++) {
		started[0] = 0;
		real += jump == 0 ? YEAR + 1800 : -YEAR;
		timers_on_clock();
		for (int i = 0; i < 100; i++) {
			timers_turn(now);
			if (init_sup.run[0].state == SUP_STARTING)
				ends(0);
		}
		assert_int_equal(started[0], jump == 0);
		real += 1801 + (jump ? 1800 : 0);
		timers_turn(now);
		assert_int_equal(started[0], 1 + (jump == 0));
		ends(0);
	}
	/* NTP puts the clock back by a second, right after the hour */
	set_up("OnCalendar=hourly");
	timers_turn(now);
	real = NOON + 3600;
	timers_turn(now);
	ends(0);
	real--;
	timers_on_clock();
	timers_turn(now);
	real++;
	timers_turn(now);
	assert_int_equal(started[0], 1);
	real += 3600;
	timers_turn(now);
	assert_int_equal(started[0], 2);
}

static void test_time_target(void **state)
{
	static char target[] = "[Service]\nType=target\n";
	struct err err = ERR_INIT;
	int before = watches;

	(void)state;
	set_up("OnBootSec=1h");
	assert_int_equal(unit_compile("time", "time.unit", target, strlen(target), &err), 1);
	init_sup.n = units.n;
	real = 1000; /* a clock without a battery */
	timers_load();
	timers_turn(now);
	assert_int_equal(reached, 0);
	assert_true(watches >= before); /* somebody who sets the clock wakes us */
	real = 5000;
	timers_on_clock();
	timers_turn(now);
	assert_int_equal(reached, 0);
	real = NOON;
	timers_on_clock();
	timers_turn(now);
	timers_turn(now);
	assert_int_equal(reached, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot), cmocka_unit_test(test_active), cmocka_unit_test(test_inactive), cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_jumps), cmocka_unit_test(test_time_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
