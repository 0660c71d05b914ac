/* pod_container.c - one container of a pod: its keys become Compose's. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../scalar.h"
#include "build.h"
#include "../compose/compose.h"
#include "pod.h"

int pod_quantity(const char *text, int64_t *milli)
{
	static const struct { const char *suffix; int64_t factor; } units[] = {
		{ "", 1000 }, { "m", 1 }, { "k", 1000000 }, { "M", 1000000000 }, { "G", 1000000000000 }, { "T", 1000000000000000 },
		{ "Ki", 1024000 }, { "Mi", 1048576000 }, { "Gi", 1073741824000 }, { "Ti", 1099511627776000 },
	};
	size_t whole = strspn(text, "0123456789");
	const char *p = text + whole;
	int64_t n = 0, part = 0, scale = 1;

	if (whole == 0 || whole > 15)
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		n = n * 10 + (text[i] - '0');
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			if (scale < 1000) {
				part = part * 10 + (*p - '0');
				scale *= 10;
			}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(p, units[i].suffix)) {
			if (n > (INT64_MAX - units[i].factor) / units[i].factor)
				return -EINVAL;
			*milli = n * units[i].factor + (scale > 1 ? units[i].factor / scale * part : 0);
			return 0;
		}
	return -EINVAL;
}

/* resources: {limits: {cpu, memory}, requests: {...}} */
static int read_quantities(struct pod *p, const struct node *map, bool limits, struct node *service)
{
	int r = 0;

	for (const struct item *i = map->items; i; i = i->next) {
		bool cpu = !strcmp(i->key->text, "cpu");
		int64_t n = 0;

		if (!cpu && strcmp(i->key->text, "memory") != 0) {
			r = pod_unknown(p, i->key, limits ? "limits" : "requests", NULL, limits);
			continue;
		}
		if (i->value->type != NODE_SCALAR || pod_quantity(i->value->text, &n) < 0) {
			r = diag_at(p->ctx->diags, DIAG_ERROR, i->value, "such as 500m or 128Mi", "this is not a quantity");
			continue;
		}
		if (cpu && limits)
			build_put(p->ctx, service, "cpus", build_text(p->ctx, i->value, "%" PRId64 ".%03" PRId64, n / 1000, n % 1000));
		else if (cpu) /* a whole processor is 1024 shares, as the kubelet has it */
			build_put(p->ctx, service, "cpu_shares", build_text(p->ctx, i->value, "%" PRId64, MAX(n * 1024 / 1000, (int64_t)2)));
		else
			build_put(p->ctx, service, limits ? "mem_limit" : "mem_reservation", build_text(p->ctx, i->value, "%" PRId64, n / 1000));
	}
	return r;
}

static int read_resources(struct pod *p, const struct node *value, struct node *service)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		bool limits = !strcmp(i->key->text, "limits");

		if (!limits && strcmp(i->key->text, "requests") != 0)
			r = pod_unknown(p, i->key, "resources", NULL, true);
		else if (i->value->type == NODE_MAP && read_quantities(p, i->value, limits, service) < 0)
			r = -EINVAL;
	}
	return r;
}

/* [{name, value}] */
static int read_env(struct pod *p, const struct node *list, struct node *service)
{
	struct node *out = build_list_in(p->ctx, service, "environment", list);
	int r = 0;

	for (const struct item *i = list->items; i; i = i->next) {
		const struct node *name = node_get(i->value, "name");
		const struct node *value = node_get(i->value, "value");
		const struct node *from = node_get(i->value, "valueFrom");

		if (from)
			r = diag_at(p->ctx->diags, DIAG_ERROR, from, "value: text", "valueFrom is not supported: there is no Kubernetes here to take it from");
		else if (!name || name->type != NODE_SCALAR || !name->len || (value && value->type != NODE_SCALAR))
			r = diag_at(p->ctx->diags, DIAG_ERROR, i->value, "{name: TZ, value: UTC}", "this is no entry of env");
		else
			build_add(p->ctx, out, build_text(p->ctx, i->value, "%s=%s", name->text, value && !node_is_null(value) ? value->text : ""));
	}
	return r;
}

