/* jinja_expr.c - expressions of templates: parsed and worked out in one pass. Nothing that they do has an effect, so what is worked out
 * for nothing (the side of an `and` that does not matter) is only kept from complaining: `mute`. */
#include <string.h>

#include "jinja_parts.h"

#define NUMBER_MAX 18		/* digits */
#define WORD_START "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define WORD WORD_START "0123456789"

static bool read_or(struct jinja *j, struct jinja_value *out);

static bool syntax_error(struct jinja *j, const char *text)
{
	jinja_error(j, j->p, "docs/boot-configuration.md has what is supported", text);
	return false;
}

void jinja_skip_blanks(struct jinja *j)
{
	while (j->p < j->end && *j->p && strchr(" \t\r\n", *j->p))
		j->p++;
}

size_t jinja_name_length(const struct jinja *j)
{
	return j->p < j->end && *j->p && strchr(WORD_START, *j->p) ? strspn(j->p, WORD) : 0;
}

bool jinja_accept_word(struct jinja *j, const char *word)
{
	size_t n = strlen(word);

	if (jinja_name_length(j) != n || memcmp(j->p, word, n) != 0)
		return false;
	j->p += n;
	jinja_skip_blanks(j);
	return true;
}

bool jinja_accept(struct jinja *j, const char *token)
{
	size_t n = strlen(token);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, token, n) != 0)
		return false;
	j->p += n;
	jinja_skip_blanks(j);
	return true;
}

bool jinja_defined(struct jinja *j, const char *at, const struct jinja_value *v)
{
	if (v->type != J_UNDEFINED)
		return true;
	if (!j->mute)
		jinja_error(j, at, v->deep ? NULL : "give it a value for that case: | default('...')",
			    arena_printf(j->ctx->arena, "the variable %s is not defined", diag_quote(j->ctx->arena, v->text, strlen(v->text))));
	return false;
}

/* The truth of something undefined is false; of a member of something undefined there is none. */
static bool truth(struct jinja *j, const char *at, const struct jinja_value *v)
{
	if (v->type == J_UNDEFINED && v->deep)
		jinja_defined(j, at, v);
	return jinja_truth(v);
}

