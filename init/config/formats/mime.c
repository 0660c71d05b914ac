/* mime.c - takes a MIME message apart, as forgiving as the mail readers that cloud-init relies on: a missing end boundary, a missing
 * empty line and the "From " of a mail box are no errors. */
#include "mime.h"

#include <errno.h>
#include <string.h>

#include "../base64.h"

struct reader {
	struct ctx *ctx;
	struct parts *parts;
	const struct source *source;
	unsigned include_depth;
};

static void read_entity(struct reader *r, const char *text, const char *end, unsigned line, unsigned depth);

static void report(struct reader *r, unsigned line, const char *hint, const char *text)
{
	diag_add(r->ctx->diags, DIAG_ERROR, r->source, line, 1, hint, "%s", text);
}

/* Where a line is this boundary. */
enum line_kind { LINE_OTHER, LINE_BOUNDARY, LINE_END };

static enum line_kind line_kind(const char *p, const char *end, const char *boundary, size_t n)
{
	enum line_kind kind = LINE_BOUNDARY;

	if ((size_t)(end - p) < n + 2 || p[0] != '-' || p[1] != '-' || memcmp(p + 2, boundary, n) != 0)
		return LINE_OTHER;
	p += n + 2;
	if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
		kind = LINE_END;
		p += 2;
	}
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == end || *p == '\n' ? kind : LINE_OTHER;
}

/* The line break before a boundary belongs to the boundary. */
static const char *without_line_break(const char *text, const char *end)
{
	if (end > text && end[-1] == '\n')
		end--;
	if (end > text && end[-1] == '\r')
		end--;
	return end;
}

static void read_multipart(struct reader *r, const struct mime_head *head, const char *end, unsigned depth)
{
	const char *begin = NULL;	/* of the part that is open */
	unsigned begin_line = 0;
	unsigned line = head->body_line;
	size_t n = head->boundary ? strlen(head->boundary) : 0;
	bool found = false;

	if (n == 0) {
		report(r, line, "Content-Type: multipart/mixed; boundary=\"SOMETHING\"", "this multipart message names no boundary; it is left out");
		return;
	}
	for (const char *p = head->body; p < end; line++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *next = newline ? newline + 1 : end;
		enum line_kind kind = line_kind(p, end, head->boundary, n);

		if (kind != LINE_OTHER) {
			found = true;
			if (begin)
				read_entity(r, begin, without_line_break(begin, p), begin_line, depth);
			begin = next;
			begin_line = line + 1;
			if (kind == LINE_END)
				return; /* what follows is for readers without MIME */
		}
		p = next;
	}
	if (begin && begin < end)
		read_entity(r, begin, end, begin_line, depth);
	if (!found)
		report(r, head->body_line, "it stands in a line of its own, with -- before it",
		       arena_printf(r->ctx->arena, "the boundary %s is nowhere in this message; nothing of it is used",
				    diag_quote(r->ctx->arena, head->boundary, n)));
}

static void read_leaf(struct reader *r, const struct mime_head *head, const char *end)
{
	struct source *body = ARENA_NEW(r->ctx->arena, struct source);
	struct piece piece = {
		.type = head->type, .name = head->name, .merge = head->merge, .launch_index = head->launch_index, .source = body,
		.depth = r->include_depth, .base = r->source->name,
	};
	size_t len = (size_t)(end - head->body);
	const char *why;

	body->name = arena_printf(r->ctx->arena, "%s, part of line %u", r->source->name, head->body_line);
	if (mime_is_identity(head->encoding)) {
		body->text = arena_strndup(r->ctx->arena, head->body, len);
		body->len = len;
		diag_derive(r->ctx->diags, body, r->source, head->body_line - 1, NULL, 0);
	} else {
		body->text = mime_decode(r->ctx, head->encoding, head->body, len, &body->len, &why);
		if (!body->text) {
			report(r, head->body_line, NULL, arena_printf(r->ctx->arena, "this MIME part is left out: %s", why));
			return;
		}
	}
	parts_add(r->ctx, r->parts, &piece);
}

static void read_entity(struct reader *r, const char *text, const char *end, unsigned line, unsigned depth)
{
	struct mime_head head;
	bool container;

	if (!parts_count(r->ctx, r->parts, r->source, line) || mime_head_read(r->ctx, r->source, text, end, line, &head) < 0)
		return;
	container = !strncmp(head.type, "multipart/", 10) || !strcmp(head.type, "message/rfc822");
	if (container && depth >= PARTS_NESTED_MAX) {
		report(r, line, NULL, "MIME messages are nested more than 5 deep; this one is left out");
		return;
	}
	if (!container)
		read_leaf(r, &head, end);
	else if (head.type[1] == 'u')
		read_multipart(r, &head, end, depth + 1);
	else
		read_entity(r, head.body, end, head.body_line, depth + 1);
}

void mime_read(struct ctx *ctx, struct parts *p, const struct source *source, unsigned include_depth)
{
	struct reader r = { ctx, p, source, include_depth };
	unsigned line = 1;
	const char *text = source->text;
	const char *end = text + source->len;

	/* empty lines before the headers would end them at once */
	for (; text < end && (*text == '\n' || *text == '\r'); text++)
		line += *text == '\n';
	read_entity(&r, text, end, line, 0);
}
