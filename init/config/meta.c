/* meta.c - reads meta-data: who this instance is, and which keys may enter it. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "path.h"
#include "text.h"
#include "userdata.h"

#define KEY_MAX 16384	/* bytes of one public key; RSA with 16384 bits has 2.8 kB */

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

void meta_set_instance_id(struct ctx *ctx, const char *at, const char *text, struct meta *meta)
{
	if (!text || !*text || meta->instance_id)
		return;
	if (path_component_ok(text))
		meta->instance_id = text;
	else
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s cannot be an instance-id", at, diag_quote(ctx->arena, text, strlen(text)));
}

void meta_set_hostname(struct ctx *ctx, const char *at, const char *text, struct meta *meta)
{
	if (!text || !*text || meta->local_hostname)
		return;
	/* a cloud's full name can be longer than the kernel takes: its first label then */
	if (strlen(text) > HOST_NAME_MAX && strchr(text, '.'))
		text = arena_strndup(ctx->arena, text, strcspn(text, "."));
	if (config_hostname_ok(text))
		meta->local_hostname = text;
	else
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s is not a host name", at, diag_quote(ctx->arena, text, strlen(text)));
}

static void add_key(struct ctx *ctx, const struct node *at, const char *s, size_t n, struct meta *meta)
{
	while (n > 0 && strchr(" \t\r", s[n - 1]))
		n--;
	for (; n > 0 && (*s == ' ' || *s == '\t'); n--)
		s++;
	if (n == 0)
		return;
	if (n > KEY_MAX || !text_single_line(s, n))
		diag_at(ctx->diags, DIAG_ERROR, at, NULL, n > KEY_MAX ? "a public key is longer than 16 KiB" : "a public key has a control character in it");
	else
		strings_add(ctx, &meta->public_keys, arena_strndup(ctx->arena, s, n));
}

/* One key per line. */
static void add_lines(struct ctx *ctx, const struct node *value, struct meta *meta)
{
	const char *end = value->text + value->len;

	for (const char *s = value->text; s < end;) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((newline ? newline : end) - s);

		add_key(ctx, value, s, n, meta);
		s += n + 1;
	}
}

/* cloud-init, sources/__init__.py, normalize_pubkey_data() */
void meta_add_keys(struct ctx *ctx, const struct node *keys, struct meta *meta)
{
	if (!keys || node_is_null(keys))
		return;
	if (keys->type == NODE_SCALAR)
		add_lines(ctx, keys, meta);
	for (const struct item *i = keys->items; i; i = i->next) {
		if (i->value->type == NODE_SCALAR && !node_is_null(i->value))
			add_lines(ctx, i->value, meta);
		else if (i->value->type == NODE_LIST && keys->type == NODE_MAP)
			meta_add_keys(ctx, i->value, meta);
		else if (i->value->type != NODE_SCALAR)
			diag_at(ctx->diags, DIAG_ERROR, i->value, "public-keys: [ssh-ed25519 AAAA..., ...]", "a public key must be text, not %s",
				node_describe(i->value));
	}
}

/* Of several layers the earlier wins key by key. */
static const struct node *merge(struct ctx *ctx, const struct node *first, const struct node *second)
{
	struct node *all;
	struct item **end;

	if (!first || !second)
		return first ? first : second;
	all = ARENA_NEW(ctx->arena, struct node);
	*all = *first;
	all->items = NULL;
	all->count = 0;
	end = &all->items;
	for (unsigned layer = 0; layer < 2; layer++)
		for (const struct item *i = (layer ? second : first)->items; i; i = i->next) {
			if (layer && node_get(first, i->key->text))
				continue;
			*end = ARENA_NEW(ctx->arena, struct item);
			**end = (struct item){ i->key, i->value, NULL };
			end = &(*end)->next;
			all->count++;
		}
	return all;
}

static struct item *text_item(struct ctx *ctx, const struct node *like, const char *key, const char *text)
{
	struct item *item = ARENA_NEW(ctx->arena, struct item);

	for (unsigned i = 0; i < 2; i++) {
		struct node *n = ARENA_NEW(ctx->arena, struct node);

		*n = (struct node){ .source = like->source, .line = like->line, .column = like->column, .type = NODE_SCALAR, .expanded = 1, .height = 1,
				    .text = i ? text : key, .len = strlen(i ? text : key) };
		*(i ? &item->value : &item->key) = n;
	}
	return item;
}

void meta_complete(struct ctx *ctx, struct meta *meta)
{
	static const struct source nowhere = { "meta-data", "", 0 };
	static const struct node empty = { .source = &nowhere, .type = NODE_MAP, .expanded = 1, .height = 1 };
	const char *const texts[][2] = { { "instance-id", meta->instance_id }, { "local-hostname", meta->local_hostname } };
	const struct node *tree = meta->tree ? meta->tree : &empty;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i][1]) {
			struct node *one = ARENA_NEW(ctx->arena, struct node);

			*one = empty;
			one->items = text_item(ctx, &empty, texts[i][0], texts[i][1]);
			one->count = 1;
			tree = merge(ctx, tree, one);
		}
	meta->tree = tree;
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
	if (meta->public_keys.n == 0)
		meta_add_keys(ctx, node_get(root, "public-keys"), meta);
	meta->tree = merge(ctx, meta->tree, root);
}
