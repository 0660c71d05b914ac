/* supervise.h - the supervisor as a pure function of state, event and time.
 *
 * PID 1 gives it what happened (a process exited, a command came, time passed)
 * and performs the actions that come back; nothing here makes a system call,
 * reads a clock or allocates. So a test can drive it through millions of events
 * with virtual time. Times are milliseconds of a monotonic clock.
 *
 * Life of a unit:
 *
 *	off -> waiting -> starting -> running -> (exit) -> cleaning -> backoff -> waiting ...
 *	                       \          \                        \-> done | failed | off
 *	                        \----------\-> stopping -> killing -> stuck
 *
 * cleaning: the main process is gone, what it left in its cgroup is being killed; a unit starts again
 * only when its cgroup is empty, so there are never two generations of it. stuck: processes that SIGKILL does not
 * end (state D); it counts as settled and as down, and is not started again before they are gone. */
#ifndef CORACLE_INIT_SUPERVISE_H
#define CORACLE_INIT_SUPERVISE_H

#include <stdint.h>
#include <sys/types.h>

#define SUP_UNITS_MAX 64
#define SUP_ACTIONS_MAX (6 * SUP_UNITS_MAX)
#define SUP_NEVER INT64_MAX
#define SUP_KILL_MS 5000	/* how long processes may take to die of SIGKILL before they are called stuck */

enum sup_type { SUP_DAEMON, SUP_ONESHOT };
enum sup_restart { SUP_RESTART_NO, SUP_RESTART_ON_FAILURE, SUP_RESTART_ALWAYS };

/* What a unit is: constant while the supervisor runs. A bit set names units by their index. */
struct sup_unit {
	const char *name;
	enum sup_type type;
	enum sup_restart restart;
	int notifies;		/* ready when it says READY=1, else as soon as it runs */
	uint64_t after;		/* starts when each of these has settled (ready, done, failed, skipped, off) */
	uint64_t needs;		/* the same, and fails when one of these did not succeed */
	int64_t wait_ms;	/* longest wait for `after` once all of those have been started; 0: for ever */
	int64_t start_ms;	/* longest way to readiness, or run of a one-shot; 0: no limit */
	int64_t stop_ms;	/* between the stop signal and the kill of the cgroup */
	int stop_signal;
	int64_t backoff_ms;	/* delay before the second restart; the first is immediate, each later one doubles */
	int64_t backoff_max_ms;
	int64_t decay_ms;	/* each such time of uninterrupted running takes one failure off the count; 0: none */
	int give_up;		/* failures in a row after which it stays failed; 0: never */
	int escalate;		/* failures in a row after which SUP_ACT_ESCALATE asks for a reboot; 0: never */
};

enum sup_state {
	SUP_OFF, SUP_WAITING, SUP_STARTING, SUP_RUNNING, SUP_STOPPING, SUP_KILLING, SUP_CLEANING,
	SUP_BACKOFF, SUP_DONE, SUP_FAILED, SUP_SKIPPED, SUP_STUCK,
};

enum sup_why {
	SUP_WHY_NONE,
	SUP_WHY_EXIT,		/* ended by itself: status as wait(2) gives it */
	SUP_WHY_START,		/* could not be started: status is the positive errno */
	SUP_WHY_TIMEOUT,	/* not ready, or not finished, within start_ms */
	SUP_WHY_NEEDS,		/* a unit that it needs did not succeed */
	SUP_WHY_ASKED,		/* a command or the shutdown */
};

struct sup_run {
	enum sup_state state;
	enum sup_why why;	/* of the end of the last run */
	pid_t pid;		/* main process, 0: none */
	int status;		/* see sup_why */
	int busy;		/* processes may be left in its cgroup */
	int again;		/* start again when it is down (restart command) */
	int failures;		/* in a row */
	unsigned restarts;	/* since boot */
	int64_t started;	/* when the last start was ordered */
	int64_t deadline;	/* of the present state, SUP_NEVER: none */
};

struct sup {
	const struct sup_unit *units;
	int n;
	int shutting_down;
	int down_said;
	struct sup_run run[SUP_UNITS_MAX];
};

enum sup_event_type {
	SUP_EV_BOOT,		/* start every unit in its order */
	SUP_EV_STARTED,		/* unit, pid: answer to SUP_ACT_START */
	SUP_EV_START_FAILED,	/* unit, status (positive errno): the other answer */
	SUP_EV_SKIPPED,		/* unit: the third one: its condition does not hold */
	SUP_EV_READY,		/* unit: READY=1 */
	SUP_EV_MAIN_PID,	/* unit, pid: MAINPID= */
	SUP_EV_EXITED,		/* unit, status, busy: the main process was reaped; busy: its cgroup still has processes */
	SUP_EV_EMPTY,		/* unit: its cgroup has no process any more */
	SUP_EV_TICK,		/* time has passed */
	SUP_EV_START, SUP_EV_STOP, SUP_EV_RESTART,	/* unit: commands */
	SUP_EV_SHUTDOWN,	/* stop everything in reverse order */
	SUP_EV_FORCE,		/* and do not wait for anyone */
};

struct sup_event {
	enum sup_event_type type;
	int unit;
	pid_t pid;
	int status;
	int busy;
};

enum sup_action_type {
	SUP_ACT_START,		/* unit: start it; answer with STARTED, START_FAILED or SKIPPED before any other event of it */
	SUP_ACT_SIGNAL,		/* unit, number: send the signal to its main process */
	SUP_ACT_KILL,		/* unit: kill its whole cgroup */
	SUP_ACT_READY,		/* unit became ready, or a one-shot finished well */
	SUP_ACT_RESTART,	/* unit ended (why, status in its run) and will be started again in `number` ms */
	SUP_ACT_FAILED,		/* unit ended and stays down */
	SUP_ACT_TIMEOUT,	/* unit took longer than start_ms and is being stopped */
	SUP_ACT_STUCK,		/* unit has processes that do not die */
	SUP_ACT_ESCALATE,	/* unit fails too often: reboot the machine */
	SUP_ACT_ALL_DOWN,	/* after SHUTDOWN: nothing runs any more */
};

struct sup_action {
	enum sup_action_type type;
	int unit;
	int64_t number;
};

struct sup_actions {
	int n;
	struct sup_action list[SUP_ACTIONS_MAX];
};

/* units must outlive s. Returns 0; -E2BIG for more than SUP_UNITS_MAX, -EINVAL
 * when a bit set names a unit that is not there, -ELOOP when the order is circular. */
int sup_init(struct sup *s, const struct sup_unit *units, int n);

/* Applies one event. out is overwritten with what is to be done, in that order. Returns 0;
 * for commands -ESHUTDOWN during shutdown and -EBUSY for a unit that is stuck; -EINVAL for an
 * event that does not fit the unit's state (it has no effect then). */
int sup_step(struct sup *s, const struct sup_event *ev, int64_t now, struct sup_actions *out);

/* When the next SUP_EV_TICK is due, or SUP_NEVER. */
int64_t sup_next(const struct sup *s);

/* The delay before the restart after so many failures in a row (1, 2, ...). */
int64_t sup_backoff(const struct sup_unit *u, int failures);

/* The first unit that is not down yet, -1: none. For progress lines. */
int sup_still_up(const struct sup *s);

const char *sup_state_name(enum sup_state state);

#endif
