/* patch.c - JSON Patch (RFC 6902): add, remove, replace, move, copy, test, with JSON Pointers (RFC 6901).
 *
 * Trees are never written to: each operation makes new nodes from the root to the place that it changes. */
#include "patch.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"

#define HEADER "#cloud-config-jsonp"
#define OPERATIONS_MAX 1000

enum change { CHANGE_ADD, CHANGE_REPLACE, CHANGE_REMOVE };

struct patch {
	struct ctx *ctx;
	const struct node *at;	/* the operation, for messages */
	bool failed;
};

static const struct node *fail(struct patch *p, const char *text)
{
	if (!p->failed)
		diag_at(p->ctx->diags, DIAG_ERROR, p->at, NULL, "%s", text);
	p->failed = true;
	return NULL;
}

static struct node *copy_node(struct ctx *ctx, const struct node *n)
{
	struct node *copy = ARENA_NEW(ctx->arena, struct node);
	struct item **tail = &copy->items;

	*copy = *n;
	copy->items = NULL;
	for (const struct item *i = n->items; i; i = i->next) {
		*tail = ARENA_NEW(ctx->arena, struct item);
		(*tail)->key = i->key;
		(*tail)->value = i->value;
		tail = &(*tail)->next;
	}
	return copy;
}

/* The next token of a pointer, unescaped (~1 is /, ~0 is ~); *pointer moves behind it. */
static char *next_token(struct ctx *ctx, const char **pointer)
{
	size_t n = strcspn(*pointer + 1, "/");
	char *token = arena_strndup(ctx->arena, *pointer + 1, n);
	char *out = token;

	for (const char *s = token; *s; s++) {
		if (*s == '~' && (s[1] == '0' || s[1] == '1'))
			*out++ = *++s == '0' ? '~' : '/';
		else
			*out++ = *s;
	}
	*out = '\0';
	*pointer += 1 + n;
	return token;
}

/* Where the token stands among the items; *at is the end when it is not there. */
static bool locate(struct patch *p, struct node *n, const char *token, bool last, struct item ***at)
{
	uint64_t index;

	*at = &n->items;
	if (n->type == NODE_MAP) {
		while (**at && strcmp((**at)->key->text, token) != 0)
			*at = &(**at)->next;
		return true;
	}
	if (last && !strcmp(token, "-"))
		index = n->count;
	else if (scalar_uint(token, n->count, &index) < 0)
		return fail(p, arena_printf(p->ctx->arena, "%s is no place in this list of %zu", diag_quote(p->ctx->arena, token, strlen(token)), n->count)) != NULL;
	while (index-- && **at)
		*at = &(**at)->next;
	return true;
}

static struct node *new_key(struct patch *p, const char *token)
{
	struct node *key = ARENA_NEW(p->ctx->arena, struct node);

	*key = *p->at;
	key->type = NODE_SCALAR;
	key->items = NULL;
	key->count = 0;
	key->text = token;
	key->len = strlen(token);
	return key;
}

static void recount(struct node *n)
{
	n->count = 0;
	n->expanded = n->height = 1;
	for (const struct item *i = n->items; i; i = i->next) {
		n->count++;
		n->expanded += i->value->expanded + (i->key ? 1 : 0);
		n->height = MAX(n->height, i->value->height + 1);
	}
}

static void put(struct patch *p, struct node *n, struct item **at, const char *token, const struct node *value, enum change what)
{
	struct item *i;

	if (what == CHANGE_REMOVE) {
		*at = (*at)->next;
		return;
	}
	if (*at && (what == CHANGE_REPLACE || n->type == NODE_MAP)) {
		(*at)->value = (struct node *)value; /* never written to */
		return;
	}
	i = ARENA_NEW(p->ctx->arena, struct item);
	i->key = n->type == NODE_MAP ? new_key(p, token) : NULL;
	i->value = (struct node *)value;
	i->next = *at;
	*at = i;
}

/* The tree with the change made; NULL after an error. */
static const struct node *change(struct patch *p, const struct node *root, const char *pointer, const struct node *value, enum change what)
{
	struct node *copy;
	struct item **at;
	const struct node *inner;
	char *token;
	bool last;

	if (*pointer == '\0')
		return what == CHANGE_REMOVE ? fail(p, "the whole configuration cannot be removed") : value;
	if (*pointer != '/')
		return fail(p, "a path begins with /");
	if (root->type == NODE_SCALAR)
		return fail(p, "the path leads into a text");
	token = next_token(p->ctx, &pointer);
	last = *pointer == '\0';
	copy = copy_node(p->ctx, root);
	if (!locate(p, copy, token, last && what == CHANGE_ADD, &at))
		return NULL;
	if (!*at && !(last && what == CHANGE_ADD))
		return fail(p, arena_printf(p->ctx->arena, "%s is not there", diag_quote(p->ctx->arena, token, strlen(token))));
	if (last) {
		put(p, copy, at, token, value, what);
	} else {
		inner = change(p, (*at)->value, pointer, value, what);
		if (!inner)
			return NULL;
		(*at)->value = (struct node *)inner;
	}
	recount(copy);
	if (copy->height > YAML_DEPTH_MAX || copy->expanded > YAML_NODES_MAX)
		return fail(p, "the configuration becomes too large");
	return copy;
}

