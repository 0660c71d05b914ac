/* jinja.c - templates: text and tags, one pass. A branch that is not taken is read all the same, in silence, so that what is wrong
 * with its form is told; a loop reads its body once for each element. */
#include "jinja.h"

#include <string.h>
#include <strings.h>

#include "../text.h"
#include "buf.h"
#include "jinja_parts.h"

enum word { WORD_NONE, WORD_ELIF, WORD_ELSE, WORD_ENDIF, WORD_ENDFOR, WORD_LOST };

static enum word render_body(struct jinja *j, unsigned depth);

/* Counts on from the place that was asked for last: templates are read from front to back, but for loops. */
static unsigned line_of(struct jinja *j, const char *at)
{
	if (!j->line_at) {
		j->line_at = j->source->text;
		j->line = 1;
	}
	for (; j->line_at < at; j->line_at++)
		j->line += *j->line_at == '\n';
	while (j->line_at > at)
		j->line -= *--j->line_at == '\n';
	return j->line;
}

void jinja_error(struct jinja *j, const char *at, const char *hint, const char *text)
{
	const char *begin = at;
	unsigned column = 1;

	j->failed = true;
	if (++j->errors > DIAG_MAX) {
		j->p = j->end; /* nobody reads on, and finding the columns of a long line takes its time */
		return;
	}
	while (begin > j->source->text && begin[-1] != '\n')
		begin--;
	for (; begin < at; begin++)
		column += ((unsigned char)*begin & 0xc0) != 0x80;
	diag_add(j->ctx->diags, DIAG_ERROR, j->source, line_of(j, at), column, hint, "template: %s", text);
}

/* A new line of the output: it belongs to that line of the template. */
static void open_line(struct jinja *j, unsigned line)
{
	if (j->n_lines == j->cap_lines) {
		unsigned cap = j->cap_lines ? j->cap_lines * 2 : 64;
		unsigned *bigger = arena_alloc(j->ctx->arena, cap * sizeof(*bigger));

		if (j->n_lines)
			memcpy(bigger, j->lines, j->n_lines * sizeof(*bigger));
		j->lines = bigger;
		j->cap_lines = cap;
	}
	j->lines[j->n_lines++] = line;
	j->line_open = true;
}

