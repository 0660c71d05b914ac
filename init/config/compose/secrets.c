/* secrets.c - secrets and configs: of the document, and those that a service gets.
 *
 * A text in the document becomes a file below /run/coracle/secrets (prepare.c), which is memory; a file of the machine stays
 * where it is. Both are bound read-only into the container. Texts of secrets are never in a message. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "compose.h"

#define SECRETS_FOLDER "/run/coracle/secrets"
#define CONTENT_MAX ((size_t)512 << 10)	/* as swarm's: 500 KiB and a little */

struct secret_source {
	const char *file;
	const struct node *content;
	const char *name;
	struct strings labels;
};

static int read_content(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->len > CONTENT_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "this is more than 512 KiB");
	*(const struct node **)out = value;
	return 0;
}

static int read_environment(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	return diag_at(ctx->diags, DIAG_ERROR, value, "content or file", "there is no environment at boot to take a secret from");
}

static int read_external(struct ctx *ctx, const struct node *value, void *out)
{
	bool on = false;

	(void)out;
	if (value_bool(ctx, value, &on) < 0)
		return -EINVAL;
	return !on ? 0 : diag_at(ctx->diags, DIAG_ERROR, value, "content or file", "nothing keeps secrets outside of the document here");
}

static const struct key secret_keys[] = {
	KEY("file", NODE_SCALAR, value_path, struct secret_source, file),
	KEY("content", NODE_SCALAR, read_content, struct secret_source, content),
	{ "environment", NODE_SCALAR, read_environment, 0 },
	{ "external", NODE_SCALAR, read_external, 0 },
	KEY("name", NODE_SCALAR, value_line, struct secret_source, name),
	KEY("labels", NODE_LIST | NODE_MAP, compose_read_labels, struct secret_source, labels),
};
static const struct known_key secret_known[] = { { "driver", DIAG_ERROR, NULL }, { "driver_opts", DIAG_ERROR, NULL }, { "template_driver", DIAG_ERROR, NULL } };

static int read_secret(struct ctx *ctx, const struct item *i, struct compose_secret *s)
{
	static const struct schema schema = {
		.what = "a secret or config", .keys = secret_keys, .n_keys = ARRAY_SIZE(secret_keys), .known = secret_known,
		.n_known = ARRAY_SIZE(secret_known), .known_why = "is a Compose key that Coracle does not support yet",
		.unknown = DIAG_ERROR, .extensions = true,
	};
	struct secret_source f = { NULL, NULL, NULL, { NULL, 0 } };

	if (!compose_name_ok(i->key->text))
		return diag_at(ctx->diags, DIAG_ERROR, i->key, "letters, digits and _ . -", "%s is not a name for a secret or config",
			       diag_quote(ctx->arena, i->key->text, i->key->len));
	if (i->value->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "{content: text} or {file: /path}", "a secret or config is a mapping, not %s",
			       node_describe(i->value));
	if (compose_interpolate(ctx, i->value) || schema_read(ctx, &schema, i->value, &f))
		return -EINVAL;
	if (!f.file == !f.content)
		return diag_at(ctx->diags, DIAG_ERROR, i->key, "content: text, or file: /path", "%s needs content or file, and not both",
			       diag_quote(ctx->arena, i->key->text, i->key->len));
	s->file = f.file;
	s->content = f.content ? f.content->text : NULL;
	s->len = f.content ? f.content->len : 0;
	return 0;
}

static int read_top(struct ctx *ctx, const struct node *value, struct compose *c, bool config)
{
	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_secret *s = ARENA_NEW(ctx->arena, struct compose_secret);

		s->key = i->key->text;
		s->at = i->key;
		s->config = config;
		s->broken = read_secret(ctx, i, s) < 0;
		s->next = c->secrets;
		c->secrets = s;
	}
	return 0;
}

int compose_read_top_secrets(struct ctx *ctx, const struct node *value, void *out)
{
	return read_top(ctx, value, out, false);
}

int compose_read_top_configs(struct ctx *ctx, const struct node *value, void *out)
{
	return read_top(ctx, value, out, true);
}

/* -- of a service ---------------------------------------------------------- */

