/* api_pull.c - POST /images/create?fromImage=: a pull and its progress (coracle-engine). A client that goes ends a pull that nobody else wants. */
#include "apiint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jw.h"
#include "pulls.h"
#include "runtime/image/image.h"
#include "text.h"

#define BACKLOG_MAX (1u << 20)		/* bytes that a slow client may owe */
#define BACKLOG_PROGRESS (64u << 10)	/* beyond that no more progress for it */

struct pull_state {
	struct pull_listener listener;
	struct buf out;
	bool begun, ended;
};

static ssize_t reader(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct pull_state *s = r->state;
	size_t n = MIN(s->out.len, max);

	(void)pos;
	if (r->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n > 0) {
		memcpy(out, s->out.data, n);
		buf_consume(&s->out, n);
		return (ssize_t)n;
	}
	if (s->ended)
		return MHD_CONTENT_READER_END_OF_STREAM;
	api_suspend(r);
	return 0;
}

static void begin_stream(struct request *r, struct pull_state *s)
{
	if (s->begun)
		return;
	s->begun = true;
	api_stream(r, "application/json", reader);
}

static void on_line(const char *json, void *arg)
{
	struct request *r = arg;
	struct pull_state *s = r->state;

	if (s->out.len > BACKLOG_PROGRESS && strstr(json, "\"Downloading\""))
		return;
	begin_stream(r, s);
	buf_puts(&s->out, json);
	buf_puts(&s->out, "\r\n");
	api_resume(r);
}

static unsigned status_of(int code)
{
	return code == ENOENT || code == EACCES ? 404 : code == EINVAL ? 400 : 500;
}

static void on_done(int code, const char *text, void *arg)
{
	struct request *r = arg;
	struct pull_state *s = r->state;

	s->ended = true;
	if (code && !s->begun) {
		api_error(r, status_of(code), "%s", text);
	} else if (code) {
		jw_open(&s->out, '{');
		jw_kobj(&s->out, "errorDetail");
		jw_kstr(&s->out, "message", text);
		jw_close(&s->out, '}');
		jw_kstr(&s->out, "error", text);
		jw_close(&s->out, '}');
		buf_puts(&s->out, "\r\n");
	}
	if (!code)
		begin_stream(r, s);
	api_resume(r);
}

static void free_state(struct request *r)
{
	struct pull_state *s = r->state;

	pulls_leave(&s->listener);
	buf_free(&s->out);
	free(s);
	r->state = NULL;
}

void api_pull(struct request *r)
{
	const char *from = api_query(r, "fromImage"), *tag = api_query(r, "tag");
	const char *auth = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "X-Registry-Auth");
	struct pull_state *s = calloc(1, sizeof(*s));
	struct err err = ERR_INIT;
	char name[IMAGE_REF_SIZE + 160];

	if (!s)
		return;
	buf_init(&s->out, BACKLOG_MAX);
	r->state = s;
	r->state_free = free_state;
	s->listener = (struct pull_listener){ .line = on_line, .done = on_done, .arg = r };
	text_set(name, sizeof(name), "%s%s%s", from ? from : "", !tag || !*tag ? "" : strchr(tag, ':') ? "@" : ":", tag ? tag : "");
	if (pulls_join(&s->listener, name, api_query(r, "platform"), auth, &err) < 0)
		api_error(r, err.code == EINVAL || !err.code ? 400 : 500, err.code == EINVAL || !err.code ? "invalid reference format: %s" : "%s", err.text);
	else
		api_suspend(r);
}
