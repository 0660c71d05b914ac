/* jinja_value.c - the values of a template: where they come from, how they compare, how they are written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jinja_parts.h"
#include "scalar_type.h"

#define TEXT_MAX ((size_t)1 << 20)

struct jinja_value jinja_of_text(const char *s, size_t n)
{
	return (struct jinja_value){ .type = J_TEXT, .text = s, .len = n };
}

struct jinja_value jinja_of_int(long long n)
{
	return (struct jinja_value){ .type = J_INT, .number = n };
}

struct jinja_value jinja_of_bool(bool b)
{
	return (struct jinja_value){ .type = J_BOOL, .number = b };
}

struct jinja_value jinja_undefined(const char *name, bool deep)
{
	return (struct jinja_value){ .type = J_UNDEFINED, .text = name, .deep = deep };
}

struct jinja_value jinja_of_node(const struct node *n)
{
	long long number;
	char *end;

	if (n->type != NODE_SCALAR)
		return (struct jinja_value){ .type = J_NODE, .node = n };
	switch (scalar_type(n)) {
	case SCALAR_NULL:
		return (struct jinja_value){ .type = J_NONE };
	case SCALAR_BOOL:
		return jinja_of_bool(scalar_is_true(n));
	case SCALAR_INT:
		errno = 0;
		number = strtoll(n->text, &end, 0);
		if (*end == '\0' && errno == 0)
			return jinja_of_int(number);
		break;
	default:
		break;
	}
	return jinja_of_text(n->text, n->len);
}

static struct node *new_scalar(struct jinja *j, const char *text, size_t len, bool plain)
{
	struct node *n = ARENA_NEW(j->ctx->arena, struct node);

	n->source = j->source;
	n->line = n->column = 1;
	n->type = NODE_SCALAR;
	n->plain = plain;
	n->text = arena_strndup(j->ctx->arena, text, len);
	n->len = len;
	n->expanded = n->height = 1;
	return n;
}

const struct node *jinja_to_node(struct jinja *j, const struct jinja_value *v)
{
	size_t len;
	const char *text;

	if (v->type == J_NODE)
		return v->node;
	text = jinja_text_of(j, v, &len);
	if (v->type == J_NONE)
		return new_scalar(j, "null", 4, true);
	if (v->type == J_BOOL)
		return v->number ? new_scalar(j, "true", 4, true) : new_scalar(j, "false", 5, true);
	return new_scalar(j, text, len, v->type == J_INT);
}

struct node *jinja_list(struct jinja *j)
{
	struct node *n = new_scalar(j, "", 0, false);

	n->type = NODE_LIST;
	return n;
}

void jinja_list_add(struct jinja *j, struct node *list, const struct node *value)
{
	struct item **at = &list->items;

	while (*at)
		at = &(*at)->next;
	*at = ARENA_NEW(j->ctx->arena, struct item);
	(*at)->value = (struct node *)value; /* never written to */
	list->count++;
	list->expanded += value->expanded;
	list->height = MAX(list->height, value->height + 1);
}

bool jinja_truth(const struct jinja_value *v)
{
	switch (v->type) {
	case J_BOOL:
	case J_INT:
		return v->number != 0;
	case J_TEXT:
		return v->len > 0;
	case J_NODE:
		return v->node->count > 0;
	default:
		return false;
	}
}

static bool same_nodes(const struct node *a, const struct node *b, unsigned depth)
{
	const struct item *k;

	if (a->type != b->type || a->count != b->count || depth > YAML_DEPTH_MAX)
		return false;
	if (a->type == NODE_SCALAR) {
		struct jinja_value x = jinja_of_node(a);
		struct jinja_value y = jinja_of_node(b);

		return jinja_equal(&x, &y);
	}
	k = b->items;
	for (const struct item *i = a->items; i && k; i = i->next, k = k->next) {
		const struct node *other = a->type == NODE_MAP ? node_get(b, i->key->text) : k->value;

		if (!other || !same_nodes(i->value, other, depth + 1))
			return false;
	}
	return true;
}

bool jinja_equal(const struct jinja_value *a, const struct jinja_value *b)
{
	bool a_number = a->type == J_BOOL || a->type == J_INT;
	bool b_number = b->type == J_BOOL || b->type == J_INT;

	if (a_number && b_number)
		return a->number == b->number;
	if (a->type != b->type)
		return false;
	if (a->type == J_TEXT)
		return a->len == b->len && !memcmp(a->text, b->text, a->len);
	return a->type != J_NODE || same_nodes(a->node, b->node, 0);
}

