/* ignition_storage.c - storage: of an Ignition configuration: files with what is in them, directories, links. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "../base64.h"
#include "../scalar.h"
#include "ignition.h"
#include "sha256.h"

#define NODES_MAX 1000

/* %41 and + of the text; base64 is decoded where the URL says so. */
const char *ignition_data_url(struct ctx *ctx, const struct node *at, const char *url, size_t *len)
{
	const char *comma = strchr(url, ',');
	size_t n = comma ? strlen(comma + 1) : 0;
	char *out = arena_alloc(ctx->arena, n + 1);
	size_t used = 0;
	const char *bytes;

	if (!comma) {
		diag_at(ctx->diags, DIAG_ERROR, at, "data:,text", "a data: URL has a comma before its text");
		return NULL;
	}
	for (const char *s = comma + 1; *s; s++) {
		static const char digits[] = "0123456789abcdef";
		const char *high = *s == '%' && s[1] ? strchr(digits, s[1] >= 'A' && s[1] <= 'F' ? s[1] | 32 : s[1]) : NULL;
		const char *low = high && s[2] ? strchr(digits, s[2] >= 'A' && s[2] <= 'F' ? s[2] | 32 : s[2]) : NULL;

		if (*s == '%' && !low) {
			diag_at(ctx->diags, DIAG_ERROR, at, "such as %20", "in a data: URL two hexadecimal digits follow %%");
			return NULL;
		}
		out[used++] = low ? (char)((high - digits) * 16 + (low - digits)) : *s;
		s += low ? 2 : 0;
	}
	*len = used;
	if ((size_t)(comma - url) < 7 || strncmp(comma - 7, ";base64", 7) != 0)
		return out;
	bytes = base64_decode(ctx->arena, out, used, len);
	if (!bytes)
		diag_at(ctx->diags, DIAG_ERROR, at, NULL, "the data: URL is not base64");
	return bytes;
}

/* verification: {hash: sha256-HEX}; sha512 would need an implementation for what is written in the same document anyway. */
static int verify(struct ignition *g, const struct node *value, const char *data, size_t len)
{
	bool bad = false;
	const char *hash = value->type == NODE_MAP ? ignition_text(g, value, "hash", &bad) : NULL;
	char have[SHA256_HEX_LEN + 1];

	if (!hash || bad)
		return bad ? -EINVAL : 0;
	if (strncmp(hash, "sha256-", 7) != 0) {
		diag_at(g->ctx->diags, DIAG_WARNING, node_get(value, "hash"), "sha256-...", "this kind of hash is not supported by Coracle; it is not compared");
		return 0;
	}
	sha256_hex(data, len, have);
	if (strcasecmp(have, hash + 7) != 0)
		return diag_at(g->ctx->diags, DIAG_ERROR, node_get(value, "hash"), arena_printf(g->ctx->arena, "it is %s", have), "the content has another hash");
	return 0;
}

/* {source, compression, verification, httpHeaders} */
static int read_contents(struct ignition *g, const struct node *value, struct config_file *f)
{
	static const char *const known[] = { "source", "compression", "verification", NULL };
	const struct node *verification = node_get(value, "verification");
	bool bad = false;
	const char *source, *compression, *why;

	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, "{\"source\": \"data:,text\"}", "contents are a mapping, not %s", node_describe(value));
	if (ignition_check_keys(g, value, "contents", known) < 0)
		return -EINVAL;
	source = ignition_text(g, value, "source", &bad);
	compression = ignition_text(g, value, "compression", &bad);
	if (bad)
		return -EINVAL;
	if (!source || !source[0])
		return 0;
	if (!strncmp(source, "http://", 7) || !strncmp(source, "https://", 8)) {
		if ((compression && compression[0]) || (verification && verification->type == NODE_MAP && verification->items))
			return diag_at(g->ctx->diags, DIAG_ERROR, value, "a data: URL", "compression and verification of what is fetched are not supported by Coracle");
		f->url = source;
		return 0;
	}
	if (strncmp(source, "data:", 5) != 0)
		return diag_at(g->ctx->diags, DIAG_ERROR, node_get(value, "source"), "data:, http: or https:", "this kind of source is not supported by Coracle");
	f->content = ignition_data_url(g->ctx, node_get(value, "source"), source, &f->len);
	if (!f->content)
		return -EINVAL;
	if (compression && !strcmp(compression, "gzip")) {
		f->content = gunzip(g->ctx->arena, f->content, f->len, CONFIG_FILE_MAX, &f->len, &why);
		if (!f->content)
			return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "the content of %s: %s", f->path, why);
	} else if (compression && compression[0]) {
		return diag_at(g->ctx->diags, DIAG_ERROR, node_get(value, "compression"), "gzip", "%s is not a compression that Coracle knows",
			       diag_quote(g->ctx->arena, compression, strlen(compression)));
	}
	f->has_content = true;
	return verification ? verify(g, verification, f->content, f->len) : 0;
}

