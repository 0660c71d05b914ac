/* timers.c - the timers of units (systemd.timer(5)), and the target `time`.
 *
 * Runs in PID 1. What counts from boot, from a start or from an end is in monotonic time, and the loop's own timeout wakes us. What is on the
 * calendar is in real time, by a timerfd that also wakes us when somebody sets the clock: then everything is computed anew. A jump over many events is
 * one event, and after a jump back the next one is the next on the calendar. An event on the calendar that comes while its
 * unit still runs is spent; OnUnitActiveSec= then waits for the end. */
#include "init/pid1/init.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/recover.h"
#include "report.h"

/* A clock before this has not been set since the machine was made. */
#ifndef CORACLE_EPOCH
#define CORACLE_EPOCH 1735689600
#endif
#define SMALL_STEP 60		/* a clock put back by so many seconds does not repeat what has been */
#define SHORTEST_MS 100		/* between two starts by a timer */
#define FAR 4102444800		/* 2100: only a change of the clock wakes us */

static struct timed {
	int unit;
	int64_t ended;		/* monotonic ms of its last end, 0: none */
	int64_t triggered;	/* of our last trigger, 0: none */
	int64_t booted;		/* OnBootSec= up to here has been done */
	int64_t real;		/* real seconds: the calendar up to here has been done */
} timed[UNITS_TIMERS_MAX];
static int timed_n;
static int clock_fd = -1;

const struct state_section timers_state[] = { STATE_TABLE("timd", timed, &timed_n), STATE_ONE("clck", clock_fd), STATE_END };

static int64_t next_real[UNITS_TIMERS_MAX];	/* of each calendar timer, 0: not computed, -1: never */
static int64_t armed;				/* what clock_fd waits for */
static int time_unit = -1;			/* the target, while it is not reached */

static struct timed *find(int unit)
{
	for (int i = 0; i < timed_n; i++)
		if (timed[i].unit == unit)
			return &timed[i];
	return NULL;
}

static int is_resting(int unit)
{
	enum sup_state st = init_sup.run[unit].state;

	return st == SUP_OFF || st >= SUP_DONE;
}

static int has_timer(int unit)
{
	for (int i = 0; i < units.timers_n; i++)
		if (units.timers[i].unit == unit)
			return 1;
	return 0;
}

static void find_time_unit(void)
{
	time_unit = unit_find("time");
	if (time_unit >= 0 && (units.sup[time_unit].type != SUP_TARGET || init_sup.run[time_unit].state == SUP_DONE))
		time_unit = -1;
}

void timers_load(void)
{
	int64_t now = loop_now();
	int kept = 0;

	for (int i = 0; i < timed_n; i++)
		if (has_timer(timed[i].unit))
			timed[kept++] = timed[i];
	timed_n = kept;
	for (int i = 0; i < units.timers_n; i++) {
		int unit = units.timers[i].unit;

		/* OnBootSec= of the past is due at once, as systemd has it */
		if (!find(unit))
			timed[timed_n++] = (struct timed){ .unit = unit, .booted = -1, .real = loop_real_now(),
							   .ended = init_sup.run[unit].started && is_resting(unit) ? now : 0 };
	}
	memset(next_real, 0, sizeof(next_real));
	find_time_unit();
}

void timers_restored(void)
{
	if (clock_fd >= 0 && (!recover_keep(clock_fd) || loop_add(clock_fd, WATCH_CLOCK, 0, EPOLLIN) < 0))
		clock_fd = -1;
	timers_load();
}

void timers_on_ended(int unit)
{
	struct timed *t = find(unit);

	if (t)
		t->ended = loop_now();
}

/* Somebody has set the clock (ECANCELED), or the time has come. */
void timers_on_clock(void)
{
	uint64_t count;

	(void)!read(clock_fd, &count, sizeof(count));
	armed = 0;
	memset(next_real, 0, sizeof(next_real));
}

