/* document.c - the top level of a Compose document: services, named volumes, and what holds them together. */
#include <errno.h>
#include <string.h>

#include "../text.h"
#include "compose.h"

#define SERVICES_MAX 256

static struct compose_service *find_service(const struct compose *c, const char *name)
{
	for (struct compose_service *s = c->services; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static int read_services(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose *c = out;
	struct compose_service **tail = &c->services;
	size_t n = 0;

	for (; *tail; tail = &(*tail)->next)
		n++;
	for (const struct item *i = value->items; i; i = i->next) {
		const struct compose_service *other = find_service(c, i->key->text);

		if (++n > SERVICES_MAX)
			return diag_at(ctx->diags, DIAG_ERROR, i->key, NULL, "more than %d services; the rest is left out", SERVICES_MAX);
		if (other) {
			diag_at(ctx->diags, DIAG_ERROR, i->key, NULL, "the service \"%s\" is in line %u already; this one is left out",
				other->name, other->at->line);
			continue;
		}
		*tail = compose_read_service(ctx, i->key, i->value);
		tail = &(*tail)->next;
	}
	return 0;
}

struct volume {
	const char *name;
	const char *driver;
	bool external;
	const char *ignored;
};

static int read_driver(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	if (!strcmp(value->text, "local"))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "local", "the volume driver %s is not there",
		       diag_quote(ctx->arena, value->text, value->len));
}

static const struct key volume_keys[] = {
	KEY("name", NODE_SCALAR, value_line, struct volume, name),
	KEY("driver", NODE_SCALAR, read_driver, struct volume, driver),
	KEY("external", NODE_SCALAR, value_bool, struct volume, external),
};
static const struct known_key volume_known[] = { { "driver_opts", DIAG_ERROR, NULL }, { "labels", DIAG_WARNING, NULL } };

static const struct schema volume_schema = {
	.what = "a volume",
	.keys = volume_keys,
	.n_keys = ARRAY_SIZE(volume_keys),
	.known = volume_known,
	.n_known = ARRAY_SIZE(volume_known),
	.known_why = "is a Compose key that Coracle does not support yet",
	.unknown = DIAG_ERROR,
	.extensions = true,
};

static int read_volume(struct ctx *ctx, const struct node *key, const struct node *value, struct compose_volume *v)
{
	struct volume f = { NULL, NULL, false, NULL };

	v->key = key->text;
	v->name = key->text;
	if (!node_is_null(value)) {
		if (value->type != NODE_MAP)
			return diag_at(ctx->diags, DIAG_ERROR, value, "{}", "a volume is a mapping, not %s", node_describe(value));
		if (compose_interpolate(ctx, (struct node *)value) || schema_read(ctx, &volume_schema, value, &f))
			return -EINVAL;
	}
	if (f.name)
		v->name = f.name;
	if (!compose_name_ok(v->name) || strlen(key->text) != key->len)
		return diag_at(ctx->diags, DIAG_ERROR, key, "letters, digits and _ . -", "%s is not a name for a volume",
			       diag_quote(ctx->arena, v->name, strlen(v->name)));
	return 0;
}

static int read_volumes(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose *c = out;
	struct compose_volume **tail = &c->volumes;

	while (*tail)
		tail = &(*tail)->next;
	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_volume *v = ARENA_NEW(ctx->arena, struct compose_volume);

		if (read_volume(ctx, i->key, i->value, v) < 0)
			continue;
		*tail = v;
		tail = &v->next;
	}
	return 0;
}

static int read_project(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose *c = out;

	if (!compose_name_ok(value->text))
		return diag_at(ctx->diags, DIAG_ERROR, value, "letters, digits and _ . -", "%s is not a name for a project",
			       diag_quote(ctx->arena, value->text, value->len));
	c->project = value->text;
	return 0;
}

static int read_nothing(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	(void)value;
	(void)out;
	return 0;
}

