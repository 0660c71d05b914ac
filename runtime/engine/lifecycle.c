/* lifecycle.c - the way of a container from start to end (coracle-engine). Never waits: every step returns to the loop. */
#include "lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "initlink.h"
#include "report.h"
#include "runner.h"
#include "signals.h"
#include "sys.h"
#include "text.h"

#define SAVE_DELAY_MS 1000
#define INTERRUPTED_MAX 3

static void finish_run(struct container *c);
static void on_timer(void *arg);
static int stop(struct container *c, int64_t grace_ms, int signal, bool by_hand);

/* -- failures ------------------------------------------------------------ */

/* moby translateContainerdStartErr, with 125 for what `docker run` ends with otherwise. */
static int code_of_failure(const char *text)
{
	if (strstr(text, "executable file not found") || strstr(text, "o such file or directory"))
		return 127;
	if (strstr(text, "ermission denied") || strstr(text, "s a directory") || strstr(text, "ot a directory") ||
	    strstr(text, "xec format error"))
		return 126;
	return 125;
}

static void went_down(struct container *c)
{
	c->phase = PHASE_DOWN;
	c->pid = 0;
	if (c->status != CONTAINER_RESTARTING && !c->start_again)
		runner_unmount(c);
	container_fire(c, EVENT_DOWN, c->exit_code);
	if (c->removing) {
		container_forget(c);
		return;
	}
	if (c->start_again) {
		c->start_again = false;
		lifecycle_start(c, c->status != CONTAINER_RESTARTING);
	}
}

static void on_deleted(int status, void *arg)
{
	struct container *c = arg;

	c->child = NULL;
	if (status != 0)
		report_note("engine", "%s: coracle-runtime delete ended with status %d", c->svc.container_name, status);
	went_down(c);
}

static void clean_up(struct container *c)
{
	struct err err = ERR_INIT;

	c->phase = PHASE_CLEANING;
	loop_remove(&c->pidfd);
	fd_close(&c->pidfd.fd);
	if (runner_delete(c, on_deleted, &err) < 0) {
		report_problem("engine", "%s: %s", c->svc.container_name, err.text);
		went_down(c);
	}
}

/* prepared: the runtime has been run, so there may be something to clean up. */
static void start_failed(struct container *c, const char *why, int code, bool prepared)
{
	text_set(c->error, sizeof(c->error), "%s", why);
	c->exit_code = code;
	c->interrupted = 0;
	c->status = c->ever_started ? CONTAINER_EXITED : CONTAINER_CREATED;
	if (c->ever_started)
		c->finished_ns = wall_now();
	c->this_boot = true;
	log_end_run(c->log);
	if (c->pid > 0)
		initlink_forget(c->pid);
	container_save_state(c);
	if (c->svc.restart.policy == RESTART_NO)
		engine.last_failed_code = code;
	container_fire(c, EVENT_STARTED, code == 125 ? -EIO : -ENOEXEC);
	container_fire(c, EVENT_EXITED, code);
	if (prepared)
		clean_up(c);
	else
		went_down(c);
}

/* coracle-runtime did not refuse but was killed (by the kernel for want of memory, by someone): that says nothing about the
 * container. What it left is cleaned up and the start made again, for those who wait for it too. */
static bool begin_again(struct container *c, const char *verb, int status)
{
	if (!WIFSIGNALED(status) || c->interrupted == INTERRUPTED_MAX || c->removing || c->stop_signal_due)
		return false;
	c->interrupted++;
	report_note("engine", "%s: coracle-runtime %s was killed by signal %d; once more", c->svc.container_name, verb, WTERMSIG(status));
	c->status = c->ever_started ? CONTAINER_EXITED : CONTAINER_CREATED;
	log_end_run(c->log);
	if (c->pid > 0)
		initlink_forget(c->pid);
	c->start_again = true;
	clean_up(c);
	return true;
}

/* -- start --------------------------------------------------------------- */

/* That the start is over matters only to an engine that comes after this one: it is not worth a write while the machine boots. */
static void save_later(void *arg)
{
	container_save_state(arg);
}

