/* quadlet.c - the sections of Quadlet's own: [Container], [Volume], [Network], each key by a table. */
#include "quadlet.h"

#include <errno.h>
#include <string.h>

#include "../text.h"
#include "build.h"

/* How the value of a key becomes one of Compose's. */
enum how {
	TEXT,		/* the value, as it stands */
	ADD,		/* one entry more in the list */
	WORDS,		/* each word an entry */
	SWITCH,		/* a boolean */
	FUNCTION,
	NOTHING,	/* it asks for what is so anyway */
	WARN,
	REFUSE,
};

struct quadlet_key {
	const char *name;
	enum how how;
	const char *to;		/* Compose's key, or why it is not done */
	int (*read)(struct quadlet *q, const struct unit_entry *e, struct node *service);
};

static int fail(struct quadlet *q, const struct unit_entry *e, const char *hint, const char *what)
{
	return diag_at(q->ctx->diags, DIAG_ERROR, e->at, hint, "%s=%s: %s", e->key, diag_quote(q->ctx->arena, e->value, strlen(e->value)), what);
}

static int read_image(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	size_t n = strlen(e->value);

	if ((n > 6 && !strcmp(e->value + n - 6, ".image")) || (n > 6 && !strcmp(e->value + n - 6, ".build")))
		return fail(q, e, "the name of the image itself", "units for images are not supported by Coracle");
	build_put(q->ctx, service, "image", build_text(q->ctx, e->at, "%s", e->value));
	return 0;
}

static int read_words(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	struct strings words = { NULL, 0 };

	if (unit_words(q->ctx, e, &words) < 0)
		return -EINVAL;
	build_put(q->ctx, service, "command", build_list(q->ctx, e->at));
	for (size_t i = 0; i < words.n; i++)
		build_add_text(q->ctx, service, "command", e->at, words.v[i]);
	return 0;
}

/* A word, or a JSON array of them. */
static int put_json_or_text(struct quadlet *q, const struct unit_entry *e, struct node *map, const char *key, bool text_too)
{
	struct source *s = ARENA_NEW(q->ctx->arena, struct source);
	struct node *list;
	bool empty;

	if (e->value[0] != '[') {
		if (!text_too) {
			build_put(q->ctx, map, key, build_list(q->ctx, e->at));
			build_add_text(q->ctx, map, key, e->at, e->value);
		} else {
			build_put(q->ctx, map, key, build_text(q->ctx, e->at, "%s", e->value));
		}
		return 0;
	}
	*s = (struct source){ e->at->source->name, e->value, strlen(e->value) };
	list = yaml_read(q->ctx->arena, q->ctx->diags, s, &empty);
	if (!list)
		return fail(q, e, "[\"word\", \"word\"]", "this is not a JSON array");
	list = build_copy(q->ctx, list);
	list->source = e->at->source;
	list->line = e->at->line;
	list->column = e->at->column;
	build_put(q->ctx, map, key, list);
	return 0;
}

static int read_entrypoint(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	return put_json_or_text(q, e, service, "entrypoint", false);
}

static int read_volume(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	build_add_text(q->ctx, service, "volumes", e->at, e->value);
	quadlet_declare_source(q, e->at, e->value);
	return 0;
}