/* [{containerPort, hostPort, protocol, hostIP}]: without hostPort it is a note only */
static int read_ports(struct pod *p, const struct node *list, struct node *service)
{
	int r = 0;

	for (const struct item *i = list->items; i; i = i->next) {
		const struct node *target = node_get(i->value, "containerPort");
		const struct node *published = node_get(i->value, "hostPort");
		const struct node *protocol = node_get(i->value, "protocol");
		const struct node *ip = node_get(i->value, "hostIP");
		const char *word = protocol && protocol->type == NODE_SCALAR ? protocol->text : "tcp";
		char *lower;

		if (!target || target->type != NODE_SCALAR) {
			r = diag_at(p->ctx->diags, DIAG_ERROR, i->value, "{containerPort: 80}", "this is no entry of ports");
			continue;
		}
		if (!published || published->type != NODE_SCALAR)
			continue;
		lower = arena_strndup(p->ctx->arena, word, strlen(word));
		for (char *s = lower; *s; s++)
			*s |= *s >= 'A' && *s <= 'Z' ? 32 : 0;
		build_add(p->ctx, build_list_in(p->ctx, service, "ports", list),
			  build_text(p->ctx, published, "%s%s%s:%s/%s", ip && ip->type == NODE_SCALAR ? ip->text : "", ip ? ":" : "", published->text, target->text, lower));
	}
	return r;
}

/* $(NAME) of the container's own variables, as Kubernetes does in command and args; others stay. */
static const char *expand(struct pod *p, const char *text, const struct node *environment)
{
	CLEANUP_BUF struct buf b = { 0 };

	if (!strstr(text, "$("))
		return text;
	buf_init(&b, (size_t)1 << 20);
	while (*text) {
		size_t n = !strncmp(text, "$(", 2) ? strcspn(text + 2, ")") : 0;
		const char *value = NULL;

		for (const struct item *i = n && text[2 + n] && environment ? environment->items : NULL; i; i = i->next)
			if (!strncmp(i->value->text, text + 2, n) && i->value->text[n] == '=')
				value = i->value->text + n + 1;
		if (!strncmp(text, "$$(", 3))
			text++;
		else if (value) {
			buf_puts(&b, value);
			text += n + 3;
			continue;
		}
		buf_putc(&b, *text++);
	}
	return arena_strndup(p->ctx->arena, b.data, b.len);
}

static int read_words(struct pod *p, const struct item *i, const char *to, struct node *service)
{
	const struct node *environment = node_get(service, "environment");
	struct node *list = build_list(p->ctx, i->value);

	for (const struct item *w = i->value->items; w; w = w->next) {
		if (w->value->type != NODE_SCALAR)
			return diag_at(p->ctx->diags, DIAG_ERROR, w->value, NULL, "text is wanted here, not %s", node_describe(w->value));
		build_add(p->ctx, list, build_text(p->ctx, w->value, "%s", expand(p, w->value->text, environment)));
	}
	build_put(p->ctx, service, to, list);
	return 0;
}

static int read_pull(struct pod *p, const struct node *value, struct node *service)
{
	static const char *const map[][2] = { { "Always", "always" }, { "IfNotPresent", "missing" }, { "Never", "never" } };

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(value->text, map[i][0])) {
			build_put(p->ctx, service, "pull_policy", build_text(p->ctx, value, "%s", map[i][1]));
			return 0;
		}
	return diag_at(p->ctx->diags, DIAG_ERROR, value, "Always, IfNotPresent or Never", "%s is not an imagePullPolicy",
		       diag_quote(p->ctx->arena, value->text, value->len));
}

enum reader { COPY, NAME, ENV, WORDS, PORTS, MOUNTS, PROBE, SECURITY, RESOURCES, PULL, WARNING };

static const struct {
	const char *name;
	enum node_type type;
	enum reader reader;
	const char *to;
} keys[] = {
	{ "name", NODE_SCALAR, NAME, NULL }, { "image", NODE_SCALAR, COPY, "image" }, { "env", NODE_LIST, ENV, NULL },
	{ "command", NODE_LIST, WORDS, "entrypoint" }, { "args", NODE_LIST, WORDS, "command" }, { "workingDir", NODE_SCALAR, COPY, "working_dir" },
	{ "ports", NODE_LIST, PORTS, NULL }, { "volumeMounts", NODE_LIST, MOUNTS, NULL }, { "livenessProbe", NODE_MAP, PROBE, NULL },
	{ "securityContext", NODE_MAP, SECURITY, NULL }, { "resources", NODE_MAP, RESOURCES, NULL }, { "stdin", NODE_SCALAR, COPY, "stdin_open" },
	{ "tty", NODE_SCALAR, COPY, "tty" }, { "imagePullPolicy", NODE_SCALAR, PULL, NULL }, { "readinessProbe", NODE_MAP, WARNING, NULL },
	{ "startupProbe", NODE_MAP, WARNING, NULL }, { "terminationMessagePath", NODE_SCALAR, WARNING, NULL },
	{ "terminationMessagePolicy", NODE_SCALAR, WARNING, NULL }, { "stdinOnce", NODE_SCALAR, WARNING, NULL },
};

