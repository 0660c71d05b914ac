/* sim.h - the simulated machine around the supervisor: its processes, its clock, and what must be true of every action.
 *
 * world.c owns the processes and says what happens; judge.c keeps its own account of each unit from the events alone, and fails the test
 * at the first action that is wrong, missing, early or late. */
#ifndef CORACLE_TESTS_SIM_H
#define CORACLE_TESTS_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "init/supervise/supervise.h"

#define BIT(i) (UINT64_C(1) << (i))
#define SUCCESS_CODE 7		/* an exit code that counts as success for every unit (SuccessExitStatus=) */

enum phase {
	REST,		/* no process */
	BEGUN,		/* started, not ready */
	UP,		/* ready */
	SELF,		/* said STOPPING=1 */
	ENDING,		/* has got its stop signal */
	KILLED,
};

struct sim {
	/* the process */
	int alive;
	int left;		/* other processes in the cgroup */
	int ignores_term, immortal, hangs, leaky;
	int64_t ends, empties;	/* when it will have died, SUP_NEVER: not decided */
	int64_t feeds;		/* when it feeds its watchdog next */
	/* the account */
	enum phase phase;
	enum sup_why cause;	/* why it is being ended */
	int answered;		/* STARTED was said */
	int status, success;	/* of its end */
	int unready;		/* it ended before its READY=1 */
	int clean;		/* its last run ended well */
	int fed;
	int again;		/* a command wants it to run when it is down */
	int failures;
	int64_t started;
	int64_t not_before;	/* the earliest legal restart */
	int64_t start_by, run_by, feed_by, stop_by, kill_by;
	int64_t wd_ms;
	int64_t wait_from;	/* since when only `after` holds it back */
	int triggers;
	int64_t triggered;
	/* of this step */
	enum sup_state was;	/* before it */
	int ended_now, needs_failed;
	unsigned seen, expected;	/* bits of enum sup_action_type */
	int64_t delay;
};

extern struct sim sim[SUP_UNITS_MAX];
extern struct sup_unit sim_unit[SUP_UNITS_MAX];
extern struct sup sim_sup;
extern int sim_n;
extern int64_t sim_now;
extern int sim_down;		/* the shutdown has begun */
extern int64_t sim_down_by;	/* everything is down then at the latest */
extern int sim_all_down;
extern struct sim_counts { long steps, starts, restarts, escalations, given_up, bites, timeouts, ooms, stuck, listens, vain, reached, needs; int most; } sim_counts;

uint32_t sim_random(uint32_t n);

/* judge.c: before the step, after it (the actions are judged and booked), and when everything has been answered. */
void sim_before(const struct sup_event *ev);
void sim_after(const struct sup_event *ev, int result, const struct sup_actions *out);

/* world.c: says an event and answers the actions. */
void sim_event(const struct sup_event *ev);
void sim_reset(void);
void sim_storm(long steps);

#endif
