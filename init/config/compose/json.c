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

static void add_pairs(struct buf *b, const char *name, const struct strings *labels)
{
	buf_printf(b, ",\n   \"%s\": {", name);
	for (size_t i = 0; i + 1 < labels->n; i += 2) {
		buf_puts(b, i ? ", " : "");
		add_text(b, labels->v[i]);
		buf_puts(b, ": ");
		add_text(b, labels->v[i + 1]);
	}
	buf_putc(b, '}');
}

static void add_number(struct buf *b, const char *name, int64_t value)
{
	if (value)
		buf_printf(b, ",\n   \"%s\": %" PRId64, name, value);
}

static void add_wanted(struct buf *b, const char *name, const char *value)
{
	if (value)
		add_member(b, name, value);
}

static void add_wanted_list(struct buf *b, const char *name, const struct strings *s)
{
	if (s->n)
		add_list_member(b, name, s);
}

static void add_health(struct buf *b, const struct compose_health *h)
{
	if (!h->at)
		return;
	buf_puts(b, ",\n   \"healthcheck\": {\"test\": ");
	if (h->test.n)
		add_list(b, &h->test);
	else
		buf_puts(b, "null");
	buf_printf(b, ", \"interval_ms\": %" PRIu64 ", \"timeout_ms\": %" PRIu64 ", \"retries\": %" PRIu64, h->interval_ms, h->timeout_ms, h->retries);
	buf_printf(b, ", \"start_period_ms\": %" PRIu64 ", \"start_interval_ms\": %" PRIu64 "}", h->start_period_ms, h->start_interval_ms);
}

/* What is there only when it was asked for. */
static void add_wanted_keys(struct buf *b, const struct compose_service *s)
{
	const struct compose_limits *l = &s->limits;

	if (s->init)
		add_flag(b, "init", true);
	if (s->stdin_open)
		add_flag(b, "stdin_open", true);
	add_wanted(b, "domainname", s->domainname);
	add_wanted_list(b, "group_add", &s->group_add);
	add_number(b, "mem_limit", l->mem_limit > 0 ? l->mem_limit : 0);
	add_number(b, "mem_reservation", l->mem_reservation);
	add_number(b, "memswap_limit", l->memswap_limit);
	add_number(b, "cpu_quota", l->cpu_quota);
	add_number(b, "cpu_period", l->cpu_period);
	add_number(b, "cpu_shares", l->cpu_shares);
	add_wanted(b, "cpuset", l->cpuset);
	add_number(b, "pids_limit", l->pids_limit);
	add_number(b, "oom_score_adj", l->oom_score_adj);
	add_number(b, "shm_size", l->shm_size);
	add_wanted_list(b, "ulimits", &l->ulimits);
	if (l->sysctls.n)
		add_pairs(b, "sysctls", &l->sysctls);
	add_wanted_list(b, "devices", &s->devices);
	add_wanted_list(b, "device_cgroup_rules", &s->device_rules);
	add_wanted_list(b, "security_opt", &s->security_opt);
	add_wanted(b, "pid", s->pid);
	add_wanted(b, "ipc", s->ipc);
	add_wanted(b, "uts", s->uts);
	add_wanted(b, "cgroup", s->cgroup);
	add_wanted_list(b, "dns", &s->dns);
	add_wanted_list(b, "dns_search", &s->dns_search);
	add_wanted_list(b, "dns_opt", &s->dns_opt);
	add_wanted_list(b, "extra_hosts", &s->extra_hosts);
	if (s->annotations.n)
		add_pairs(b, "annotations", &s->annotations);
	add_wanted(b, "pull_policy", s->pull_policy);
	add_health(b, &s->health);
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
	add_pairs(b, "labels", &s->labels);
	add_member(b, "stop_signal", s->stop_signal);
	buf_printf(b, ",\n   \"stop_grace_period_ms\": %" PRIu64, s->stop_grace_ms);
	add_flag(b, "tty", s->tty);
	add_wanted_keys(b, s);
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