/* from: the text is the template's own, so its lines count on. */
static void emit(struct jinja *j, const char *s, size_t n, unsigned line, bool own)
{
	if (j->mute)
		return;
	buf_add(&j->out, s, n);
	for (size_t i = 0; i < n && !buf_error(&j->out); i++) {
		if (!j->line_open)
			open_line(j, line);
		if (s[i] == '\n') {
			j->line_open = false;
			line += own;
		}
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Steps over the end of a tag, and what it takes with it of the text behind. False when it is not there (reported). */
static bool close_tag(struct jinja *j, const char *end, bool block)
{
	bool minus, plus;

	jinja_skip_blanks(j);
	minus = j->p < j->end && *j->p == '-';
	plus = j->p < j->end && *j->p == '+';
	j->p += minus || plus;
	if (j->end - j->p < 2 || memcmp(j->p, end, 2) != 0) {
		j->p -= minus || plus;
		jinja_error(j, j->p, "docs/boot-configuration.md has what is supported", arena_printf(j->ctx->arena, "%s is expected here", end));
		return false;
	}
	j->p += 2;
	if (minus)
		while (j->p < j->end && is_blank(*j->p))
			j->p++;
	else if (block && !plus && j->p < j->end && *j->p == '\n')
		j->p++;
	return true;
}

/* After an error: behind the end of the tag, so that the next mistake is found too. */
static void skip_tag(struct jinja *j, const char *end)
{
	const char *found = memmem(j->p, (size_t)(j->end - j->p), end, 2);

	j->p = found ? found + 2 : j->end;
}

static void do_output(struct jinja *j, const char *tag)
{
	CLEANUP_BUF struct buf text = { 0 };
	unsigned line = line_of(j, tag);
	struct jinja_value v;
	const char *at;

	jinja_skip_blanks(j);
	at = j->p;
	if (!jinja_expression(j, &v) || !close_tag(j, "}}", false)) {
		skip_tag(j, "}}");
		return;
	}
	if (!jinja_defined(j, at, &v) || j->mute)
		return;
	buf_init(&text, JINJA_OUTPUT_MAX);
	jinja_print(j, &v, &text);
	if (buf_error(&text))
		jinja_error(j, at, NULL, "the text becomes larger than 1 MiB");
	emit(j, text.data, text.len, line, false);
}

/* Reads the expression and the end of a block tag. */
static bool block_expression(struct jinja *j, struct jinja_value *v)
{
	if (jinja_expression(j, v) && close_tag(j, "%}", true))
		return true;
	skip_tag(j, "%}");
	return false;
}

static bool condition(struct jinja *j)
{
	const char *at = j->p;
	struct jinja_value v;

	if (!block_expression(j, &v))
		return false;
	if (v.type == J_UNDEFINED && v.deep)
		jinja_defined(j, at, &v);
	return jinja_truth(&v);
}

static void lost(struct jinja *j, const char *tag, const char *what)
{
	jinja_error(j, tag, NULL, arena_printf(j->ctx->arena, "this %s is never closed", what));
}

static void do_if(struct jinja *j, const char *tag, unsigned depth)
{
	bool take = condition(j) && !j->mute;
	bool taken = take;
	bool last = false;

	for (;;) {
		enum word word;

		j->mute += !take;
		word = render_body(j, depth);
		j->mute -= !take;
		if (word == WORD_ENDIF)
			return;
		if (word == WORD_LOST) {
			lost(j, tag, "if");
			return;
		}
		if (word == WORD_ENDFOR || last) {
			jinja_error(j, j->p, NULL, "an endif is expected before this");
			return;
		}
		if (word == WORD_ELIF) {
			j->mute += taken;
			take = condition(j);
			j->mute -= taken;
			take = take && !taken && !j->mute;
		} else {
			take = !taken && !j->mute;
			last = true;
		}
		taken = taken || take;
	}
}

struct loop {
	const char *names[2];
	unsigned n_names;
	const char *body;
	const struct node *list;
};

static void push(struct jinja *j, const char *name, struct jinja_value value)
{
	struct jinja_local *l = ARENA_NEW(j->ctx->arena, struct jinja_local);

	*l = (struct jinja_local){ name, value, j->locals };
	j->locals = l;
}

static struct item *loop_member(struct jinja *j, const char *name, struct jinja_value v, struct item *next)
{
	struct item *i = ARENA_NEW(j->ctx->arena, struct item);
	struct jinja_value key = jinja_of_text(name, strlen(name));

	i->key = (struct node *)jinja_to_node(j, &key);
	i->value = (struct node *)jinja_to_node(j, &v);
	i->next = next;
	return i;
}

static void push_element(struct jinja *j, const struct loop *loop, const struct item *i, size_t index, const char *at)
{
	struct node *info = jinja_list(j);

	info->type = NODE_MAP;
	info->items = loop_member(j, "last", jinja_of_bool(!i->next), NULL);
	info->items = loop_member(j, "first", jinja_of_bool(index == 0), info->items);
	info->items = loop_member(j, "index0", jinja_of_int((long long)index), info->items);
	info->items = loop_member(j, "index", jinja_of_int((long long)index + 1), info->items);
	info->count = 4;
	push(j, "loop", (struct jinja_value){ .type = J_NODE, .node = info });
	if (loop->n_names == 1) {
		push(j, loop->names[0], jinja_of_node(i->key ? i->key : i->value));
		return;
	}
	if (i->value->type != NODE_LIST || i->value->count != 2) {
		jinja_error(j, at, "a mapping's pairs are MAPPING.items()", "two names need pairs");
		return;
	}
	push(j, loop->names[0], jinja_of_node(i->value->items->value));
	push(j, loop->names[1], jinja_of_node(i->value->items->next->value));
}

static bool read_loop(struct jinja *j, struct loop *loop, const char **at)
{
	struct jinja_value v;

	do {
		size_t n = jinja_name_length(j);

		if (n == 0 || loop->n_names == 2) {
			jinja_error(j, j->p, NULL, "for NAME in LIST, or for KEY, VALUE in MAPPING.items()");
			skip_tag(j, "%}");
			return false;
		}
		loop->names[loop->n_names++] = arena_strndup(j->ctx->arena, j->p, n);
		j->p += n;
		jinja_skip_blanks(j);
	} while (jinja_accept(j, ","));
	if (!jinja_accept_word(j, "in")) {
		jinja_error(j, j->p, NULL, "`in` is expected here");
		skip_tag(j, "%}");
		return false;
	}
	*at = j->p;
	if (!block_expression(j, &v))
		return false;
	if (!jinja_defined(j, *at, &v))
		return false;
	if (v.type == J_NODE)
		loop->list = v.node;
	else if (!j->mute)
		jinja_error(j, *at, NULL, "this is no list");
	return v.type == J_NODE;
}

/* The rest of a loop: its else, or nothing, to the endfor. */
static void finish_for(struct jinja *j, const char *tag, enum word word, bool otherwise, unsigned depth)
{
	if (word == WORD_ELSE) {
		j->mute += !otherwise;
		word = render_body(j, depth);
		j->mute -= !otherwise;
	}
	if (word == WORD_LOST)
		lost(j, tag, "for");
	else if (word != WORD_ENDFOR)
		jinja_error(j, j->p, NULL, "an endfor is expected before this");
}

static void do_for(struct jinja *j, const char *tag, unsigned depth)
{
	struct loop loop = { .n_names = 0 };
	struct jinja_local *outer = j->locals;
	const char *at = j->p;
	bool ok = read_loop(j, &loop, &at);
	enum word word = WORD_ENDFOR;
	size_t index = 0;

	if (j->mute || !ok || !loop.list || loop.list->count == 0) {
		j->mute++;
		word = render_body(j, depth);
		j->mute--;
		finish_for(j, tag, word, ok && !j->mute, depth);
		return;
	}
	loop.body = j->p;
	for (const struct item *i = loop.list->items; i; i = i->next, index++) {
		j->p = loop.body;
		push_element(j, &loop, i, index, at);
		word = render_body(j, depth);
		j->locals = outer;
		if (j->failed)
			break; /* once is enough */
	}
	finish_for(j, tag, word, false, depth);
}

static void do_set(struct jinja *j)
{
	size_t n = jinja_name_length(j);
	const char *name = arena_strndup(j->ctx->arena, j->p, n);
	const char *at;
	struct jinja_value v;

	j->p += n;
	jinja_skip_blanks(j);
	if (n == 0 || j->p >= j->end || *j->p != '=') {
		jinja_error(j, j->p, NULL, "set NAME = VALUE");
		skip_tag(j, "%}");
		return;
	}
	j->p++;
	at = j->p;
	if (block_expression(j, &v) && jinja_defined(j, at, &v) && !j->mute)
		push(j, name, v);
}

/* {% raw %}: everything to {% endraw %} as it stands. */
static void do_raw(struct jinja *j, const char *tag)
{
	const char *begin;

	if (!close_tag(j, "%}", false)) {
		skip_tag(j, "%}");
		return;
	}
	begin = j->p;
	for (const char *p = begin; (p = memmem(p, (size_t)(j->end - p), "{%", 2)); p += 2) {
		const char *end = p;

		j->p = p + 2;
		if (*j->p == '-') {
			j->p++;
			while (end > begin && is_blank(end[-1]))
				end--;
		}
		jinja_skip_blanks(j);
		if (!jinja_accept_word(j, "endraw"))
			continue;
		emit(j, begin, (size_t)(end - begin), line_of(j, begin), true);
		if (!close_tag(j, "%}", true))
			skip_tag(j, "%}");
		return;
	}
	j->p = j->end;
	lost(j, tag, "raw");
}

/* A block tag whose name begins at j->p. Returns what ends the body that it stands in. */
static enum word do_block(struct jinja *j, const char *tag, unsigned depth)
{
	static const struct { const char *name; enum word word; } ends[] = {
		{ "else", WORD_ELSE }, { "endif", WORD_ENDIF }, { "endfor", WORD_ENDFOR },
	};
	const char *name;

	jinja_skip_blanks(j);
	name = j->p;
	if (depth >= JINJA_NESTED_MAX) {
		jinja_error(j, tag, NULL, "nested more than 32 deep");
		j->p = j->end;
		return WORD_LOST;
	}
	if (jinja_accept_word(j, "elif"))
		return WORD_ELIF;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (jinja_accept_word(j, ends[i].name)) {
			if (!close_tag(j, "%}", true))
				skip_tag(j, "%}");
			return ends[i].word;
		}
	if (jinja_accept_word(j, "if")) {
		do_if(j, tag, depth + 1);
	} else if (jinja_accept_word(j, "for")) {
		do_for(j, tag, depth + 1);
	} else if (jinja_accept_word(j, "set")) {
		do_set(j);
	} else if (jinja_accept_word(j, "raw")) {
		do_raw(j, tag);
	} else {
		jinja_error(j, name, "if, for, set and raw are; see docs/boot-configuration.md",
			    arena_printf(j->ctx->arena, "the tag %s is not supported", diag_quote(j->ctx->arena, name, jinja_name_length(j))));
		skip_tag(j, "%}");
	}
	return WORD_NONE;
}

static void do_comment(struct jinja *j, const char *tag)
{
	const char *end = memmem(j->p, (size_t)(j->end - j->p), "#}", 2);

	if (!end) {
		j->p = j->end;
		lost(j, tag, "comment");
		return;
	}
	j->p = end - (end > j->p && (end[-1] == '-' || end[-1] == '+'));
	close_tag(j, "#}", true);
}

/* The next {{, {% or {#, or NULL. */
static const char *next_tag(const struct jinja *j)
{
	for (const char *p = j->p; p < j->end && (p = memchr(p, '{', (size_t)(j->end - p))); p++)
		if (p + 1 < j->end && p[1] && strchr("{%#", p[1]))
			return p;
	return NULL;
}

/* Text and tags until a tag that is not of this body. */
static enum word render_body(struct jinja *j, unsigned depth)
{
	while (j->p < j->end) {
		const char *tag = next_tag(j);
		const char *text = j->p;
		const char *end = tag ? tag : j->end;
		enum word word = WORD_NONE;
		bool minus = tag && j->end - tag > 2 && tag[2] == '-';

		while (minus && end > text && is_blank(end[-1]))
			end--;
		emit(j, text, (size_t)(end - text), line_of(j, text), true);
		if (!tag) {
			j->p = j->end;
			break;
		}
		if (++j->steps > JINJA_STEPS_MAX || buf_error(&j->out) || j->ctx->arena->used > JINJA_MEMORY_MAX) {
			jinja_error(j, tag, NULL, "this template becomes larger, or takes longer, than is allowed");
			j->p = j->end;
			break;
		}
		j->p = tag + 2 + (minus || (j->end - tag > 2 && tag[2] == '+'));
		if (tag[1] == '{')
			do_output(j, tag);
		else if (tag[1] == '#')
			do_comment(j, tag);
		else
			word = do_block(j, tag, depth);
		if (word != WORD_NONE)
			return word;
	}
	return WORD_LOST;
}

bool jinja_has_header(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	size_t n = end ? (size_t)(end - text) : len;
	const char *p = text + 2;

	if (n < 2 || memcmp(text, "##", 2) != 0)
		return false;
	p += strspn(p, " \t");
	if (strncasecmp(p, "template:", 9) != 0)
		return false;
	p += 9 + strspn(p + 9, " \t");
	return !strncasecmp(p, "jinja", 5) && strspn(p + 5, " \t\r") >= n - (size_t)(p + 5 - text);
}

const struct source *jinja_render(struct ctx *ctx, const struct source *template, const struct node *variables, bool guess)
{
	struct jinja j = { .ctx = ctx, .source = template, .variables = variables, .guess = guess };
	struct source *out = ARENA_NEW(ctx->arena, struct source);
	bool line_break;

	j.end = template->text + template->len;
	j.p = template->text + strspn(template->text, " \t\r\n\v\f");
	if (!jinja_has_header(j.p, (size_t)(j.end - j.p))) {
		jinja_error(&j, j.p, NULL, "the first line of a template must be \"## template: jinja\"");
		return NULL;
	}
	/* NUL bytes would end things that they do not end in the text */
	if (text_check(ctx->diags, template) < 0)
		return NULL;
	j.p += strcspn(j.p, "\n");
	j.p += j.p < j.end;
	/* Jinja drops the last line break and cloud-init adds it again: so a block there does not take it */
	line_break = j.p < j.end && j.end[-1] == '\n';
	j.end -= line_break;
	buf_init(&j.out, JINJA_OUTPUT_MAX);
	while (j.p < j.end) {
		const char *at = j.p;

		if (render_body(&j, 0) != WORD_LOST)
			jinja_error(&j, at, NULL, "an else, elif, endif or endfor from here on belongs to no if or for");
	}
	if (line_break)
		emit(&j, "\n", 1, line_of(&j, j.end), true);
	if (buf_error(&j.out) && !j.failed)
		jinja_error(&j, template->text, NULL, "the text becomes larger than 1 MiB");
	if (!j.failed) {
		*out = (struct source){ template->name, arena_strndup(ctx->arena, j.out.data, j.out.len), j.out.len };
		diag_derive(ctx->diags, out, template, 0, j.lines, j.n_lines);
	}
	buf_free(&j.out);
	return j.failed ? NULL : out;
}
