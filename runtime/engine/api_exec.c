/* api_exec.c - exec: create, start (hijacked or detached), resize, inspect (coracle-engine). exec.c runs them. */
#include "apiint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "api.h"
#include "detach.h"
#include "engine.h"
#include "events.h"
#include "exec.h"
#include "hijack.h"
#include "jw.h"
#include "service_fields.h"
#include "text.h"

struct session {
	struct exec *e;		/* NULL: it is over */
	struct hijack *h;
	struct detach detach;
	bool detached;
};

static bool flag(yyjson_val *root, const char *key)
{
	return yyjson_is_true(yyjson_obj_get(root, key));
}

static void take_size(struct exec *e, yyjson_val *size)
{
	int64_t rows = yyjson_get_sint(yyjson_arr_get(size, 0)), columns = yyjson_get_sint(yyjson_arr_get(size, 1));

	if (rows > 0 && columns > 0 && rows < 65536 && columns < 65536)
		e->size = (struct winsize){ .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };
}

static char *take_text(struct exec *e, yyjson_val *v)
{
	char *s = service_take_str(&e->mem, v);

	return s && s[0] ? s : NULL;
}

static bool fill_in(struct request *r, struct exec *e, yyjson_val *root)
{
	yyjson_val *env = yyjson_obj_get(root, "Env");

	e->argv = service_take_strv(&e->mem, yyjson_obj_get(root, "Cmd"));
	e->env = service_take_strv(&e->mem, env);
	e->user = take_text(e, yyjson_obj_get(root, "User"));
	e->cwd = take_text(e, yyjson_obj_get(root, "WorkingDir"));
	e->detach_keys = take_text(e, yyjson_obj_get(root, "DetachKeys"));
	e->tty = flag(root, "Tty");
	e->privileged = flag(root, "Privileged");
	e->in = flag(root, "AttachStdin");
	e->out = flag(root, "AttachStdout");
	e->err = flag(root, "AttachStderr");
	take_size(e, yyjson_obj_get(root, "ConsoleSize"));
	if (!e->argv || !e->argv[0])
		api_error(r, 400, "No exec command specified");
	else if (env && !yyjson_is_null(env) && !e->env)
		api_error(r, 400, "Env must be an array of strings");
	else if (e->cwd && e->cwd[0] != '/')
		api_error(r, 400, "the working directory '%.100s' is not an absolute path", e->cwd);
	return !r->response;
}

static void tell_create(const struct exec *e)
{
	CLEANUP_BUF struct buf b = { 0 };
	char id[80];
	const char *const extra[] = { id, NULL };

	buf_init(&b, 4096);
	buf_puts(&b, "exec_create:");
	for (char **a = e->argv; *a && !buf_error(&b); a++)
		buf_printf(&b, " %s", *a);
	text_set(id, sizeof(id), "execID=%s", e->id);
	event_container(e->c, b.data, extra);
}

static bool is_up(struct request *r, const struct container *c)
{
	if (c->status == CONTAINER_PAUSED)
		api_error(r, 409, "Container %s is paused, unpause the container before exec", c->id);
	else if (c->phase != PHASE_UP)
		api_error(r, 409, "container %s is not running", c->id);
	return !r->response;
}

void api_exec_create(struct request *r)
{
	struct container *c = api_container(r);
	yyjson_doc *doc;
	struct exec *e;
	struct buf b;

	if (!c || !is_up(r, c))
		return;
	doc = yyjson_read(r->body.data, r->body.len, 0);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		api_error(r, 400, "invalid JSON: an object is needed");
		return;
	}
	e = exec_new(c);
	if (e && !fill_in(r, e, yyjson_doc_get_root(doc))) {
		exec_free(e);
		e = NULL;
	}
	yyjson_doc_free(doc);
	if (!e)
		return;
	tell_create(e);
	buf_init(&b, 1024);
	jw_open(&b, '{');
	jw_kstr(&b, "Id", e->id);
	jw_close(&b, '}');
	api_json(r, 201, &b);
}

static struct exec *find(struct request *r)
{
	struct exec *e = exec_find(r->arg);

	if (!e || e->quiet) {
		api_error(r, 404, "No such exec instance: %s", r->arg);
		return NULL;
	}
	return e;
}

/* -- a hijacked one --------------------------------------------------------------- */

static bool on_output(int stream, const char *data, size_t n, void *arg)
{
	struct session *s = arg;

	if (stream == 0 ? !s->e->out : !s->e->err)
		return true;
	return hijack_send(s->h, stream + 1, data, n);
}

static void on_pull(void *arg)
{
	struct session *s = arg;

	hijack_pull(s->h);
}

static void say_failure(struct session *s, const char *why)
{
	char text[600];

	text_set(text, sizeof(text), "OCI runtime exec failed: %s\r\n", why);
	hijack_send(s->h, 1, text, strlen(text));
}

