/* service.c - one service of a Compose document: the table of the keys that Coracle does. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "../text.h"
#include "compose.h"

bool compose_name_ok(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return name[0] && strchr(first, name[0]) && name[0] != '.' && name[0] != '-' && strlen(name) <= 128 &&
	       strspn(name, first) == strlen(name);
}

static int read_image(struct ctx *ctx, const struct node *value, void *out)
{
	const char *text;
	const char *why;
	const char *image;

	if (value_line(ctx, value, &text) < 0)
		return -EINVAL;
	image = compose_image_name(ctx->arena, text, &why);
	if (!image)
		return diag_at(ctx->diags, DIAG_ERROR, value, why, "%s is not the name of an image",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = image;
	return 0;
}

static int read_container_name(struct ctx *ctx, const struct node *value, void *out)
{
	if (!compose_name_ok(value->text) || strlen(value->text) != value->len)
		return diag_at(ctx->diags, DIAG_ERROR, value, "letters, digits and _ . -", "%s is not a name for a container",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = value->text;
	return 0;
}

/* UID[:GID] or NAME[:GROUP]; names are looked up in the image when the container starts. */
static int read_user(struct ctx *ctx, const struct node *value, void *out)
{
	const char *text;
	const char *colon;

	if (value_line(ctx, value, &text) < 0)
		return -EINVAL;
	colon = strchr(text, ':');
	if (!text[0] || strpbrk(text, " ,/") || colon == text || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as 1000:1000 or www-data", "%s is not USER or USER:GROUP",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = text;
	return 0;
}

static int read_hostname(struct ctx *ctx, const struct node *value, void *out)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";

	if (!value->len || value->len > 64 || strspn(value->text, allowed) != value->len)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a host name", diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = value->text;
	return 0;
}

/* "no" (YAML's false, too), always, unless-stopped, on-failure[:N] */
static int read_restart(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const plain[] = { "no", "always", "unless-stopped", "on-failure" };
	struct compose_service *s = out;
	const char *text = value->text;
	uint64_t retries = 0;

	if (value->plain && (!strcasecmp(text, "false") || !strcasecmp(text, "no") || !strcasecmp(text, "off")))
		text = "no";
	if (!strncmp(text, "on-failure:", 11)) {
		if (scalar_uint(text + 11, 1000000, &retries) < 0)
			return diag_at(ctx->diags, DIAG_ERROR, value, "on-failure:5", "%s: the number of retries is not a number",
				       diag_quote(ctx->arena, value->text, value->len));
		text = "on-failure";
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(text, plain[i])) {
			s->restart = plain[i];
			s->max_retries = (unsigned)retries;
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "\"no\", always, on-failure[:N] or unless-stopped", "%s is not a restart policy",
		       diag_quote(ctx->arena, value->text, value->len));
}

/* SIGQUIT, QUIT, or a number. */
static int read_signal(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const names[] = {
		"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
		"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
		"PWR", "SYS",
	};
	const char *text = value->text;
	uint64_t number;

	if (scalar_uint(text, 31, &number) == 0 && number > 0) {
		*(const char **)out = arena_printf(ctx->arena, "SIG%s", names[number - 1]);
		return 0;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(text, names[i])) {
			*(const char **)out = arena_printf(ctx->arena, "SIG%s", names[i]);
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "such as SIGTERM", "%s is not a signal", diag_quote(ctx->arena, value->text, value->len));
}

/* Looked at when the others are read. */
static int read_later(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

/* expose, attach: nothing follows from them here. */
static int read_nothing(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	(void)value;
	(void)out;
	return 0;
}

static int read_oom_kill_disable(struct ctx *ctx, const struct node *value, void *out)
{
	bool on = false;

	(void)out;
	if (value_bool(ctx, value, &on) < 0)
		return -EINVAL;
	if (on)
		diag_at(ctx->diags, DIAG_WARNING, value, "oom_score_adj: -1000 comes near it", "oom_kill_disable: the kernel does not have that any more (cgroup v2)");
	return 0;
}

static int read_init(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_bool(ctx, value, out) < 0)
		return -EINVAL;
	if (*(bool *)out)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "init is not supported yet by Coracle; the container runs without it");
	return 0;
}

