/* json.c - containers.json, as docs/design/interfaces.md fixes it: complete, nothing left for the reader to guess. */
#include <inttypes.h>
#include <string.h>

#include "compose.h"

static void add_text(struct buf *b, const char *s)
{
	if (s)
		buf_json_string(b, s, strlen(s));
	else
		buf_puts(b, "null");
}

static void add_member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\n   \"%s\": ", name);
	add_text(b, value);
}

static void add_flag(struct buf *b, const char *name, bool value)
{
	buf_printf(b, ",\n   \"%s\": %s", name, value ? "true" : "false");
}

static void add_list(struct buf *b, const struct strings *s)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		buf_puts(b, i ? ", " : "");
		add_text(b, s->v[i]);
	}
	buf_putc(b, ']');
}

static void add_list_member(struct buf *b, const char *name, const struct strings *s)
{
	buf_printf(b, ",\n   \"%s\": ", name);
	add_list(b, s);
}

static void add_words(struct buf *b, const char *name, const struct compose_words *w)
{
	if (w->given)
		add_list_member(b, name, &w->words);
	else
		add_member(b, name, NULL);
}

static void add_mounts(struct buf *b, const struct compose_service *s)
{
	static const char *const types[] = { "bind", "volume", "tmpfs" };

	buf_puts(b, ",\n   \"volumes\": [");
	for (const struct compose_mount *m = s->volumes; m; m = m->next) {
		buf_printf(b, "%s\n    {\"type\": \"%s\", \"source\": ", m == s->volumes ? "" : ",", types[m->type]);
		add_text(b, m->source);
		buf_puts(b, ", \"target\": ");
		add_text(b, m->target);
		buf_printf(b, ", \"read_only\": %s, \"options\": ", m->read_only ? "true" : "false");
		add_list(b, &m->options);
		buf_putc(b, '}');
	}
	buf_puts(b, "],\n   \"tmpfs\": [");
	for (const struct compose_tmpfs *t = s->tmpfs; t; t = t->next) {
		buf_printf(b, "%s\n    {\"target\": ", t == s->tmpfs ? "" : ",");
		add_text(b, t->target);
		buf_puts(b, ", \"options\": ");
		add_list(b, &t->options);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

static void add_depends(struct buf *b, const struct compose_service *s)
{
	bool first = true;

	buf_puts(b, ",\n   \"depends_on\": [");
	for (const struct compose_depend *d = s->depends_on; d; d = d->next) {
		if (d->dropped)
			continue;
		buf_printf(b, "%s\n    {\"name\": ", first ? "" : ",");
		add_text(b, d->name);
		buf_printf(b, ", \"condition\": \"%s\", \"required\": %s}", d->condition, d->required ? "true" : "false");
		first = false;
	}
	buf_putc(b, ']');
}

static void add_labels(struct buf *b, const struct strings *labels)
{
	buf_puts(b, ",\n   \"labels\": {");
	for (size_t i = 0; i + 1 < labels->n; i += 2) {
		buf_puts(b, i ? ", " : "");
		add_text(b, labels->v[i]);
		buf_puts(b, ": ");
		add_text(b, labels->v[i + 1]);
	}
	buf_putc(b, '}');
}

static void add_service(struct buf *b, const struct compose_service *s)
{
	buf_puts(b, "\n  {\"name\": ");
	add_text(b, s->name);
	add_member(b, "container_name", s->container_name);
	add_member(b, "image", s->image);
	add_words(b, "command", &s->command);
	add_words(b, "entrypoint", &s->entrypoint);
	add_list_member(b, "environment", &s->environment);
	add_member(b, "working_dir", s->working_dir);
	add_member(b, "user", s->user);
	add_member(b, "hostname", s->hostname);
	add_mounts(b, s);
	add_flag(b, "read_only", s->read_only);
	buf_printf(b, ",\n   \"restart\": {\"policy\": \"%s\", \"max_retries\": %u}", s->restart, s->max_retries);
	add_depends(b, s);
	add_member(b, "network_mode", s->network_mode);
	add_flag(b, "privileged", s->privileged);
	add_list_member(b, "cap_add", &s->cap_add);
	add_list_member(b, "cap_drop", &s->cap_drop);
	add_labels(b, &s->labels);
	add_member(b, "stop_signal", s->stop_signal);
	buf_printf(b, ",\n   \"stop_grace_period_ms\": %" PRIu64, s->stop_grace_ms);
	add_flag(b, "tty", s->tty);
	buf_printf(b, ",\n   \"line\": %u}", s->at->line);
}

bool compose_write_json(const struct compose *c, struct buf *out)
{
	bool first = true;

	buf_puts(out, "{\"version\": 1, \"project\": ");
	add_text(out, c->project ? c->project : "coracle");
	buf_puts(out, ",\n \"services\": [");
	for (const struct compose_service *s = c->services; s; s = s->next) {
		if (s->broken)
			continue;
		buf_puts(out, first ? "" : ",");
		add_service(out, s);
		first = false;
	}
	buf_puts(out, "],\n \"volumes\": [");
	for (const struct compose_volume *v = c->volumes; v; v = v->next) {
		buf_puts(out, v == c->volumes ? "{\"name\": " : ", {\"name\": ");
		add_text(out, v->name);
		buf_putc(out, '}');
	}
	buf_puts(out, "]}\n");
	return !first;
}
