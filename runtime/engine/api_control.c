/* api_control.c - start, stop, restart, kill, wait, rm (coracle-engine). lifecycle.c does them; this translates. */
#include "apiint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "lifecycle.h"
#include "signals.h"

static unsigned start_status(const struct container *c)
{
	return c->exit_code == 127 || c->exit_code == 126 ? 400 : c->image_id[0] ? 500 : 404;
}

static void on_started(struct container *c, enum container_event e, int result, void *arg)
{
	struct request *r = arg;

	(void)e;
	r->waited = NULL;
	if (result == 0)
		api_empty(r, 204);
	else
		api_error(r, start_status(c), "%s", c->error);
	api_resume(r);
}

void api_start(struct request *r)
{
	struct container *c = api_container(r);
	int result;

	if (!c)
		return;
	result = lifecycle_start(c, true);
	if (result == -EALREADY && c->phase == PHASE_UP) {
		api_empty(r, 304);
	} else if (result < 0 && result != -EALREADY) {
		api_error(r, start_status(c), "%s", c->error);
	} else {
		api_wait(r, c, EVENT_STARTED, on_started);
		api_suspend(r);
	}
}

static void on_down(struct container *c, enum container_event e, int result, void *arg)
{
	struct request *r = arg;

	(void)c;
	(void)e;
	(void)result;
	r->waited = NULL;
	api_empty(r, 204);
	api_resume(r);
}

/* ?t=SECONDS, -1: for ever. False: answered. */
static bool take_grace(struct request *r, int64_t *ms)
{
	const char *t = api_query(r, "t");
	char *end;
	long v;

	*ms = LIFECYCLE_DEFAULT_GRACE;
	if (!t || !t[0])
		return true;
	v = strtol(t, &end, 10);
	if (*end || v < -1 || v > 1000000000) {
		api_error(r, 400, "invalid value for t: %s", t);
		return false;
	}
	*ms = v < 0 ? -1 : (int64_t)v * 1000;
	return true;
}

/* ?signal=NAME. False: answered. */
static bool take_signal(struct request *r, int *signal)
{
	const char *s = api_query(r, "signal");

	if (!s || !s[0])
		return true;
	*signal = signal_parse(s);
	if (*signal > 0)
		return true;
	api_error(r, 400, "invalid signal: %s", s);
	return false;
}

void api_stop(struct request *r)
{
	struct container *c = api_container(r);
	int signal = 0, result;
	int64_t grace;

	if (!c || !take_grace(r, &grace) || !take_signal(r, &signal))
		return;
	api_wait(r, c, EVENT_DOWN | EVENT_REMOVED, on_down);
	result = lifecycle_stop(c, grace, signal, true);
	if (r->response)
		return;		/* it was down before we looked */
	if (result < 0) {
		container_unwait(c, &r->waiter);
		r->waited = NULL;
		if (result == -EALREADY)
			api_empty(r, 304);
		else
			api_error(r, 500, "cannot stop container: %s: %s", r->arg, err_name(-result));
		return;
	}
	api_suspend(r);
}

void api_restart(struct request *r)
{
	struct container *c = api_container(r);
	int64_t grace;
	int result;

	if (!c || !take_grace(r, &grace))
		return;
	api_wait(r, c, EVENT_STARTED, on_started);
	result = lifecycle_restart(c, grace);
	if (r->response)
		return;
	if (result < 0) {
		container_unwait(c, &r->waiter);
		r->waited = NULL;
		api_error(r, 500, "Cannot restart container %s: %s", r->arg, c->error);
		return;
	}
	api_suspend(r);
}

void api_kill(struct request *r)
{
	struct container *c = api_container(r);
	int signal = SIGKILL, result;

	if (!c || !take_signal(r, &signal))
		return;
	/* moby: the stop signal, SIGKILL, or any signal of a container without a stop signal cancels restarts */
	if (signal == SIGKILL || !c->svc.stop_signal || signal_parse(c->svc.stop_signal) == signal)
		c->restart.stopped_by_hand = c->phase == PHASE_UP;
	if (c->phase == PHASE_UP)
		container_save_state(c);
	result = lifecycle_kill(c, signal);
	if (result == -ESRCH)
		api_error(r, 409, "cannot kill container: %s: container %s is not running", r->arg, c->id);
	else if (result < 0)
		api_error(r, 500, "cannot kill container: %s: %s", r->arg, err_name(-result));
	else
		api_empty(r, 204);
}

/* -- wait ---------------------------------------------------------------- */

struct wait_state {
	bool over, sent;
	int code;
};

static void on_over(struct container *c, enum container_event e, int result, void *arg)
{
	struct request *r = arg;
	struct wait_state *w = r->state;

	r->waited = NULL;
	w->over = true;
	w->code = e == EVENT_REMOVED ? c->exit_code : result;
	api_resume(r);
}

/* The headers go out before this is called for the first time, so a client learns at once that we are waiting. */
static ssize_t wait_reader(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct wait_state *w = r->state;
	int n;

	(void)pos;
	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (w->sent)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!w->over) {
		api_suspend(r);
		return 0;
	}
	w->sent = true;
	n = snprintf(out, max, "{\"StatusCode\":%d}\n", w->code);
	return n;
}

void api_wait_container(struct request *r)
{
	struct container *c = api_container(r);
	const char *condition = api_query(r, "condition");
	struct wait_state *w;
	int events = EVENT_DOWN | EVENT_REMOVED;

	if (!c)
		return;
	w = arena_alloc(&r->mem, sizeof(*w));
	if (!w)
		return;
	r->state = w;
	if (condition && condition[0] && strcmp(condition, "not-running") != 0) {
		if (strcmp(condition, "next-exit") == 0)
			events = EVENT_EXITED | EVENT_REMOVED;
		else if (strcmp(condition, "removed") == 0)
			events = EVENT_REMOVED;
		else {
			api_error(r, 400, "invalid condition: \"%s\"", condition);
			return;
		}
	} else if (c->phase == PHASE_DOWN && c->status != CONTAINER_RESTARTING) {
		w->over = true;
		w->code = c->exit_code;
	}
	if (!w->over)
		api_wait(r, c, events, on_over);
	api_stream(r, "application/json", wait_reader);
}

/* -- rm ------------------------------------------------------------------ */

void api_remove(struct request *r)
{
	struct container *c = api_container(r);
	int result;

	if (!c)
		return;
	if (c->phase == PHASE_DOWN) {
		lifecycle_remove(c, true);
		api_empty(r, 204);
		return;
	}
	if (!api_flag(r, "force")) {
		api_error(r, 409, "cannot remove container \"/%s\": container is running: stop the container before removing or "
			  "force remove", c->svc.container_name);
		return;
	}
	api_wait(r, c, EVENT_REMOVED, on_down);
	result = lifecycle_remove(c, true);
	if (result < 0 && !r->response) {
		container_unwait(c, &r->waiter);
		r->waited = NULL;
		api_error(r, 500, "cannot remove container: %s", err_name(-result));
	} else if (!r->response) {
		api_suspend(r);
	}
}
