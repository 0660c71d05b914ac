/* write_files.c - reads write_files: [{path, content, source, encoding, owner, permissions, append, defer}].
 *
 * A reader of coracle-config: it decodes and checks, and touches nothing. What a source holds is fetched when the files are written (modules/files.c). */
#include <errno.h>
#include <string.h>

#include "base64.h"
#include "config.h"
#include "http/http.h"
#include "scalar.h"

struct entry {
	struct config_file file;
	const struct node *content;
	const char *encoding;
};

enum { ENCODING_BASE64 = 1, ENCODING_GZIP = 2 };

static int read_path(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_path(ctx, value, out) < 0)
		return -EINVAL;
	if (value->text[value->len - 1] == '/')
		return diag_at(ctx->diags, DIAG_ERROR, value, "name a file", "the path %s is a directory's",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static int read_content(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

static int read_encoding(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const known[] = { "text/plain", "b64", "base64", "gz", "gzip", "gz+b64", "gz+base64", "gzip+b64", "gzip+base64" };
	const char **encoding = out;

	if (value_line(ctx, value, encoding) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(*encoding, known[i]))
			return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "text/plain, b64, gz or gz+b64", "%s is not an encoding",
		       diag_quote(ctx->arena, value->text, value->len));
}

static int read_owner(struct ctx *ctx, const struct node *value, void *out)
{
	struct config_file *f = out;
	const char *owner;
	const char *colon;

	if (value_line(ctx, value, &owner) < 0)
		return -EINVAL;
	colon = strchr(owner, ':');
	if (!owner[0] || colon == owner || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as root:root or 1000:1000", "%s is not USER or USER:GROUP",
			       diag_quote(ctx->arena, value->text, value->len));
	f->user = colon ? arena_strndup(ctx->arena, owner, (size_t)(colon - owner)) : owner;
	f->group = colon ? colon + 1 : NULL;
	return 0;
}

static int read_permissions(struct ctx *ctx, const struct node *value, void *out)
{
	bool bare;

	if (scalar_mode(value->text, out, &bare) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "octal, such as \"0644\"; at most 07777", "%s are not file permissions",
			       diag_quote(ctx->arena, value->text, value->len));
	if (bare && value->plain)
		diag_at(ctx->diags, DIAG_WARNING, value, arena_printf(ctx->arena, "write \"0%s\"", value->text),
			"%s is read as octal here; cloud-init reads it as a decimal number",
			diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

static int read_uri(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	/* the text may hold a password: it is not shown */
	if ((strncmp(value->text, "http://", 7) != 0 && strncmp(value->text, "https://", 8) != 0) || value->len > HTTP_URL_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a source's uri begins with http:// or https://");
	return 0;
}

/* const char *const *: "Name: value" for each pair. */
static int read_headers(struct ctx *ctx, const struct node *value, void *out)
{
	const char **list = arena_alloc(ctx->arena, (HTTP_HEADERS_MAX + 1) * sizeof(*list));
	size_t n = 0;
	int r = 0;

	if (value->count > HTTP_HEADERS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d headers", HTTP_HEADERS_MAX);
	for (const struct item *i = value->items; i; i = i->next) {
		if (i->key->len == 0 || strspn(i->key->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != i->key->len)
			r = diag_at(ctx->diags, DIAG_ERROR, i->key, NULL, "%s is not the name of a header",
				    diag_quote(ctx->arena, i->key->text, i->key->len));
		else if (i->value->type != NODE_SCALAR || strpbrk(i->value->text, "\r\n") || strlen(i->value->text) != i->value->len)
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "the value of the header %s must be one line of text", i->key->text);
		else
			list[n++] = arena_printf(ctx->arena, "%s: %s", i->key->text, i->value->text);
	}
	*(const char *const **)out = list;
	return r;
}

static const struct key source_keys[] = {
	KEY("uri", NODE_SCALAR, read_uri, struct config_file, url),
	KEY("headers", NODE_MAP, read_headers, struct config_file, headers),
};

static const struct schema source_schema = {
	.what = "the source of a file",
	.keys = source_keys,
	.n_keys = ARRAY_SIZE(source_keys),
	.unknown = DIAG_UNKNOWN,
};

static int read_source(struct ctx *ctx, const struct node *value, void *out)
{
	struct config_file *f = out;

	if (schema_read(ctx, &source_schema, value, f) > 0)
		return -EINVAL;
	return f->url ? 0 : diag_at(ctx->diags, DIAG_ERROR, value, "source: {uri: https://...}", "a source needs a uri");
}

static const struct key entry_keys[] = {
	KEY("path", NODE_SCALAR, read_path, struct entry, file.path),
	KEY("content", NODE_SCALAR, read_content, struct entry, content),
	KEY("source", NODE_MAP, read_source, struct entry, file),
	KEY("encoding", NODE_SCALAR, read_encoding, struct entry, encoding),
	KEY("owner", NODE_SCALAR, read_owner, struct entry, file),
	KEY("permissions", NODE_SCALAR, read_permissions, struct entry, file.mode),
	KEY("append", NODE_SCALAR, value_bool, struct entry, file.append),
	KEY("defer", NODE_SCALAR, value_bool, struct entry, file.defer),
};

static const struct schema entry_schema = {
	.what = "a write_files entry",
	.keys = entry_keys,
	.n_keys = ARRAY_SIZE(entry_keys),
	.unknown = DIAG_UNKNOWN,
};

static unsigned encoding_flags(const char *name)
{
	unsigned flags = 0;

	if (!strncmp(name, "gz", 2))
		flags |= ENCODING_GZIP;
	if (strstr(name, "b64") || strstr(name, "base64"))
		flags |= ENCODING_BASE64;
	return flags;
}

/* Turns the text of `content` into the bytes of the file. */
static int decode(struct ctx *ctx, struct entry *e)
{
	const struct node *at = e->content;
	unsigned flags = e->encoding ? encoding_flags(e->encoding) : 0;
	struct config_file *f = &e->file;
	const char *why;

	f->content = at->text;
	f->len = at->len;
	if (at->tag == NODE_TAG_BINARY) {
		f->content = base64_decode(ctx->arena, f->content, f->len, &f->len);
		if (!f->content)
			return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "the !!binary content of %s is not base64", f->path);
	}
	if (flags & ENCODING_BASE64) {
		f->content = base64_decode(ctx->arena, f->content, f->len, &f->len);
		if (!f->content)
			return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "the content of %s is not base64", f->path);
	}
	if (flags & ENCODING_GZIP) {
		if (!is_gzip(f->content, f->len))
			return diag_at(ctx->diags, DIAG_ERROR, at, "text in YAML cannot be gzip: use gz+b64",
				       "the content of %s is not gzip", f->path);
		f->content = gunzip(ctx->arena, f->content, f->len, CONFIG_FILE_MAX, &f->len, &why);
		if (!f->content)
			return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "the content of %s: %s", f->path, why);
	}
	return 0;
}

int read_write_files(struct ctx *ctx, const struct node *value, void *out)
{
	struct config_file **tail = out;

	while (*tail)
		tail = &(*tail)->next;
	for (const struct item *i = value->items; i; i = i->next) {
		struct entry e = { .file = { .at = i->value, .content = "", .user = "root", .group = "root", .mode = 0644 } };

		if (node_is_null(i->value))
			continue;
		if (i->value->type != NODE_MAP) {
			diag_at(ctx->diags, DIAG_ERROR, i->value, "- {path: /etc/motd, content: hello}",
				"an entry of write_files is a mapping, not %s", node_describe(i->value));
			continue;
		}
		if (schema_read(ctx, &entry_schema, i->value, &e) > 0)
			continue;
		if (!e.file.path) {
			diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "a write_files entry needs a path");
			continue;
		}
		if (e.content && decode(ctx, &e) < 0)
			continue;
		e.file.has_content = e.content != NULL;
		*tail = ARENA_NEW(ctx->arena, struct config_file);
		**tail = e.file;
		tail = &(*tail)->next;
	}
	return 0;
}
