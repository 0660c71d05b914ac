/* api_process.c - top, pause, unpause, rename, prune of containers (coracle-engine). */
#include "apiint.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

#include "api.h"
#include "capture.h"
#include "engine.h"
#include "events.h"
#include "fd.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "lifecycle.h"
#include "runner.h"
#include "text.h"

/* A request that waits for a child; when its client goes the child's answer is for nobody. */
struct pending {
	struct request *r;
	char id[CONTAINER_ID_LEN + 1];
	bool pause;
};

static void forget_request(struct request *r)
{
	struct pending *p = r->state;

	p->r = NULL;
}

static struct pending *wait_for_child(struct request *r, const struct container *c)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->r = r;
	text_set(p->id, sizeof(p->id), "%s", c->id);
	r->state = p;
	r->state_free = forget_request;
	return p;
}

/* The request, when there is one still; its answer follows. */
static struct request *take_request(struct pending *p)
{
	struct request *r = p->r;

	if (r) {
		r->state = NULL;
		r->state_free = NULL;
	}
	free(p);
	return r;
}

/* -- top -------------------------------------------------------------------------- */

static void add_process(struct buf *b, long pid)
{
	char path[64], stat[1024], cmd[4096], text[64], *p;
	long ppid = 0, tty = 0;
	unsigned long long utime = 0, stime = 0, start = 0;
	struct stat st;
	int n;

	text_set(path, sizeof(path), "/proc/%ld/stat", pid);
	if (fd_read_small(AT_FDCWD, path, stat, sizeof(stat)) < 0 || !(p = strrchr(stat, ')')))
		return;
	sscanf(p + 2, "%*c %ld %*d %*d %ld %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu", &ppid, &tty, &utime, &stime, &start);
	text_set(path, sizeof(path), "/proc/%ld", pid);
	if (lstat(path, &st) < 0)
		return;
	text_set(path, sizeof(path), "/proc/%ld/cmdline", pid);
	n = open(path, O_RDONLY | O_CLOEXEC);
	if (n >= 0) {
		ssize_t len = fd_read_full(n, cmd, sizeof(cmd) - 1);

		for (ssize_t i = 0; i + 1 < len; i++)
			if (cmd[i] == '\0')
				cmd[i] = ' ';
		cmd[len > 0 ? len : 0] = '\0';
		close(n);
	}
	jw_open(b, '[');
	text_set(text, sizeof(text), "%u", (unsigned)st.st_uid);
	jw_str(b, st.st_uid == 0 ? "root" : text);
	text_set(text, sizeof(text), "%ld", pid);
	jw_str(b, text);
	text_set(text, sizeof(text), "%ld", ppid);
	jw_str(b, text);
	jw_str(b, "0");
	{
		time_t when = (time_t)(wall_now() / 1000000000 - (int64_t)(loop_now() / 1000) + (int64_t)(start / 100));
		struct tm tm;

		gmtime_r(&when, &tm);
		strftime(text, sizeof(text), "%H:%M", &tm);
	}
	jw_str(b, text);
	if (tty)
		text_set(text, sizeof(text), "pts/%ld", tty & 0xff);
	else
		text_set(text, sizeof(text), "?");
	jw_str(b, text);
	utime = (utime + stime) / 100;
	text_set(text, sizeof(text), "%02llu:%02llu:%02llu", utime / 3600, utime / 60 % 60, utime % 60);
	jw_str(b, text);
	jw_str(b, n >= 0 ? cmd : "");
	jw_close(b, ']');
}

static void on_top(struct capture *cap, int status, const char *out, const char *errors)
{
	static const char *const titles[] = { "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD" };
	struct request *r = take_request(cap->arg);
	yyjson_doc *doc = yyjson_read(out, strlen(out), 0);
	size_t i, max;
	yyjson_val *v;
	struct buf b;

	if (!r) {
		yyjson_doc_free(doc);
		return;
	}
	if (status != 0 || !doc) {
		api_error(r, 500, "list processes: %.300s", errors);
	} else {
		buf_init(&b, API_REPLY_MAX);
		jw_open(&b, '{');
		jw_karr(&b, "Titles");
		for (i = 0; i < ARRAY_SIZE(titles); i++)
			jw_str(&b, titles[i]);
		jw_close(&b, ']');
		jw_karr(&b, "Processes");
		yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, v)
			add_process(&b, (long)yyjson_get_sint(v));
		jw_close(&b, ']');
		jw_close(&b, '}');
		api_json(r, 200, &b);
	}
	yyjson_doc_free(doc);
	api_resume(r);
}