static bool read_string(struct jinja *j, struct jinja_value *out)
{
	char quote = *j->p++;
	char *text = arena_alloc(j->ctx->arena, strcspn(j->p, "\n") + 2);
	size_t n = 0;

	for (; j->p < j->end && *j->p != quote; j->p++) {
		char c = *j->p;

		if (c == '\n' || c == '\0')
			return syntax_error(j, "a text within an expression ends on its line");
		if (c == '\\' && j->p + 1 < j->end && j->p[1] != '\n') {
			c = *++j->p;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		text[n++] = c;
	}
	if (j->p == j->end)
		return syntax_error(j, "a text is not closed");
	j->p++;
	jinja_skip_blanks(j);
	*out = jinja_of_text(text, n);
	return true;
}

static bool read_number(struct jinja *j, struct jinja_value *out)
{
	long long value = 0;
	size_t n = strspn(j->p, "0123456789");

	if (n > NUMBER_MAX || j->p[n] == '.')
		return syntax_error(j, "only whole numbers of at most 18 digits are supported");
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (j->p[i] - '0');
	j->p += n;
	jinja_skip_blanks(j);
	*out = jinja_of_int(value);
	return true;
}

static bool read_list(struct jinja *j, struct jinja_value *out, const char *close)
{
	struct node *list = jinja_list(j);
	struct jinja_value v;

	while (!jinja_accept(j, close)) {
		if (!read_or(j, &v))
			return false;
		if (jinja_defined(j, j->p, &v))
			jinja_list_add(j, list, jinja_to_node(j, &v));
		if (list->count > 1000 || list->expanded > YAML_NODES_MAX || list->height >= YAML_DEPTH_MAX)
			return syntax_error(j, "this list is too large");
		if (!jinja_accept(j, ",") && (j->p >= j->end || *j->p != *close))
			return syntax_error(j, "a , or the end of the list is missing here");
	}
	*out = (struct jinja_value){ .type = J_NODE, .node = list };
	return true;
}

/* A variable: of the template, of the instance, or (as cloud-init has them) of its v1. */
static struct jinja_value lookup(struct jinja *j, const char *name, size_t n)
{
	const struct node *found;
	const char *copy = arena_strndup(j->ctx->arena, name, n);

	for (const struct jinja_local *l = j->locals; l; l = l->next)
		if (!strcmp(l->name, copy))
			return l->value;
	found = j->variables ? jinja_find(j->variables, copy) : NULL;
	return found ? jinja_of_node(found) : jinja_undefined(copy, false);
}

static bool read_name(struct jinja *j, struct jinja_value *out)
{
	static const struct { const char *word; struct jinja_value value; } constants[] = {
		{ "true", { .type = J_BOOL, .number = 1 } }, { "True", { .type = J_BOOL, .number = 1 } }, { "false", { .type = J_BOOL } },
		{ "False", { .type = J_BOOL } }, { "none", { .type = J_NONE } }, { "None", { .type = J_NONE } },
	};
	size_t n = jinja_name_length(j);

	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		if (jinja_accept_word(j, constants[i].word)) {
			*out = constants[i].value;
			return true;
		}
	*out = lookup(j, j->p, n);
	j->p += n;
	jinja_skip_blanks(j);
	return true;
}

static bool read_primary(struct jinja *j, struct jinja_value *out)
{
	if (j->ctx->arena->used > JINJA_MEMORY_MAX)
		return syntax_error(j, "this template needs too much memory");
	if (j->p < j->end && (*j->p == '\'' || *j->p == '"'))
		return read_string(j, out);
	if (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		return read_number(j, out);
	if (jinja_accept(j, "["))
		return read_list(j, out, "]");
	if (jinja_accept(j, "(")) {
		if (!read_or(j, out))
			return false;
		if (jinja_accept(j, ")"))
			return true;
		return syntax_error(j, "a ) is missing here");
	}
	if (jinja_name_length(j))
		return read_name(j, out);
	return syntax_error(j, "a value is missing here");
}

/* What is not there below `ds` may be there on the machine. */
static struct jinja_value missing(struct jinja *j, const char *path, bool deep)
{
	if (j->guess && !strncmp(path, "ds.", 3))
		return jinja_of_text(path, strlen(path));
	return jinja_undefined(path, deep);
}

static struct jinja_value member(struct jinja *j, const struct jinja_value *of, const char *path, const char *name, size_t n)
{
	const struct node *found;

	if (of->type == J_UNDEFINED)
		return jinja_undefined(of->text, true);
	found = of->type == J_NODE ? jinja_member(of->node, name, n) : NULL;
	if (found)
		return jinja_of_node(found);
	if (j->guess && of->type == J_TEXT && !strncmp(of->text, "ds.", 3))
		return *of;
	return missing(j, path, false);
}

static struct jinja_value element(struct jinja *j, const struct jinja_value *of, const char *path, const struct jinja_value *index)
{
	long long k = index->number;
	size_t count = of->type == J_NODE ? of->node->count : of->type == J_TEXT ? of->len : 0;
	const struct item *i = of->type == J_NODE && of->node->type == NODE_LIST ? of->node->items : NULL;

	if (index->type == J_TEXT)
		return member(j, of, path, index->text, index->len);
	if (of->type == J_UNDEFINED)
		return jinja_undefined(of->text, true);
	if (index->type != J_INT)
		return missing(j, path, false);
	k += k < 0 ? (long long)count : 0;
	if (k < 0 || k >= (long long)count)
		return missing(j, path, false);
	if (of->type == J_TEXT)
		return jinja_of_text(of->text + k, 1);
	for (; i && k; k--)
		i = i->next;
	return i ? jinja_of_node(i->value) : missing(j, path, false);
}

static bool read_arguments(struct jinja *j, struct jinja_value *args, size_t *n)
{
	*n = 0;
	while (!jinja_accept(j, ")")) {
		if (*n == JINJA_ARGS_MAX)
			return syntax_error(j, "too many arguments");
		if (!read_or(j, &args[(*n)++]))
			return false;
		if (!jinja_accept(j, ",") && (j->p >= j->end || *j->p != ')'))
			return syntax_error(j, "a ) is missing here");
	}
	return true;
}

/* .name, .method(), ['key'], [0] behind a value */
static bool read_postfix(struct jinja *j, struct jinja_value *out)
{
	const char *begin = j->p;
	struct jinja_value args[JINJA_ARGS_MAX];
	size_t n_args;

	if (!read_primary(j, out))
		return false;
	for (;;) {
		const char *at = j->p;

		if (at < j->end && *at == '.' && jinja_accept(j, ".")) {
			const char *name = j->p;
			size_t n = jinja_name_length(j);

			if (n == 0)
				return syntax_error(j, "a name is missing behind the point");
			j->p += n;
			if (j->p < j->end && *j->p == '(') {
				jinja_accept(j, "(");
				if (!read_arguments(j, args, &n_args) || !jinja_method(j, name, name, n, out, args, n_args))
					return false;
				continue;
			}
			*out = member(j, out, arena_strndup(j->ctx->arena, begin, (size_t)(j->p - begin)), name, n);
			jinja_skip_blanks(j);
		} else if (jinja_accept(j, "[")) {
			struct jinja_value index;

			if (!read_or(j, &index))
				return false;
			if (j->p < j->end && *j->p == ':')
				return syntax_error(j, "slices are not supported");
			if (!jinja_accept(j, "]"))
				return syntax_error(j, "a ] is missing here");
			*out = element(j, out, arena_strndup(j->ctx->arena, begin, (size_t)(j->p - begin)), &index);
		} else if (at < j->end && *at == '(') {
			return syntax_error(j, "functions are not supported");
		} else {
			return true;
		}
	}
}

static bool read_filtered(struct jinja *j, struct jinja_value *out)
{
	struct jinja_value args[JINJA_ARGS_MAX];
	bool minus = j->p < j->end && *j->p == '-' && j->p + 1 < j->end && j->p[1] >= '0' && j->p[1] <= '9';

	if (minus)
		j->p++;
	if (!read_postfix(j, out))
		return false;
	if (minus)
		out->number = -out->number;
	while (j->p < j->end && *j->p == '|') {
		const char *name;
		size_t n;
		size_t n_args = 0;

		jinja_accept(j, "|");
		name = j->p;
		n = jinja_name_length(j);
		if (n == 0)
			return syntax_error(j, "a filter is missing behind the |");
		j->p += n;
		jinja_skip_blanks(j);
		if (jinja_accept(j, "(") && !read_arguments(j, args, &n_args))
			return false;
		if (!jinja_filter(j, name, name, n, out, args, n_args))
			return false;
	}
	return true;
}

/* At the end of a tag a minus belongs to the tag. */
static bool at_tag_end(const struct jinja *j)
{
	return j->end - j->p >= 3 && j->p[0] == '-' && (j->p[1] == '%' || j->p[1] == '}') && j->p[2] == '}';
}

static bool add(struct jinja *j, const char *at, struct jinja_value *a, const struct jinja_value *b, char op)
{
	const char *x, *y;
	size_t n, k;
	char *text;

	if (!jinja_defined(j, at, a) || !jinja_defined(j, at, b))
		return true;
	if (op != '~' && a->type == J_INT && b->type == J_INT) {
		/* wraps instead of overflowing: nobody counts that far */
		unsigned long long u = (unsigned long long)a->number, v = (unsigned long long)b->number;

		a->number = (long long)(op == '+' ? u + v : u - v);
		return true;
	}
	if (op == '-' || (op == '+' && (a->type != J_TEXT || b->type != J_TEXT))) {
		if (!j->mute)
			jinja_error(j, at, "~ joins the texts of any values", arena_printf(j->ctx->arena, "these two values cannot be used with %c", op));
		return true;
	}
	x = jinja_text_of(j, a, &n);
	y = jinja_text_of(j, b, &k);
	if (n + k > JINJA_OUTPUT_MAX) {
		jinja_error(j, at, NULL, "the text becomes larger than 1 MiB");
		return false;
	}
	text = arena_alloc(j->ctx->arena, n + k + 1);
	memcpy(text, x, n);
	memcpy(text + n, y, k);
	*a = jinja_of_text(text, n + k);
	return true;
}

static bool read_sum(struct jinja *j, struct jinja_value *out)
{
	struct jinja_value b;

	if (!read_filtered(j, out))
		return false;
	while (j->p < j->end && *j->p && strchr("+-~", *j->p) && !at_tag_end(j)) {
		const char *at = j->p;

		j->p++;
		jinja_skip_blanks(j);
		if (!read_filtered(j, &b) || !add(j, at, out, &b, *at))
			return false;
	}
	if (j->p < j->end && ((*j->p == '*' || *j->p == '/') || (*j->p == '%' && j->p + 1 < j->end && j->p[1] != '}')))
		return syntax_error(j, "* / % are not supported");
	return true;
}

static bool contains(const struct jinja_value *in, const struct jinja_value *what)
{
	if (in->type == J_TEXT)
		return what->type == J_TEXT && (what->len == 0 || memmem(in->text, in->len, what->text, what->len));
	for (const struct item *i = in->type == J_NODE ? in->node->items : NULL; i; i = i->next) {
		struct jinja_value v = i->key ? jinja_of_text(i->key->text, i->key->len) : jinja_of_node(i->value);

		if (jinja_equal(&v, what))
			return true;
	}
	return false;
}

static int order(const struct jinja_value *a, const struct jinja_value *b)
{
	if (a->type == J_TEXT && b->type == J_TEXT) {
		int r = memcmp(a->text, b->text, MIN(a->len, b->len));

		return r ? r : (a->len > b->len) - (a->len < b->len);
	}
	return (a->number > b->number) - (a->number < b->number);
}

static bool read_test(struct jinja *j, const char *at, struct jinja_value *v)
{
	static const struct { const char *name; unsigned types; } tests[] = {
		{ "defined", ~(1u << J_UNDEFINED) }, { "undefined", 1u << J_UNDEFINED }, { "none", 1u << J_NONE }, { "string", 1u << J_TEXT },
		{ "number", 1u << J_INT }, { "boolean", 1u << J_BOOL }, { "mapping", 1u << J_NODE }, { "sequence", 1u << J_NODE },
		{ "iterable", 1u << J_NODE },
	};
	bool negative = jinja_accept_word(j, "not");

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		bool holds;

		if (!jinja_accept_word(j, tests[i].name))
			continue;
		if (v->type == J_UNDEFINED && v->deep)
			jinja_defined(j, at, v);
		holds = tests[i].types >> v->type & 1;
		if (holds && v->type == J_NODE && (i == 6 || i == 7))
			holds = (v->node->type == NODE_MAP) == (i == 6);
		*v = jinja_of_bool(holds != negative);
		return true;
	}
	return syntax_error(j, "this test is not supported");
}

static bool compare(struct jinja *j, const char *at, struct jinja_value *a, const struct jinja_value *b, unsigned op)
{
	bool sides[] = { true, true };
	bool result = false;

	if ((a->type == J_UNDEFINED && a->deep) || (b->type == J_UNDEFINED && b->deep)) {
		jinja_defined(j, at, a->type == J_UNDEFINED ? a : b);
	} else if (op < 2) {
		result = jinja_equal(a, b) == (op == 0);
	} else if (op >= 6) {
		if (jinja_defined(j, at, b))
			result = contains(b, a) == (op == 6);
	} else if (jinja_defined(j, at, a) && jinja_defined(j, at, b)) {
		sides[0] = (a->type == J_TEXT) == (b->type == J_TEXT) && a->type != J_NODE && b->type != J_NODE && a->type != J_NONE && b->type != J_NONE;
		if (!sides[0] && !j->mute)
			jinja_error(j, at, NULL, "these two values cannot be ordered");
		result = op == 2 ? order(a, b) <= 0 : op == 3 ? order(a, b) >= 0 : op == 4 ? order(a, b) < 0 : order(a, b) > 0;
	}
	*a = jinja_of_bool(result);
	return true;
}

static bool read_compare(struct jinja *j, struct jinja_value *out)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };
	struct jinja_value b;

	if (!read_sum(j, out))
		return false;
	for (;;) {
		const char *at = j->p;
		unsigned op = 0;

		while (op < ARRAY_SIZE(operators) && !jinja_accept(j, operators[op]))
			op++;
		if (op == ARRAY_SIZE(operators)) {
			if (jinja_accept_word(j, "is")) {
				if (!read_test(j, at, out))
					return false;
				continue;
			}
			if (jinja_accept_word(j, "in")) {
				op = 6;
			} else if (jinja_accept_word(j, "not")) {
				if (!jinja_accept_word(j, "in"))
					return syntax_error(j, "`not in` is meant?");
				op = 7;
			} else {
				return true;
			}
		}
		if (!read_sum(j, &b) || !compare(j, at, out, &b, op))
			return false;
	}
}

