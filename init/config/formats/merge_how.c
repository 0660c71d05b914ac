/* merge_how.c - reads how a part wants to be merged: "list(append)+dict(recurse_array)+str()", or a list of mappings or of lists. */
#include <errno.h>
#include <string.h>

#include "merge.h"

/* An option that a merger does not know is nothing to cloud-init; we say so. */
static const struct option {
	const char *name;
	unsigned bit;
	unsigned kinds;		/* which mergers know it: 1 << enum merger_kind */
} options[] = {
	{ "replace", MERGE_REPLACE, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "no_replace", MERGE_NO_REPLACE, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "append", MERGE_APPEND, 1 << MERGER_LIST | 1 << MERGER_STR },
	{ "prepend", MERGE_PREPEND, 1 << MERGER_LIST },
	{ "recurse_str", MERGE_RECURSE_STR, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "recurse_array", MERGE_RECURSE_LIST, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "recurse_list", MERGE_RECURSE_LIST, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "recurse_dict", MERGE_RECURSE_DICT, 1 << MERGER_DICT | 1 << MERGER_LIST },
	{ "allow_delete", MERGE_ALLOW_DELETE, 1 << MERGER_DICT },
};

/* Where the text stands: a node, or the part's header. */
struct place {
	struct ctx *ctx;
	const struct node *node;
	const struct source *source;
};

static int fail(const struct place *p, const char *hint, const char *text)
{
	if (p->node)
		return diag_at(p->ctx->diags, DIAG_ERROR, p->node, hint, "%s", text);
	diag_add(p->ctx->diags, DIAG_ERROR, p->source, 0, 0, hint, "%s", text);
	return -EINVAL;
}

static int add_merger(const struct place *p, struct mergers *m, const char *name, size_t n)
{
	static const char *const names[] = { "dict", "list", "str" };

	if (n > 2 && !memcmp(name, "m_", 2)) {
		name += 2;
		n -= 2;
	}
	if (m->n == MERGERS_MAX)
		return fail(p, NULL, "more than 16 mergers");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n)) {
			m->v[m->n++] = (struct merger){ .kind = (enum merger_kind)i };
			return 0;
		}
	return fail(p, "dict, list or str", arena_printf(p->ctx->arena, "%s is not a merger", diag_quote(p->ctx->arena, name, n)));
}

static void add_option(const struct place *p, struct merger *m, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strlen(options[i].name) != n || memcmp(options[i].name, name, n) != 0)
			continue;
		if (options[i].kinds & 1u << m->kind)
			m->options |= options[i].bit;
		return;
	}
	diag_add(p->ctx->diags, DIAG_WARNING, p->node ? p->node->source : p->source, p->node ? p->node->line : 0, p->node ? p->node->column : 0, NULL,
		 "%s is no option of a merger", diag_quote(p->ctx->arena, name, n));
}

static void trim(const char **s, size_t *n)
{
	while (*n && strchr(" \t\r\n", **s))
		(*s)++, (*n)--;
	while (*n && strchr(" \t\r\n", (*s)[*n - 1]))
		(*n)--;
}

/* "name(option, option)" */
static int read_term(const struct place *p, struct mergers *m, const char *s, size_t n)
{
	const char *open;
	const char *close;

	trim(&s, &n);
	if (n == 0)
		return 0;
	open = memchr(s, '(', n);
	close = open ? memchr(open, ')', n - (size_t)(open - s)) : NULL;
	if (!close || close != s + n - 1)
		return fail(p, "such as list(append)+dict(recurse_array)+str()",
			    arena_printf(p->ctx->arena, "%s is not a merger", diag_quote(p->ctx->arena, s, n)));
	if (add_merger(p, m, s, (size_t)(open - s)) < 0)
		return -EINVAL;
	for (const char *word = open + 1; word < close;) {
		size_t len = strcspn(word, ",)");
		const char *begin = word;

		word += len + 1;
		trim(&begin, &len);
		if (len)
			add_option(p, &m->v[m->n - 1], begin, len);
	}
	return 0;
}

