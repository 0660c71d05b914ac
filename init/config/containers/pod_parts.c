/* pod_parts.c - volumes, probes and security contexts of a pod's containers. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "build.h"
#include "pod.h"

static const struct node *find_volume(const struct pod *p, const char *name)
{
	for (const struct item *i = p->volumes ? p->volumes->items : NULL; i; i = i->next) {
		const struct node *n = node_get(i->value, "name");

		if (n && n->type == NODE_SCALAR && !strcmp(n->text, name))
			return i->value;
	}
	return NULL;
}

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n && n->type == NODE_SCALAR && !node_is_null(n) ? n->text : NULL;
}

/* A directory of the machine, made where it is missing unless the type says that it must be there. */
static int host_path(struct pod *p, const struct node *volume, const struct node *at, struct node *mount)
{
	static const char *const made[] = { "", "DirectoryOrCreate" };
	static const char *const there[] = { "Directory", "File", "Socket", "CharDevice", "BlockDevice" };
	const char *path = text_of(volume, "path");
	const char *type = text_of(volume, "type");
	bool create = false, known = false;

	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		create |= !type || !strcmp(type, made[i]);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		known |= type && !strcmp(type, there[i]);
	if (!path)
		return diag_at(p->ctx->diags, DIAG_ERROR, volume, "{path: /etc/web}", "a hostPath needs a path");
	if (!create && !known)
		return diag_at(p->ctx->diags, DIAG_ERROR, volume, "Directory, DirectoryOrCreate, File or Socket", "%s is not a type of hostPath that Coracle knows",
			       diag_quote(p->ctx->arena, type, strlen(type)));
	build_put(p->ctx, mount, "type", build_text(p->ctx, at, "bind"));
	build_put(p->ctx, mount, "source", build_text(p->ctx, node_get(volume, "path"), "%s", path));
	if (!create)
		build_put(p->ctx, build_map_in(p->ctx, mount, "bind", at), "create_host_path", build_text(p->ctx, at, "false"));
	return 0;
}

/* In memory: shared between containers by a folder of /run; on disk: a named volume, without what the image has there. */
static int empty_dir(struct pod *p, const struct node *volume, const char *name, const struct node *at, struct node *mount)
{
	const char *medium = volume->type == NODE_MAP ? text_of(volume, "medium") : NULL;
	const char *key = arena_printf(p->ctx->arena, "%s-%s", p->name, name);
	const struct node *limit = volume->type == NODE_MAP ? node_get(volume, "sizeLimit") : NULL;

	if (limit)
		diag_at(p->ctx->diags, DIAG_WARNING, limit, NULL, "sizeLimit is not supported by Coracle; the volume may grow");
	if (medium && !strcmp(medium, "Memory")) {
		build_put(p->ctx, mount, "type", build_text(p->ctx, at, "bind"));
		build_put(p->ctx, mount, "source", build_text(p->ctx, at, "/run/coracle/empty/%s", key));
		return 0;
	}
	if (medium && medium[0])
		return diag_at(p->ctx->diags, DIAG_ERROR, volume, "Memory, or nothing", "%s is not a medium that Coracle knows", diag_quote(p->ctx->arena, medium, strlen(medium)));
	build_put(p->ctx, mount, "type", build_text(p->ctx, at, "volume"));
	build_put(p->ctx, mount, "source", build_text(p->ctx, at, "%s", key));
	build_put(p->ctx, build_map_in(p->ctx, mount, "volume", at), "nocopy", build_text(p->ctx, at, "true"));
	quadlet_declare_volume(&p->out, at, key, key);
	return 0;
}

static int add_source(struct pod *p, const struct node *volume, const char *name, const struct node *at, struct node *mount)
{
	const struct node *host = node_get(volume, "hostPath");
	const struct node *empty = node_get(volume, "emptyDir");

	if (host && host->type == NODE_MAP)
		return host_path(p, host, at, mount);
	if (empty)
		return empty_dir(p, empty, name, at, mount);
	return diag_at(p->ctx->diags, DIAG_ERROR, volume, "hostPath or emptyDir", "the kind of the volume %s is not supported by Coracle",
		       diag_quote(p->ctx->arena, name, strlen(name)));
}

static const char *volume_name(size_t i, const void *arg)
{
	const struct item *item = arg;

	while (item && i-- > 0)
		item = item->next;
	return !item ? NULL : text_of(item->value, "name") ? text_of(item->value, "name") : "";
}