static bool read_not(struct jinja *j, struct jinja_value *out)
{
	const char *at = j->p;
	bool ok;

	if (!jinja_accept_word(j, "not"))
		return read_compare(j, out);
	if (++j->depth > JINJA_NESTED_MAX)
		return syntax_error(j, "nested too deep");
	ok = read_not(j, out);
	j->depth--;
	if (ok)
		*out = jinja_of_bool(!truth(j, at, out));
	return ok;
}

static bool read_and(struct jinja *j, struct jinja_value *out)
{
	struct jinja_value b;
	const char *at = j->p;

	if (!read_not(j, out))
		return false;
	while (jinja_accept_word(j, "and")) {
		bool left = truth(j, at, out);
		bool ok;

		at = j->p;
		j->mute += !left;
		ok = read_not(j, &b);
		j->mute -= !left;
		if (!ok)
			return false;
		if (left)
			*out = b;
	}
	return true;
}

static bool read_either(struct jinja *j, struct jinja_value *out)
{
	struct jinja_value b;
	const char *at = j->p;

	if (!read_and(j, out))
		return false;
	while (jinja_accept_word(j, "or")) {
		bool left = truth(j, at, out);
		bool ok;

		at = j->p;
		j->mute += left;
		ok = read_and(j, &b);
		j->mute -= left;
		if (!ok)
			return false;
		if (!left)
			*out = b;
	}
	return true;
}

