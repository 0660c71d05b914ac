/* rancher.c - rancher: {services: ...} of RancherOS, as a Compose document: version 1 keys, order by labels. */
#include <errno.h>
#include <string.h>

#include "../config.h"
#include "../scalar.h"
#include "build.h"
#include "containers.h"
#include "quadlet.h"

#define LABEL "io.rancher.os."

/* Compose 1 has other names for some keys. */
static const char *const renamed[][2] = { { "net", "network_mode" }, { "log_driver", NULL }, { "log_opt", NULL }, { "dockerfile", NULL } };

/* A label's value in either form of labels:, or NULL. */
static const char *label_of(struct ctx *ctx, const struct node *service, const char *name, const struct node **at)
{
	const struct node *labels = node_get(service, "labels");
	const char *full = arena_printf(ctx->arena, LABEL "%s", name);
	size_t n = strlen(full);

	for (const struct item *i = labels && labels->type != NODE_SCALAR ? labels->items : NULL; i; i = i->next) {
		if (i->value->type != NODE_SCALAR)
			continue;
		*at = i->value;
		if (i->key && !strcmp(i->key->text, full))
			return i->value->text;
		if (!i->key && !strncmp(i->value->text, full, n) && i->value->text[n] == '=')
			return i->value->text + n + 1;
	}
	return NULL;
}

/* Several names with blanks or commas between them. detach: "false" means that the others wait for its end. */
static void add_after(struct ctx *ctx, const struct node *all, struct node *service, const struct node *at, const char *names)
{
	char *text = arena_strndup(ctx->arena, names, strlen(names));
	char *save = NULL;

	for (char *name = strtok_r(text, " ,", &save); name; name = strtok_r(NULL, " ,", &save)) {
		const struct node *other = node_get(all, name);
		const struct node *where;
		const char *detach = other ? label_of(ctx, other, "detach", &where) : NULL;
		bool on = true;
		struct node *one = build_map(ctx, at);

		/* the system's own services of RancherOS (network, docker, ...) are not here to be waited for */
		if (!other)
			continue;
		if (detach)
			scalar_bool(detach, &on);
		if (!on)
			build_put(ctx, one, "condition", build_text(ctx, at, "service_completed_successfully"));
		build_put(ctx, build_map_in(ctx, service, "depends_on", at), name, one);
	}
}

static bool is_scope_of_system(const char *scope)
{
	return !strcmp(scope, "system");
}

/* One service; NULL: it is left out. */
static struct node *read_service(struct ctx *ctx, struct quadlet *q, const struct item *item, const struct node *all)
{
	struct node *service = build_map(ctx, item->value);
	const struct node *at = item->value, *volumes;
	const char *text;
	bool on = false;

	for (const struct item *i = item->value->items; i; i = i->next) {
		const char *key = i->key->text;
		bool known = true;

		for (size_t k = 0; k < ARRAY_SIZE(renamed); k++)
			if (!strcmp(key, renamed[k][0])) {
				known = renamed[k][1] != NULL;
				key = renamed[k][1];
			}
		if (known)
			build_put(ctx, service, key, build_copy(ctx, i->value));
		else if (!node_is_null(i->value))
			diag_at(ctx->diags, DIAG_WARNING, i->key, NULL, "%s in a service of rancher is not supported by Coracle; it is not used",
				diag_quote(ctx->arena, i->key->text, i->key->len));
		if (known && key == i->key->text) { /* its own place, for "unknown key" */
			struct item *last = service->items;

			while (last->next)
				last = last->next;
			last->key = i->key;
		}
	}
	text = label_of(ctx, item->value, "createonly", &at);
	if (text && scalar_bool(text, &on) == 0 && on) {
		diag_at(ctx->diags, DIAG_WARNING, at, NULL, "%s is not made: createonly containers are not supported by Coracle", item->key->text);
		return NULL;
	}
	text = label_of(ctx, item->value, "after", &at);
	if (text)
		add_after(ctx, all, service, at, text);
	text = label_of(ctx, item->value, "scope", &at);
	if (text && !is_scope_of_system(text))
		diag_at(ctx->diags, DIAG_WARNING, at, "system", "the scope %s means nothing to Coracle; the service is one of the system", diag_quote(ctx->arena, text, strlen(text)));
	/* Compose 1 declares no volumes */
	volumes = node_get(item->value, "volumes");
	for (const struct item *i = volumes && volumes->type == NODE_LIST ? volumes->items : NULL; i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			quadlet_declare_source(q, i->value, i->value->text);
	return service;
}

static void read_services(struct ctx *ctx, const struct node *value, struct config *c)
{
	struct quadlet q = { .ctx = ctx };
	struct node *services = quadlet_section(&q, "services", value);
	struct item **tail = &services->items;

	for (const struct item *i = value->items; i; i = i->next) {
		struct node *service;

		if (i->value->type != NODE_MAP) {
			diag_at(ctx->diags, DIAG_ERROR, i->value, "{image: nginx}", "the service \"%s\" is a mapping, not %s", i->key->text, node_describe(i->value));
			continue;
		}
		service = read_service(ctx, &q, i, value);
		if (!service)
			continue;
		*tail = ARENA_NEW(ctx->arena, struct item);
		**tail = (struct item){ .key = i->key, .value = service };
		tail = &(*tail)->next;
	}
	/* before= of one is after= of another */
	for (const struct item *i = value->items; i; i = i->next) {
		const struct node *at = i->value;
		const char *before = i->value->type == NODE_MAP ? label_of(ctx, i->value, "before", &at) : NULL;
		char *save = NULL;

		for (char *name = before ? strtok_r(arena_strndup(ctx->arena, before, strlen(before)), " ,", &save) : NULL; name; name = strtok_r(NULL, " ,", &save)) {
			struct node *other = node_get(services, name);

			if (other)
				add_after(ctx, value, other, at, i->key->text);
		}
	}
	compose_read_document(ctx, q.document, &c->compose);
}

void rancher_read(struct ctx *ctx, const struct node *value, struct config *c)
{
	for (const struct item *i = value->items; i; i = i->next) {
		if (node_is_null(i->value))
			continue;
		if (strcmp(i->key->text, "services") != 0)
			diag_at(ctx->diags, !strcmp(i->key->text, "services_include") ? DIAG_ERROR : DIAG_WARNING, i->key, NULL,
				"%s in rancher is not supported by Coracle; it is not used", diag_quote(ctx->arena, i->key->text, i->key->len));
		else if (i->value->type != NODE_MAP)
			diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "services must be a mapping, not %s", node_describe(i->value));
		else
			read_services(ctx, i->value, c);
	}
}
