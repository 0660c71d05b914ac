/* events.c - events kept and given to those who listen, GET /events (coracle-engine). */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiint.h"
#include "engine.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

#define EVENT_MAX 65536u	/* bytes of one as JSON */
#define QUEUE_MAX (1u << 20)	/* bytes that wait for one reader */

struct event {
	int64_t time_ns;
	char type[16], action[128], id[80];
	char **attributes;		/* k=v */
	struct arena mem;
};

struct reader {
	struct reader *next;
	struct request *r;
	struct filters filters;
	struct loop_timer end;
	struct buf out;
	int64_t until_ns;
	bool over;
};

static struct event kept[EVENTS_KEPT];
static size_t kept_count;		/* ever */
static struct reader *readers;

static const char *const known_filters[] = {
	"type", "event", "container", "image", "label", "volume", "network", "daemon", "scope", "plugin", NULL,
};

static const char *attribute(const struct event *e, const char *key)
{
	size_t n = strlen(key);

	for (char **a = e->attributes; a && *a; a++)
		if (strncmp(*a, key, n) == 0 && (*a)[n] == '=')
			return *a + n + 1;
	return "";
}

/* -- filters --------------------------------------------------------------- */

static bool is_type(const char *want, const void *arg)
{
	return strcmp(want, ((const struct event *)arg)->type) == 0;
}

/* "health_status" means "health_status: healthy" too */
static bool is_action(const char *want, const void *arg)
{
	const char *action = ((const struct event *)arg)->action;
	size_t n = strlen(want);

	return strncmp(action, want, n) == 0 && (action[n] == '\0' || action[n] == ':');
}

static bool is_about(const struct event *e, const char *type, const char *want)
{
	return strcmp(e->type, type) == 0 && want[0] && (strncmp(e->id, want, strlen(want)) == 0 || strcmp(attribute(e, "name"), want) == 0);
}

static bool is_container(const char *want, const void *arg)
{
	return is_about(arg, "container", want);
}

static bool is_volume(const char *want, const void *arg)
{
	return is_about(arg, "volume", want);
}

static bool is_network(const char *want, const void *arg)
{
	return is_about(arg, "network", want);
}

static bool is_image(const char *want, const void *arg)
{
	return strcmp(attribute(arg, "image"), want) == 0 || is_about(arg, "image", want);
}

static bool has_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct event *)arg)->attributes);
}

static bool is_local(const char *want, const void *arg)
{
	(void)arg;
	return strcmp(want, "local") == 0;
}

static bool is_wanted(const struct filters *f, const struct event *e)
{
	return filters_any(f, "type", is_type, e) && filters_any(f, "event", is_action, e) && filters_any(f, "container", is_container, e) &&
	       filters_any(f, "volume", is_volume, e) && filters_any(f, "network", is_network, e) && filters_any(f, "image", is_image, e) &&
	       filters_all(f, "label", has_label, e) && filters_any(f, "scope", is_local, e) &&
	       !filters_get(f, "daemon") && !filters_get(f, "plugin");
}

/* -- adding ---------------------------------------------------------------- */

static void write_event(struct buf *b, const struct event *e)
{
	/* a token after another object would get a comma: each has a buffer of its own */
	CLEANUP_BUF struct buf one = { 0 };

	buf_init(&one, EVENT_MAX);
	jw_open(&one, '{');
	if (strcmp(e->type, "container") == 0) {
		jw_kstr(&one, "status", e->action);
		jw_kstr(&one, "id", e->id);
		jw_kstr(&one, "from", attribute(e, "image"));
	}
	jw_kstr(&one, "Type", e->type);
	jw_kstr(&one, "Action", e->action);
	jw_kobj(&one, "Actor");
	jw_kstr(&one, "ID", e->id);
	jw_kmap(&one, "Attributes", e->attributes);
	jw_close(&one, '}');
	jw_kstr(&one, "scope", "local");
	jw_kint(&one, "time", e->time_ns / 1000000000);
	jw_kint(&one, "timeNano", e->time_ns);
	jw_close(&one, '}');
	buf_putc(&one, '\n');
	if (!buf_error(&one))
		buf_add(b, one.data, one.len);
}

static void spread(const struct event *e)
{
	for (struct reader *rd = readers, *next; rd; rd = next) {
		next = rd->next;
		if (!is_wanted(&rd->filters, e))
			continue;
		write_event(&rd->out, e);
		api_resume(rd->r);
	}
}

static struct event *new_event(const char *type, const char *action, const char *id, size_t attributes)
{
	struct event *e = &kept[kept_count % EVENTS_KEPT];