/* "container NAME" among the times of the boot, once for each of the boot configuration's. */
static void stamp_first(struct container *c)
{
	char name[80];

	if (!c->from_boot || c->stamped)
		return;
	c->stamped = true;
	text_set(name, sizeof(name), "container %s", c->svc.container_name);
	report_stamp(name);
}

static void on_started(int status, void *arg)
{
	struct container *c = arg;
	char why[512];

	c->child = NULL;
	if (status != 0 && !c->exit_seen && begin_again(c, "start", status))
		return;
	if (status != 0 && !c->exit_seen) {
		runner_failure(c, "start", status, why, sizeof(why));
		start_failed(c, why, code_of_failure(why), true);
		return;
	}
	c->interrupted = 0;
	c->swept = false;
	stamp_first(c);
	c->phase = PHASE_UP;
	c->save = (struct loop_timer){ .fire = save_later, .arg = c };
	loop_timer_set(&c->save, SAVE_DELAY_MS);
	/* a restart that came meanwhile is not done yet: it goes on with a stop, and who waits for it hears of the next start */
	if (!c->start_again)
		container_fire(c, EVENT_STARTED, 0);
	if (c->exit_seen)
		finish_run(c);
	else if (c->stop_signal_due)
		stop(c, c->stop_grace_due, 0, true);
}

static void start_now(struct container *c)
{
	struct err err = ERR_INIT;

	c->phase = PHASE_STARTING;
	c->up_since = loop_now();
	c->started_ns = wall_now();
	c->status = CONTAINER_RUNNING;
	c->this_boot = true;
	c->ever_started = true;
	c->exit_code = 0;
	c->error[0] = '\0';
	container_save_state(c);	/* before the start: an engine killed now finds it again */
	if (runner_start(c, on_started, &err) < 0)
		start_failed(c, err.text, 125, true);
}

static void on_watched(bool ok, void *arg)
{
	struct container *c = arg;

	if (c->phase != PHASE_WATCHING)
		return;
	if (!ok)
		report_problem("engine", "%s: init does not watch process %d", c->svc.container_name, (int)c->pid);
	start_now(c);
}

static void on_pidfd(uint32_t events, void *arg)
{
	struct container *c = arg;

	(void)events;
	loop_remove(&c->pidfd);
	lifecycle_exited(c->pid, -1);
}

static void on_created(int status, void *arg)
{
	struct container *c = arg;
	char why[512];

	c->child = NULL;
	if (status != 0 && begin_again(c, "create", status))
		return;
	if (status != 0 || runner_read_pid(c) < 0) {
		runner_failure(c, "create", status, why, sizeof(why));
		start_failed(c, why, code_of_failure(why), status == 0 || WIFSIGNALED(status));
		return;
	}
	c->pidfd.fd = sys_pidfd_open(c->pid, 0);
	c->own_child = !initlink_present();
	if (!initlink_present()) {
		start_now(c);
		return;
	}
	c->phase = PHASE_WATCHING;
	initlink_watch(c->pid, on_watched, c);
}

int lifecycle_start(struct container *c, bool by_hand)
{
	struct err err = ERR_INIT;
	int r;

	if (c->phase == PHASE_CLEANING) {
		c->start_again = true;
		return 0;
	}
	if (c->phase != PHASE_DOWN)
		return -EALREADY;
	loop_timer_cancel(&c->timer);
	c->timer = (struct loop_timer){ .fire = on_timer, .arg = c };
	if (by_hand)
		c->restart = (struct restart_state){ 0 };
	if (by_hand)
		c->restart_count = 0;
	c->exit_seen = c->kill_sent = c->stop_signal_due = false;
	if (!c->swept && runner_has_leftovers(c)) {
		c->swept = c->start_again = true;
		clean_up(c);
		return 0;
	}
	c->phase = PHASE_CREATING;
	r = runner_create(c, on_created, &err);
	if (r < 0)
		start_failed(c, err.text, 125, false);
	return r;
}

/* -- end ----------------------------------------------------------------- */

