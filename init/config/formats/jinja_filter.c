/* jinja_filter.c - filters ({{ x | lower }}) and methods ({{ x.lower() }}). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jinja_parts.h"

#define RESULT_MAX ((size_t)1 << 20)

struct call {
	struct jinja *j;
	const char *at;
	struct jinja_value *v;		/* in and out */
	const struct jinja_value *args;
	size_t n;
};

static bool fail(const struct call *c, const char *text)
{
	if (!c->j->mute)
		jinja_error(c->j, c->at, NULL, text);
	return true; /* the syntax was right */
}

static void set_text(const struct call *c, const char *s, size_t n)
{
	*c->v = jinja_of_text(arena_strndup(c->j->ctx->arena, s, n), n);
}

static const char *text_argument(const struct call *c, size_t i, size_t *len)
{
	return jinja_text_of(c->j, &c->args[i], len);
}

static bool do_default(const struct call *c)
{
	bool falsy = c->n > 1 && jinja_truth(&c->args[1]);

	if (c->v->type == J_UNDEFINED && c->v->deep)
		jinja_defined(c->j, c->at, c->v);
	else if (c->v->type == J_UNDEFINED || (falsy && !jinja_truth(c->v)))
		*c->v = c->n ? c->args[0] : jinja_of_text("", 0);
	return true;
}

static bool change_case(const struct call *c, char first, char last, int shift)
{
	size_t n;
	const char *s = jinja_text_of(c->j, c->v, &n);
	char *out = arena_strndup(c->j->ctx->arena, s, n);

	for (size_t i = 0; i < n; i++)
		if (out[i] >= first && out[i] <= last)
			out[i] = (char)(out[i] + shift);
	*c->v = jinja_of_text(out, n);
	return true;
}

static bool do_lower(const struct call *c)
{
	return change_case(c, 'A', 'Z', 32);
}

static bool do_upper(const struct call *c)
{
	return change_case(c, 'a', 'z', -32);
}

static bool do_trim(const struct call *c)
{
	size_t n;
	const char *s = jinja_text_of(c->j, c->v, &n);

	while (n && strchr(" \t\r\n\v\f", *s))
		s++, n--;
	while (n && strchr(" \t\r\n\v\f", s[n - 1]))
		n--;
	set_text(c, s, n);
	return true;
}

static bool do_replace(const struct call *c)
{
	CLEANUP_BUF struct buf b = { 0 };
	size_t n, old_len, new_len;
	const char *s = jinja_text_of(c->j, c->v, &n);
	const char *old = text_argument(c, 0, &old_len);
	const char *new = text_argument(c, 1, &new_len);

	if (old_len == 0)
		return fail(c, "replace needs a text that it looks for");
	buf_init(&b, RESULT_MAX);
	for (size_t i = 0; i < n;) {
		if (n - i >= old_len && !memcmp(s + i, old, old_len)) {
			buf_add(&b, new, new_len);
			i += old_len;
		} else {
			buf_putc(&b, s[i++]);
		}
	}
	if (buf_error(&b))
		return fail(c, "the text becomes larger than 1 MiB");
	set_text(c, b.data, b.len);
	return true;
}

static bool do_join(const struct call *c)
{
	CLEANUP_BUF struct buf b = { 0 };
	size_t n = 0;
	const char *separator = c->n ? text_argument(c, 0, &n) : "";

	if (c->v->type != J_NODE)
		return fail(c, "join takes a list");
	buf_init(&b, RESULT_MAX);
	for (const struct item *i = c->v->node->items; i; i = i->next) {
		struct jinja_value v = jinja_of_node(i->key ? i->key : i->value);

		if (i != c->v->node->items)
			buf_add(&b, separator, n);
		jinja_print(c->j, &v, &b);
	}
	if (buf_error(&b))
		return fail(c, "the text becomes larger than 1 MiB");
	set_text(c, b.data, b.len);
	return true;
}

