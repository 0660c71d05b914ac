/* api_attach.c - POST /containers/ID/attach and /resize (coracle-engine). A client that does not read holds up nobody for ever (hijack.h). */
#include "apiint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "detach.h"
#include "engine.h"
#include "events.h"
#include "hijack.h"
#include "input.h"
#include "logread.h"
#include "text.h"

struct attach {
	struct attach *next;
	struct container *c;	/* NULL: it has gone */
	struct hijack *h;
	struct log_tap tap;
	struct container_waiter waiter;
	struct detach detach;
	bool in, out, err, detached;
};

static struct attach *attaches;

static bool on_bytes(int stream, const char *data, size_t n, void *arg)
{
	struct attach *a = arg;

	if (stream == 0 ? !a->out : !a->err)
		return true;
	return hijack_send(a->h, stream + 1, data, n);
}

static void on_run_over(void *arg)
{
	struct attach *a = arg;

	hijack_end(a->h);
}

/* The container is removed, or its start failed before it had pipes. */
static void on_event(struct container *c, enum container_event e, int result, void *arg)
{
	struct attach *a = arg;

	(void)result;
	if (e == EVENT_REMOVED) {
		log_remove_tap(c->log, &a->tap);
		a->c = NULL;
	}
	hijack_end(a->h);
}

static size_t on_input(void *owner, const char *data, size_t n)
{
	struct attach *a = owner;
	size_t use = n;
	ssize_t done;

	if (!a->in || !a->c || a->detached)
		return n;
	if (a->c->svc.tty && detach_scan(&a->detach, data, n, &use)) {
		a->detached = true;
		event_container(a->c, "detach", NULL);
		hijack_end(a->h);
	}
	done = input_write(a->c, data, use);
	if (a->detached)
		return n;
	return done < 0 ? 0 : (size_t)done;
}

static bool on_input_end(void *owner)
{
	struct attach *a = owner;

	if (!a->in || !a->c)
		return true;
	if (input_write(a->c, "", 0) < 0)
		return false;	/* not started yet */
	input_end(a->c);
	return true;
}

static void on_drained(void *owner)
{
	struct attach *a = owner;

	if (a->c)
		log_go_on(a->c->log);
}

static void on_closed(void *owner)
{
	struct attach *a = owner, **p = &attaches;

	if (a->c) {
		log_remove_tap(a->c->log, &a->tap);
		container_unwait(a->c, &a->waiter);
		if (a->in && !a->detached)
			input_end(a->c);
	}
	while (*p && *p != a)
		p = &(*p)->next;
	if (*p)
		*p = a->next;
	free(a);
}

static const struct hijack_ops ops = { on_input, on_input_end, on_drained, on_closed };

void attach_pull(struct container *c)
{
	for (struct attach *a = attaches, *next; a; a = next) {
		next = a->next;
		if (a->c == c && a->in)
			hijack_pull(a->h);
	}
}

/* What is in the log already (logs=1). */
static void send_log(struct attach *a)
{
	struct logread_options opt = { .out = a->out, .err = a->err, .raw = true, .tail = -1 };
	char name[128], path[512];
	struct logread reader;
	struct err err = ERR_INIT;

	text_set(name, sizeof(name), "%s-json.log", a->c->id);
	if (logread_open(&reader, engine_container_path(a->c->id, name, path, sizeof(path)), engine.opt.log_max_files, &opt, &err) < 0)
		return;
	for (int more = 1, all = 0; more > 0 && all < (int)(HIJACK_MAX / 4);) {
		CLEANUP_BUF struct buf b = { 0 };

		buf_init(&b, 2 * LOG_RECORD_MAX + 65536);
		more = logread_next(&reader, &b, 32768);
		hijack_send(a->h, 1, b.data, b.len);
		all += (int)b.len;
	}
	logread_close(&reader);
}

void api_attach(struct request *r)
{
	struct container *c = api_container(r);
	struct attach *a;

	if (!c)
		return;
	if (c->status == CONTAINER_PAUSED) {
		api_error(r, 409, "container %s is paused, unpause the container before attach", r->arg);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	a->c = c;
	a->in = api_flag(r, "stdin") && c->svc.stdin_open;
	a->out = api_flag(r, "stdout");
	a->err = api_flag(r, "stderr");
	if (!detach_parse(&a->detach, api_query(r, "detachKeys"))) {
		api_error(r, 400, "Invalid detach keys: %s", api_query(r, "detachKeys"));
		free(a);
		return;
	}
	a->h = hijack_begin(r, c->svc.tty, &ops, a);
	if (!a->h) {
		free(a);
		return;
	}
	a->next = attaches;
	attaches = a;
	a->tap = (struct log_tap){ .bytes = on_bytes, .end = on_run_over, .arg = a };
	if (api_flag(r, "logs"))
		send_log(a);
	a->waiter = (struct container_waiter){ .events = EVENT_REMOVED | EVENT_DOWN, .fire = on_event, .arg = a };
	container_wait(c, &a->waiter);
	if (api_flag(r, "stream"))
		log_add_tap(c->log, &a->tap);
	else
		hijack_end(a->h);
	event_container(c, "attach", NULL);
}

/* -- resize ---------------------------------------------------------------- */

bool api_take_size(struct request *r, struct winsize *out)
{
	const char *h = api_query(r, "h"), *w = api_query(r, "w");
	char *end_h = NULL, *end_w = NULL;
	long rows = h ? strtol(h, &end_h, 10) : -1, columns = w ? strtol(w, &end_w, 10) : -1;

	if (!h || !w || *end_h || *end_w || rows < 0 || columns < 0 || rows > 65535 || columns > 65535) {
		api_error(r, 400, "invalid size: h=%s, w=%s: both must be numbers from 0 to 65535", h ? h : "", w ? w : "");
		return false;
	}
	*out = (struct winsize){ .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
	return true;
}

void api_resize(struct request *r)
{
	struct container *c = api_container(r);
	struct winsize size;

	if (!c || !api_take_size(r, &size))
		return;
	if (c->phase < PHASE_CREATING || c->phase > PHASE_UP) {
		api_error(r, 409, "cannot resize container %s: container is not running", r->arg);
		return;
	}
	if (!c->svc.tty || log_terminal(c->log) < 0) {
		api_error(r, 500, "cannot resize container %s: it has no terminal", r->arg);
		return;
	}
	if (ioctl(log_terminal(c->log), TIOCSWINSZ, &size) < 0) {
		api_error(r, 500, "cannot resize container %s: %s", r->arg, err_name(errno));
		return;
	}
	event_container(c, "resize", NULL);
	api_empty(r, 200);
}