/* As Python shows text within a list. */
static void print_quoted(const char *s, size_t n, struct buf *out)
{
	char quote = memchr(s, '\'', n) && !memchr(s, '"', n) ? '"' : '\'';

	buf_putc(out, quote);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			buf_puts(out, "\\n");
		else if (s[i] == quote || s[i] == '\\')
			buf_printf(out, "\\%c", s[i]);
		else
			buf_putc(out, s[i]);
	}
	buf_putc(out, quote);
}

static void print_node(struct jinja *j, const struct node *n, struct buf *out)
{
	const char *separator = "";

	if (n->type == NODE_SCALAR) {
		struct jinja_value v = jinja_of_node(n);

		if (v.type == J_TEXT)
			print_quoted(v.text, v.len, out);
		else
			jinja_print(j, &v, out);
		return;
	}
	buf_putc(out, n->type == NODE_MAP ? '{' : '[');
	for (const struct item *i = n->items; i && !buf_error(out); i = i->next, separator = ", ") {
		buf_puts(out, separator);
		if (i->key) {
			print_quoted(i->key->text, i->key->len, out);
			buf_puts(out, ": ");
		}
		print_node(j, i->value, out);
	}
	buf_putc(out, n->type == NODE_MAP ? '}' : ']');
}

void jinja_print(struct jinja *j, const struct jinja_value *v, struct buf *out)
{
	switch (v->type) {
	case J_NONE:
		buf_puts(out, "None");
		break;
	case J_BOOL:
		buf_puts(out, v->number ? "True" : "False");
		break;
	case J_INT:
		buf_printf(out, "%lld", v->number);
		break;
	case J_TEXT:
		buf_add(out, v->text, v->len);
		break;
	case J_NODE:
		print_node(j, v->node, out);
		break;
	default:
		break;
	}
}

const char *jinja_text_of(struct jinja *j, const struct jinja_value *v, size_t *len)
{
	CLEANUP_BUF struct buf b = { 0 };

	*len = v->len;
	if (v->type == J_TEXT)
		return v->text;
	buf_init(&b, TEXT_MAX);
	jinja_print(j, v, &b);
	*len = b.len;
	return arena_strndup(j->ctx->arena, b.data, b.len);
}

/* Jinja's operators, which cloud-init replaces in keys, the longer ones first. */
static size_t operator_length(const char *s, size_t n)
{
	static const char *const pairs[] = { "//", "**", "==", "!=", ">=", "<=" };

	for (size_t i = 0; n >= 2 && i < ARRAY_SIZE(pairs); i++)
		if (!memcmp(s, pairs[i], 2))
			return 2;
	return n && *s && strchr("+-/*%~[](){}><=.:|,;", *s) ? 1 : 0;
}

static bool is_alias(const struct node *key, const char *name, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < key->len;) {
		size_t op = operator_length(key->text + i, key->len - i);

		if (k == n || name[k] != (op ? '_' : key->text[i]))
			return false;
		i += op ? op : 1;
		k++;
	}
	return k == n;
}

const struct node *jinja_member(const struct node *map, const char *name, size_t n)
{
	const struct node *alias = NULL;

	for (const struct item *i = map->type == NODE_MAP ? map->items : NULL; i; i = i->next) {
		if (i->key->len == n && !memcmp(i->key->text, name, n))
			return i->value;
		if (!alias && is_alias(i->key, name, n))
			alias = i->value;
	}
	return alias;
}

const struct node *jinja_find(const struct node *variables, const char *path)
{
	const struct node *at = variables;

	for (const char *p = path; at; p++) {
		size_t n = strcspn(p, ".");
		const struct node *next = jinja_member(at, p, n);

		if (!next && at == variables) {
			next = node_get(variables, "v1");
			next = next ? jinja_member(next, p, n) : NULL;
		}
		if (!next && at->type == NODE_LIST && n && strspn(p, "0123456789") == n) {
			const struct item *i = at->items;

			for (unsigned long k = strtoul(p, NULL, 10); i && k; k--)
				i = i->next;
			next = i ? i->value : NULL;
		}
		at = next;
		p += n;
		if (*p == '\0')
			return at;
	}
	return NULL;
}
