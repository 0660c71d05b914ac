/* dockerrun.c - the options of `docker run` and `podman run`, by a table. */
#include "dockerrun.h"

#include <errno.h>
#include <string.h>

#include "../text.h"
#include "build.h"

enum how { TEXT, ADD, FLAG, FUNCTION, NOTHING, NOTHING_VALUE, WARN, WARN_VALUE, REFUSE, REFUSE_VALUE };

struct run {
	struct quadlet *q;
	const struct node *at;
	struct node *service;
};

struct option {
	const char *name;	/* long, without -- */
	char letter;		/* '\0': none */
	enum how how;
	const char *to;
	int (*read)(const struct run *r, const char *value);
};

static int fail(const struct run *r, const char *hint, const char *what, const char *value)
{
	return diag_at(r->q->ctx->diags, DIAG_ERROR, r->at, hint, "%s %s", what, diag_quote(r->q->ctx->arena, value, strlen(value)));
}

static int read_volume(const struct run *r, const char *value)
{
	build_add_text(r->q->ctx, r->service, "volumes", r->at, value);
	quadlet_declare_source(r->q, r->at, value);
	return 0;
}

/* --entrypoint is one word here. */
static int read_entrypoint(const struct run *r, const char *value)
{
	build_add_text(r->q->ctx, r->service, "entrypoint", r->at, value);
	return 0;
}

static int read_ulimit(const struct run *r, const char *value)
{
	const char *equals = strchr(value, '=');
	const char *colon = equals ? strchr(equals, ':') : NULL;
	struct node *limit = build_map(r->q->ctx, r->at);

	if (!equals)
		return fail(r, "such as nofile=1024:2048", "this is no ulimit:", value);
	build_put(r->q->ctx, limit, "soft", build_text(r->q->ctx, r->at, "%.*s", colon ? (int)(colon - equals - 1) : (int)strlen(equals + 1), equals + 1));
	build_put(r->q->ctx, limit, "hard", build_text(r->q->ctx, r->at, "%s", (colon ? colon : equals) + 1));
	build_put(r->q->ctx, build_map_in(r->q->ctx, r->service, "ulimits", r->at), arena_strndup(r->q->ctx->arena, value, (size_t)(equals - value)), limit);
	return 0;
}

static int read_stop_timeout(const struct run *r, const char *value)
{
	build_put(r->q->ctx, r->service, "stop_grace_period", build_text(r->q->ctx, r->at, "%ss", value));
	return 0;
}

static int read_log_driver(const struct run *r, const char *value)
{
	build_put(r->q->ctx, build_map_in(r->q->ctx, r->service, "logging", r->at), "driver", build_text(r->q->ctx, r->at, "%s", value));
	return 0;
}

static int put_health(const struct run *r, const char *key, const char *value)
{
	build_put(r->q->ctx, build_map_in(r->q->ctx, r->service, "healthcheck", r->at), key, build_text(r->q->ctx, r->at, "%s", value));
	return 0;
}

static int read_health_cmd(const struct run *r, const char *value) { return put_health(r, "test", value); }
static int read_health_interval(const struct run *r, const char *value) { return put_health(r, "interval", value); }
static int read_health_timeout(const struct run *r, const char *value) { return put_health(r, "timeout", value); }
static int read_health_retries(const struct run *r, const char *value) { return put_health(r, "retries", value); }
static int read_health_start(const struct run *r, const char *value) { return put_health(r, "start_period", value); }

static int read_no_health(const struct run *r, const char *value)
{
	(void)value;
	return put_health(r, "disable", "true");
}

#define NO_BRIDGE "there are no bridge networks yet"

