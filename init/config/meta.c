/* meta.c - reads meta-data: who this instance is. */
#include <errno.h>
#include <string.h>

#include "path.h"
#include "userdata.h"

static int read_instance_id(struct ctx *ctx, const struct node *value, void *out)
{
	char *id;

	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	/* it names a directory; cloud-init puts _ for / too */
	id = arena_strndup(ctx->arena, value->text, value->len);
	for (char *p = id; (p = strchr(p, '/')); p++)
		*p = '_';
	*(const char **)out = id;
	if (path_component_ok(id))
		return 0;
	*(const char **)out = NULL;
	return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s cannot be an instance-id", diag_quote(ctx->arena, value->text, value->len));
}

static int read_local_hostname(struct ctx *ctx, const struct node *value, void *out)
{
	const char *name;

	if (value_line(ctx, value, &name) < 0)
		return -EINVAL;
	if (!config_hostname_ok(name))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a host name", diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = name;
	return 0;
}

/* Clouds add keys of their own to meta-data: what is not ours is none of our business. */
static void read_member(struct ctx *ctx, const struct node *root, const char *key, value_reader *read, const char **out)
{
	const struct node *value = node_get(root, key);

	if (*out || !value || node_is_null(value))
		return;
	if (value->type != NODE_SCALAR)
		diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s must be text, not %s", key, node_describe(value));
	else
		read(ctx, value, out);
}

void meta_read(struct ctx *ctx, const char *name, const char *bytes, size_t len, struct meta *meta)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	const struct node *root;
	bool empty;

	*source = (struct source){ name, bytes, len };
	root = yaml_read(ctx->arena, ctx->diags, source, &empty);
	if (!root)
		return;
	if (root->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, root, "such as \"instance-id: web-1\"", "meta-data is a mapping, not %s", node_describe(root));
		return;
	}
	read_member(ctx, root, "instance-id", read_instance_id, &meta->instance_id);
	read_member(ctx, root, "local-hostname", read_local_hostname, &meta->local_hostname);
	read_member(ctx, root, "hostname", read_local_hostname, &meta->local_hostname);
}
