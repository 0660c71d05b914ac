/* ignition.c - an Ignition configuration, version 3: its root, and who logs in. JSON is read as the YAML that it is, so places are known. */
#include "ignition.h"

#include <errno.h>
#include <string.h>

#include "../text.h"
#include "build.h"
#include "containers.h"

static const char *known_name(size_t i, const void *arg)
{
	return ((const char *const *)arg)[i];
}

int ignition_check_keys(struct ignition *g, const struct node *map, const char *where, const char *const *known)
{
	int r = 0;

	for (const struct item *i = map->items; i; i = i->next) {
		size_t k = 0;
		const char *near;

		while (known[k] && strcmp(known[k], i->key->text) != 0)
			k++;
		if (known[k] || node_is_null(i->value) || (i->value->type != NODE_SCALAR && !i->value->items))
			continue;
		near = text_nearest(i->key->text, i->key->len, known_name, known);
		r = diag_at(g->ctx->diags, DIAG_ERROR, i->key, near ? arena_printf(g->ctx->arena, "did you mean \"%s\"?", near) : NULL,
			    "%s in %s is not supported by Coracle", diag_quote(g->ctx->arena, i->key->text, i->key->len), where);
	}
	return r;
}

const char *ignition_text(struct ignition *g, const struct node *map, const char *key, bool *bad)
{
	const struct node *n = node_get(map, key);
	const char *text = NULL;

	if (!n || node_is_null(n))
		return NULL;
	if (value_text(g->ctx, n, &text) < 0)
		*bad = true;
	return text;
}

/* One user of Ignition as one of cloud-config's, so that its checks hold here too. */
static int read_one_user(struct ignition *g, const struct node *value, struct node *list)
{
	static const char *const map[][2] = {
		{ "name", "name" }, { "sshAuthorizedKeys", "ssh_authorized_keys" }, { "passwordHash", "hashed_passwd" }, { "gecos", "gecos" },
		{ "homeDir", "homedir" }, { "noCreateHome", "no_create_home" }, { "primaryGroup", "primary_group" }, { "groups", "groups" },
		{ "noUserGroup", "no_user_group" }, { "noLogInit", "no_log_init" }, { "shell", "shell" }, { "system", "system" }, { "uid", "uid" },
	};
	static const char *const known[] = { "name", "sshAuthorizedKeys", "passwordHash", "gecos", "homeDir", "noCreateHome", "primaryGroup", "groups",
					     "noUserGroup", "noLogInit", "shell", "system", "uid", "shouldExist", NULL };
	const struct node *exists = node_get(value, "shouldExist");
	struct node *user = build_map(g->ctx, value);
	bool on = true;

	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "a user is a mapping, not %s", node_describe(value));
	if (ignition_check_keys(g, value, "a user", known) < 0)
		return -EINVAL;
	if (exists && !node_is_null(exists) && value_bool(g->ctx, exists, &on) < 0)
		return -EINVAL;
	if (!on)
		return diag_at(g->ctx->diags, DIAG_ERROR, exists, NULL, "removing a user is not supported by Coracle");
	for (size_t i = 0; i < ARRAY_SIZE(map); i++) {
		const struct node *n = node_get(value, map[i][0]);

		if (n && !node_is_null(n))
			build_put(g->ctx, user, map[i][1], build_copy(g->ctx, n));
	}
	if (node_get(user, "hashed_passwd"))
		build_put(g->ctx, user, "lock_passwd", build_text(g->ctx, value, "false"));
	build_add(g->ctx, list, user);
	return 0;
}

static int read_users_of(struct ignition *g, const struct node *users)
{
	struct node *list = build_list(g->ctx, users);
	int r = 0;

	if (users->type != NODE_LIST)
		return diag_at(g->ctx->diags, DIAG_ERROR, users, NULL, "users must be a list, not %s", node_describe(users));
	for (const struct item *i = users->items; i; i = i->next)
		if (read_one_user(g, i->value, list) < 0)
			r = -EINVAL;
	if (list->items && read_users(g->ctx, list, &g->config->accounts) < 0)
		r = -EINVAL;
	return r;
}

