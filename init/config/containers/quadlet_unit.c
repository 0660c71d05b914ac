/* quadlet_unit.c - [Unit], [Service] and [Install] of a container's unit: order, restart, the time to stop. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "build.h"
#include "quadlet.h"

struct node *quadlet_section(struct quadlet *q, const char *key, const struct node *at)
{
	if (!q->document)
		q->document = build_map(q->ctx, at);
	return build_map_in(q->ctx, q->document, key, at);
}

void quadlet_declare_volume(struct quadlet *q, const struct node *at, const char *key, const char *name)
{
	struct node *volumes = quadlet_section(q, "volumes", at);
	struct node *volume;

	if (node_get(volumes, key))
		return;
	volume = build_map(q->ctx, at);
	build_put(q->ctx, volume, "name", build_text(q->ctx, at, "%s", name));
	build_put(q->ctx, volumes, key, volume);
}

void quadlet_declare_source(struct quadlet *q, const struct node *at, const char *text)
{
	size_t n = strcspn(text, ":");
	char *source = arena_strndup(q->ctx->arena, text, n);

	if (text[n] && n > 0 && !strpbrk(source, "/~") && source[0] != '.' && !(n > 7 && !strcmp(source + n - 7, ".volume")))
		quadlet_declare_volume(q, at, source, source);
}

static bool ends_in(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && !strcmp(s + n - m, suffix);
}

static bool is_expected(const struct quadlet *q, const char *name)
{
	for (size_t i = 0; i < q->units.n; i++)
		if (!strcmp(q->units.v[i], name))
			return true;
	return false;
}

static int add_depend(struct quadlet *q, const struct unit_entry *e, const char *unit, bool required, struct node *service)
{
	struct node *depends;
	struct node *one;
	char *name;

	/* what these stand for is there before the first container */
	if (ends_in(unit, ".target") || ends_in(unit, ".mount") || ends_in(unit, ".socket") || ends_in(unit, ".slice") || ends_in(unit, "-volume.service") ||
	    ends_in(unit, "-network.service"))
		return 0;
	name = arena_strndup(q->ctx->arena, unit, strlen(unit) - (ends_in(unit, ".service") ? 8 : ends_in(unit, ".container") ? 10 : 0));
	if (!strcmp(name, "docker") || !strcmp(name, "podman") || !strcmp(name, "containerd") || !strcmp(name, "network-online"))
		return 0;
	if (!is_expected(q, name)) {
		if (required)
			return diag_at(q->ctx->diags, DIAG_ERROR, e->at, NULL, "%s=%s: there is no such container", e->key, diag_quote(q->ctx->arena, unit, strlen(unit)));
		diag_at(q->ctx->diags, DIAG_WARNING, e->at, NULL, "%s=%s: there is no such container, nothing is waited for", e->key,
			diag_quote(q->ctx->arena, unit, strlen(unit)));
		return 0;
	}
	depends = build_map_in(q->ctx, service, "depends_on", e->at);
	if (node_get(depends, name) && !required)
		return 0;
	one = build_map(q->ctx, e->at);
	build_put(q->ctx, one, "required", build_text(q->ctx, e->at, required ? "true" : "false"));
	build_put(q->ctx, depends, name, one);
	return 0;
}

static int read_order(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const required[] = { "Requires", "BindsTo", "Requisite" };
	static const char *const weak[] = { "After", "Wants", "Upholds", "PartOf" };
	struct strings words = { NULL, 0 };
	int kind = -1;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		kind = !strcmp(e->key, required[i]) ? 1 : kind;
	for (size_t i = 0; i < ARRAY_SIZE(weak); i++)
		kind = !strcmp(e->key, weak[i]) ? 0 : kind;
	if (kind < 0)
		return 1;
	if (unit_words(q->ctx, e, &words) < 0)
		return -EINVAL;
	for (size_t i = 0; i < words.n; i++)
		if (add_depend(q, e, words.v[i], kind, service) < 0)
			r = -EINVAL;
	return r;
}

