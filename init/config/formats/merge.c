/* merge.c - the mergers: what becomes of two values, by the kind of the earlier one. */
#include "merge.h"

#include <string.h>

#include "../map.h"
#include "scalar_type.h"

struct merge {
	struct ctx *ctx;
	const struct mergers *mergers;
};

static const struct node *merge(const struct merge *m, const struct node *old, const struct node *new);

static bool is_text(const struct node *n)
{
	return n->type == NODE_SCALAR && scalar_type(n) == SCALAR_TEXT;
}

static const struct merger *find(const struct merge *m, enum merger_kind kind)
{
	for (size_t i = 0; i < m->mergers->n; i++)
		if (m->mergers->v[i].kind == kind)
			return &m->mergers->v[i];
	return NULL;
}

static struct item *add_item(struct ctx *ctx, struct node *to, struct item ***tail, struct node *key, const struct node *value)
{
	struct item *i = ARENA_NEW(ctx->arena, struct item);

	i->key = key;
	i->value = (struct node *)value; /* shared, and never written to */
	**tail = i;
	*tail = &i->next;
	to->count++;
	to->expanded += value->expanded + (key ? 1 : 0);
	to->height = MAX(to->height, value->height + 1);
	return i;
}

static struct node *empty_like(struct ctx *ctx, const struct node *n)
{
	struct node *copy = ARENA_NEW(ctx->arena, struct node);

	*copy = *n;
	copy->items = NULL;
	copy->count = 0;
	copy->expanded = 1;
	copy->height = 1;
	return copy;
}

static const struct node *same_key(const struct merge *m, unsigned options, const struct node *old, const struct node *new)
{
	if (options & MERGE_REPLACE)
		return new;
	if ((new->type == NODE_LIST && options & MERGE_RECURSE_LIST) || (is_text(new) && options & MERGE_RECURSE_STR) || new->type == NODE_MAP)
		return merge(m, old, new);
	return old;
}

static const struct node *merge_dict(const struct merge *m, const struct merger *how, const struct node *old, const struct node *new)
{
	struct node *out;
	struct item **tail;
	struct map_table table;

	if (new->type != NODE_MAP)
		return old;
	out = empty_like(m->ctx, old);
	tail = &out->items;
	map_table_init(m->ctx->arena, &table, new->count);
	for (struct item *i = new->items; i; i = i->next)
		*map_table_slot(&table, i->key) = i;
	for (const struct item *i = old->items; i; i = i->next) {
		const struct item *twin = *map_table_slot(&table, i->key);

		if (!twin)
			add_item(m->ctx, out, &tail, i->key, i->value);
		else if (!(how->options & MERGE_ALLOW_DELETE && node_is_null(twin->value)))
			add_item(m->ctx, out, &tail, twin->key, same_key(m, how->options, i->value, twin->value));
	}
	map_table_init(m->ctx->arena, &table, old->count);
	for (struct item *i = old->items; i; i = i->next)
		*map_table_slot(&table, i->key) = i;
	for (const struct item *i = new->items; i; i = i->next)
		if (!*map_table_slot(&table, i->key))
			add_item(m->ctx, out, &tail, i->key, i->value);
	return out;
}

static const struct node *same_index(const struct merge *m, unsigned options, const struct node *old, const struct node *new)
{
	if ((options & (MERGE_NO_REPLACE | MERGE_REPLACE)) == MERGE_NO_REPLACE)
		return old;
	if ((new->type == NODE_LIST && options & MERGE_RECURSE_LIST) || (is_text(new) && options & MERGE_RECURSE_STR) ||
	    (new->type == NODE_MAP && options & MERGE_RECURSE_DICT))
		return merge(m, old, new);
	return new;
}

static const struct node *merge_list(const struct merge *m, const struct merger *how, const struct node *old, const struct node *new)
{
	unsigned method = how->options & (MERGE_APPEND | MERGE_PREPEND);
	const struct node *first = method == MERGE_PREPEND ? new : old;
	const struct node *second = method == MERGE_PREPEND ? old : new;
	const struct item *i;
	struct node *out;
	struct item **tail;

	if (new->type != NODE_LIST) {
		if (!method && (how->options & (MERGE_REPLACE | MERGE_NO_REPLACE)) != MERGE_NO_REPLACE)
			return new;
		diag_at(m->ctx->diags, DIAG_ERROR, new, NULL, "%s cannot be merged into the list of line %u", node_describe(new), old->line);
		return old;
	}
	out = empty_like(m->ctx, old);
	tail = &out->items;
	if (method) {
		for (i = first->items; i; i = i->next)
			add_item(m->ctx, out, &tail, NULL, i->value);
		for (i = second->items; i; i = i->next)
			add_item(m->ctx, out, &tail, NULL, i->value);
		return out;
	}
	i = new->items;
	for (const struct item *o = old->items; o; o = o->next) {
		add_item(m->ctx, out, &tail, NULL, i ? same_index(m, how->options, o->value, i->value) : o->value);
		i = i ? i->next : NULL;
	}
	return out;
}

static const struct node *merge_text(const struct merge *m, const struct merger *how, const struct node *old, const struct node *new)
{
	struct node *out;
	char *text;

	if (!(how->options & MERGE_APPEND))
		return new;
	if (!is_text(new)) {
		diag_at(m->ctx->diags, DIAG_ERROR, new, "quote it", "%s cannot be appended to the text of line %u",
			new->type == NODE_SCALAR ? "this value" : node_describe(new), old->line);
		return old;
	}
	out = ARENA_NEW(m->ctx->arena, struct node);
	*out = *new;
	out->plain = false;
	out->len = old->len + new->len;
	text = arena_alloc(m->ctx->arena, out->len + 1);
	memcpy(text, old->text, old->len);
	memcpy(text + old->len, new->text, new->len);
	out->text = text;
	return out;
}

/* What no merger takes, numbers and such, stays as it was. */
static const struct node *merge(const struct merge *m, const struct node *old, const struct node *new)
{
	enum merger_kind kind = old->type == NODE_MAP ? MERGER_DICT : old->type == NODE_LIST ? MERGER_LIST : MERGER_STR;
	const struct merger *how = find(m, kind);

	if (!how || (kind == MERGER_STR && !is_text(old)))
		return old;
	return kind == MERGER_DICT ? merge_dict(m, how, old, new) : kind == MERGER_LIST ? merge_list(m, how, old, new) : merge_text(m, how, old, new);
}

const struct node *merge_part(struct ctx *ctx, const struct mergers *m, const struct node *earlier, const struct node *later)
{
	struct merge state = { ctx, m };

	if (!find(&state, MERGER_DICT)) {
		diag_at(ctx->diags, DIAG_ERROR, later, "such as list(append)+dict(recurse_array)+str()",
			"merge_how has no dict(...): nothing of this part is merged");
		return earlier;
	}
	/* the first part is merged into an empty mapping */
	return earlier ? merge(&state, earlier, later) : later;
}

const struct node *merge_layers(struct ctx *ctx, const struct node *high, const struct node *low)
{
	static const struct mergers fill = { .v = { { MERGER_LIST, 0 }, { MERGER_DICT, 0 }, { MERGER_STR, 0 } }, .n = 3 };
	struct merge state = { ctx, &fill };

	if (!high || !low)
		return high ? high : low;
	return merge(&state, high, low);
}