/* {id: 500} or {name: core} */
static int read_owner(struct ignition *g, const struct node *value, const char **out)
{
	bool bad = false;
	const char *id, *name;
	uint64_t n;

	if (!value || node_is_null(value))
		return 0;
	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, "{\"id\": 0} or {\"name\": \"root\"}", "an owner is a mapping, not %s", node_describe(value));
	id = ignition_text(g, value, "id", &bad);
	name = ignition_text(g, value, "name", &bad);
	if (bad)
		return -EINVAL;
	if (id && scalar_uint(id, UINT32_MAX - 1, &n) < 0)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "the id of an owner is a number");
	if (name && (!name[0] || strpbrk(name, ":\r\n/ ")))
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "%s is not the name of an owner", diag_quote(g->ctx->arena, name, strlen(name)));
	if (id || name)
		*out = id ? id : name;
	return 0;
}

/* Decimal, as JSON has no octal: 420 is 0644. */
static int read_mode(struct ignition *g, const struct node *map, unsigned *mode)
{
	const struct node *value = node_get(map, "mode");
	uint64_t n;

	if (!value || node_is_null(value))
		return 0;
	if (value->type != NODE_SCALAR || scalar_uint(value->text, 07777, &n) < 0)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, "decimal, such as 420 for 0644", "this is not a mode");
	if (value->plain && (n == 644 || n == 755 || n == 600 || n == 700))
		diag_at(g->ctx->diags, DIAG_WARNING, value, "decimal, such as 420 for 0644", "the mode %s is decimal: it means %04o", value->text, (unsigned)n);
	*mode = (unsigned)n;
	return 0;
}

struct place {
	const char *path;
	const char *user, *group;
	unsigned mode;
};

static int read_place(struct ignition *g, const struct node *value, const char *what, struct place *p)
{
	const struct node *path = node_get(value, "path");
	int r = 0;

	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "%s is a mapping, not %s", what, node_describe(value));
	if (!path || node_is_null(path))
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "%s needs a path", what);
	if (path->type != NODE_SCALAR || value_path(g->ctx, path, &p->path) < 0)
		r = path->type != NODE_SCALAR ? diag_at(g->ctx->diags, DIAG_ERROR, path, NULL, "a path is text, not %s", node_describe(path)) : -EINVAL;
	if (read_mode(g, value, &p->mode) < 0 || read_owner(g, node_get(value, "user"), &p->user) < 0 || read_owner(g, node_get(value, "group"), &p->group) < 0)
		r = -EINVAL;
	return r;
}

static void add_file(struct ignition *g, struct config_file f)
{
	struct config_file **tail = &g->config->files;

	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(g->ctx->arena, struct config_file);
	**tail = f;
}