/* x if y else z. x comes before anybody knows whether it matters: it is read once in silence, and again when it does. */
static bool read_or(struct jinja *j, struct jinja_value *out)
{
	const char *begin = j->p;
	struct jinja_value condition;
	const char *at;
	const char *behind;
	bool ok;

	if (++j->depth > JINJA_NESTED_MAX)
		return syntax_error(j, "nested too deep");
	j->mute++;
	ok = read_either(j, out);
	j->mute--;
	at = j->p;
	if (!ok || !jinja_accept_word(j, "if")) {
		if (ok && !j->mute) {
			j->p = begin;
			ok = read_either(j, out);
		}
		j->depth--;
		return ok;
	}
	ok = read_either(j, &condition);
	if (ok && j->mute) {
		*out = jinja_of_text("", 0); /* what it is does not matter; and reading it again and again would take for ever */
		ok = !jinja_accept_word(j, "else") || read_or(j, &condition);
	} else if (ok && truth(j, at, &condition)) {
		behind = j->p;
		j->p = begin;
		ok = read_either(j, out);
		j->p = behind;
		j->mute++;
		ok = ok && (!jinja_accept_word(j, "else") || read_or(j, &condition));
		j->mute--;
	} else if (ok) {
		*out = jinja_undefined("the other side of `if`", false);
		ok = !jinja_accept_word(j, "else") || read_or(j, out);
	}
	j->depth--;
	return ok;
}

bool jinja_expression(struct jinja *j, struct jinja_value *out)
{
	jinja_skip_blanks(j);
	j->depth = 0;
	return read_or(j, out);
}
