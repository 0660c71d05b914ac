/* archive.c - #cloud-config-archive: a YAML list of pieces, each text alone or a mapping of content, type, filename, launch-index
 * and, like headers, Merge-Type. */
#include <string.h>
#include <strings.h>

#include "../base64.h"
#include "../text.h"
#include "parts.h"

struct entry {
	const struct node *content;
	const char *type;
	const char *name;
	const char *merge;
	const char *merge_x;
	const char *launch_index;
};

static int take_node(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

static const struct key entry_keys[] = {
	KEY("content", NODE_SCALAR, take_node, struct entry, content),
	KEY("type", NODE_SCALAR, value_line, struct entry, type),
	KEY("filename", NODE_SCALAR, value_line, struct entry, name),
	KEY("launch-index", NODE_SCALAR, value_line, struct entry, launch_index),
	KEY("Merge-Type", NODE_SCALAR, value_line, struct entry, merge),
	KEY("merge-type", NODE_SCALAR, value_line, struct entry, merge),
	KEY("merge_type", NODE_SCALAR, value_line, struct entry, merge),
	KEY("X-Merge-Type", NODE_SCALAR, value_line, struct entry, merge_x),
};

static const struct known_key entry_known[] = {
	{ "Content-Type", DIAG_WARNING, "is not looked at; the key is \"type\"" },
	{ "Content-Disposition", DIAG_WARNING, "is not looked at; the key is \"filename\"" },
	{ "MIME-Version", DIAG_WARNING, "is not needed" },
};

static const struct schema entry_schema = {
	.what = "an entry of the archive",
	.keys = entry_keys,
	.n_keys = ARRAY_SIZE(entry_keys),
	.known = entry_known,
	.n_known = ARRAY_SIZE(entry_known),
	.unknown = DIAG_WARNING,
};

/* A block scalar's lines stand in the archive as they are: problems are told there. Returns the lines, or NULL. */
static const unsigned *lines_of_block(struct ctx *ctx, const struct node *content, unsigned *count)
{
	const struct source *from = content->source;
	const char *below = text_line(from->text, from->len, content->line + 1);
	size_t first = strcspn(content->text, "\n");
	unsigned n = 1;
	unsigned *lines;

	if (!below || content->plain)
		return NULL;
	below += strspn(below, " ");
	if (strncmp(below, content->text, first) != 0)
		return NULL;
	for (size_t i = 0; i < content->len; i++)
		n += content->text[i] == '\n';
	lines = arena_alloc(ctx->arena, n * sizeof(*lines));
	for (unsigned i = 0; i < n; i++)
		lines[i] = content->line + 1 + i;
	*count = n;
	return lines;
}

static const struct source *content_source(struct ctx *ctx, const struct node *content, const char *base)
{
	struct source *s = ARENA_NEW(ctx->arena, struct source);
	const unsigned *lines;
	unsigned n = 0;

	s->name = arena_printf(ctx->arena, "%s, entry of line %u", base, content->line);
	s->text = content->text;
	s->len = content->len;
	if (content->tag == NODE_TAG_BINARY) {
		s->text = base64_decode(ctx->arena, content->text, content->len, &s->len);
		if (!s->text)
			diag_at(ctx->diags, DIAG_ERROR, content, NULL, "this !!binary is not base64; the entry is left out");
		return s->text ? s : NULL;
	}
	lines = lines_of_block(ctx, content, &n);
	if (lines)
		diag_derive(ctx->diags, s, content->source, 0, lines, n);
	return s;
}

static char *lower(struct ctx *ctx, const char *text)
{
	char *s = arena_strndup(ctx->arena, text, strlen(text));

	for (char *p = s; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	return s;
}

static void read_entry(struct ctx *ctx, struct parts *p, const struct node *node, const struct piece *archive)
{
	struct entry e = { .content = NULL };
	struct piece piece = { .depth = archive->depth, .base = archive->base };

	if (node->type == NODE_SCALAR)
		e.content = node;
	else if (node->type == NODE_MAP)
		schema_read(ctx, &entry_schema, node, &e);
	else
		diag_at(ctx->diags, DIAG_ERROR, node, NULL, "an entry of the archive is text or a mapping, not %s", node_describe(node));
	if (!e.content) {
		if (node->type == NODE_MAP && !node_get(node, "content"))
			diag_at(ctx->diags, DIAG_ERROR, node, NULL, "this entry of the archive has no content");
		return;
	}
	piece.source = content_source(ctx, e.content, archive->base);
	if (!piece.source)
		return;
	piece.type = e.type ? lower(ctx, e.type) : NULL;
	piece.name = e.name;
	piece.merge = e.merge ? e.merge : e.merge_x;
	piece.launch_index = e.launch_index;
	/* an entry without a type and without a known first line is taken for cloud-config; !!binary for bytes of no kind */
	if (!piece.type)
		piece.type = part_type_of_kind(part_kind_of_text(piece.source->text, piece.source->len));
	if (!e.type && !strcmp(piece.type, "text/plain"))
		piece.type = e.content->tag == NODE_TAG_BINARY ? "application/octet-stream" : "text/cloud-config";
	parts_add(ctx, p, &piece);
}

void archive_read(struct ctx *ctx, struct parts *p, const struct piece *piece)
{
	bool empty;
	const struct node *root = yaml_read(ctx->arena, ctx->diags, piece->source, &empty);

	if (!root)
		return;
	if (root->type != NODE_LIST) {
		diag_at(ctx->diags, DIAG_ERROR, root, "begin each entry with \"- \"", "a cloud-config archive is a list, not %s", node_describe(root));
		return;
	}
	for (const struct item *i = root->items; i; i = i->next)
		if (!node_is_null(i->value) && parts_count(ctx, p, i->value->source, i->value->line))
			read_entry(ctx, p, i->value, piece);
}