static void arm(int64_t at)
{
	struct itimerspec spec = { .it_value = { .tv_sec = (time_t)at } };

	if (at == armed || at == INT64_MAX)
		return;
	if (clock_fd < 0) {
		clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
		if (clock_fd < 0 || loop_add(clock_fd, WATCH_CLOCK, 0, EPOLLIN) < 0) {
			report_problem("init", "wait for the clock: %s", err_name(errno));
			if (clock_fd >= 0)
				close(clock_fd);
			clock_fd = -1;
		}
	}
	armed = at; /* also where it fails: once is enough */
	if (clock_fd >= 0)
		timerfd_settime(clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
}

/* When a timer of monotonic time is due, SUP_NEVER: not as things are. */
static int64_t due_at(const struct unit_timer *u, const struct timed *t)
{
	const struct sup_run *r = &init_sup.run[u->unit];
	int64_t from;

	switch (u->kind) {
	case UNIT_TIMER_BOOT:
		return u->ms > t->booted ? u->ms : SUP_NEVER;
	case UNIT_TIMER_ACTIVE:
		/* a trigger that started nothing (a condition does not hold) counts as a start, or it would be the last one */
		from = MAX(r->started, t->triggered);
		break;
	default:
		from = MAX(t->ended, t->triggered);
		break;
	}
	return from && is_resting(u->unit) ? from + MAX(u->ms, SHORTEST_MS) : SUP_NEVER;
}

/* One calendar timer. Returns true when it is due; *next is when it will be. */
static int is_on_calendar(int i, struct timed *t, int64_t real, int64_t *next)
{
	if (real + SMALL_STEP < t->real) {
		t->real = real;
		next_real[i] = 0;
	}
	if (next_real[i] == 0)
		next_real[i] = unit_calendar_next(&units.timers[i].calendar, t->real);
	if (next_real[i] > 0 && next_real[i] <= real) {
		next_real[i] = 0;
		return 1;
	}
	if (next_real[i] > 0)
		*next = MIN(*next, next_real[i]);
	return 0;
}

static void reach_time(int64_t real, int64_t *next)
{
	int unit = time_unit;

	if (unit < 0)
		return;
	if (real < CORACLE_EPOCH) {
		*next = MIN(*next, FAR);
		return;
	}
	time_unit = -1;
	init_event(&(struct sup_event){ .type = SUP_EV_REACHED, .unit = unit });
}

int64_t timers_turn(int64_t now)
{
	uint64_t fire = 0;
	uint64_t spent = 0;	/* of the calendar */
	int64_t next = SUP_NEVER;
	int64_t next_clock = INT64_MAX;
	int64_t real;

	if (init_sup.shutting_down || (units.timers_n == 0 && time_unit < 0))
		return SUP_NEVER;
	real = loop_real_now();
	for (int i = 0; i < units.timers_n; i++) {
		const struct unit_timer *u = &units.timers[i];
		struct timed *t = find(u->unit);
		int64_t at;

		if (!t)
			continue;
		if (u->kind == UNIT_TIMER_CALENDAR) {
			if (is_on_calendar(i, t, real, &next_clock))
				spent |= UINT64_C(1) << u->unit;
			continue;
		}
		at = due_at(u, t);
		if (at > now)
			next = MIN(next, at);
		else
			fire |= UINT64_C(1) << u->unit;
	}
	for (int i = 0; i < timed_n; i++) {
		struct timed *t = &timed[i];

		if (spent >> t->unit & 1) {
			t->real = MAX(t->real, real);
			next = now; /* its next time is computed in the next turn */
		}
		if (!((fire | spent) >> t->unit & 1))
			continue;
		t->triggered = t->booted = now;
		init_event(&(struct sup_event){ .type = SUP_EV_TRIGGER, .unit = t->unit });
	}
	reach_time(real, &next_clock);
	arm(next_clock);
	return fire ? now : next;
}