static bool one_of(const char *key, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(key, *list))
			return true;
	return false;
}

static int unknown(struct quadlet *q, const struct unit_entry *e, bool error)
{
	return diag_at(q->ctx->diags, error ? DIAG_ERROR : DIAG_WARNING, e->at, NULL, "%s= in [%s] is not supported by Coracle%s", e->key, e->section,
		       error ? "" : "; it is not used");
}

static int read_unit_key(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const ignored[] = { "Description", "Documentation", "SourcePath", "DefaultDependencies", "RequiresMountsFor", "Conflicts", "Before",
					       "OnFailure", "IgnoreOnIsolate", NULL };
	static const char *const weak[] = { "StartLimitIntervalSec", "StartLimitBurst", "StartLimitInterval", NULL };
	int r = read_order(q, e, service);

	if (r <= 0 || one_of(e->key, ignored))
		return r < 0 ? r : 0;
	/* a Condition that is not looked at could start what should not be */
	r = unknown(q, e, !one_of(e->key, weak));
	return one_of(e->key, weak) ? 0 : r;
}

static int read_restart(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const map[][2] = {
		{ "no", "no" }, { "always", "always" }, { "on-failure", "on-failure" }, { "on-abnormal", "on-failure" }, { "on-abort", "on-failure" },
		{ "on-watchdog", "on-failure" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(e->value, map[i][0])) {
			build_put(q->ctx, service, "restart", build_text(q->ctx, e->at, "%s", map[i][1]));
			return 0;
		}
	return diag_at(q->ctx->diags, DIAG_ERROR, e->at, "no, always or on-failure", "Restart=%s is not supported by Coracle",
		       diag_quote(q->ctx->arena, e->value, strlen(e->value)));
}

static int read_stop(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	uint64_t ms;

	if (unit_duration(e->value, &ms) < 0)
		return diag_at(q->ctx->diags, DIAG_ERROR, e->at, "such as 30s", "%s is not a duration", diag_quote(q->ctx->arena, e->value, strlen(e->value)));
	build_put(q->ctx, service, "stop_grace_period", build_text(q->ctx, e->at, "%" PRIu64 "ms", ms));
	return 0;
}

static int read_service_key(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const ignored[] = { "Type", "RemainAfterExit", "KillMode", "Delegate", "NotifyAccess", "SyslogIdentifier", "StandardOutput",
					       "StandardError", "TimeoutStartSec", "PIDFile", "Slice", NULL };
	static const char *const weak[] = { "RestartSec", "RestartSteps", "RestartMaxDelaySec", "TimeoutSec", "Environment", "EnvironmentFile", "LimitNOFILE",
					    "LimitNPROC", "LimitCORE", "TasksMax", "Nice", "OOMScoreAdjust", "WatchdogSec", "SuccessExitStatus", NULL };

	if (!strcmp(e->key, "Restart"))
		return read_restart(q, e, service);
	if (!strcmp(e->key, "TimeoutStopSec"))
		return read_stop(q, e, service);
	if (one_of(e->key, ignored))
		return 0;
	unknown(q, e, !one_of(e->key, weak));
	return one_of(e->key, weak) ? 0 : -EINVAL;
}

/* In a plain unit: what is run, and the variables in it. */
static bool is_callers(const char *key)
{
	return !strncmp(key, "Exec", 4) || !strcmp(key, "Environment");
}

int quadlet_read_unit(struct quadlet *q, const struct unit_entry *entries, struct node *service, bool *installed)
{
	int r = 0;

	for (const struct unit_entry *e = entries; e; e = e->next) {
		if (!strcmp(e->section, "Unit") && read_unit_key(q, e, service) < 0)
			r = -EINVAL;
		if (!strcmp(e->section, "Service") && !(installed && is_callers(e->key)) && read_service_key(q, e, service) < 0)
			r = -EINVAL;
		if (installed && !strcmp(e->section, "Install") && (!strcmp(e->key, "WantedBy") || !strcmp(e->key, "RequiredBy")))
			*installed = true;
	}
	return r;
}
