/* shlex.c - splits a command line into words.
 *
 * Quotes: '...' takes all as it is; in "..." a backslash is special before " and
 * \ only; outside, a backslash takes the next character as it is. */
#include "shlex.h"

#include <string.h>

#define BLANKS " \t\r\n"

struct splitter {
	const char *s;
	char *out;	/* the word so far */
	size_t n;
	bool word;	/* one has begun; '' is a word too */
};

static const char *take_quoted(struct splitter *p)
{
	char quote = *p->s++;

	p->word = true;
	while (*p->s != quote) {
		if (quote == '"' && *p->s == '\\' && (p->s[1] == '"' || p->s[1] == '\\'))
			p->s++;
		if (!*p->s)
			return quote == '"' ? "a \" is not closed" : "a ' is not closed";
		p->out[p->n++] = *p->s++;
	}
	p->s++;
	return NULL;
}

static const char *take_plain(struct splitter *p)
{
	if (*p->s == '\\' && !*++p->s)
		return "it ends in a backslash";
	p->word = true;
	p->out[p->n++] = *p->s++;
	return NULL;
}

const char *shlex_split(struct ctx *ctx, const char *s, struct strings *words)
{
	struct splitter p = { .s = s, .out = arena_alloc(ctx->arena, strlen(s) + 1) };
	const char *wrong = NULL;

	while (*p.s && !wrong) {
		if (!strchr(BLANKS, *p.s)) {
			wrong = *p.s == '\'' || *p.s == '"' ? take_quoted(&p) : take_plain(&p);
			continue;
		}
		if (p.word)
			strings_add(ctx, words, arena_strndup(ctx->arena, p.out, p.n));
		p.word = false;
		p.n = 0;
		p.s++;
	}
	if (!wrong && p.word)
		strings_add(ctx, words, arena_strndup(ctx->arena, p.out, p.n));
	return wrong;
}