static int read_key(struct pod *p, const struct item *i, struct node *service)
{
	const char *names[ARRAY_SIZE(keys) + 1] = { NULL };
	size_t k = 0;

	while (k < ARRAY_SIZE(keys) && strcmp(keys[k].name, i->key->text) != 0) {
		names[k] = keys[k].name;
		k++;
	}
	if (node_is_null(i->value))
		return 0;
	if (k == ARRAY_SIZE(keys))
		return pod_unknown(p, i->key, "a container", names, true);
	if (i->value->type != keys[k].type)
		return diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "%s must be %s, not %s", keys[k].name,
			       keys[k].type == NODE_LIST ? "a list" : keys[k].type == NODE_MAP ? "a mapping" : "text", node_describe(i->value));
	switch (keys[k].reader) {
	case COPY:
		build_put(p->ctx, service, keys[k].to, build_copy(p->ctx, i->value));
		return 0;
	case WORDS:
		return read_words(p, i, keys[k].to, service);
	case PORTS:
		return read_ports(p, i->value, service);
	case MOUNTS:
		return pod_mounts(p, i->value, service);
	case PROBE:
		return pod_probe(p, i->value, service);
	case SECURITY:
		return pod_security(p, i->value, service, false);
	case RESOURCES:
		return read_resources(p, i->value, service);
	case PULL:
		return read_pull(p, i->value, service);
	case WARNING:
		return pod_unknown(p, i->key, "a container", NULL, false);
	default: /* read before: name, env */
		return 0;
	}
}

/* What the pod says for all of its containers; what the container says itself comes later and wins. */
static struct node *begin(struct pod *p, const struct node *value, bool first)
{
	struct node *service = build_copy(p->ctx, p->common);
	struct node *one;

	service->line = value->line;
	service->column = value->column;
	build_put(p->ctx, service, "restart", build_text(p->ctx, value, "%s", first ? "no" : p->restart));
	build_put(p->ctx, service, "stop_grace_period", build_text(p->ctx, value, "%s", p->grace ? p->grace : "30s"));
	if (p->previous) {
		one = build_map(p->ctx, value);
		build_put(p->ctx, one, "condition", build_text(p->ctx, value, "service_completed_successfully"));
		build_put(p->ctx, build_map_in(p->ctx, service, "depends_on", value), p->previous, one);
	}
	return service;
}

int pod_container(struct pod *p, const struct node *value, bool first)
{
	const struct node *name = node_get(value, "name");
	const struct node *env = node_get(value, "env");
	struct node *service;
	const char *full;
	int r = 0;

	if (value->type != NODE_MAP)
		return diag_at(p->ctx->diags, DIAG_ERROR, value, "{name: web, image: nginx}", "a container is a mapping, not %s", node_describe(value));
	if ((!name && !p->gce) || (name && (name->type != NODE_SCALAR || !compose_name_ok(name->text))))
		return diag_at(p->ctx->diags, DIAG_ERROR, name ? name : value, "letters, digits and -", "a container needs a name");
	full = !name ? p->name : p->gce || !strcmp(p->name, name->text) ? name->text : arena_printf(p->ctx->arena, "%s-%s", p->name, name->text);
	service = begin(p, value, first);
	if (env && env->type == NODE_LIST)
		r = read_env(p, env, service);
	else if (env && !node_is_null(env))
		r = diag_at(p->ctx->diags, DIAG_ERROR, env, NULL, "env must be a list, not %s", node_describe(env));
	for (const struct item *i = value->items; i; i = i->next)
		if (read_key(p, i, service) < 0)
			r = -EINVAL;
	build_put(p->ctx, quadlet_section(&p->out, "services", value), full, service);
	if (first)
		p->previous = full;
	return r;
}