static void on_ended(int code, void *arg)
{
	struct session *s = arg;

	(void)code;
	if (s->e->failure[0])
		say_failure(s, s->e->failure);
	s->e = NULL;
	hijack_end(s->h);
}

static const struct exec_ops exec_ops = { on_output, on_pull, on_ended };

static size_t on_input(void *owner, const char *data, size_t n)
{
	struct session *s = owner;
	size_t use = n;

	if (!s->e || !s->e->in || s->detached)
		return n;
	if (s->e->tty && detach_scan(&s->detach, data, n, &use)) {
		s->detached = true;
		exec_write(s->e, data, use);
		hijack_end(s->h);
		return n;
	}
	return exec_write(s->e, data, n);
}

static bool on_input_end(void *owner)
{
	struct session *s = owner;

	return !s->e || exec_end_input(s->e);
}

static void on_drained(void *owner)
{
	struct session *s = owner;

	if (s->e)
		exec_go_on(s->e);
}

static void on_closed(void *owner)
{
	struct session *s = owner;

	if (s->e)
		exec_abandon(s->e);
	free(s);
}

static const struct hijack_ops hijack_ops = { on_input, on_input_end, on_drained, on_closed };

static void start_hijacked(struct request *r, struct exec *e)
{
	struct session *s = calloc(1, sizeof(*s));
	struct err err = ERR_INIT;

	if (!s)
		return;
	if (!detach_parse(&s->detach, e->detach_keys)) {
		api_error(r, 400, "Invalid detach keys: %s", e->detach_keys);
		free(s);
		return;
	}
	s->e = e;
	s->h = hijack_begin(r, e->tty, &hijack_ops, s);
	if (!s->h) {
		free(s);
		return;
	}
	if (exec_start(e, &exec_ops, s, &err) == 0)
		return;
	/* the client is past its headers: it hears the reason as output, and the code from inspect */
	e->started = true;
	e->exit_code = 126;
	say_failure(s, err.text);
	s->e = NULL;
	hijack_end(s->h);
}

void api_exec_start(struct request *r)
{
	struct exec *e = find(r);
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	bool detach;

	if (!e)
		return;
	if (!e->c || !is_up(r, e->c)) {
		if (!e->c)
			api_error(r, 409, "Container %s is not running", e->container_id);
		return;
	}
	if (e->started) {
		api_error(r, 409, "exec command %s has already run", e->id);
		return;
	}
	doc = yyjson_read(r->body.data, r->body.len, 0);
	detach = flag(yyjson_doc_get_root(doc), "Detach");
	take_size(e, yyjson_obj_get(yyjson_doc_get_root(doc), "ConsoleSize"));
	yyjson_doc_free(doc);
	if (!detach) {
		start_hijacked(r, e);
		return;
	}
	e->in = false;
	if (exec_start(e, NULL, NULL, &err) < 0)
		api_error(r, 400, "%s", err.text);
	else
		api_empty(r, 200);
}

void api_exec_resize(struct request *r)
{
	struct exec *e = find(r);
	struct winsize size;
	int code;

	if (!e || !api_take_size(r, &size))
		return;
	if (!e->running) {
		api_error(r, 409, "exec process is not started");
		return;
	}
	code = exec_resize(e, &size);
	if (code < 0)
		api_error(r, 500, "cannot resize exec %s: %s", r->arg, err_name(-code));
	else
		api_empty(r, 200);
}

void api_exec_inspect(struct request *r)
{
	struct exec *e = find(r);
	struct buf b;

	if (!e)
		return;
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_kstr(&b, "ID", e->id);
	jw_kbool(&b, "Running", e->running);
	if (e->started && !e->running)
		jw_kint(&b, "ExitCode", e->exit_code);
	else
		jw_kraw(&b, "ExitCode", "null");
	jw_kobj(&b, "ProcessConfig");
	jw_kbool(&b, "tty", e->tty);
	jw_kstr(&b, "entrypoint", e->argv[0]);
	jw_kstrv(&b, "arguments", e->argv + 1);
	jw_kbool(&b, "privileged", e->privileged);
	if (e->user)
		jw_kstr(&b, "user", e->user);
	jw_close(&b, '}');
	jw_kbool(&b, "OpenStdin", e->in);
	jw_kbool(&b, "OpenStderr", e->err);
	jw_kbool(&b, "OpenStdout", e->out);
	jw_kbool(&b, "CanRemove", e->started && !e->running);
	jw_kstr(&b, "ContainerID", e->container_id);
	jw_kstr(&b, "DetachKeys", e->detach_keys ? e->detach_keys : "");
	jw_kint(&b, "Pid", exec_pid(e));
	jw_close(&b, '}');
	api_json(r, 200, &b);
}