static int add_mount(struct pod *p, const struct node *value, struct node *service)
{
	static const char *const known[] = { "name", "mountPath", "readOnly", "recursiveReadOnly", NULL };
	const char *name = text_of(value, "name");
	const struct node *path = node_get(value, "mountPath");
	struct node *mount = build_map(p->ctx, value);
	const struct node *volume;
	const char *near;

	if (!name || !path || path->type != NODE_SCALAR)
		return diag_at(p->ctx->diags, DIAG_ERROR, value, "{name: site, mountPath: /srv}", "this is no entry of volumeMounts");
	for (const struct item *i = value->items; i; i = i->next) {
		size_t k = 0;

		while (known[k] && strcmp(known[k], i->key->text) != 0)
			k++;
		if (!known[k] && !node_is_null(i->value))
			return pod_unknown(p, i->key, "a volumeMount", known, true);
	}
	volume = find_volume(p, name);
	if (!volume) {
		near = text_nearest(name, strlen(name), volume_name, p->volumes ? p->volumes->items : NULL);
		return diag_at(p->ctx->diags, DIAG_ERROR, node_get(value, "name"), near ? arena_printf(p->ctx->arena, "did you mean \"%s\"?", near) : NULL,
			       "the pod has no volume %s", diag_quote(p->ctx->arena, name, strlen(name)));
	}
	build_put(p->ctx, mount, "target", build_copy(p->ctx, path));
	if (node_get(value, "readOnly"))
		build_put(p->ctx, mount, "read_only", build_copy(p->ctx, node_get(value, "readOnly")));
	if (add_source(p, volume, name, value, mount) < 0)
		return -EINVAL;
	build_add(p->ctx, build_list_in(p->ctx, service, "volumes", value), mount);
	return 0;
}

int pod_mounts(struct pod *p, const struct node *mounts, struct node *service)
{
	int r = 0;

	for (const struct item *i = mounts->items; i; i = i->next)
		if (add_mount(p, i->value, service) < 0)
			r = -EINVAL;
	return r;
}

static int read_drop_add(struct pod *p, const struct node *value, struct node *service)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		bool add = !strcmp(i->key->text, "add");

		if (!add && strcmp(i->key->text, "drop") != 0)
			r = pod_unknown(p, i->key, "capabilities", NULL, true);
		else
			build_put(p->ctx, service, add ? "cap_add" : "cap_drop", build_copy(p->ctx, i->value));
	}
	return r;
}

/* runAsUser and runAsGroup make one word of Compose. */
static void set_user(struct pod *p, const struct node *value, bool group, struct node *service)
{
	const struct node *have = node_get(service, "user");
	const char *colon = have ? strchr(have->text, ':') : NULL;

	if (group)
		build_put(p->ctx, service, "user", build_text(p->ctx, value, "%.*s:%s", have ? (int)strcspn(have->text, ":") : 1, have ? have->text : "0", value->text));
	else
		build_put(p->ctx, service, "user", build_text(p->ctx, value, "%s%s", value->text, colon ? colon : ""));
}

static int read_number(struct pod *p, const struct item *i, struct node *service)
{
	uint64_t n;

	if (i->value->type != NODE_SCALAR || scalar_uint(i->value->text, UINT32_MAX - 1, &n) < 0)
		return diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "%s is a number", i->key->text);
	set_user(p, i->value, !strcmp(i->key->text, "runAsGroup"), service);
	return 0;
}

static int read_switch(struct pod *p, const struct item *i, struct node *service)
{
	bool on = false;

	if (value_bool(p->ctx, i->value, &on) < 0)
		return -EINVAL;
	if (!strcmp(i->key->text, "privileged") && on)
		build_put(p->ctx, service, "privileged", build_copy(p->ctx, i->value));
	if (!strcmp(i->key->text, "readOnlyRootFilesystem") && on)
		build_put(p->ctx, service, "read_only", build_copy(p->ctx, i->value));
	if (!strcmp(i->key->text, "allowPrivilegeEscalation") && !on)
		build_add_text(p->ctx, service, "security_opt", i->value, "no-new-privileges");
	return 0;
}

static int read_seccomp(struct pod *p, const struct node *value, struct node *service)
{
	const char *type = text_of(value, "type");

	if (type && !strcmp(type, "Unconfined"))
		build_add_text(p->ctx, service, "security_opt", value, "seccomp=unconfined");
	else if (!type || strcmp(type, "RuntimeDefault") != 0)
		return diag_at(p->ctx->diags, DIAG_ERROR, value, "{type: RuntimeDefault} or {type: Unconfined}", "this seccompProfile is not supported by Coracle");
	return 0;
}

