/* unit.c - the format of systemd's unit files: sections, keys, words. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "build.h"

struct parser {
	struct ctx *ctx;
	const struct source *source;
	const char *s, *end;
	unsigned line;		/* of what is read next */
	const char *section;
	struct unit_entry *first, **tail;
	unsigned count;
	bool bad;
};

static void complain(struct parser *p, unsigned line, const char *hint, const char *text)
{
	p->bad = true;
	diag_add(p->ctx->diags, DIAG_ERROR, p->source, line, 1, hint, "%s", text);
}

/* The next line without its end, blanks at both ends taken off. *column: where it begins. */
static char *take_line(struct parser *p, unsigned *column)
{
	const char *newline = memchr(p->s, '\n', (size_t)(p->end - p->s));
	const char *stop = newline ? newline : p->end;
	const char *from = p->s;

	p->line++;
	*column = 1;
	p->s = newline ? newline + 1 : p->end;
	for (; from < stop && (*from == ' ' || *from == '\t'); from++)
		++*column;
	while (stop > from && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
		stop--;
	return arena_strndup(p->ctx->arena, from, (size_t)(stop - from));
}

/* A backslash at the end takes the next line too; comments between them are left out. */
static const char *take_logical(struct parser *p, unsigned *column)
{
	char *line = take_line(p, column);
	size_t n = strlen(line);

	if (line[0] == '#' || line[0] == ';')
		return line;
	while (n > 0 && line[n - 1] == '\\' && p->s < p->end) {
		unsigned ignored;
		char *more = take_line(p, &ignored);

		if (more[0] == '#' || more[0] == ';')
			continue;
		line[n - 1] = '\0';
		line = arena_printf(p->ctx->arena, "%s %s", line, more);
		n = strlen(line);
	}
	return line;
}

static void read_section(struct parser *p, unsigned line, const char *text)
{
	size_t n = strlen(text);

	if (text[n - 1] != ']' || n < 3) {
		complain(p, line, "such as [Container]", "this is not the name of a section");
		return;
	}
	p->section = arena_strndup(p->ctx->arena, text + 1, n - 2);
}

static void read_pair(struct parser *p, unsigned line, unsigned column, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *value;
	size_t n;

	if (!equals || equals == text) {
		complain(p, line, "KEY=VALUE", arena_printf(p->ctx->arena, "%s does not set a key", diag_quote(p->ctx->arena, text, strlen(text))));
		return;
	}
	if (!p->section) {
		complain(p, line, "such as [Container]", "a section must come first");
		return;
	}
	if (++p->count > UNIT_ENTRIES_MAX) {
		if (p->count == UNIT_ENTRIES_MAX + 1)
			complain(p, line, NULL, "more than 1,000 lines; the rest is left out");
		return;
	}
	n = (size_t)(equals - text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	value = equals + 1 + strspn(equals + 1, " \t");
	*p->tail = ARENA_NEW(p->ctx->arena, struct unit_entry);
	**p->tail = (struct unit_entry){
		.section = p->section, .key = arena_strndup(p->ctx->arena, text, n), .value = value,
		.at = build_place(p->ctx, p->source, line, column + (unsigned)(value - text)),
	};
	p->tail = &(*p->tail)->next;
}

struct unit_entry *unit_parse(struct ctx *ctx, const struct source *source, bool *bad)
{
	struct parser p = { .ctx = ctx, .source = source, .s = source->text, .end = source->text + source->len };

	p.tail = &p.first;
	*bad = true;
	if (source->len > UNIT_TEXT_MAX) {
		diag_add(ctx->diags, DIAG_ERROR, source, 0, 0, NULL, "larger than 64 KiB");
		return NULL;
	}
	if (text_check(ctx->diags, source) < 0)
		return NULL;
	while (p.s < p.end) {
		unsigned line = p.line + 1;
		unsigned column;
		const char *text = take_logical(&p, &column);

		if (!text[0] || text[0] == '#' || text[0] == ';')
			continue;
		if (text[0] == '[')
			read_section(&p, line, text);
		else
			read_pair(&p, line, column, text);
	}
	*bad = p.bad;
	return p.first;
}

/* One character behind a backslash; returns how many were used, 0 when it is no escape. */
static size_t escape(const char *s, char *out)
{
	static const char from[] = "abfnrtv\\\"'s";
	static const char to[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *p = *s ? strchr(from, *s) : NULL;

	if (p) {
		*out = to[p - from];
		return 1;
	}
	if (*s == 'x') {
		unsigned value = 0;

		for (int i = 1; i <= 2; i++) {
			const char *digits = "0123456789abcdef";
			const char *d = s[i] ? strchr(digits, s[i] >= 'A' && s[i] <= 'F' ? s[i] + 32 : s[i]) : NULL;

			if (!d)
				return 0;
			value = value * 16 + (unsigned)(d - digits);
		}
		*out = (char)value;
		return value ? 3 : 0;
	}
	return 0;
}

int unit_words(struct ctx *ctx, const struct unit_entry *e, struct strings *out)
{
	const char *s = e->value;
	char *word = arena_alloc(ctx->arena, strlen(s) + 1);
	size_t n = 0;
	char quote = '\0';
	bool begun = false;

	for (; *s; s++) {
		if (quote ? *s == quote : (*s == '"' || *s == '\'')) {
			quote = quote ? '\0' : *s;
			begun = true;
		} else if (*s == '\\') {
			size_t used = escape(s + 1, &word[n]);

			if (!used)
				return diag_at(ctx->diags, DIAG_ERROR, e->at, "write two of them for one", "a backslash is followed by what is no escape");
			n++;
			s += used;
			begun = true;
		} else if (!quote && (*s == ' ' || *s == '\t')) {
			if (begun)
				strings_add(ctx, out, arena_strndup(ctx->arena, word, n));
			n = 0;
			begun = false;
		} else {
			word[n++] = *s;
			begun = true;
		}
	}
	if (quote)
		return diag_at(ctx->diags, DIAG_ERROR, e->at, NULL, "a quote is not closed");
	if (begun)
		strings_add(ctx, out, arena_strndup(ctx->arena, word, n));
	return 0;
}

static int replace_specifiers(struct ctx *ctx, struct unit_entry *e, const char *unit)
{
	CLEANUP_BUF struct buf b = { 0 };
	size_t bare = strcspn(unit, ".");

	buf_init(&b, UNIT_TEXT_MAX);
	for (const char *s = e->value; *s; s++) {
		if (*s != '%') {
			buf_putc(&b, *s);
			continue;
		}
		s++;
		if (*s == '%')
			buf_putc(&b, '%');
		else if (*s == 'n')
			buf_puts(&b, unit);
		else if (*s == 'N' || *s == 'p')
			buf_add(&b, unit, bare);
		else
			return diag_at(ctx->diags, DIAG_ERROR, e->at, "write %% for one percent sign", "the specifier %%%.1s is not supported by Coracle", s);
	}
	e->value = arena_strndup(ctx->arena, b.data, b.len);
	return 0;
}

int unit_specifiers(struct ctx *ctx, struct unit_entry *entries, const char *unit)
{
	int r = 0;

	for (struct unit_entry *e = entries; e; e = e->next)
		if (strchr(e->value, '%') && replace_specifiers(ctx, e, unit) < 0)
			r = -EINVAL;
	return r;
}

int unit_duration(const char *text, uint64_t *ms)
{
	static const struct { const char *name; uint64_t ms; } units[] = {
		{ "", 1000 }, { "s", 1000 }, { "sec", 1000 }, { "second", 1000 }, { "seconds", 1000 }, { "ms", 1 }, { "msec", 1 },
		{ "m", 60000 }, { "min", 60000 }, { "minute", 60000 }, { "minutes", 60000 }, { "h", 3600000 }, { "hr", 3600000 },
		{ "hour", 3600000 }, { "hours", 3600000 }, { "d", 86400000 }, { "day", 86400000 }, { "days", 86400000 },
	};
	uint64_t total = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		size_t digits = strspn(text, "0123456789");
		uint64_t n = 0;
		size_t letters;
		size_t u = 0;

		if (digits == 0 || digits > 9)
			return -EINVAL;
		for (size_t i = 0; i < digits; i++)
			n = n * 10 + (uint64_t)(text[i] - '0');
		text += digits;
		text += *text == ' ' && text[1] >= 'a';
		letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
		while (u < ARRAY_SIZE(units) && (strlen(units[u].name) != letters || strncmp(text, units[u].name, letters) != 0))
			u++;
		if (u == ARRAY_SIZE(units))
			return -EINVAL;
		total += n * units[u].ms;
		text += letters;
		text += strspn(text, " ");
	}
	if (total > (uint64_t)366 * 86400000)
		return -EINVAL;
	*ms = total;
	return 0;
}

int unit_bool(struct ctx *ctx, const struct unit_entry *e, bool *out)
{
	if (scalar_bool(e->value, out) == 0)
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, e->at, NULL, "%s: %s is not true or false", e->key, diag_quote(ctx->arena, e->value, strlen(e->value)));
}
