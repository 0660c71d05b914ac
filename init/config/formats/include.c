/* include.c - #include and #include-once: one URL per line, each fetched and taken apart in its place.
 *
 * Everything has a limit, which cloud-init's own does not: depth, number, bytes (parts.h), and time (the fetcher's). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../http/http.h"
#include "err.h"
#include "parts.h"

#define INCLUDES_MAX 50
#define URL_MAX ((size_t)2048)

static bool starts_with(const char *s, const char *prefix)
{
	return !strncasecmp(s, prefix, strlen(prefix));
}

static bool url_ok(const char *url)
{
	if (strlen(url) > URL_MAX || (!starts_with(url, "http://") && !starts_with(url, "https://")) || strlen(strchr(url, '/')) < 3)
		return false;
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return true;
}

static void include_url(struct ctx *ctx, struct parts *p, const struct piece *from, const char *url, bool once, unsigned line)
{
	struct err err = ERR_INIT;
	struct source *source = ARENA_NEW(ctx->arena, struct source);

	if (!url_ok(url)) {
		diag_add(ctx->diags, DIAG_ERROR, from->source, line, 1, "one http:// or https:// address on each line", "%s cannot be included",
			 diag_quote(ctx->arena, url, strlen(url)));
		return;
	}
	if (from->depth >= PARTS_INCLUDE_DEPTH) {
		diag_add(ctx->diags, DIAG_ERROR, from->source, line, 1, NULL, "#include within #include is followed 3 deep; this one is left out");
		return;
	}
	if (++p->includes > INCLUDES_MAX) {
		if (p->includes == INCLUDES_MAX + 1)
			diag_add(ctx->diags, DIAG_ERROR, from->source, line, 1, NULL, "more than 50 addresses to include; the rest is left out");
		return;
	}
	if (!p->fetch)
		return;
	source->name = http_url_shown(ctx->arena, url); /* it may carry a password */
	if (p->fetch(ctx, p->fetch_arg, url, once, source, &err) < 0) {
		diag_add(ctx->diags, DIAG_ERROR, from->source, line, 1, NULL, "this is not included: %s", err.text);
		return;
	}
	parts_add_blob(ctx, p, source, from->depth + 1);
}

void include_read(struct ctx *ctx, struct parts *p, const struct piece *piece)
{
	const char *text = piece->source->text;
	const char *end = text + piece->source->len;
	unsigned number = 1;
	bool once = false;

	for (const char *next; text < end; text = next, number++) {
		size_t n = strcspn(text, "\n");
		char *line = arena_strndup(ctx->arena, text, n);

		next = text + n + 1;
		if (strlen(line) != n) {
			diag_add(ctx->diags, DIAG_ERROR, piece->source, number, 1, NULL, "a NUL character in a list of addresses");
			return;
		}
		/* each header switches for the lines below it, and may carry an address itself */
		if (starts_with(line, "#include-once")) {
			once = true;
			line += strlen("#include-once");
		} else if (starts_with(line, "#include")) {
			once = false;
			line += strlen("#include");
		}
		line += strspn(line, " \t\r\v\f");
		n = strlen(line);
		while (n && strchr(" \t\r\v\f", line[n - 1]))
			line[--n] = '\0';
		if (n && line[0] != '#')
			include_url(ctx, p, piece, line, once, number);
	}
}