static bool do_first(const struct call *c)
{
	const struct item *i = c->v->type == J_NODE ? c->v->node->items : NULL;

	if (c->v->type == J_TEXT && c->v->len)
		set_text(c, c->v->text, 1);
	else if (i)
		*c->v = jinja_of_node(i->key ? i->key : i->value);
	else
		*c->v = jinja_undefined("the first of nothing", false);
	return true;
}

static bool do_last(const struct call *c)
{
	const struct item *i = c->v->type == J_NODE ? c->v->node->items : NULL;

	if (c->v->type == J_TEXT && c->v->len) {
		set_text(c, c->v->text + c->v->len - 1, 1);
		return true;
	}
	while (i && i->next)
		i = i->next;
	*c->v = i ? jinja_of_node(i->key ? i->key : i->value) : jinja_undefined("the last of nothing", false);
	return true;
}

static bool do_length(const struct call *c)
{
	if (c->v->type != J_TEXT && c->v->type != J_NODE)
		return fail(c, "length takes a text, a list or a mapping");
	*c->v = jinja_of_int((long long)(c->v->type == J_TEXT ? c->v->len : c->v->node->count));
	return true;
}

static bool do_int(const struct call *c)
{
	size_t n;
	const char *s = jinja_text_of(c->j, c->v, &n);
	char *end;
	long long value;

	errno = 0;
	value = c->v->type == J_BOOL ? c->v->number : strtoll(s, &end, 10);
	if (c->v->type != J_BOOL && (end == s || (*end && *end != '.') || errno))
		value = c->n && c->args[0].type == J_INT ? c->args[0].number : 0;
	*c->v = jinja_of_int(value);
	return true;
}

static bool do_string(const struct call *c)
{
	size_t n;
	const char *s = jinja_text_of(c->j, c->v, &n);

	set_text(c, s, n);
	return true;
}

static bool do_split(const struct call *c)
{
	size_t n, k = 0;
	const char *s = jinja_text_of(c->j, c->v, &n);
	const char *separator = c->n ? text_argument(c, 0, &k) : " ";
	struct node *list = jinja_list(c->j);

	k = c->n ? k : 1;
	if (k == 0)
		return fail(c, "split needs a separator");
	for (const char *end = s + n;;) {
		const char *hit = memmem(s, (size_t)(end - s), separator, k);
		struct jinja_value piece = jinja_of_text(s, (size_t)((hit ? hit : end) - s));

		/* without a separator any run of blanks is one */
		if (c->n || piece.len)
			jinja_list_add(c->j, list, jinja_to_node(c->j, &piece));
		if (!hit || list->count > 1000)
			break;
		s = hit + k;
	}
	*c->v = (struct jinja_value){ .type = J_NODE, .node = list };
	return true;
}

static bool starts(const struct call *c, bool at_end)
{
	size_t n, k;
	const char *s = jinja_text_of(c->j, c->v, &n);
	const char *part = text_argument(c, 0, &k);

	*c->v = jinja_of_bool(n >= k && !memcmp(at_end ? s + n - k : s, part, k));
	return true;
}

static bool do_startswith(const struct call *c)
{
	return starts(c, false);
}

static bool do_endswith(const struct call *c)
{
	return starts(c, true);
}

static bool list_of(const struct call *c, bool keys, bool values)
{
	struct node *list = jinja_list(c->j);

	if (c->v->type != J_NODE || c->v->node->type != NODE_MAP)
		return fail(c, "this is no mapping");
	for (const struct item *i = c->v->node->items; i; i = i->next) {
		struct node *pair = keys && values ? jinja_list(c->j) : NULL;

		if (pair) {
			jinja_list_add(c->j, pair, i->key);
			jinja_list_add(c->j, pair, i->value);
		}
		jinja_list_add(c->j, list, pair ? pair : keys ? i->key : i->value);
		if (list->count > 1000)
			break;
	}
	*c->v = (struct jinja_value){ .type = J_NODE, .node = list };
	return true;
}