static const struct option options[] = {
	{ "name", '\0', TEXT, "container_name", NULL }, { "publish", 'p', ADD, "ports", NULL }, { "env", 'e', ADD, "environment", NULL },
	{ "env-file", '\0', ADD, "env_file", NULL }, { "volume", 'v', FUNCTION, NULL, read_volume }, { "network", '\0', TEXT, "network_mode", NULL },
	{ "net", '\0', TEXT, "network_mode", NULL }, { "restart", '\0', TEXT, "restart", NULL }, { "privileged", '\0', FLAG, "privileged", NULL },
	{ "user", 'u', TEXT, "user", NULL }, { "workdir", 'w', TEXT, "working_dir", NULL }, { "hostname", 'h', TEXT, "hostname", NULL },
	{ "domainname", '\0', TEXT, "domainname", NULL }, { "entrypoint", '\0', FUNCTION, NULL, read_entrypoint },
	{ "cap-add", '\0', ADD, "cap_add", NULL }, { "cap-drop", '\0', ADD, "cap_drop", NULL }, { "device", '\0', ADD, "devices", NULL },
	{ "device-cgroup-rule", '\0', ADD, "device_cgroup_rules", NULL }, { "memory", 'm', TEXT, "mem_limit", NULL },
	{ "memory-reservation", '\0', TEXT, "mem_reservation", NULL }, { "memory-swap", '\0', TEXT, "memswap_limit", NULL },
	{ "cpus", '\0', TEXT, "cpus", NULL }, { "cpu-shares", 'c', TEXT, "cpu_shares", NULL }, { "cpu-quota", '\0', TEXT, "cpu_quota", NULL },
	{ "cpu-period", '\0', TEXT, "cpu_period", NULL }, { "cpuset-cpus", '\0', TEXT, "cpuset", NULL }, { "pids-limit", '\0', TEXT, "pids_limit", NULL },
	{ "ulimit", '\0', FUNCTION, NULL, read_ulimit }, { "sysctl", '\0', ADD, "sysctls", NULL }, { "tmpfs", '\0', ADD, "tmpfs", NULL },
	{ "read-only", '\0', FLAG, "read_only", NULL }, { "shm-size", '\0', TEXT, "shm_size", NULL }, { "dns", '\0', ADD, "dns", NULL },
	{ "dns-search", '\0', ADD, "dns_search", NULL }, { "dns-option", '\0', ADD, "dns_opt", NULL }, { "dns-opt", '\0', ADD, "dns_opt", NULL },
	{ "add-host", '\0', ADD, "extra_hosts", NULL }, { "label", 'l', ADD, "labels", NULL }, { "annotation", '\0', ADD, "annotations", NULL },
	{ "stop-signal", '\0', TEXT, "stop_signal", NULL }, { "stop-timeout", '\0', FUNCTION, NULL, read_stop_timeout }, { "init", '\0', FLAG, "init", NULL },
	{ "tty", 't', FLAG, "tty", NULL }, { "interactive", 'i', FLAG, "stdin_open", NULL }, { "security-opt", '\0', ADD, "security_opt", NULL },
	{ "group-add", '\0', ADD, "group_add", NULL }, { "pull", '\0', TEXT, "pull_policy", NULL }, { "pid", '\0', TEXT, "pid", NULL },
	{ "ipc", '\0', TEXT, "ipc", NULL }, { "uts", '\0', TEXT, "uts", NULL }, { "cgroupns", '\0', TEXT, "cgroup", NULL },
	{ "oom-score-adj", '\0', TEXT, "oom_score_adj", NULL }, { "platform", '\0', TEXT, "platform", NULL },
	{ "log-driver", '\0', FUNCTION, NULL, read_log_driver }, { "health-cmd", '\0', FUNCTION, NULL, read_health_cmd },
	{ "health-interval", '\0', FUNCTION, NULL, read_health_interval }, { "health-timeout", '\0', FUNCTION, NULL, read_health_timeout },
	{ "health-retries", '\0', FUNCTION, NULL, read_health_retries }, { "health-start-period", '\0', FUNCTION, NULL, read_health_start },
	{ "no-healthcheck", '\0', FUNCTION, NULL, read_no_health }, { "detach", 'd', NOTHING, NULL, NULL }, { "rm", '\0', NOTHING, NULL, NULL },
	{ "replace", '\0', NOTHING, NULL, NULL }, { "sig-proxy", '\0', NOTHING, NULL, NULL }, { "quiet", 'q', NOTHING, NULL, NULL },
	{ "cidfile", '\0', NOTHING_VALUE, NULL, NULL }, { "conmon-pidfile", '\0', NOTHING_VALUE, NULL, NULL }, { "cgroups", '\0', NOTHING_VALUE, NULL, NULL },
	{ "sdnotify", '\0', NOTHING_VALUE, NULL, NULL }, { "attach", 'a', NOTHING_VALUE, NULL, NULL }, { "expose", '\0', NOTHING_VALUE, NULL, NULL },
	{ "log-opt", '\0', WARN_VALUE, NULL, NULL }, { "memory-swappiness", '\0', WARN_VALUE, NULL, NULL }, { "oom-kill-disable", '\0', WARN, NULL, NULL },
	{ "publish-all", 'P', REFUSE, NO_BRIDGE, NULL }, { "link", '\0', REFUSE_VALUE, NO_BRIDGE, NULL }, { "ip", '\0', REFUSE_VALUE, NO_BRIDGE, NULL },
	{ "network-alias", '\0', REFUSE_VALUE, NO_BRIDGE, NULL }, { "mac-address", '\0', REFUSE_VALUE, NO_BRIDGE, NULL },
	{ "volumes-from", '\0', REFUSE_VALUE, "name the volumes", NULL }, { "mount", '\0', REFUSE_VALUE, "write it with -v", NULL },
	{ "userns", '\0', REFUSE_VALUE, NULL, NULL }, { "runtime", '\0', REFUSE_VALUE, NULL, NULL }, { "gpus", '\0', REFUSE_VALUE, NULL, NULL },
	{ "cgroup-parent", '\0', REFUSE_VALUE, NULL, NULL }, { "pod", '\0', REFUSE_VALUE, NULL, NULL }, { "volume-driver", '\0', REFUSE_VALUE, NULL, NULL },
};