	if (kept_count >= EVENTS_KEPT)
		arena_free(&e->mem);
	kept_count++;
	*e = (struct event){ .time_ns = wall_now() };
	arena_init(&e->mem, EVENT_MAX);
	text_set(e->type, sizeof(e->type), "%s", type);
	text_set(e->action, sizeof(e->action), "%s", action);
	text_set(e->id, sizeof(e->id), "%s", id);
	e->attributes = arena_strv(&e->mem, attributes);
	return e;
}

static void add_attributes(struct event *e, size_t *n, const char *const *v)
{
	for (; e->attributes && v && *v; v++) {
		e->attributes[*n] = arena_strdup(&e->mem, *v);
		if (!e->attributes[*n])
			return;
		(*n)++;
	}
}

void event_container(const struct container *c, const char *action, const char *const *extra)
{
	char familiar[IMAGE_REF_SIZE], image[IMAGE_REF_SIZE + 8], name[300];
	const char *const own[] = { image, name, NULL };
	struct event *e = new_event("container", action, c->id, strv_len(c->svc.labels) + strv_len((char *const *)(uintptr_t)extra) + 2);
	size_t n = 0;

	text_set(image, sizeof(image), "image=%s", api_familiar(c->svc.image, familiar, sizeof(familiar)));
	text_set(name, sizeof(name), "name=%s", c->svc.container_name);
	add_attributes(e, &n, extra);
	add_attributes(e, &n, own);
	add_attributes(e, &n, (const char *const *)(uintptr_t)c->svc.labels);
	spread(e);
}

void event_died(const struct container *c)
{
	char code[32], duration[48];
	const char *const extra[] = { duration, code, NULL };

	text_set(code, sizeof(code), "exitCode=%d", c->exit_code);
	text_set(duration, sizeof(duration), "execDuration=%lld", (long long)((c->finished_ns - c->started_ns) / 1000000000));
	event_container(c, "die", extra);
}

void event_add(const char *type, const char *action, const char *id, const char *const *attributes)
{
	struct event *e = new_event(type, action, id, strv_len((char *const *)(uintptr_t)attributes));
	size_t n = 0;

	add_attributes(e, &n, attributes);
	spread(e);
}

/* -- GET /events ------------------------------------------------------------ */

static ssize_t read_events(void *cls, uint64_t pos, char *out, size_t max)
{
	struct request *r = cls;
	struct reader *rd = r->state;
	size_t n = MIN(rd->out.len, max);

	(void)pos;
	if (r->gone || buf_error(&rd->out))
		return MHD_CONTENT_READER_END_WITH_ERROR;	/* it does not read: it is cut, and knows that something is missing */
	if (n > 0) {
		memcpy(out, rd->out.data, n);
		buf_consume(&rd->out, n);
		return (ssize_t)n;
	}
	if (rd->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	api_suspend(r);
	return 0;
}

static void on_end(void *arg)
{
	struct reader *rd = arg;

	rd->over = true;
	api_resume(rd->r);
}

static void free_reader(struct request *r)
{
	struct reader *rd = r->state, **p = &readers;

	while (*p && *p != rd)
		p = &(*p)->next;
	if (*p)
		*p = rd->next;
	loop_timer_cancel(&rd->end);
	buf_free(&rd->out);
	free(rd);
	r->state = NULL;
}

static bool take_time(struct request *r, const char *key, int64_t *ns)
{
	const char *v = api_query(r, key);

	*ns = 0;
	if (!v || !v[0] || strcmp(v, "0") == 0 || gotime_parse(v, ns) == 0)
		return true;
	api_error(r, 400, "invalid value for \"%s\": %s", key, v);
	return false;
}

void api_events(struct request *r)
{
	struct reader *rd;
	struct err err = ERR_INIT;
	int64_t since, until, now = wall_now();

	if (!take_time(r, "since", &since) || !take_time(r, "until", &until))
		return;
	rd = calloc(1, sizeof(*rd));
	if (!rd)
		return;
	rd->r = r;
	if (filters_parse(&r->mem, api_query(r, "filters"), known_filters, &rd->filters, &err) < 0) {
		free(rd);
		api_error(r, 400, "%s", err.text);
		return;
	}
	buf_init(&rd->out, QUEUE_MAX);
	r->state = rd;
	r->state_free = free_reader;
	rd->next = readers;
	readers = rd;
	for (size_t i = kept_count > EVENTS_KEPT ? kept_count - EVENTS_KEPT : 0; since && i < kept_count; i++) {
		const struct event *e = &kept[i % EVENTS_KEPT];

		if (e->time_ns >= since && (!until || e->time_ns <= until) && is_wanted(&rd->filters, e))
			write_event(&rd->out, e);
	}
	if (until && until <= now) {
		rd->over = true;
	} else if (until) {
		rd->end = (struct loop_timer){ .fire = on_end, .arg = rd };
		loop_timer_set(&rd->end, (uint64_t)((until - now) / 1000000));
	}
	api_stream(r, "application/json", read_events);
}
