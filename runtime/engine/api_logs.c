/* api_logs.c - GET /containers/ID/logs, with follow (coracle-engine). A slow reader holds up nobody: it reads the file at its pace. */
#include "apiint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "gotime.h"
#include "logread.h"
#include "report.h"
#include "text.h"

#define REPLY_CHUNK 32768u

struct logs_state {
	struct logread reader;
	struct log_follower follower;
	struct buf out;
	bool follow, ended;
};

static struct container *the_container(struct request *r)
{
	bool ambiguous;

	return container_find(r->id, &ambiguous);
}

static void on_poke(bool ended, void *arg)
{
	struct request *r = arg;
	struct logs_state *s = r->state;

	s->ended = s->ended || ended;
	api_resume(r);
}

static ssize_t reader(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct logs_state *s = r->state;
	bool ended = s->ended || !the_container(r);	/* looked at before the file is: nothing can come after */
	size_t n;
	int more = 1;

	(void)pos;
	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (s->out.len == 0)
		more = logread_next(&s->reader, &s->out, REPLY_CHUNK);
	n = MIN(s->out.len, max);
	if (n > 0) {
		memcpy(out, s->out.data, n);
		buf_consume(&s->out, n);
		return (ssize_t)n;
	}
	if (more < 0 || !s->follow || ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	api_suspend(r);
	return 0;
}

static void free_state(struct request *r)
{
	struct logs_state *s = r->state;
	struct container *c = the_container(r);

	if (c)
		log_unfollow(c->log, &s->follower);
	logread_close(&s->reader);
	buf_free(&s->out);
	free(s);
	r->state = NULL;
}

/* False: answered. */
static bool take_time(struct request *r, const char *key, int64_t *ns)
{
	const char *v = api_query(r, key);

	*ns = 0;
	if (!v || !v[0] || strcmp(v, "0") == 0 || gotime_parse(v, ns) == 0)
		return true;
	api_error(r, 400, "invalid value for \"%s\": %s", key, v);
	return false;
}

static bool take_options(struct request *r, const struct container *c, struct logread_options *o)
{
	const char *tail = api_query(r, "tail");
	char *end;

	*o = (struct logread_options){
		.out = api_flag(r, "stdout"), .err = api_flag(r, "stderr"),
		.timestamps = api_flag(r, "timestamps"), .raw = c->svc.tty, .tail = -1,
	};
	if (!o->out && !o->err) {
		api_error(r, 400, "Bad parameters: you must choose at least one stream");
		return false;
	}
	if (tail && tail[0] && strcmp(tail, "all") != 0) {
		o->tail = strtoll(tail, &end, 10);
		if (*end || o->tail < 0)
			o->tail = -1;	/* as dockerd */
	}
	return take_time(r, "since", &o->since_ns) && take_time(r, "until", &o->until_ns);
}

void api_logs(struct request *r)
{
	struct container *c = api_container(r);
	struct logread_options opt;
	struct logs_state *s;
	struct err err = ERR_INIT;
	char name[128], path[512];

	if (!c || !take_options(r, c, &opt))
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	buf_init(&s->out, REPLY_CHUNK + 2 * LOG_LINE_MAX + 128);
	r->state = s;
	r->state_free = free_state;
	text_set(name, sizeof(name), "%s-json.log", c->id);
	if (logread_open(&s->reader, engine_container_path(c->id, name, path, sizeof(path)), engine.opt.log_max_files, &opt, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		return;
	}
	s->follow = api_flag(r, "follow");
	s->ended = c->phase == PHASE_DOWN && c->status != CONTAINER_RESTARTING;
	if (s->follow) {
		s->follower = (struct log_follower){ .poke = on_poke, .arg = r };
		log_follow(c->log, &s->follower);
	}
	api_stream(r, opt.raw ? "application/vnd.docker.raw-stream" : "application/vnd.docker.multiplexed-stream", reader);
}
