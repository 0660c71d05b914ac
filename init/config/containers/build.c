/* build.c - makes the nodes of a Compose document that have the places of another document. */
#include "build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct node *new_node(struct ctx *ctx, enum node_type type, const struct node *at)
{
	struct node *n = ARENA_NEW(ctx->arena, struct node);

	*n = (struct node){ .source = at->source, .line = at->line, .column = at->column, .type = type, .interpolated = true,
			    .end_line = at->line, .expanded = 1, .height = 1 };
	return n;
}

struct node *build_map(struct ctx *ctx, const struct node *at)
{
	return new_node(ctx, NODE_MAP, at);
}

struct node *build_list(struct ctx *ctx, const struct node *at)
{
	return new_node(ctx, NODE_LIST, at);
}

struct node *build_text(struct ctx *ctx, const struct node *at, const char *fmt, ...)
{
	struct node *n = new_node(ctx, NODE_SCALAR, at);
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(ctx->arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	n->text = text;
	n->len = (size_t)len;
	return n;
}

struct node *build_place(struct ctx *ctx, const struct source *source, unsigned line, unsigned column)
{
	struct node at = { .source = source, .line = line, .column = column };
	struct node *n = new_node(ctx, NODE_SCALAR, &at);

	n->text = "";
	return n;
}

struct node *build_copy(struct ctx *ctx, const struct node *n)
{
	struct node *copy = ARENA_NEW(ctx->arena, struct node);
	struct item **tail = &copy->items;

	*copy = *n;
	copy->interpolated = true;
	copy->items = NULL;
	for (const struct item *i = n->items; i; i = i->next) {
		*tail = ARENA_NEW(ctx->arena, struct item);
		**tail = (struct item){ .key = i->key, .value = build_copy(ctx, i->value) };
		tail = &(*tail)->next;
	}
	return copy;
}

static void append(struct ctx *ctx, struct node *n, struct node *key, struct node *value)
{
	struct item **tail = &n->items;

	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(ctx->arena, struct item);
	**tail = (struct item){ .key = key, .value = value };
	n->count++;
}

void build_put(struct ctx *ctx, struct node *map, const char *key, struct node *value)
{
	for (struct item *i = map->items; i; i = i->next)
		if (!strcmp(i->key->text, key)) {
			i->value = value;
			return;
		}
	append(ctx, map, build_text(ctx, value, "%s", key), value);
}

void build_add(struct ctx *ctx, struct node *list, struct node *value)
{
	append(ctx, list, NULL, value);
}

static struct node *child(struct ctx *ctx, struct node *map, const char *key, enum node_type type, const struct node *at)
{
	struct node *n = node_get(map, key);

	if (n && n->type == type)
		return n;
	n = new_node(ctx, type, at);
	build_put(ctx, map, key, n);
	return n;
}

struct node *build_list_in(struct ctx *ctx, struct node *map, const char *key, const struct node *at)
{
	return child(ctx, map, key, NODE_LIST, at);
}

struct node *build_map_in(struct ctx *ctx, struct node *map, const char *key, const struct node *at)
{
	return child(ctx, map, key, NODE_MAP, at);
}

void build_add_text(struct ctx *ctx, struct node *map, const char *key, const struct node *at, const char *text)
{
	build_add(ctx, build_list_in(ctx, map, key, at), build_text(ctx, at, "%s", text));
}