static int read_pull_policy(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const policies[] = { "missing", "never", "if_not_present", "always", "newer", "daily", "weekly" };
	const char *quoted = diag_quote(ctx->arena, value->text, value->len);
	size_t i = 0;

	while (i < ARRAY_SIZE(policies) && strcmp(value->text, policies[i]) != 0)
		i++;
	if (i == ARRAY_SIZE(policies) && strncmp(value->text, "every_", 6) != 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "always, never or missing", "%s is not a pull policy", quoted);
	if (i >= 3)
		diag_at(ctx->diags, DIAG_WARNING, value, "missing", "the pull policy %s is not supported yet by Coracle: an image that is there is used", quoted);
	*(const char **)out = i == 1 ? "never" : i < 3 ? "missing" : "always";
	return 0;
}

/* Only what this machine is. */
static int read_platform(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const mine[] = { "linux", "linux/amd64", "linux/x86_64", "linux/amd64/v1" };

	(void)out;
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
		if (!strcmp(value->text, mine[i]))
			return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "linux/amd64", "%s is not the platform of this machine",
		       diag_quote(ctx->arena, value->text, value->len));
}

/* Some of these steer the runtime itself: only what security_opt gives is given. */
static int read_annotations(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *pairs = out;
	int r = compose_read_labels(ctx, value, pairs);

	for (size_t i = 0; i < pairs->n; i += 2)
		if (!strncmp(pairs->v[i], "org.coracle.", 12) || !strncmp(pairs->v[i], "run.oci.", 8))
			r = diag_at(ctx->diags, DIAG_ERROR, value, "another name", "the annotation %s is the system's own",
				    diag_quote(ctx->arena, pairs->v[i], strlen(pairs->v[i])));
	return r;
}

static int read_oci(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "x-oci is not supported yet by Coracle");
}

/* Every container's output is kept by the engine, in files that are rotated; nothing else is there to send it to. */
static int read_logging(struct ctx *ctx, const struct node *value, void *out)
{
	const struct node *driver = node_get(value, "driver");
	const struct node *options = node_get(value, "options");

	(void)out;
	if (driver && (driver->type != NODE_SCALAR || (strcmp(driver->text, "json-file") != 0 && strcmp(driver->text, "local") != 0)))
		diag_at(ctx->diags, DIAG_WARNING, driver, "json-file", "this log driver is not supported by Coracle; the output is kept as json-file does");
	if (options && options->type == NODE_MAP && options->items)
		diag_at(ctx->diags, DIAG_WARNING, options, NULL, "options of logging are not supported yet by Coracle; the log is kept in 3 files of 10 MiB");
	return 0;
}

#define SERVICE_KEY(name, accept, reader, field) KEY(name, accept, reader, struct compose_service, field)
#define LIST_OR_MAP (NODE_LIST | NODE_MAP)
#define TEXT_OR_LIST (NODE_SCALAR | NODE_LIST)