static int read_file(struct ignition *g, const struct node *value)
{
	static const char *const known[] = { "path", "overwrite", "contents", "append", "mode", "user", "group", NULL };
	struct place p = { .mode = 0644, .user = "root" };
	const struct node *contents, *appends;
	struct config_file f;

	if (read_place(g, value, "a file", &p) < 0 || ignition_check_keys(g, value, "a file", known) < 0)
		return -EINVAL;
	contents = node_get(value, "contents");
	appends = node_get(value, "append");
	f = (struct config_file){ .at = value, .path = p.path, .content = "", .user = p.user, .group = p.group, .mode = p.mode };
	if (!p.group && !strcmp(p.user, "root"))
		f.group = "root";
	if (contents && !node_is_null(contents)) {
		if (read_contents(g, contents, &f) < 0)
			return -EINVAL;
		add_file(g, f);
	} else if (!appends || node_is_null(appends) || !appends->items) {
		add_file(g, f);
	}
	for (const struct item *i = appends && appends->type == NODE_LIST ? appends->items : NULL; i; i = i->next) {
		struct config_file more = f;

		more.content = "";
		more.len = 0;
		more.append = true;
		if (read_contents(g, i->value, &more) < 0)
			return -EINVAL;
		add_file(g, more);
	}
	return 0;
}

static int read_directory(struct ignition *g, const struct node *value)
{
	static const char *const known[] = { "path", "overwrite", "mode", "user", "group", NULL };
	struct config_directory **tail = &g->config->tree.directories;
	struct place p = { .mode = 0755, .user = "root" };

	if (read_place(g, value, "a directory", &p) < 0 || ignition_check_keys(g, value, "a directory", known) < 0)
		return -EINVAL;
	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(g->ctx->arena, struct config_directory);
	**tail = (struct config_directory){ .at = value, .path = p.path, .mode = p.mode, .user = p.user, .group = p.group };
	return 0;
}

static int read_link(struct ignition *g, const struct node *value)
{
	static const char *const known[] = { "path", "overwrite", "target", "hard", "user", "group", NULL };
	struct config_link **tail = &g->config->tree.links;
	struct place p = { .user = "root" };
	const struct node *target, *hard;
	struct config_link l = { .at = value };

	if (read_place(g, value, "a link", &p) < 0 || ignition_check_keys(g, value, "a link", known) < 0)
		return -EINVAL;
	target = node_get(value, "target");
	hard = node_get(value, "hard");
	if (!target || target->type != NODE_SCALAR || !target->len)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "a link needs a target");
	if (value_line(g->ctx, target, &l.target) < 0 || (hard && !node_is_null(hard) && value_bool(g->ctx, hard, &l.hard) < 0))
		return -EINVAL;
	if (l.hard)
		return diag_at(g->ctx->diags, DIAG_ERROR, hard, "a symbolic link", "hard links are not supported by Coracle");
	l.path = p.path;
	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(g->ctx->arena, struct config_link);
	**tail = l;
	return 0;
}

static int read_list(struct ignition *g, const struct node *storage, const char *key, int (*one)(struct ignition *g, const struct node *value))
{
	const struct node *list = node_get(storage, key);
	unsigned n = 0;
	int r = 0;

	if (!list || node_is_null(list))
		return 0;
	if (list->type != NODE_LIST)
		return diag_at(g->ctx->diags, DIAG_ERROR, list, NULL, "%s must be a list, not %s", key, node_describe(list));
	for (const struct item *i = list->items; i; i = i->next) {
		if (++n > NODES_MAX)
			return diag_at(g->ctx->diags, DIAG_ERROR, i->value, NULL, "more than %d %s; the rest is left out", NODES_MAX, key);
		if (one(g, i->value) < 0)
			r = -EINVAL;
	}
	return r;
}

int ignition_storage(struct ignition *g, const struct node *storage)
{
	static const char *const known[] = { "files", "directories", "links", NULL };
	int r = ignition_check_keys(g, storage, "storage", known);

	if (read_list(g, storage, "directories", read_directory) < 0)
		r = -EINVAL;
	if (read_list(g, storage, "files", read_file) < 0)
		r = -EINVAL;
	if (read_list(g, storage, "links", read_link) < 0)
		r = -EINVAL;
	return r;
}