/* type=bind,source=/a,target=/b,ro: the long form */
static int read_mount(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	struct node *mount = build_map(q->ctx, e->at);
	char *text = arena_strndup(q->ctx->arena, e->value, strlen(e->value));
	char *save = NULL;
	const struct node *type;

	for (char *part = strtok_r(text, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
		char *value = strchr(part, '=');
		struct node *n;

		if (value)
			*value++ = '\0';
		n = build_text(q->ctx, e->at, "%s", value ? value : "true");
		if (!strcmp(part, "type"))
			build_put(q->ctx, mount, "type", n);
		else if (!strcmp(part, "source") || !strcmp(part, "src"))
			build_put(q->ctx, mount, "source", n);
		else if (!strcmp(part, "destination") || !strcmp(part, "dst") || !strcmp(part, "target"))
			build_put(q->ctx, mount, "target", n);
		else if (!strcmp(part, "ro") || !strcmp(part, "readonly") || !strcmp(part, "read-only"))
			build_put(q->ctx, mount, "read_only", n);
		else if (!strcmp(part, "bind-propagation"))
			build_put(q->ctx, build_map_in(q->ctx, mount, "bind", e->at), "propagation", n);
		else if (!strcmp(part, "tmpfs-size"))
			build_put(q->ctx, build_map_in(q->ctx, mount, "tmpfs", e->at), "size", n);
		else if (!strcmp(part, "tmpfs-mode"))
			build_put(q->ctx, build_map_in(q->ctx, mount, "tmpfs", e->at), "mode", n);
		else if (strcmp(part, "relabel") != 0)
			return fail(q, e, "type, source, target, ro, bind-propagation, tmpfs-size, tmpfs-mode",
				    arena_printf(q->ctx->arena, "the option %.40s is not supported by Coracle", part));
	}
	if (!node_get(mount, "type"))
		build_put(q->ctx, mount, "type", build_text(q->ctx, e->at, "volume"));
	type = node_get(mount, "type");
	if (!strcmp(type->text, "volume") && node_get(mount, "source"))
		quadlet_declare_source(q, e->at, arena_printf(q->ctx->arena, "%s:", node_get(mount, "source")->text));
	build_add(q->ctx, build_list_in(q->ctx, service, "volumes", e->at), mount);
	return 0;
}

static int read_user(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	const struct node *have = node_get(service, "user");
	bool group = !strcmp(e->key, "Group");

	if (!have)
		build_put(q->ctx, service, "user", build_text(q->ctx, e->at, group ? "0:%s" : "%s", e->value));
	else
		build_put(q->ctx, service, "user", group ? build_text(q->ctx, e->at, "%s:%s", have->text, e->value) :
							  build_text(q->ctx, e->at, "%s:%s", e->value, have->text + 2));
	return 0;
}

static int read_network(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	build_put(q->ctx, service, "network_mode", build_text(q->ctx, e->at, "%s", e->value));
	return 0;
}

static int read_health(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const map[][2] = {
		{ "HealthInterval", "interval" }, { "HealthTimeout", "timeout" }, { "HealthRetries", "retries" }, { "HealthStartPeriod", "start_period" },
	};
	struct node *health = build_map_in(q->ctx, service, "healthcheck", e->at);

	if (!strcmp(e->key, "HealthCmd")) {
		if (strcmp(e->value, "none") != 0)
			return put_json_or_text(q, e, health, "test", true);
		build_put(q->ctx, health, "disable", build_text(q->ctx, e->at, "true"));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(e->key, map[i][0]))
			build_put(q->ctx, health, map[i][1], build_text(q->ctx, e->at, "%s", e->value));
	return 0;
}

static int read_security(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const map[][2] = { { "Mask", "mask" }, { "Unmask", "unmask" }, { "SeccompProfile", "seccomp" }, { "AppArmor", "apparmor" } };
	bool on = false;

	if (!strcmp(e->key, "NoNewPrivileges")) {
		if (unit_bool(q->ctx, e, &on) < 0)
			return -EINVAL;
		if (on)
			build_add_text(q->ctx, service, "security_opt", e->at, "no-new-privileges");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (!strcmp(e->key, map[i][0]))
			build_add_text(q->ctx, service, "security_opt", e->at, arena_printf(q->ctx->arena, "%s=%s", map[i][1], e->value));
	return 0;
}

/* With ReadOnly, podman gives these unless ReadOnlyTmpfs=false. */
static int read_read_only(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const folders[] = { "/run", "/tmp", "/var/tmp" };
	bool on = false;

	if (unit_bool(q->ctx, e, &on) < 0)
		return -EINVAL;
	if (!on)
		return 0;
	build_put(q->ctx, service, "read_only", build_text(q->ctx, e->at, "true"));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		build_add_text(q->ctx, service, "tmpfs", e->at, folders[i]);
	return 0;
}

static int read_read_only_tmpfs(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	bool on = true;

	(void)service;
	if (unit_bool(q->ctx, e, &on) < 0)
		return -EINVAL;
	return on ? 0 : fail(q, e, NULL, "a read-only container has /run, /tmp and /var/tmp in memory");
}

/* nofile=1024:2048 */
static int read_ulimit(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	const char *equals = strchr(e->value, '=');
	const char *colon = equals ? strchr(equals, ':') : NULL;
	struct node *limit;

	if (!equals)
		return fail(q, e, "such as nofile=1024:2048", "this is not a limit");
	limit = build_map(q->ctx, e->at);
	build_put(q->ctx, limit, "soft", build_text(q->ctx, e->at, "%.*s", colon ? (int)(colon - equals - 1) : (int)strlen(equals + 1), equals + 1));
	build_put(q->ctx, limit, "hard", build_text(q->ctx, e->at, "%s", (colon ? colon : equals) + 1));
	build_put(q->ctx, build_map_in(q->ctx, service, "ulimits", e->at), arena_strndup(q->ctx->arena, e->value, (size_t)(equals - e->value)), limit);
	return 0;
}

/* NAME[,target=...][,uid=...]: the secret itself stands under secrets: of the configuration */
static int read_secret(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	static const char *const passed[] = { "target", "uid", "gid", "mode" };
	char *text = arena_strndup(q->ctx->arena, e->value, strlen(e->value));
	struct node *secret = build_map(q->ctx, e->at);
	char *save = NULL;
	char *part = strtok_r(text, ",", &save);

	build_put(q->ctx, secret, "source", build_text(q->ctx, e->at, "%s", part ? part : ""));
	while ((part = strtok_r(NULL, ",", &save))) {
		char *value = strchr(part, '=');
		size_t i = 0;

		if (value)
			*value++ = '\0';
		if (!strcmp(part, "type") && value && !strcmp(value, "mount"))
			continue;
		while (i < ARRAY_SIZE(passed) && strcmp(part, passed[i]) != 0)
			i++;
		if (i == ARRAY_SIZE(passed) || !value)
			return fail(q, e, "type=mount, target, uid, gid, mode", arena_printf(q->ctx->arena, "the option %.40s is not supported by Coracle", part));
		build_put(q->ctx, secret, passed[i], build_text(q->ctx, e->at, "%s", value));
	}
	build_add(q->ctx, build_list_in(q->ctx, service, "secrets", e->at), secret);
	return 0;
}

static int read_device(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	if (e->value[0] == '-')
		return fail(q, e, "leave the - away", "a device that may be missing is not supported by Coracle");
	build_add_text(q->ctx, service, "devices", e->at, e->value);
	return 0;
}

static int read_stop_timeout(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	build_put(q->ctx, service, "stop_grace_period", build_text(q->ctx, e->at, "%ss", e->value));
	return 0;
}

static int read_notify(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	bool on = true;

	(void)service;
	if (strcmp(e->value, "healthy") != 0 && unit_bool(q->ctx, e, &on) < 0)
		return -EINVAL;
	if (on)
		diag_at(q->ctx->diags, DIAG_WARNING, e->at, NULL, "Notify= is not supported yet by Coracle: the container counts as ready when it is started");
	return 0;
}

static int read_log_driver(struct quadlet *q, const struct unit_entry *e, struct node *service)
{
	build_put(q->ctx, build_map_in(q->ctx, service, "logging", e->at), "driver", build_text(q->ctx, e->at, "%s", e->value));
	return 0;
}

#define NO_BRIDGE "there are no bridge networks yet"
#define NO_USERS "is not supported by Coracle: containers have the machine's user numbers"
#define NOT_DONE "is not supported by Coracle"

static const struct quadlet_key container_keys[] = {
	{ "Image", FUNCTION, NULL, read_image }, { "ContainerName", TEXT, "container_name", NULL }, { "Exec", FUNCTION, NULL, read_words },
	{ "Entrypoint", FUNCTION, NULL, read_entrypoint }, { "Environment", WORDS, "environment", NULL }, { "EnvironmentFile", ADD, "env_file", NULL },
	{ "PublishPort", ADD, "ports", NULL }, { "Volume", FUNCTION, NULL, read_volume }, { "Mount", FUNCTION, NULL, read_mount },
	{ "Network", FUNCTION, NULL, read_network }, { "User", FUNCTION, NULL, read_user }, { "Group", FUNCTION, NULL, read_user },
	{ "AddCapability", WORDS, "cap_add", NULL }, { "DropCapability", WORDS, "cap_drop", NULL }, { "Label", WORDS, "labels", NULL },
	{ "Annotation", WORDS, "annotations", NULL }, { "HealthCmd", FUNCTION, NULL, read_health }, { "HealthInterval", FUNCTION, NULL, read_health },
	{ "HealthTimeout", FUNCTION, NULL, read_health }, { "HealthRetries", FUNCTION, NULL, read_health },
	{ "HealthStartPeriod", FUNCTION, NULL, read_health }, { "ReadOnly", FUNCTION, NULL, read_read_only },
	{ "ReadOnlyTmpfs", FUNCTION, NULL, read_read_only_tmpfs }, { "Tmpfs", ADD, "tmpfs", NULL }, { "AddDevice", FUNCTION, NULL, read_device },
	{ "DNS", WORDS, "dns", NULL }, { "DNSSearch", WORDS, "dns_search", NULL }, { "DNSOption", WORDS, "dns_opt", NULL },
	{ "AddHost", WORDS, "extra_hosts", NULL }, { "GroupAdd", WORDS, "group_add", NULL }, { "HostName", TEXT, "hostname", NULL },
	{ "Memory", TEXT, "mem_limit", NULL }, { "PidsLimit", TEXT, "pids_limit", NULL }, { "ShmSize", TEXT, "shm_size", NULL },
	{ "Sysctl", WORDS, "sysctls", NULL }, { "Ulimit", FUNCTION, NULL, read_ulimit }, { "WorkingDir", TEXT, "working_dir", NULL },
	{ "StopSignal", TEXT, "stop_signal", NULL }, { "StopTimeout", FUNCTION, NULL, read_stop_timeout }, { "RunInit", SWITCH, "init", NULL },
	{ "NoNewPrivileges", FUNCTION, NULL, read_security }, { "SeccompProfile", FUNCTION, NULL, read_security },
	{ "AppArmor", FUNCTION, NULL, read_security },
	{ "Mask", FUNCTION, NULL, read_security }, { "Unmask", FUNCTION, NULL, read_security }, { "Secret", FUNCTION, NULL, read_secret },
	{ "Pull", TEXT, "pull_policy", NULL }, { "Notify", FUNCTION, NULL, read_notify }, { "LogDriver", FUNCTION, NULL, read_log_driver },
	{ "SecurityLabelDisable", NOTHING, NULL, NULL }, { "ExposeHostPort", NOTHING, NULL, NULL }, { "HttpProxy", NOTHING, NULL, NULL },
	{ "StartWithPod", NOTHING, NULL, NULL }, { "CgroupsMode", NOTHING, NULL, NULL }, { "Retry", NOTHING, NULL, NULL }, { "RetryDelay", NOTHING, NULL, NULL },
	{ "AutoUpdate", WARN, NOT_DONE "; it is not used", NULL }, { "LogOpt", WARN, NOT_DONE "; it is not used", NULL },
	{ "HealthOnFailure", WARN, "is not supported yet by Coracle", NULL }, { "HealthStartupCmd", WARN, "is not supported yet by Coracle", NULL },
	{ "HealthStartupInterval", WARN, "is not supported yet by Coracle", NULL }, { "HealthStartupRetries", WARN, "is not supported yet by Coracle", NULL },
	{ "HealthStartupSuccess", WARN, "is not supported yet by Coracle", NULL }, { "HealthStartupTimeout", WARN, "is not supported yet by Coracle", NULL },
	{ "HealthLogDestination", WARN, "is not supported yet by Coracle", NULL }, { "HealthMaxLogCount", WARN, "is not supported yet by Coracle", NULL },
	{ "HealthMaxLogSize", WARN, "is not supported yet by Coracle", NULL },
	{ "Timezone", WARN, NOT_DONE "; the container keeps its own time zone", NULL }, { "SecurityLabelType", WARN, "has no effect: this kernel has no SELinux", NULL },
	{ "SecurityLabelLevel", WARN, "has no effect: this kernel has no SELinux", NULL },
	{ "SecurityLabelFileType", WARN, "has no effect: this kernel has no SELinux", NULL },
	{ "SecurityLabelNested", WARN, "has no effect: this kernel has no SELinux", NULL },
	{ "ServiceName", WARN, NOT_DONE "; the file's name is the service's", NULL },
	{ "ReloadCmd", WARN, NOT_DONE "; it is not used", NULL }, { "ReloadSignal", WARN, NOT_DONE "; it is not used", NULL },
	{ "IP", REFUSE, NO_BRIDGE, NULL }, { "IP6", REFUSE, NO_BRIDGE, NULL }, { "NetworkAlias", REFUSE, NO_BRIDGE, NULL },
	{ "UserNS", REFUSE, NO_USERS, NULL }, { "UIDMap", REFUSE, NO_USERS, NULL }, { "GIDMap", REFUSE, NO_USERS, NULL },
	{ "SubUIDMap", REFUSE, NO_USERS, NULL }, { "SubGIDMap", REFUSE, NO_USERS, NULL }, { "RemapUsers", REFUSE, NO_USERS, NULL },
	{ "Rootfs", REFUSE, NOT_DONE, NULL }, { "Pod", REFUSE, NOT_DONE, NULL }, { "PodmanArgs", REFUSE, NOT_DONE, NULL },
	{ "GlobalArgs", REFUSE, NOT_DONE, NULL }, { "ContainersConfModule", REFUSE, NOT_DONE, NULL },
	{ "EnvironmentHost", REFUSE, "is not supported: there is no environment at boot", NULL },
};

static const struct quadlet_key volume_keys[] = {
	{ "VolumeName", TEXT, "name", NULL }, { "Driver", TEXT, "driver", NULL }, { "Label", WORDS, "labels", NULL },
	{ "Copy", NOTHING, NULL, NULL }, { "Options", REFUSE, NOT_DONE, NULL }, { "Device", REFUSE, NOT_DONE, NULL }, { "Type", REFUSE, NOT_DONE, NULL },
	{ "Image", REFUSE, NOT_DONE, NULL }, { "User", REFUSE, NOT_DONE, NULL }, { "Group", REFUSE, NOT_DONE, NULL }, { "PodmanArgs", REFUSE, NOT_DONE, NULL },
	{ "GlobalArgs", REFUSE, NOT_DONE, NULL }, { "ContainersConfModule", REFUSE, NOT_DONE, NULL }, { "ServiceName", NOTHING, NULL, NULL },
};

struct table {
	const struct quadlet_key *keys;
	size_t n;
};

static const char *key_name(size_t i, const void *arg)
{
	const struct table *t = arg;

	return i < t->n ? t->keys[i].name : NULL;
}

static int read_key(struct quadlet *q, const struct unit_entry *e, const struct table *t, struct node *out)
{
	const struct quadlet_key *k = t->keys;
	struct strings words = { NULL, 0 };
	const char *near;
	bool on = false;

	while (k < t->keys + t->n && strcmp(k->name, e->key) != 0)
		k++;
	if (k == t->keys + t->n) {
		near = text_nearest(e->key, strlen(e->key), key_name, t);
		return diag_at(q->ctx->diags, DIAG_ERROR, e->at, near ? arena_printf(q->ctx->arena, "did you mean %s?", near) : NULL, "unknown key %s in [%s]",
			       diag_quote(q->ctx->arena, e->key, strlen(e->key)), e->section);
	}
	switch (k->how) {
	case TEXT:
		build_put(q->ctx, out, k->to, build_text(q->ctx, e->at, "%s", e->value));
		return 0;
	case ADD:
		build_add_text(q->ctx, out, k->to, e->at, e->value);
		return 0;
	case WORDS:
		if (unit_words(q->ctx, e, &words) < 0)
			return -EINVAL;
		for (size_t i = 0; i < words.n; i++)
			build_add_text(q->ctx, out, k->to, e->at, words.v[i]);
		return 0;
	case SWITCH:
		if (unit_bool(q->ctx, e, &on) < 0)
			return -EINVAL;
		build_put(q->ctx, out, k->to, build_text(q->ctx, e->at, on ? "true" : "false"));
		return 0;
	case FUNCTION:
		return k->read(q, e, out);
	case NOTHING:
		return 0;
	default:
		diag_at(q->ctx->diags, k->how == WARN ? DIAG_WARNING : DIAG_ERROR, e->at, NULL, "%s= %s", k->name, k->to);
		return k->how == WARN ? 0 : -EINVAL;
	}
}

static bool is_other_section(const char *s)
{
	return !strcmp(s, "Unit") || !strcmp(s, "Service") || !strcmp(s, "Install") || !strcmp(s, "Quadlet") || !strncmp(s, "X-", 2);
}

/* All keys of [section]; false when one is wrong, or the section is not there. */
static bool read_section(struct quadlet *q, const struct unit_entry *entries, const char *section, const struct table *t, struct node *out)
{
	bool good = true;
	bool there = false;

	for (const struct unit_entry *e = entries; e; e = e->next) {
		if (!strcmp(e->section, section)) {
			there = true;
			good &= read_key(q, e, t, out) == 0;
		} else if (!is_other_section(e->section)) {
			diag_at(q->ctx->diags, DIAG_ERROR, e->at, NULL, "the section [%.40s] does not belong here", e->section);
			good = false;
		}
	}
	if (!there && entries)
		diag_add(q->ctx->diags, DIAG_ERROR, entries->at->source, 1, 1, NULL, "there is no section [%s]", section);
	return good && there;
}

static void read_container(struct quadlet *q, const char *name, struct unit_entry *entries, bool good)
{
	static const struct table table = { container_keys, ARRAY_SIZE(container_keys) };
	struct node *at = build_place(q->ctx, entries->at->source, 1, 1);
	struct node *service = build_map(q->ctx, at);
	bool installed = false;

	good &= unit_specifiers(q->ctx, entries, arena_printf(q->ctx->arena, "%s.service", name)) == 0;
	/* without ContainerName= it is podman's own */
	build_put(q->ctx, service, "container_name", build_text(q->ctx, at, "systemd-%s", name));
	good &= read_section(q, entries, "Container", &table, service);
	good &= quadlet_read_unit(q, entries, service, NULL) == 0;
	for (const struct unit_entry *e = entries; e; e = e->next)
		installed |= !strcmp(e->section, "Install");
	if (!installed)
		diag_at(q->ctx->diags, DIAG_WARNING, at, "[Install] WantedBy=multi-user.target", "%s.container has no [Install]: systemd would not start it by itself, Coracle does", name);
	if (good)
		build_put(q->ctx, quadlet_section(q, "services", at), name, service);
	else
		diag_at(q->ctx->diags, DIAG_ERROR, at, NULL, "the container %s is left out, because of the errors in its file", name);
}

static void read_volume_file(struct quadlet *q, const char *name, struct unit_entry *entries, bool good)
{
	static const struct table table = { volume_keys, ARRAY_SIZE(volume_keys) };
	struct node *at = build_place(q->ctx, entries->at->source, 1, 1);
	struct node *volume = build_map(q->ctx, at);

	build_put(q->ctx, volume, "name", build_text(q->ctx, at, "systemd-%s", name));
	if (read_section(q, entries, "Volume", &table, volume) && good)
		build_put(q->ctx, quadlet_section(q, "volumes", at), arena_printf(q->ctx->arena, "%s.volume", name), volume);
}

static const char *suffix_of(const char *file_name)
{
	const char *dot = strrchr(file_name, '.');

	return dot ? dot : "";
}

void quadlet_expect(struct quadlet *q, const char *file_name)
{
	if (!strcmp(suffix_of(file_name), ".container"))
		strings_add(q->ctx, &q->units, arena_strndup(q->ctx->arena, file_name, strlen(file_name) - 10));
}

void quadlet_read(struct quadlet *q, const char *file_name, const struct source *source)
{
	const char *suffix = suffix_of(file_name);
	const char *name = arena_strndup(q->ctx->arena, file_name, (size_t)(suffix - file_name));
	bool container = !strcmp(suffix, ".container");
	struct unit_entry *entries;
	bool bad = false;

	if (!strcmp(suffix, ".network")) {
		diag_add(q->ctx->diags, DIAG_WARNING, source, 1, 1, NULL, "%s is not used: there are no bridge networks yet", file_name);
		return;
	}
	if (!container && strcmp(suffix, ".volume") != 0) {
		diag_add(q->ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "%s: of Quadlet files, Coracle reads .container and .volume", file_name);
		return;
	}
	if (strchr(name, '@')) {
		diag_add(q->ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "%s: templates are not supported by Coracle", file_name);
		return;
	}
	entries = unit_parse(q->ctx, source, &bad);
	if (!entries) {
		if (!bad)
			diag_add(q->ctx->diags, DIAG_ERROR, source, 1, 1, NULL, "%s is empty", file_name);
		return;
	}
	if (container)
		read_container(q, name, entries, !bad);
	else
		read_volume_file(q, name, entries, !bad);
}
