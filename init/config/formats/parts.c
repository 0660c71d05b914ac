/* parts.c - from a blob to its pieces: compression and encodings off, then what each piece is. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base64.h"
#include "mime.h"

static void report(struct ctx *ctx, const struct source *source, const char *hint, const char *text)
{
	diag_add(ctx->diags, DIAG_ERROR, source, 0, 0, hint, "%s", text);
}

void parts_init(struct parts *p, part_fetcher *fetch, void *arg)
{
	*p = (struct parts){ .fetch = fetch, .fetch_arg = arg };
	p->tail = &p->first;
}

bool parts_count(struct ctx *ctx, struct parts *p, const struct source *source, unsigned line)
{
	if (++p->seen <= PARTS_MAX)
		return true;
	if (p->seen == PARTS_MAX + 1)
		diag_add(ctx->diags, DIAG_ERROR, source, line, line ? 1 : 0, NULL, "more than 100 parts; those from here on are left out");
	return false;
}

static bool is_gzip_type(const char *type)
{
	static const char *const types[] = {
		"application/gzip", "application/gzip-compressed", "application/gzipped", "application/x-compress", "application/x-compressed",
		"application/x-gunzip", "application/x-gzip", "application/x-gzip-compressed",
	};

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* Types that say nothing, or that people use for anything: cloud-init looks at the text too. */
static bool is_vague_type(const char *type)
{
	return !type || !strcmp(type, "text/plain") || !strcmp(type, "text/x-not-multipart") || !strcmp(type, "text/x-shellscript");
}

static struct source *new_source(struct ctx *ctx, const char *name, const char *text, size_t len)
{
	struct source *s = ARENA_NEW(ctx->arena, struct source);

	*s = (struct source){ name, text, len };
	return s;
}

/* NULL (reported) when it cannot be decompressed. */
static const struct source *decompress(struct ctx *ctx, const struct source *source)
{
	const char *why;
	size_t len;
	char *text = gunzip(ctx->arena, source->text, source->len, PARTS_BLOB_MAX, &len, &why);

	if (text)
		return new_source(ctx, source->name, text, len);
	diag_add(ctx->diags, DIAG_ERROR, source, 0, 0, NULL, "gzip: %s", why);
	return NULL;
}

/* A UTF-8 mark is dropped; UTF-16 is told. False when nothing can be done with the text. */
static const struct source *check_encoding(struct ctx *ctx, const struct source *source)
{
	const char *s = source->text;
	struct source *rest;

	if (source->len >= 2 && (!memcmp(s, "\xff\xfe", 2) || !memcmp(s, "\xfe\xff", 2))) {
		diag_add(ctx->diags, DIAG_ERROR, source, 1, 1, "save the file as UTF-8", "this is UTF-16");
		return NULL;
	}
	if (source->len < 3 || memcmp(s, "\xef\xbb\xbf", 3) != 0)
		return source;
	rest = new_source(ctx, source->name, s + 3, source->len - 3);
	diag_derive(ctx->diags, rest, source, 0, NULL, 0);
	return rest;
}

static bool is_empty(const struct source *s)
{
	return strspn(s->text, " \t\r\n\v\f") >= s->len;
}

static void attach(struct ctx *ctx, struct parts *p, const struct piece *piece, enum part_kind kind)
{
	struct part *part = ARENA_NEW(ctx->arena, struct part);

	p->attached++;
	p->bytes += piece->source->len;
	if (p->bytes > PARTS_TOTAL_MAX) {
		report(ctx, piece->source, NULL, "all parts together are larger than 8 MiB; this one is left out");
		return;
	}
	*part = (struct part){
		.kind = kind,
		.name = piece->name && *piece->name ? piece->name : arena_printf(ctx->arena, "part-%03u", p->attached),
		.type = piece->type && kind == part_kind_of_type(piece->type) ? piece->type : part_type_of_kind(kind),
		.source = piece->source,
		.merge = piece->merge,
		.launch_index = piece->launch_index,
	};
	*p->tail = part;
	p->tail = &part->next;
}