/* [{name, value}] */
static int read_sysctls(struct pod *p, const struct node *list, struct node *service)
{
	for (const struct item *i = list->items; i; i = i->next) {
		const char *name = text_of(i->value, "name"), *value = text_of(i->value, "value");

		if (!name || !value)
			return diag_at(p->ctx->diags, DIAG_ERROR, i->value, "{name: kernel.shmmax, value: \"1\"}", "this is no entry of sysctls");
		build_put(p->ctx, build_map_in(p->ctx, service, "sysctls", list), name, build_text(p->ctx, i->value, "%s", value));
	}
	return 0;
}

static int put_groups(struct pod *p, const struct node *value, struct node *service)
{
	build_put(p->ctx, service, "group_add", build_copy(p->ctx, value));
	return 0;
}

int pod_security(struct pod *p, const struct node *context, struct node *service, bool of_pod)
{
	static const char *const numbers[] = { "runAsUser", "runAsGroup" };
	static const char *const switches[] = { "privileged", "readOnlyRootFilesystem", "allowPrivilegeEscalation" };
	int r = 0;

	for (const struct item *i = context->items; i; i = i->next) {
		const char *key = i->key->text;
		int one = 1;

		for (size_t k = 0; k < ARRAY_SIZE(numbers); k++)
			one = !strcmp(key, numbers[k]) ? read_number(p, i, service) : one;
		for (size_t k = 0; k < ARRAY_SIZE(switches) && !of_pod; k++)
			one = !strcmp(key, switches[k]) ? read_switch(p, i, service) : one;
		if (!strcmp(key, "capabilities") && !of_pod && i->value->type == NODE_MAP)
			one = read_drop_add(p, i->value, service);
		else if (!strcmp(key, "seccompProfile") && i->value->type == NODE_MAP)
			one = read_seccomp(p, i->value, service);
		else if (!strcmp(key, "sysctls") && of_pod && i->value->type == NODE_LIST)
			one = read_sysctls(p, i->value, service);
		else if (!strcmp(key, "supplementalGroups") && of_pod && i->value->type == NODE_LIST)
			one = put_groups(p, i->value, service);
		else if (!strcmp(key, "seLinuxOptions") || !strcmp(key, "appArmorProfile") || !strcmp(key, "fsGroupChangePolicy"))
			one = pod_unknown(p, i->key, "securityContext", NULL, false);
		else if (one > 0) /* runAsNonRoot too: to start all the same would be what it forbids */
			one = pod_unknown(p, i->key, "securityContext", NULL, true);
		r = one < 0 ? one : r;
	}
	return r;
}

/* exec becomes the healthcheck; the others need a network client beside the container. */
int pod_probe(struct pod *p, const struct node *probe, struct node *service)
{
	static const char *const seconds[][2] = { { "periodSeconds", "interval" }, { "timeoutSeconds", "timeout" }, { "initialDelaySeconds", "start_period" } };
	const struct node *command = node_get(node_get(probe, "exec") ? node_get(probe, "exec") : probe, "command");
	struct node *health = build_map(p->ctx, probe);
	struct node *test = build_list(p->ctx, probe);

	if (!node_get(probe, "exec")) {
		diag_at(p->ctx->diags, DIAG_WARNING, probe, "exec", "this livenessProbe is not supported by Coracle; the container runs unwatched");
		return 0;
	}
	if (!command || command->type != NODE_LIST)
		return diag_at(p->ctx->diags, DIAG_ERROR, probe, "exec: {command: [true]}", "a livenessProbe with exec needs a command");
	build_add(p->ctx, test, build_text(p->ctx, command, "CMD"));
	for (const struct item *i = command->items; i; i = i->next)
		build_add(p->ctx, test, build_copy(p->ctx, i->value));
	build_put(p->ctx, health, "test", test);
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		if (text_of(probe, seconds[i][0]))
			build_put(p->ctx, health, seconds[i][1], build_text(p->ctx, node_get(probe, seconds[i][0]), "%ss", text_of(probe, seconds[i][0])));
	if (text_of(probe, "failureThreshold"))
		build_put(p->ctx, health, "retries", build_copy(p->ctx, node_get(probe, "failureThreshold")));
	build_put(p->ctx, service, "healthcheck", health);
	return 0;
}