static int read_text(const struct place *p, const char *text, struct mergers *m)
{
	char *s = arena_strndup(p->ctx->arena, text, strlen(text));
	int r = 0;

	for (char *c = s; *c; c++)
		*c = *c == '-' ? '_' : *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
	for (size_t n; *s; s += n + (s[n] == '+')) {
		n = strcspn(s, "+");
		if (read_term(p, m, s, n) < 0)
			r = -EINVAL;
	}
	return r;
}

static void add_options(const struct place *p, struct merger *m, const struct item *first)
{
	for (const struct item *i = first; i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			add_option(p, m, i->value->text, i->value->len);
}

/* {name: list, settings: [append]}, or [list, append] */
static int read_entry(const struct place *p, const struct node *e, struct mergers *m)
{
	const struct node *name = e->type == NODE_MAP ? node_get(e, "name") : e->items ? e->items->value : NULL;
	const struct node *settings = e->type == NODE_MAP ? node_get(e, "settings") : NULL;
	char *word;
	size_t n;

	if (e->type == NODE_SCALAR || !name || name->type != NODE_SCALAR || (e->type == NODE_MAP && (!settings || settings->type != NODE_LIST)))
		return fail(p, "{name: list, settings: [append]}, or [list, append]", "an entry of merge_how is a name and its settings");
	word = arena_strndup(p->ctx->arena, name->text, name->len);
	for (char *c = word; *c; c++)
		*c = *c == '-' ? '_' : *c;
	n = strlen(word);
	trim((const char **)&word, &n);
	if (n == 0)
		return 0;
	if (add_merger(p, m, word, n) < 0)
		return -EINVAL;
	add_options(p, &m->v[m->n - 1], settings ? settings->items : e->items->next);
	return 0;
}

static int read_node(struct ctx *ctx, const struct node *how, struct mergers *m)
{
	struct place p = { ctx, how, how->source };
	int r = 0;

	if (how->type == NODE_SCALAR)
		return read_text(&p, how->text, m);
	if (how->type == NODE_MAP)
		return fail(&p, "such as list(append)+dict(recurse_array)+str()", "this says how to merge: it is text or a list, not a mapping");
	for (const struct item *i = how->items; i; i = i->next) {
		p.node = i->value;
		if (read_entry(&p, i->value, m) < 0)
			r = -EINVAL;
	}
	return r;
}

/* The map without a key; the map itself when it does not have it. */
static const struct node *without(struct ctx *ctx, const struct node *map, const char *key)
{
	struct node *copy;
	struct item **tail;

	if (!node_get(map, key))
		return map;
	copy = ARENA_NEW(ctx->arena, struct node);
	*copy = *map;
	copy->items = NULL;
	copy->count = 0;
	tail = &copy->items;
	for (const struct item *i = map->items; i; i = i->next) {
		if (!strcmp(i->key->text, key))
			continue;
		*tail = ARENA_NEW(ctx->arena, struct item);
		**tail = *i;
		(*tail)->next = NULL;
		tail = &(*tail)->next;
		copy->count++;
	}
	return copy;
}

int mergers_of_part(struct ctx *ctx, const struct node *root, const char *header, struct mergers *m, const struct node **body)
{
	struct place p = { ctx, NULL, root->source };
	const struct node *how = node_get(root, "merge_how");
	const struct node *taken = how;
	int r = 0;

	/* as cloud-init: merge_type is looked at, and taken away, only when there is no merge_how */
	if (!how || node_is_null(how))
		how = taken = node_get(root, "merge_type");
	m->n = 0;
	*body = without(ctx, root, "merge_how");
	if (taken)
		*body = without(ctx, *body, "merge_type");
	if (how && !node_is_null(how))
		r = read_node(ctx, how, m);
	if (header && read_text(&p, header, m) < 0)
		r = -EINVAL;
	if (m->n == 0) {
		m->v[0] = (struct merger){ MERGER_DICT, MERGE_REPLACE };
		m->v[1] = (struct merger){ MERGER_LIST, 0 };
		m->v[2] = (struct merger){ MERGER_STR, 0 };
		m->n = 3;
	}
	return r;
}