static int read_groups_of(struct ignition *g, const struct node *groups)
{
	static const char *const known[] = { "name", "gid", "system", NULL };
	struct node *list = build_list(g->ctx, groups);
	int r = 0;

	for (const struct item *i = groups->type == NODE_LIST ? groups->items : NULL; i; i = i->next) {
		const struct node *name = node_get(i->value, "name");

		if (i->value->type != NODE_MAP || !name || name->type != NODE_SCALAR || ignition_check_keys(g, i->value, "a group", known) < 0) {
			r = diag_at(g->ctx->diags, DIAG_ERROR, i->value, "{name: web}", "this is no group");
			continue;
		}
		if (node_get(i->value, "gid") && !node_is_null(node_get(i->value, "gid")))
			diag_at(g->ctx->diags, DIAG_WARNING, node_get(i->value, "gid"), NULL, "the number of a group is not supported by Coracle; it gets the next free one");
		build_add(g->ctx, list, build_copy(g->ctx, name));
	}
	if (list->items && read_groups(g->ctx, list, &g->config->accounts) < 0)
		r = -EINVAL;
	return r;
}

int ignition_passwd(struct ignition *g, const struct node *passwd)
{
	static const char *const known[] = { "users", "groups", NULL };
	const struct node *users = node_get(passwd, "users");
	const struct node *groups = node_get(passwd, "groups");
	int r = ignition_check_keys(g, passwd, "passwd", known);

	if (groups && !node_is_null(groups) && read_groups_of(g, groups) < 0)
		r = -EINVAL;
	if (users && !node_is_null(users) && read_users_of(g, users) < 0)
		r = -EINVAL;
	return r;
}

static int read_version(struct ignition *g, const struct node *root)
{
	static const char *const known[] = { "version", "timeouts", NULL };
	const struct node *ignition = node_get(root, "ignition");
	const struct node *version = ignition ? node_get(ignition, "version") : NULL;

	if (!ignition || ignition->type != NODE_MAP || !version || version->type != NODE_SCALAR)
		return diag_at(g->ctx->diags, DIAG_ERROR, ignition ? ignition : root, "{\"ignition\": {\"version\": \"3.4.0\"}}", "an Ignition configuration says its version");
	if (strncmp(version->text, "3.", 2) != 0 || !strchr("012345", version->text[2]) || version->text[2] == '\0' || version->text[3] != '.')
		return diag_at(g->ctx->diags, DIAG_ERROR, version, "3.0.0 to 3.5.0", "the version %s of Ignition is not supported by Coracle",
			       diag_quote(g->ctx->arena, version->text, version->len));
	/* config.merge and config.replace would change what all the rest means */
	return ignition_check_keys(g, ignition, "ignition", known);
}

static int read_part(struct ignition *g, const struct node *root, const char *key, int (*read)(struct ignition *g, const struct node *value))
{
	const struct node *value = node_get(root, key);

	if (!value || node_is_null(value))
		return 0;
	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "%s must be a mapping, not %s", key, node_describe(value));
	return read(g, value);
}

int ignition_read(struct ctx *ctx, const struct source *source, struct config *c)
{
	static const char *const known[] = { "ignition", "passwd", "storage", "systemd", NULL };
	struct ignition g = { .ctx = ctx, .config = c, .units = { .ctx = ctx } };
	bool empty;
	const struct node *root = yaml_read(ctx->arena, ctx->diags, source, &empty);

	if (!root)
		return empty ? 0 : -EINVAL;
	if (root->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, root, NULL, "an Ignition configuration is a mapping, not %s", node_describe(root));
	if (read_version(&g, root) < 0)
		return -EINVAL;
	ignition_check_keys(&g, root, "an Ignition configuration", known);
	read_part(&g, root, "passwd", ignition_passwd);
	read_part(&g, root, "storage", ignition_storage);
	read_part(&g, root, "systemd", ignition_systemd);
	if (g.units.document)
		compose_read_document(ctx, g.units.document, &c->compose);
	return 0;
}