static void unknown_type(struct ctx *ctx, const struct piece *piece)
{
	const char *type = diag_quote(ctx->arena, piece->type, strlen(piece->type));
	const char *hint = !strncmp(piece->type, "text/upstart-job", 16) ? "upstart is gone; use a script" :
			   is_gzip(piece->source->text, piece->source->len) ? "this is gzip: its type is application/gzip" :
			   "such as text/cloud-config, text/x-shellscript, text/jinja2";

	diag_add(ctx->diags, DIAG_ERROR, piece->source, piece->source->len ? 1 : 0, piece->source->len ? 1 : 0, hint,
		 "the content type %s is not known; this part is left out", type);
}

/* A type that is trusted, and a first line that says something else. */
static void check_promise(struct ctx *ctx, const struct piece *piece, enum part_kind kind)
{
	enum part_kind found = part_kind_of_text(piece->source->text, piece->source->len);

	if (kind == PART_CLOUD_CONFIG && found == PART_JINJA)
		diag_add(ctx->diags, DIAG_WARNING, piece->source, 1, 1, "its type must be text/jinja2, or text/plain",
			 "this template is not rendered, because its content type is %s", piece->type);
}

void parts_add(struct ctx *ctx, struct parts *p, const struct piece *given)
{
	struct piece piece = *given;
	enum part_kind kind = PART_UNKNOWN;

	if (is_gzip_type(piece.type)) {
		piece.type = NULL;
		if (is_gzip(piece.source->text, piece.source->len)) {
			piece.source = decompress(ctx, piece.source);
			if (!piece.source)
				return;
		}
	}
	piece.source = check_encoding(ctx, piece.source);
	if (!piece.source)
		return;
	if (is_vague_type(piece.type))
		kind = part_kind_of_text(piece.source->text, piece.source->len);
	if (kind == PART_UNKNOWN && piece.type)
		kind = part_kind_of_type(piece.type);
	if (is_empty(piece.source)) {
		p->attached++; /* it has its number, and asks for nothing */
		return;
	}
	if (piece.type && !is_vague_type(piece.type))
		check_promise(ctx, &piece, kind);
	switch (kind) {
	case PART_UNKNOWN:
		p->attached++;
		if (is_vague_type(piece.type))
			part_report_unknown(ctx, piece.source);
		else
			unknown_type(ctx, &piece);
		return;
	case PART_INCLUDE:
	case PART_INCLUDE_ONCE:
		include_read(ctx, p, &piece);
		return;
	case PART_CLOUD_CONFIG_ARCHIVE:
		archive_read(ctx, p, &piece);
		return;
	default:
		attach(ctx, p, &piece, kind);
	}
}

/* Clouds' tools encode user-data once more than their users know: take it off, and say so. */
static const struct source *decode_base64(struct ctx *ctx, const struct source *source)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
	size_t len;
	char *text;

	if (source->len < 16 || strspn(source->text, alphabet) != source->len)
		return source;
	text = base64_decode(ctx->arena, source->text, source->len, &len);
	if (!text || !(is_gzip(text, len) || is_mime(text, len) || part_kind_of_text(text, len) != PART_UNKNOWN))
		return source;
	diag_add(ctx->diags, DIAG_WARNING, source, 1, 1, "cloud-init would not read it", "this is base64; it is decoded");
	return new_source(ctx, source->name, text, len);
}

void parts_add_blob(struct ctx *ctx, struct parts *p, const struct source *source, unsigned depth)
{
	struct piece piece = { .depth = depth, .base = source->name };

	source = decode_base64(ctx, source);
	if (is_gzip(source->text, source->len)) {
		source = decompress(ctx, source);
		if (!source)
			return;
		if (is_gzip(source->text, source->len)) {
			report(ctx, source, "compress it once", "this is gzip inside gzip");
			return;
		}
	}
	if (is_mime(source->text, source->len)) {
		source = check_encoding(ctx, source);
		if (source)
			mime_read(ctx, p, source, depth);
		return;
	}
	piece.source = source;
	if (parts_count(ctx, p, source, 0))
		parts_add(ctx, p, &piece);
}

void parts_read(struct ctx *ctx, struct parts *p, const char *name, const char *text, size_t len)
{
	struct source *source = new_source(ctx, name, text, len);

	if (len > PARTS_BLOB_MAX) {
		source->text = "";
		source->len = 0;
		report(ctx, source, NULL, "larger than 1 MiB");
		return;
	}
	parts_add_blob(ctx, p, source, 0);
}
