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
 *	          ^            \          \                        \-> done | failed | off | listening
 *	 listening/             \----------\-> stopping -> killing -> stuck
 *
 * cleaning: the main process is gone, what it left in its cgroup is being killed; a unit starts again
 * only when its cgroup is empty, so there are never two generations of it. stuck: processes that SIGKILL does not
 * end (state D); it counts as settled and as down, and is not started again before they are gone. listening: its
 * sockets are open and it is started when somebody comes (systemd.socket(5)); that counts as success. A target waits until it is reached,
 * then it is done.
 *
 * No pointers in the tables: they are carried through a re-execution of PID 1 as they are. */
#ifndef CORACLE_INIT_SUPERVISE_H
#define CORACLE_INIT_SUPERVISE_H

#include <stdint.h>
#include <sys/types.h>

#define SUP_UNITS_MAX 64
#define SUP_ACTIONS_MAX (6 * SUP_UNITS_MAX)
#define SUP_NEVER INT64_MAX
#define SUP_TRIGGERS_MAX 20	/* starts of a listening unit within SUP_TRIGGERS_MS; one more, and it has failed */
#define SUP_TRIGGERS_MS 2000
#define SUP_KILL_MS 5000	/* how long processes may take to die of SIGKILL before they are called stuck */

enum sup_type {
	SUP_DAEMON,
	SUP_ONESHOT,
	SUP_TARGET,		/* no process: something that is reached once (network, time); SUP_EV_REACHED says when */
};

/* As Restart= of systemd.service(5), whose table says which ends each one covers. */
enum sup_restart {
	SUP_RESTART_NO, SUP_RESTART_ON_SUCCESS, SUP_RESTART_ON_FAILURE, SUP_RESTART_ON_ABNORMAL, SUP_RESTART_ON_ABORT,
	SUP_RESTART_ON_WATCHDOG, SUP_RESTART_ALWAYS,
};

enum {
	SUP_NOTIFIES = 1 << 0,	/* ready when it says READY=1, else as soon as it runs */
	SUP_ON_DEMAND = 1 << 1,	/* not started by SUP_EV_BOOT, only by a command, a trigger or a unit that requires it */
	SUP_LISTENS = 1 << 2,	/* has sockets: goes to listening instead of off and done, and when it failed and is not to be restarted;
				 * starts at SUP_EV_TRIGGER. A stop of a listening unit switches it off. */
	SUP_CRITICAL = 1 << 3,	/* the machine is of no use without it: see sup_ill() */
};

/* What a unit is: constant while the supervisor runs, except by sup_load(). A bit set names units by their index. */
struct sup_unit {
	enum sup_type type;
	enum sup_restart restart;
	unsigned flags;		/* SUP_... */
	uint64_t after;		/* starts when each of these has settled (ready, done, failed, skipped, off) */
	uint64_t needs;		/* the same, starts them, and fails when one of these did not succeed (skipped by a condition is no failure) */
	uint64_t finished;	/* the same, and each of these has ended well (state done, or it listens again), not only become ready */
	uint64_t healthy;	/* the same, and each of these has fed its watchdog once since it was ready */
	int64_t wait_ms;	/* longest wait for `after` once all of those have been started; 0: for ever */
	int64_t start_ms;	/* longest way to readiness, or run of a one-shot, or wait for a target; 0: no limit */
	int64_t run_ms;		/* longest time of running; 0: no limit */
	int64_t stop_ms;	/* between the stop signal and the kill of the cgroup */
	int64_t watchdog_ms;	/* longest time between two WATCHDOG=1 of a running unit; 0: none */
	int stop_signal;
	int watchdog_signal;	/* sent when the watchdog was not fed (SIGABRT) */
	int64_t backoff_ms;	/* delay before the second restart; the first is immediate, each later one doubles */
	int64_t backoff_max_ms;
	int64_t decay_ms;	/* each such time of uninterrupted running takes one failure off the count; 0: none */
	int give_up;		/* failures in a row after which it stays failed; 0: never */
	int escalate;		/* failures in a row after which SUP_ACT_ESCALATE asks for a reboot; 0: never */
};

enum sup_state {
	SUP_OFF, SUP_WAITING, SUP_STARTING, SUP_RUNNING, SUP_STOPPING, SUP_KILLING, SUP_CLEANING,
	SUP_BACKOFF, SUP_DONE, SUP_FAILED, SUP_SKIPPED, SUP_STUCK, SUP_LISTENING,
};

enum sup_why {
	SUP_WHY_NONE,
	SUP_WHY_EXIT,		/* ended by itself: status as wait(2) gives it */
	SUP_WHY_START,		/* could not be started: status is the positive errno */
	SUP_WHY_TIMEOUT,	/* not ready, or not finished, within start_ms; or ran longer than run_ms */
	SUP_WHY_NEEDS,		/* a unit that it needs did not succeed: status is its index */
	SUP_WHY_ASKED,		/* a command or the shutdown */
	SUP_WHY_WATCHDOG,	/* did not feed its watchdog, or asked for it (WATCHDOG=trigger) */
	SUP_WHY_OOM,		/* the kernel killed it or a process of it for want of memory */
	SUP_WHY_NOT_READY,	/* ended by itself with success, but before it was ready */
	SUP_WHY_TRIGGERS,	/* started too often by its sockets, and each time left there who had come */
};