static bool do_items(const struct call *c)
{
	return list_of(c, true, true);
}

static bool do_keys(const struct call *c)
{
	return list_of(c, true, false);
}

static bool do_values(const struct call *c)
{
	return list_of(c, false, true);
}

static bool do_get(const struct call *c)
{
	size_t n;
	const char *name = text_argument(c, 0, &n);
	const struct node *found = c->v->type == J_NODE ? jinja_member(c->v->node, name, n) : NULL;

	*c->v = found ? jinja_of_node(found) : c->n > 1 ? c->args[1] : (struct jinja_value){ .type = J_NONE };
	return true;
}

struct function {
	const char *name;
	bool (*run)(const struct call *c);
	unsigned min, max;	/* arguments */
	bool undefined_ok;
};

static const struct function filters[] = {
	{ "default", do_default, 0, 2, true }, { "d", do_default, 0, 2, true }, { "lower", do_lower, 0, 0, false },
	{ "upper", do_upper, 0, 0, false }, { "trim", do_trim, 0, 0, false }, { "replace", do_replace, 2, 2, false },
	{ "join", do_join, 0, 1, false }, { "first", do_first, 0, 0, false }, { "last", do_last, 0, 0, false },
	{ "length", do_length, 0, 0, false }, { "count", do_length, 0, 0, false }, { "int", do_int, 0, 1, false },
	{ "string", do_string, 0, 0, false },
};

static const struct function methods[] = {
	{ "lower", do_lower, 0, 0, false }, { "upper", do_upper, 0, 0, false }, { "strip", do_trim, 0, 0, false },
	{ "replace", do_replace, 2, 2, false }, { "split", do_split, 0, 1, false }, { "startswith", do_startswith, 1, 1, false },
	{ "endswith", do_endswith, 1, 1, false }, { "items", do_items, 0, 0, false }, { "keys", do_keys, 0, 0, false },
	{ "values", do_values, 0, 0, false }, { "get", do_get, 1, 2, false },
};

static bool run(struct jinja *j, const struct function *table, size_t count, const char *what, const char *name, size_t n, const struct call *c)
{
	for (size_t i = 0; i < count; i++) {
		const struct function *f = &table[i];

		if (strlen(f->name) != n || memcmp(f->name, name, n) != 0)
			continue;
		if (c->n < f->min || c->n > f->max) {
			jinja_error(j, c->at, NULL, arena_printf(j->ctx->arena, "%s takes %u to %u arguments", f->name, f->min, f->max));
			return false;
		}
		if (!f->undefined_ok && !jinja_defined(j, c->at, c->v))
			return true;
		for (size_t k = 0; k < c->n; k++)
			if (!jinja_defined(j, c->at, &c->args[k]))
				return true;
		if (j->ctx->arena->used > JINJA_MEMORY_MAX) {
			jinja_error(j, c->at, NULL, "this template needs too much memory");
			return false;
		}
		return f->run(c);
	}
	jinja_error(j, c->at, "docs/boot-configuration.md has the list",
		    arena_printf(j->ctx->arena, "the %s %s is not supported", what, diag_quote(j->ctx->arena, name, n)));
	return false;
}

bool jinja_filter(struct jinja *j, const char *at, const char *name, size_t n, struct jinja_value *v, const struct jinja_value *args, size_t n_args)
{
	struct call c = { j, at, v, args, n_args };

	return run(j, filters, ARRAY_SIZE(filters), "filter", name, n, &c);
}

bool jinja_method(struct jinja *j, const char *at, const char *name, size_t n, struct jinja_value *v, const struct jinja_value *args, size_t n_args)
{
	struct call c = { j, at, v, args, n_args };

	return run(j, methods, ARRAY_SIZE(methods), "method", name, n, &c);
}