static bool takes_value(const struct option *o)
{
	/* a flag may have =true behind it, but never takes the next word */
	return o->how != FLAG && o->how != NOTHING && o->how != WARN && o->how != REFUSE && o->read != read_no_health;
}

static int carry_out(const struct run *r, const struct option *o, const char *value)
{
	struct ctx *ctx = r->q->ctx;

	switch (o->how) {
	case TEXT:
		build_put(ctx, r->service, o->to, build_text(ctx, r->at, "%s", value));
		return 0;
	case ADD:
		build_add_text(ctx, r->service, o->to, r->at, value);
		return 0;
	case FLAG:
		build_put(ctx, r->service, o->to, build_text(ctx, r->at, "%s", value ? value : "true"));
		return 0;
	case FUNCTION:
		return o->read(r, value);
	case WARN:
	case WARN_VALUE:
		diag_at(ctx->diags, DIAG_WARNING, r->at, NULL, "the option --%s is not supported by Coracle; it is not used", o->name);
		return 0;
	case REFUSE:
	case REFUSE_VALUE:
		return diag_at(ctx->diags, DIAG_ERROR, r->at, o->to, "the option --%s is not supported by Coracle", o->name);
	default:
		return 0;
	}
}

static const char *option_name(size_t i, const void *arg)
{
	(void)arg;
	return i < ARRAY_SIZE(options) ? options[i].name : NULL;
}

/* --name=value, --name value, --flag; moves *i over the value. */
static int read_long(const struct run *r, const struct strings *words, size_t *i)
{
	const char *word = words->v[*i] + 2;
	size_t n = strcspn(word, "=");
	const char *value = word[n] ? word + n + 1 : NULL;
	const char *near;

	for (size_t k = 0; k < ARRAY_SIZE(options); k++) {
		const struct option *o = &options[k];

		if (strlen(o->name) != n || strncmp(o->name, word, n) != 0)
			continue;
		if (takes_value(o) && !value) {
			if (*i + 1 >= words->n)
				return fail(r, NULL, "there is no value for", words->v[*i]);
			value = words->v[++*i];
		}
		return carry_out(r, o, value);
	}
	near = text_nearest(word, n, option_name, NULL);
	return diag_at(r->q->ctx->diags, DIAG_ERROR, r->at, near ? arena_printf(r->q->ctx->arena, "did you mean --%s?", near) : NULL,
		       "the option %s is not known to Coracle", diag_quote(r->q->ctx->arena, words->v[*i], n + 2));
}

/* -d, -it, -p 80:80, -p80:80 */
static int read_short(const struct run *r, const struct strings *words, size_t *i)
{
	int result = 0;

	for (const char *s = words->v[*i] + 1; *s; s++) {
		const struct option *o = options;
		const char *value = NULL;

		while (o < options + ARRAY_SIZE(options) && o->letter != *s)
			o++;
		if (o == options + ARRAY_SIZE(options))
			return fail(r, NULL, "this option is not known to Coracle:", words->v[*i]);
		if (takes_value(o)) {
			value = s[1] == '=' ? s + 2 : s + 1;
			if (!*value && *i + 1 >= words->n)
				return fail(r, NULL, "there is no value for", words->v[*i]);
			if (!*value)
				value = words->v[++*i];
		}
		if (carry_out(r, o, value) < 0)
			result = -EINVAL;
		if (value)
			break;
	}
	return result;
}

bool dockerrun_is_client(const char *word)
{
	const char *slash = strrchr(word, '/');
	const char *name = slash ? slash + 1 : word;

	return !strcmp(name, "docker") || !strcmp(name, "podman");
}

int dockerrun_read(struct quadlet *q, const struct node *at, const struct strings *words, struct node *service)
{
	const struct run r = { q, at, service };
	size_t i = 2;
	int result = 0;

	for (; i < words->n && words->v[i][0] == '-' && words->v[i][1]; i++) {
		if (!strcmp(words->v[i], "--")) {
			i++;
			break;
		}
		if ((words->v[i][1] == '-' ? read_long(&r, words, &i) : read_short(&r, words, &i)) < 0)
			result = -EINVAL;
	}
	if (i >= words->n)
		return diag_at(q->ctx->diags, DIAG_ERROR, at, NULL, "the command names no image");
	build_put(q->ctx, service, "image", build_text(q->ctx, at, "%s", words->v[i++]));
	for (; i < words->n; i++)
		build_add_text(q->ctx, service, "command", at, words->v[i]);
	return result;
}