struct sup_run {
	enum sup_state state;
	enum sup_why why;	/* of the end of the last run, also while the next one runs */
	enum sup_why cause;	/* why the present run is being ended, SUP_WHY_NONE: it is not, or ends by itself */
	pid_t pid;		/* main process, 0: none */
	int status;		/* see sup_why */
	int ordered;		/* SUP_ACT_START was given and is not answered yet */
	int busy;		/* processes may be left in its cgroup */
	int again;		/* start again when it is down (restart command) */
	int healthy;		/* has fed its watchdog since it was ready */
	int clean;		/* the last run ended well */
	int failures;		/* in a row */
	unsigned restarts;	/* since boot */
	int64_t started;	/* when the last start was ordered */
	int64_t deadline;	/* of the present state, SUP_NEVER: none */
	int64_t watchdog;	/* when the watchdog has to be fed at the latest, SUP_NEVER: not watched now */
	int64_t watchdog_ms;	/* sup_unit's, or what the service asked for (WATCHDOG_USEC=) */
	int triggers;		/* starts from listening since `triggered` */
	int64_t triggered;
};

struct sup {
	const struct sup_unit *units;
	int n;
	int shutting_down;
	int down_said;
	int64_t down_by;	/* the shutdown as a whole: then everything is killed; SUP_NEVER: none */
	struct sup_run run[SUP_UNITS_MAX];
};

enum sup_event_type {
	SUP_EV_BOOT,		/* start every unit that is off in its order, but for those on demand (which listen, where they have sockets) and
				 * those that a command has stopped: so it may come again after sup_load() */
	SUP_EV_STARTED,		/* unit, pid: answer to SUP_ACT_START */
	SUP_EV_START_FAILED,	/* unit, status (positive errno): the other answer */
	SUP_EV_SKIPPED,		/* unit: the third one: its condition does not hold */
	SUP_EV_READY,		/* unit: READY=1 */
	SUP_EV_MAIN_PID,	/* unit, pid: MAINPID= */
	SUP_EV_EXITED,		/* unit, status, busy, clean: the main process was reaped; busy: its cgroup still has processes */
	SUP_EV_EMPTY,		/* unit: its cgroup has no process any more */
	SUP_EV_OOM,		/* unit: the kernel killed a process of it, and its OOM policy is to stop */
	SUP_EV_TICK,		/* time has passed */
	SUP_EV_START, SUP_EV_STOP, SUP_EV_RESTART,	/* unit: commands */
	SUP_EV_TRIGGER,		/* unit: a timer or a socket wants it; no effect while it runs or is on its way */
	SUP_EV_REACHED,		/* unit: a target was reached */
	SUP_EV_FED,		/* unit: WATCHDOG=1 */
	SUP_EV_WATCHDOG_MS,	/* unit, number: WATCHDOG_USEC= in ms */
	SUP_EV_BITES,		/* unit: WATCHDOG=trigger */
	SUP_EV_EXTEND,		/* unit, number: EXTEND_TIMEOUT_USEC= in ms: the present deadline is at least that far away */
	SUP_EV_STOPPING,	/* unit: STOPPING=1: it ends by itself; what it leaves is no failure of its watchdog */
	SUP_EV_SHUTDOWN,	/* number: ms for the whole, 0: no limit. Stop everything in reverse order */
	SUP_EV_FORCE,		/* and do not wait for anyone */
};

struct sup_event {
	enum sup_event_type type;
	int unit;
	pid_t pid;
	int status;
	int busy;
	int clean;		/* this end counts as success (SuccessExitStatus=) beside those that always do: code 0; SIGHUP, SIGINT, SIGTERM,
				 * SIGPIPE unless of a one-shot */
	int64_t number;
};

enum sup_action_type {
	SUP_ACT_START,		/* unit: start it; answer with STARTED, START_FAILED or SKIPPED before any other event of it */
	SUP_ACT_SIGNAL,		/* unit, number: send the signal to its main process */
	SUP_ACT_KILL,		/* unit: kill its whole cgroup */
	SUP_ACT_READY,		/* unit became ready, or a one-shot finished well, or a target was reached */
	SUP_ACT_ENDED,		/* unit has no process any more, whatever comes next: its sockets may be watched again */
	SUP_ACT_RESTART,	/* unit ended (why, status in its run) and will be started again in `number` ms */
	SUP_ACT_FAILED,		/* unit ended and stays down; LISTEN follows when its sockets may start it again */
	SUP_ACT_TIMEOUT,	/* unit took longer than `number` ms to start or run and is being stopped */
	SUP_ACT_WATCHDOG,	/* unit did not feed its watchdog for `number` ms, or asked for this, and is being stopped */
	SUP_ACT_STUCK,		/* unit has processes that do not die */
	SUP_ACT_ESCALATE,	/* unit fails too often: reboot the machine */
	SUP_ACT_LISTEN,		/* unit is listening: watch its sockets */
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

/* The table has grown to n units, or the descriptions of some changed in place; runs are kept. The new ones are off (SUP_EV_BOOT starts
 * them). Errors as sup_init(), -EINVAL also when it has shrunk, and then nothing has changed. */
int sup_load(struct sup *s, int n);

/* The first critical unit that has failed, is stuck, or has not fed its watchdog and is not down yet: then the machine's watchdog is not fed
 * either. -1: none; the shutdown has deadlines of its own, there it is none. */
int sup_ill(const struct sup *s);

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