static const struct key service_keys[] = {
	SERVICE_KEY("image", NODE_SCALAR, read_image, image),
	SERVICE_KEY("command", TEXT_OR_LIST, compose_read_words, command),
	SERVICE_KEY("entrypoint", TEXT_OR_LIST, compose_read_words, entrypoint),
	SERVICE_KEY("environment", LIST_OR_MAP, compose_read_environment, environment),
	SERVICE_KEY("volumes", NODE_LIST, compose_read_volumes, volumes),
	SERVICE_KEY("tmpfs", TEXT_OR_LIST, compose_read_tmpfs, tmpfs),
	SERVICE_KEY("read_only", NODE_SCALAR, value_bool, read_only),
	{ "restart", NODE_SCALAR, read_restart, 0 },
	SERVICE_KEY("depends_on", LIST_OR_MAP, compose_read_depends, depends_on),
	SERVICE_KEY("user", NODE_SCALAR, read_user, user),
	SERVICE_KEY("working_dir", NODE_SCALAR, value_path, working_dir),
	SERVICE_KEY("hostname", NODE_SCALAR, read_hostname, hostname),
	SERVICE_KEY("container_name", NODE_SCALAR, read_container_name, container_name),
	SERVICE_KEY("network_mode", NODE_SCALAR, compose_read_network_mode, network_mode),
	SERVICE_KEY("networks", LIST_OR_MAP, read_later, networks),
	SERVICE_KEY("ports", NODE_LIST, read_later, ports),
	SERVICE_KEY("privileged", NODE_SCALAR, value_bool, privileged),
	SERVICE_KEY("cap_add", NODE_LIST, compose_read_capabilities, cap_add),
	SERVICE_KEY("cap_drop", NODE_LIST, compose_read_capabilities, cap_drop),
	SERVICE_KEY("labels", LIST_OR_MAP, compose_read_labels, labels),
	SERVICE_KEY("annotations", LIST_OR_MAP, read_annotations, annotations),
	SERVICE_KEY("stop_signal", NODE_SCALAR, read_signal, stop_signal),
	SERVICE_KEY("stop_grace_period", NODE_SCALAR, value_duration, stop_grace_ms),
	SERVICE_KEY("tty", NODE_SCALAR, value_bool, tty),
	SERVICE_KEY("init", NODE_SCALAR, read_init, init),
	SERVICE_KEY("stdin_open", NODE_SCALAR, value_bool, stdin_open),
	SERVICE_KEY("mem_limit", NODE_SCALAR, compose_read_bytes, limits.mem_limit),
	SERVICE_KEY("mem_reservation", NODE_SCALAR, compose_read_bytes, limits.mem_reservation),
	SERVICE_KEY("memswap_limit", NODE_SCALAR, compose_read_bytes, limits.memswap_limit),
	SERVICE_KEY("cpus", NODE_SCALAR, compose_read_cpus, limits),
	SERVICE_KEY("cpu_quota", NODE_SCALAR, compose_read_microseconds, limits.cpu_quota),
	SERVICE_KEY("cpu_period", NODE_SCALAR, compose_read_microseconds, limits.cpu_period),
	SERVICE_KEY("cpu_shares", NODE_SCALAR, compose_read_count, limits.cpu_shares),
	SERVICE_KEY("cpuset", NODE_SCALAR, compose_read_cpuset, limits.cpuset),
	SERVICE_KEY("pids_limit", NODE_SCALAR, compose_read_count, limits.pids_limit),
	SERVICE_KEY("oom_score_adj", NODE_SCALAR, compose_read_oom_score, limits.oom_score_adj),
	SERVICE_KEY("shm_size", NODE_SCALAR, compose_read_bytes, limits.shm_size),
	SERVICE_KEY("ulimits", NODE_MAP, compose_read_ulimits, limits.ulimits),
	SERVICE_KEY("sysctls", LIST_OR_MAP, compose_read_sysctls, limits.sysctls),
	SERVICE_KEY("deploy", NODE_MAP, read_later, deploy),
	{ "scale", NODE_SCALAR, compose_read_scale, 0 },
	SERVICE_KEY("healthcheck", NODE_MAP, compose_read_health, health),
	SERVICE_KEY("secrets", NODE_LIST, compose_read_secrets, grants),
	SERVICE_KEY("configs", NODE_LIST, compose_read_configs, grants),
	SERVICE_KEY("env_file", TEXT_OR_LIST, compose_read_env_file, env_files),
	SERVICE_KEY("group_add", NODE_LIST, compose_read_groups, group_add),
	SERVICE_KEY("devices", NODE_LIST, compose_read_devices, devices),
	SERVICE_KEY("device_cgroup_rules", NODE_LIST, compose_read_device_rules, device_rules),
	SERVICE_KEY("security_opt", NODE_LIST, compose_read_security, security_opt),
	SERVICE_KEY("pid", NODE_SCALAR, compose_read_namespace, pid),
	SERVICE_KEY("ipc", NODE_SCALAR, compose_read_namespace, ipc),
	SERVICE_KEY("uts", NODE_SCALAR, compose_read_namespace, uts),
	SERVICE_KEY("cgroup", NODE_SCALAR, compose_read_namespace, cgroup),
	SERVICE_KEY("userns_mode", NODE_SCALAR, compose_read_namespace, userns),
	SERVICE_KEY("dns", TEXT_OR_LIST, compose_read_addresses, dns),
	SERVICE_KEY("dns_search", TEXT_OR_LIST, compose_read_domains, dns_search),
	SERVICE_KEY("dns_opt", NODE_LIST, compose_read_domains, dns_opt),
	SERVICE_KEY("extra_hosts", LIST_OR_MAP, compose_read_extra_hosts, extra_hosts),
	SERVICE_KEY("domainname", NODE_SCALAR, read_hostname, domainname),
	SERVICE_KEY("pull_policy", NODE_SCALAR, read_pull_policy, pull_policy),
	{ "platform", NODE_SCALAR, read_platform, 0 },
	{ "logging", NODE_MAP, read_logging, 0 },
	{ "expose", NODE_LIST, read_nothing, 0 },
	{ "attach", NODE_SCALAR, read_nothing, 0 },
	{ "oom_kill_disable", NODE_SCALAR, read_oom_kill_disable, 0 },
	SERVICE_KEY("x-onboot", NODE_SCALAR, value_bool, onboot),
	{ "x-oci", NODE_MAP, read_oci, 0 },
};