static const struct node *find(struct patch *p, const struct node *root, const char *pointer)
{
	while (root && *pointer == '/') {
		const char *token = next_token(p->ctx, &pointer);
		struct item **at;

		if (root->type == NODE_SCALAR || !locate(p, copy_node(p->ctx, root), token, false, &at) || !*at)
			return fail(p, arena_printf(p->ctx->arena, "%s is not there", diag_quote(p->ctx->arena, token, strlen(token))));
		root = (*at)->value;
	}
	return *pointer == '\0' ? root : fail(p, "a path begins with /");
}

static bool same(const struct node *a, const struct node *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	if (a->type == NODE_SCALAR)
		return a->len == b->len && a->plain == b->plain && !memcmp(a->text, b->text, a->len);
	for (const struct item *i = a->items, *k = b->items; i; i = i->next, k = k->next) {
		const struct node *other = a->type == NODE_MAP ? node_get(b, i->key->text) : k->value;

		if (!other || !same(i->value, other))
			return false;
	}
	return true;
}

static const char *member(struct patch *p, const char *key)
{
	const struct node *n = node_get(p->at, key);

	if (n && n->type == NODE_SCALAR)
		return n->text;
	fail(p, arena_printf(p->ctx->arena, "an operation needs a \"%s\"", key));
	return "";
}

static const struct node *operation(struct patch *p, const struct node *root)
{
	const char *op = member(p, "op");
	const char *path = member(p, "path");
	const struct node *value = node_get(p->at, "value");
	const struct node *from;

	if (p->failed)
		return NULL;
	if (!value && (!strcmp(op, "add") || !strcmp(op, "replace") || !strcmp(op, "test")))
		return fail(p, "this operation needs a \"value\"");
	if (!strcmp(op, "add"))
		return change(p, root, path, value, CHANGE_ADD);
	if (!strcmp(op, "replace"))
		return change(p, root, path, value, CHANGE_REPLACE);
	if (!strcmp(op, "remove"))
		return change(p, root, path, NULL, CHANGE_REMOVE);
	if (!strcmp(op, "test")) {
		from = find(p, root, path);
		return !from ? NULL : same(from, value) ? root : fail(p, "the test of this patch does not hold; nothing of it is applied");
	}
	if (strcmp(op, "move") != 0 && strcmp(op, "copy") != 0)
		return fail(p, arena_printf(p->ctx->arena, "%s is not an operation", diag_quote(p->ctx->arena, op, strlen(op))));
	from = find(p, root, member(p, "from"));
	if (from && !strcmp(op, "move"))
		root = change(p, root, member(p, "from"), NULL, CHANGE_REMOVE);
	return from && root ? change(p, root, path, from, CHANGE_ADD) : NULL;
}

/* The operations without the header line, which JSON does not know. */
static const struct node *read_operations(struct ctx *ctx, const struct source *text)
{
	struct source *json = ARENA_NEW(ctx->arena, struct source);
	char *copy = arena_strndup(ctx->arena, text->text, text->len);
	size_t skip = strspn(copy, " \t\r\n\v\f");
	bool empty;

	*json = (struct source){ text->name, copy, text->len };
	if (!strncasecmp(copy + skip, HEADER, strlen(HEADER)))
		memset(copy + skip, ' ', strlen(HEADER));
	diag_derive(ctx->diags, json, text, 0, NULL, 0);
	return yaml_read(ctx->arena, ctx->diags, json, &empty);
}

const struct node *patch_apply(struct ctx *ctx, const struct source *text, const struct node *root)
{
	const struct node *list = read_operations(ctx, text);
	struct patch p = { .ctx = ctx, .at = list };
	const struct node *now = root;

	if (!list)
		return root;
	if (list->type != NODE_LIST || list->count > OPERATIONS_MAX) {
		fail(&p, "a JSON patch is a list of operations, at most 1000");
		return root;
	}
	if (!now) {
		struct node *empty = copy_node(ctx, list);

		empty->type = NODE_MAP;
		empty->items = NULL;
		empty->count = 0;
		now = empty;
	}
	for (const struct item *i = list->items; i && now; i = i->next) {
		p.at = i->value;
		if (ctx->arena->used > (size_t)12 << 20)
			now = fail(&p, "this patch needs too much memory");
		else if (p.at->type != NODE_MAP)
			now = fail(&p, "an operation is a mapping");
		else
			now = operation(&p, now);
		if (p.failed)
			now = NULL;
	}
	if (now && now->type != NODE_MAP)
		now = fail(&p, "what is left is no configuration");
	return now ? now : root;
}
