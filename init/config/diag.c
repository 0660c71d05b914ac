/* diag.c - collected problems of a configuration, and how they are printed. */
#include "diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node.h"
#include "text.h"

#define QUOTE_MAX 60
#define CONTEXT_MAX 160	/* characters of a source line that are shown */

void diags_init(struct diags *d, struct arena *arena)
{
	*d = (struct diags){ .arena = arena };
}

/* Where a text comes from. */
struct derived {
	const struct source *source;
	const struct source *from;
	unsigned shift;
	const unsigned *lines;
	unsigned count;
	struct derived *next;
};

void diag_derive(struct diags *d, const struct source *source, const struct source *from, unsigned shift, const unsigned *lines, unsigned count)
{
	struct derived *e = ARENA_NEW(d->arena, struct derived);

	*e = (struct derived){ .source = source, .from = from, .shift = shift, .lines = lines, .count = count, .next = d->derived };
	d->derived = e;
}

/* The column in the line that a line came from: moved when the one is the end of the other, else unknown, which is told as the first. */
static unsigned derived_column(const struct derived *e, unsigned line, unsigned from_line, unsigned column)
{
	const char *to = text_line(e->source->text, e->source->len, line);
	const char *at = text_line(e->from->text, e->from->len, from_line);
	size_t n = to ? strcspn(to, "\r\n") : 0;
	size_t m = at ? strcspn(at, "\r\n") : 0;

	if (!to || !at || m < n || memcmp(at + (m - n), to, n) != 0)
		return 1;
	for (size_t i = 0; i < m - n; i++)
		column += ((unsigned char)at[i] & 0xc0) != 0x80;
	return column;
}

/* Follows a place to the text that a person wrote. */
static void resolve_place(const struct diags *d, struct diag *place)
{
	const struct derived *e = d->derived;

	while (e && place->source) {
		unsigned line = place->line ? place->line : 1;

		if (e->source != place->source) {
			e = e->next;
			continue;
		}
		if (e->lines)
			line = e->count ? e->lines[MIN(line, e->count) - 1] : 1;
		else
			line += e->shift;
		place->column = place->line ? derived_column(e, place->line, line, place->column) : 1;
		place->line = line;
		place->source = e->from;
		e = d->derived;
	}
}

static int place_after(const struct diag *a, const struct diag *b)
{
	if (a->source != b->source)
		return 0;
	return a->line != b->line ? a->line > b->line : a->column > b->column;
}

static void diag_vadd(struct diags *d, struct diag place, const char *fmt, va_list ap)
{
	struct diag **at = &d->first;
	struct diag *entry;
	char text[512];

	d->count[place.level]++;
	if (d->kept >= DIAG_MAX)
		return;
	d->kept++;
	resolve_place(d, &place);
	vsnprintf(text, sizeof(text), fmt, ap);
	entry = ARENA_NEW(d->arena, struct diag);
	*entry = place;
	entry->stage = d->stage;
	entry->hidden = d->hide;
	entry->text = arena_strndup(d->arena, text, strlen(text));
	while (*at && !place_after(*at, entry))
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
}

void diag_add(struct diags *d, enum diag_level level, const struct source *source, unsigned line, unsigned column,
	      const char *hint, const char *fmt, ...)
{
	struct diag place = { .level = level, .source = source, .line = line, .column = column, .hint = hint };
	va_list ap;

	va_start(ap, fmt);
	diag_vadd(d, place, fmt, ap);
	va_end(ap);
}

int diag_at(struct diags *d, enum diag_level level, const struct node *at, const char *hint, const char *fmt, ...)
{
	struct diag place = { .level = level, .hint = hint };
	va_list ap;

	if (at) {
		place.source = at->source;
		place.line = at->line;
		place.column = at->column;
	}
	va_start(ap, fmt);
	diag_vadd(d, place, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *diag_quote(struct arena *a, const char *s, size_t n)
{
	char out[QUOTE_MAX + 8];
	size_t used = 0;

	out[used++] = '"';
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		/* cut between characters, not inside one */
		if (used >= QUOTE_MAX && (c & 0xc0) != 0x80) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		if (used >= sizeof(out) - 5)
			break;
		out[used++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	out[used++] = '"';
	return arena_strndup(a, out, used);
}

void diag_line(const struct diag *d, int with_level, struct buf *out)
{
	if (d->source)
		buf_puts(out, d->source->name);
	if (d->source && d->line)
		buf_printf(out, ":%u:%u", d->line, d->column);
	if (d->source)
		buf_puts(out, ": ");
	if (with_level)
		buf_puts(out, d->level == DIAG_WARNING ? "warning: " : "error: ");
	buf_puts(out, d->text);
	if (d->hint)
		buf_printf(out, " (%s)", d->hint);
}


/* A mistake may stand beside a secret: then the line is not for a terminal whose text is kept. */
static bool holds_secret(const struct diag *d, const char *line)
{
	static const char *const words[] = { "password", "passwd:", "private" };
	char text[1024];

	if (d->hidden)
		return true;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(text, words[i]))
			return true;
	return strlen(text) == sizeof(text) - 1;
}

static void render_context(const struct diag *d, struct buf *out)
{
	const char *line = d->source && d->line ? text_line(d->source->text, d->source->len, d->line) : NULL;
	const char *end;
	unsigned column = 1;

	if (!line)
		return;
	if (holds_secret(d, line)) {
		buf_puts(out, "    (this line is not shown: it may hold a secret)\n");
		return;
	}
	end = d->source->text + d->source->len;
	buf_puts(out, "    ");
	for (const char *p = line; p < end && *p != '\n' && p - line < CONTEXT_MAX; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\t')
			buf_putc(out, ' '); /* keeps the caret in its column */
		else if (c != '\r')
			buf_putc(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	if (d->column && d->column <= CONTEXT_MAX) {
		buf_puts(out, "\n    ");
		for (; column < d->column; column++)
			buf_putc(out, ' ');
		buf_putc(out, '^');
	}
	buf_putc(out, '\n');
}

void diags_render(const struct diags *d, struct buf *out)
{
	unsigned all = d->count[DIAG_WARNING] + d->count[DIAG_UNKNOWN] + d->count[DIAG_ERROR];

	for (const struct diag *entry = d->first; entry; entry = entry->next) {
		diag_line(entry, 1, out);
		buf_putc(out, '\n');
		render_context(entry, out);
	}
	if (all > d->kept)
		buf_printf(out, "%u more problems are not shown\n", all - d->kept);
}