void api_top(struct request *r)
{
	struct container *c = api_container(r);
	const char *args = api_query(r, "ps_args");
	char *argv[] = { (char *)(uintptr_t)"ps", (char *)(uintptr_t)"--format", (char *)(uintptr_t)"json", c ? c->id : NULL, NULL };
	struct err err = ERR_INIT;
	struct pending *p;

	if (!c)
		return;
	if (c->phase != PHASE_UP) {
		api_error(r, 409, "container %s is not running", c->id);
		return;
	}
	if (args && args[0] && strcmp(args, "-ef") != 0) {
		api_error(r, 400, "ps options \"%.60s\" are not supported: there is -ef only", args);
		return;
	}
	p = wait_for_child(r, c);
	if (!p)
		return;
	if (capture_runtime(argv, on_top, p, &err) < 0) {
		take_request(p);
		api_error(r, 500, "%s", err.text);
		return;
	}
	api_suspend(r);
}

/* -- pause ------------------------------------------------------------------------ */

static void on_paused(struct capture *cap, int status, const char *out, const char *errors)
{
	struct pending *p = cap->arg;
	bool pause = p->pause, ambiguous;
	struct container *c = container_find(p->id, &ambiguous);
	struct request *r = take_request(p);

	(void)out;
	if (status == 0 && c && c->phase == PHASE_UP) {
		c->status = pause ? CONTAINER_PAUSED : CONTAINER_RUNNING;
		container_save_state(c);
		event_container(c, pause ? "pause" : "unpause", NULL);
	}
	if (!r)
		return;
	if (status == 0)
		api_empty(r, 204);
	else
		api_error(r, 500, "Cannot %s container %s: %.300s", pause ? "pause" : "unpause", r->arg, errors);
	api_resume(r);
}

static void pause_or_not(struct request *r, bool pause)
{
	struct container *c = api_container(r);
	char *argv[] = { (char *)(uintptr_t)(pause ? "pause" : "resume"), c ? c->id : NULL, NULL };
	struct err err = ERR_INIT;
	struct pending *p;

	if (!c)
		return;
	if (c->phase != PHASE_UP) {
		api_error(r, 409, "Container %s is not running", c->id);
		return;
	}
	if (pause == (c->status == CONTAINER_PAUSED)) {
		api_error(r, pause ? 409 : 500, "Container %s is %s paused", c->id, pause ? "already" : "not");
		return;
	}
	p = wait_for_child(r, c);
	if (!p)
		return;
	p->pause = pause;
	if (capture_runtime(argv, on_paused, p, &err) < 0) {
		take_request(p);
		api_error(r, 500, "%s", err.text);
		return;
	}
	api_suspend(r);
}

void api_pause(struct request *r)
{
	pause_or_not(r, true);
}

void api_unpause(struct request *r)
{
	pause_or_not(r, false);
}

/* -- rename, prune ------------------------------------------------------------------ */

void api_rename(struct request *r)
{
	struct container *c = api_container(r);
	const char *name = api_query(r, "name");
	char old[300], *copy, *before;
	const char *const extra[] = { old, NULL };
	struct err err = ERR_INIT;

	if (!c)
		return;
	if (name && name[0] == '/')
		name++;
	if (!name || !name[0]) {
		api_error(r, 400, "Neither old nor new names may be empty");
		return;
	}
	if (strcmp(name, c->svc.container_name) == 0) {
		api_error(r, 400, "Renaming a container with the same name as its current name");
		return;
	}
	if (!api_name_free(r, name))
		return;
	copy = arena_strdup(&c->mem, name);
	before = c->svc.container_name;
	if (!copy)
		return;
	c->svc.container_name = copy;
	if (container_save_config(c, &err) < 0) {
		c->svc.container_name = before;
		api_error(r, 500, "%s", err.text);
		return;
	}
	text_set(old, sizeof(old), "oldName=/%s", before);
	event_container(c, "rename", extra);
	api_empty(r, 204);
}

static bool has_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct container *)arg)->svc.labels);
}

static bool lacks_label(const char *want, const void *arg)
{
	return !has_label(want, arg);
}

void api_prune_containers(struct request *r)
{
	static const char *const known[] = { "until", "label", "label!", NULL };
	struct err err = ERR_INIT;
	struct filters f;
	struct buf b;

	if (filters_parse(&r->mem, api_query(r, "filters"), known, &f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	if (filters_get(&f, "until")) {
		api_error(r, 501, "the filter until is not supported");
		return;
	}
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_karr(&b, "ContainersDeleted");
	for (struct container *c = engine.containers, *next; c; c = next) {
		next = c->next;
		/* those of the boot configuration stay: the next boot would make them anew */
		if (c->phase != PHASE_DOWN || c->status == CONTAINER_RESTARTING || c->from_boot || !filters_all(&f, "label", has_label, c) ||
		    !filters_all(&f, "label!", lacks_label, c))
			continue;
		jw_str(&b, c->id);
		lifecycle_remove(c, true);
	}
	jw_close(&b, ']');
	jw_kint(&b, "SpaceReclaimed", 0);
	jw_close(&b, '}');
	api_json(r, 200, &b);
}