static int read_id(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n;

	if (scalar_uint(value->text, UINT32_MAX - 1, &n) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a number of a user or group",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = value->text;
	return 0;
}

static int read_mode(struct ctx *ctx, const struct node *value, void *out)
{
	bool bare;

	if (scalar_mode(value->text, out, &bare) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "octal, such as 0440", "%s are not permissions",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static const struct key grant_keys[] = {
	KEY("source", NODE_SCALAR, value_line, struct compose_grant, source),
	KEY("target", NODE_SCALAR, value_line, struct compose_grant, target),
	KEY("uid", NODE_SCALAR, read_id, struct compose_grant, uid),
	KEY("gid", NODE_SCALAR, read_id, struct compose_grant, gid),
	KEY("mode", NODE_SCALAR, read_mode, struct compose_grant, mode),
};

static int read_grant(struct ctx *ctx, const struct node *value, struct compose_grant *g)
{
	static const struct schema schema = {
		.what = "a secret or config of a service", .keys = grant_keys, .n_keys = ARRAY_SIZE(grant_keys), .unknown = DIAG_ERROR, .extensions = true,
	};

	if (value->type == NODE_SCALAR)
		return value_line(ctx, value, &g->source);
	if (value->type == NODE_LIST || schema_read(ctx, &schema, value, g))
		return value->type == NODE_LIST ? diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a secret or config is text or a mapping, not a list") : -EINVAL;
	if (!g->source)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a secret or config of a service needs its source");
	if (g->target && (strstr(g->target, "/..") || !strncmp(g->target, "..", 2) || !g->target[0] || (g->config && g->target[0] != '/')))
		return diag_at(ctx->diags, DIAG_ERROR, value, g->config ? "an absolute path" : "a name, or an absolute path", "%s cannot be its target",
			       diag_quote(ctx->arena, g->target, strlen(g->target)));
	g->owned = g->uid || g->gid || node_get(value, "mode");
	return 0;
}

static int read_grants(struct ctx *ctx, const struct node *value, struct compose_grant **tail, bool config)
{
	int r = 0;

	while (*tail)
		tail = &(*tail)->next;
	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_grant *g = ARENA_NEW(ctx->arena, struct compose_grant);

		*g = (struct compose_grant){ .at = i->value, .mode = 0444, .config = config };
		if (read_grant(ctx, i->value, g) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = g;
		tail = &g->next;
	}
	return r;
}

int compose_read_secrets(struct ctx *ctx, const struct node *value, void *out)
{
	return read_grants(ctx, value, out, false);
}

int compose_read_configs(struct ctx *ctx, const struct node *value, void *out)
{
	return read_grants(ctx, value, out, true);
}

struct search {
	const struct compose *c;
	bool config;
};

static const char *secret_name(size_t i, const void *arg)
{
	const struct search *search = arg;

	for (const struct compose_secret *s = search->c->secrets; s; s = s->next)
		if (s->config == search->config && i-- == 0)
			return s->key;
	return NULL;
}

static const struct compose_secret *find_secret(struct ctx *ctx, const struct compose *c, const struct compose_grant *g)
{
	const struct search search = { c, g->config };
	const char *near;

	for (const struct compose_secret *s = c->secrets; s; s = s->next)
		if (s->config == g->config && !strcmp(s->key, g->source)) {
			if (!s->broken)
				return s;
			diag_at(ctx->diags, DIAG_ERROR, g->at, NULL, "%s (line %u) has an error", diag_quote(ctx->arena, s->key, strlen(s->key)), s->at->line);
			return NULL;
		}
	near = text_nearest(g->source, strlen(g->source), secret_name, &search);
	diag_at(ctx->diags, DIAG_ERROR, g->at, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL, "the %s %s is not declared",
		g->config ? "config" : "secret", diag_quote(ctx->arena, g->source, strlen(g->source)));
	return NULL;
}

static int add_grant(struct ctx *ctx, struct compose *c, struct compose_service *s, const struct compose_grant *g, unsigned n)
{
	const struct compose_secret *secret = find_secret(ctx, c, g);
	struct compose_mount *m = ARENA_NEW(ctx->arena, struct compose_mount);
	struct compose_mount **tail = &s->volumes;

	if (!secret)
		return -EINVAL;
	*m = (struct compose_mount){ .type = COMPOSE_BIND, .at = g->at, .read_only = true, .source = secret->file };
	if (!g->target)
		m->target = arena_printf(ctx->arena, g->config ? "/%s" : "/run/secrets/%s", g->source);
	else
		m->target = g->target[0] == '/' ? g->target : arena_printf(ctx->arena, "/run/secrets/%s", g->target);
	if (secret->file && g->owned)
		diag_at(ctx->diags, DIAG_WARNING, g->at, "give the file itself that owner and mode", "uid, gid and mode have no effect on a file of the machine");
	if (!secret->file) {
		struct compose_file *f = ARENA_NEW(ctx->arena, struct compose_file);

		m->source = arena_printf(ctx->arena, SECRETS_FOLDER "/%s.%u", s->container_name, n);
		*f = (struct compose_file){ .at = g->at, .service = s, .path = m->source, .content = secret->content, .len = secret->len,
					    .uid = g->uid ? g->uid : "0", .gid = g->gid ? g->gid : "0", .mode = g->mode, .next = c->files };
		c->files = f;
	}
	strings_add(ctx, &m->options, "nocreate");
	for (; *tail; tail = &(*tail)->next)
		if (!strcmp((*tail)->target, m->target))
			return diag_at(ctx->diags, DIAG_ERROR, g->at, NULL, "%s is mounted twice", diag_quote(ctx->arena, m->target, strlen(m->target)));
	*tail = m;
	return 0;
}

void compose_check_grants(struct ctx *ctx, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next) {
		unsigned n = 0;

		for (const struct compose_grant *g = s->broken ? NULL : s->grants; g; g = g->next)
			if (add_grant(ctx, c, s, g, n++) < 0) {
				s->broken = true;
				diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "the service \"%s\" is left out, because it would miss a secret or config", s->name);
			}
	}
}