static const struct key document_keys[] = {
	{ "services", NODE_MAP, read_services, 0 },
	{ "volumes", NODE_MAP, read_volumes, 0 },
	{ "networks", NODE_MAP, compose_read_top_networks, 0 },
	{ "secrets", NODE_MAP, compose_read_top_secrets, 0 },
	{ "configs", NODE_MAP, compose_read_top_configs, 0 },
	{ "name", NODE_SCALAR, read_project, 0 },
	{ "version", NODE_SCALAR, read_nothing, 0 },
};

static const struct schema document_schema = {
	.what = "containers (a Compose document)",
	.keys = document_keys,
	.n_keys = ARRAY_SIZE(document_keys),
	.known = compose_known_top_keys,
	.n_known = COMPOSE_KNOWN_TOP,
	.known_why = "is a Compose key that Coracle does not support yet",
	.unknown = DIAG_UNKNOWN,
	.extensions = true,
};

void compose_read_document(struct ctx *ctx, const struct node *document, struct compose *c)
{
	schema_read(ctx, &document_schema, document, c);
}

void compose_read(struct ctx *ctx, const struct node *root, struct compose *c)
{
	const struct node *document = node_get(root, "containers");

	if (document && document->type == NODE_MAP)
		compose_read_document(ctx, document, c);
	/* the same keys, bare; what is not one of them belongs to cloud-config */
	for (size_t k = 0; k < ARRAY_SIZE(document_keys); k++) {
		const struct node *value = node_get(root, document_keys[k].name);

		if (value && value->type == (enum node_type)document_keys[k].accept && !node_is_null(value))
			document_keys[k].read(ctx, value, c);
	}
	for (size_t k = 0; k < COMPOSE_KNOWN_TOP; k++) {
		const struct node *value = node_get(root, compose_known_top_keys[k].name);

		if (value && !node_is_null(value))
			diag_at(ctx->diags, compose_known_top_keys[k].level, value, NULL, "\"%s\" %s", compose_known_top_keys[k].name,
				compose_known_top_keys[k].why ? compose_known_top_keys[k].why : document_schema.known_why);
	}
}

static const char *volume_name(size_t i, const void *arg)
{
	const struct compose_volume *v = ((const struct compose *)arg)->volumes;

	while (v && i-- > 0)
		v = v->next;
	return v ? v->key : NULL;
}

static int resolve_volume(struct ctx *ctx, const struct compose *c, const struct compose_service *s, struct compose_mount *m)
{
	const char *near;

	if (m->type != COMPOSE_VOLUME || !m->source)
		return 0;
	for (const struct compose_volume *v = c->volumes; v; v = v->next)
		if (!strcmp(v->key, m->source)) {
			m->source = v->name;
			return 0;
		}
	near = text_nearest(m->source, strlen(m->source), volume_name, c);
	return diag_at(ctx->diags, DIAG_ERROR, m->at,
		       near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) :
			      arena_printf(ctx->arena, "add it under volumes: {%.60s: {}}", m->source),
		       "\"%s\" uses the volume %s, which is not declared", s->name, diag_quote(ctx->arena, m->source, strlen(m->source)));
}

static void check_container_names(struct ctx *ctx, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next)
		for (const struct compose_service *o = c->services; o != s && !s->broken; o = o->next)
			if (!o->broken && !strcmp(o->container_name, s->container_name)) {
				s->broken = true;
				diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "the container name \"%s\" is taken by the service \"%s\" (line %u)",
					s->container_name, o->name, o->at->line);
			}
}

void compose_finish(struct ctx *ctx, struct compose *c)
{
	for (struct compose_service *s = c->services; s; s = s->next)
		for (struct compose_mount *m = s->volumes; m; m = m->next)
			if (resolve_volume(ctx, c, s, m) < 0)
				s->broken = true;
	check_container_names(ctx, c);
	compose_check_grants(ctx, c);
	compose_check_networks(ctx, c);
	compose_order_onboot(ctx, c);
	compose_check_depends(ctx, c);
}