static int code_of_status(int status)
{
	if (status == -1)
		return 255;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void finish_run(struct container *c)
{
	int64_t delay;

	loop_timer_cancel(&c->timer);
	loop_timer_cancel(&c->save);
	c->exit_code = code_of_status(c->exit_status);
	c->finished_ns = wall_now();
	log_end_run(c->log);
	initlink_forget(c->pid);
	delay = engine.stopping || c->removing ? -1
		: restart_after_exit(&c->svc.restart, &c->restart, c->exit_code, loop_now() - c->up_since);
	c->status = delay >= 0 ? CONTAINER_RESTARTING : CONTAINER_EXITED;
	if (delay >= 0) {
		c->restart_count++;
		loop_timer_set(&c->timer, (uint64_t)delay);
	} else if (c->exit_code != 0 && c->svc.restart.policy == RESTART_NO && !engine.stopping && !c->restart.stopped_by_hand) {
		engine.last_failed_code = c->exit_code;
	}
	c->pid = 0;
	container_save_state(c);
	container_fire(c, EVENT_EXITED, c->exit_code);
	clean_up(c);
}

void lifecycle_exited(pid_t pid, int status)
{
	struct container *c = engine.containers;

	while (c && (c->pid != pid || c->exit_seen || c->phase == PHASE_DOWN || c->phase == PHASE_CLEANING))
		c = c->next;
	if (!c) {
		if (initlink_present())
			initlink_forget(pid);
		return;
	}
	c->exit_seen = true;
	c->exit_status = status;
	loop_remove(&c->pidfd);
	if (c->phase == PHASE_UP)
		finish_run(c);
}

static void on_timer(void *arg)
{
	struct container *c = arg;

	if (c->status == CONTAINER_RESTARTING) {
		if (c->phase == PHASE_DOWN)
			lifecycle_start(c, false);
		else
			c->start_again = true;
	} else if (c->phase == PHASE_UP) {
		c->kill_sent = true;
		lifecycle_kill(c, SIGKILL);
	}
}

/* -- stop, kill, restart, remove ------------------------------------------ */

int lifecycle_kill(struct container *c, int signal)
{
	if (c->phase != PHASE_UP || c->exit_seen)
		return -ESRCH;
	if (c->pidfd.fd < 0)
		return -ESRCH;
	return sys_pidfd_send_signal(c->pidfd.fd, signal);
}

/* Who waits for a start that will not be made hears so. */
static void cancel_start(struct container *c, const char *why)
{
	if (!c->start_again)
		return;
	c->start_again = false;
	c->interrupted = 0;
	text_set(c->error, sizeof(c->error), "%s before it was started", why);
	container_fire(c, EVENT_STARTED, -ECANCELED);
}

static int stop(struct container *c, int64_t grace_ms, int signal, bool by_hand)
{
	int r;

	if (by_hand)
		c->restart.stopped_by_hand = true;
	if (grace_ms == LIFECYCLE_DEFAULT_GRACE)
		grace_ms = c->svc.stop_grace_ms;
	if (c->status == CONTAINER_RESTARTING) {
		loop_timer_cancel(&c->timer);
		c->status = CONTAINER_EXITED;
		container_save_state(c);
		if (c->phase == PHASE_DOWN)
			went_down(c);
		return 0;
	}
	if (c->phase == PHASE_DOWN)
		return -EALREADY;
	container_save_state(c);
	if (c->phase != PHASE_UP) {
		c->stop_signal_due = c->phase != PHASE_CLEANING;
		c->stop_grace_due = grace_ms;
		return 0;
	}
	if (signal <= 0)
		signal = c->svc.stop_signal ? signal_parse(c->svc.stop_signal) : SIGTERM;
	r = lifecycle_kill(c, signal > 0 ? signal : SIGTERM);
	if (r < 0 && r != -ESRCH)
		return r;
	c->timer = (struct loop_timer){ .fire = on_timer, .arg = c };
	if (grace_ms == 0)
		on_timer(c);
	else if (grace_ms > 0)
		loop_timer_set(&c->timer, (uint64_t)grace_ms);
	return 0;
}

int lifecycle_stop(struct container *c, int64_t grace_ms, int signal, bool by_hand)
{
	cancel_start(c, "it was stopped");
	return stop(c, grace_ms, signal, by_hand);
}

int lifecycle_restart(struct container *c, int64_t grace_ms)
{
	bool starting = c->start_again;
	int r;

	c->start_again = false;
	r = stop(c, grace_ms, 0, false);
	if (r < 0 && r != -EALREADY)
		c->start_again = starting;
	if (r == -EALREADY || c->phase == PHASE_DOWN)
		return lifecycle_start(c, true);
	if (r == 0)
		c->restart.stopped_by_hand = c->start_again = true;
	return r;
}

int lifecycle_remove(struct container *c, bool force)
{
	if (c->phase != PHASE_DOWN && !force)
		return -EBUSY;
	c->removing = true;
	cancel_start(c, "it was removed");
	loop_timer_cancel(&c->timer);
	if (c->phase == PHASE_DOWN) {
		runner_unmount(c);
		container_forget(c);
		return 0;
	}
	if (c->phase == PHASE_UP)
		return lifecycle_kill(c, SIGKILL);
	c->stop_signal_due = true;
	c->stop_grace_due = 0;
	return 0;
}

/* -- after a start of the engine ------------------------------------------ */

static void on_watched_again(bool ok, void *arg)
{
	(void)ok;
	(void)arg;
}

void lifecycle_watch_again(void)
{
	for (struct container *c = engine.containers; c; c = c->next)
		if (c->pid > 0 && c->phase >= PHASE_STARTING && c->phase <= PHASE_UP)
			initlink_watch(c->pid, on_watched_again, c);
}

static void on_leftover_deleted(int status, void *arg)
{
	struct container *c = arg;

	(void)status;
	c->child = NULL;
	went_down(c);
}

/* The start was not finished when the engine died: `start` again does no harm to one that runs. */
static void on_start_repeated(int status, void *arg)
{
	struct container *c = arg;

	(void)status;
	c->child = NULL;
	if (c->exit_seen)
		finish_run(c);
}

void lifecycle_adopt(struct container *c)
{
	struct err err = ERR_INIT;
	bool alive;

	c->timer = (struct loop_timer){ .fire = on_timer, .arg = c };
	if (!c->this_boot || c->status != CONTAINER_RUNNING || c->pid <= 0) {
		if (c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING)
			c->status = CONTAINER_EXITED;
		c->pid = 0;
		if (runner_has_leftovers(c) && runner_delete(c, on_leftover_deleted, &err) == 0)
			c->phase = PHASE_CLEANING;
		return;
	}
	c->phase = PHASE_UP;
	c->up_since = loop_now() - (uint64_t)MAX((wall_now() - c->started_ns) / 1000000, 0);
	runner_adopt_pipes(c);
	c->pidfd.fd = sys_pidfd_open(c->pid, 0);
	alive = c->pidfd.fd >= 0 && runner_pid_ticks(c->pid) == c->pid_ticks;
	if (!alive)
		fd_close(&c->pidfd.fd);
	if (initlink_present()) {
		initlink_watch(c->pid, on_watched_again, c);	/* init tells at once when it is over */
	} else if (alive) {
		c->pidfd.ready = on_pidfd;
		c->pidfd.arg = c;
		loop_add(&c->pidfd, EPOLLIN);
	} else {
		lifecycle_exited(c->pid, -1);
		return;
	}
	if (alive && c->starting)
		runner_start(c, on_start_repeated, &err);
}

bool lifecycle_busy(void)
{
	for (struct container *c = engine.containers; c; c = c->next)
		if (c->phase != PHASE_DOWN && c->phase != PHASE_UP)
			return true;
	return false;
}

void lifecycle_unmount_all(void)
{
	for (struct container *c = engine.containers; c; c = c->next)
		if (c->phase == PHASE_DOWN)
			runner_unmount(c);
}