/* What depends on more than one key. */
static unsigned check_whole(struct ctx *ctx, struct compose_service *s)
{
	unsigned errors = 0;

	if (s->deploy)
		errors += compose_read_deploy(ctx, s->deploy, s) < 0;
	errors += compose_check_ports(ctx, s);
	errors += compose_check_network_mode(ctx, s);
	errors += compose_check_limits(ctx, s);
	return errors;
}

struct compose_service *compose_read_service(struct ctx *ctx, const struct node *key, const struct node *value)
{
	struct compose_service *s = ARENA_NEW(ctx->arena, struct compose_service);
	struct schema schema = {
		.keys = service_keys,
		.n_keys = ARRAY_SIZE(service_keys),
		.known = compose_known_service_keys,
		.n_known = compose_known_service_count,
		.known_why = "is a Compose key that Coracle does not support yet",
		.unknown = DIAG_ERROR,
		.extensions = true,
	};
	const struct node *image;
	unsigned errors;

	s->name = key->text;
	s->at = key;
	s->restart = "no";
	s->network_mode = "host";
	s->stop_grace_ms = 10000;
	if (!compose_name_ok(key->text) || strlen(key->text) != key->len) {
		s->name = "?";
		diag_at(ctx->diags, DIAG_ERROR, key, "letters, digits and _ . -", "%s is not a name for a service",
			diag_quote(ctx->arena, key->text, key->len));
		s->broken = true;
	}
	if (value->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, value, "{image: nginx}", "the service \"%s\" is a mapping, not %s", s->name, node_describe(value));
		s->broken = true;
		return s;
	}
	schema.what = arena_printf(ctx->arena, "the service \"%s\"", s->name);
	image = node_get(value, "image");
	errors = compose_interpolate(ctx, (struct node *)value);
	errors += schema_read(ctx, &schema, value, s);
	errors += check_whole(ctx, s);
	if (!s->image && (!image || node_is_null(image))) {
		diag_at(ctx->diags, DIAG_ERROR, key, node_get(value, "build") ? "Coracle does not build images" : NULL,
			"the service \"%s\" has no image", s->name);
		errors++;
	}
	if (errors)
		diag_at(ctx->diags, DIAG_ERROR, key, NULL, "the service \"%s\" is left out, because of %u error%s in it", s->name, errors,
			errors > 1 ? "s" : "");
	s->broken |= errors > 0;
	if (!s->container_name)
		s->container_name = s->name;
	return s;
}
