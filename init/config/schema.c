/* schema.c - walks a mapping by a table of keys. */
#include "schema.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "scalar.h"
#include "text.h"

static bool same_name(const struct schema *s, const char *have, size_t len, const char *name)
{
	for (size_t i = 0; i < len; i++) {
		char c = s->fold_dashes && have[i] == '-' ? '_' : have[i];

		if (!name[i] || (c != name[i] && have[i] != name[i]))
			return false;
	}
	return name[len] == '\0';
}

static const char *schema_name(size_t i, const void *arg)
{
	const struct schema *s = arg;

	if (i < s->n_keys)
		return s->keys[i].name;
	i -= s->n_keys;
	return i < s->n_known ? s->known[i].name : NULL;
}

static unsigned unlisted_key(struct ctx *ctx, const struct schema *s, const struct item *item)
{
	const struct node *key = item->key;
	const char *quoted = diag_quote(ctx->arena, key->text, key->len);
	const char *near;

	for (size_t i = 0; i < s->n_known && s->known[i].name; i++) {
		const struct known_key *k = &s->known[i];

		if (!same_name(s, key->text, key->len, k->name))
			continue;
		if (node_is_null(item->value))
			return 0; /* asks for nothing */
		diag_at(ctx->diags, k->level, key, NULL, "%s %s", quoted, k->why ? k->why : s->known_why);
		return k->level == DIAG_ERROR;
	}
	if (s->extensions && key->len >= 2 && !memcmp(key->text, "x-", 2))
		return 0;
	near = ctx->diags->kept >= DIAG_MAX ? NULL : text_nearest(key->text, key->len, schema_name, s);
	diag_at(ctx->diags, s->unknown, key, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL,
		"unknown key %s in %s", quoted, s->what);
	return s->unknown == DIAG_ERROR;
}

static const char *accept_words(unsigned accept)
{
	static const char *const words[8] = {
		"nothing", "text", "a list", "text or a list", "a mapping", "text or a mapping",
		"a list or a mapping", "text, a list or a mapping",
	};

	return words[accept & 7];
}

static unsigned read_key(struct ctx *ctx, const struct key *k, const struct item *item, void *out)
{
	if (node_is_null(item->value) && !(k->accept & KEY_NULL))
		return 0;
	if (!(k->accept & (unsigned)item->value->type)) {
		diag_at(ctx->diags, DIAG_ERROR, item->value, NULL, "%s must be %s, not %s", k->name, accept_words(k->accept),
			node_describe(item->value));
		return 1;
	}
	return k->read(ctx, item->value, (char *)out + k->offset) < 0;
}

unsigned schema_read(struct ctx *ctx, const struct schema *schema, const struct node *map, void *out)
{
	unsigned errors = 0;

	for (const struct item *item = map->items; item; item = item->next) {
		size_t i = 0;

		while (i < schema->n_keys && !same_name(schema, item->key->text, item->key->len, schema->keys[i].name))
			i++;
		if (i < schema->n_keys)
			errors += read_key(ctx, &schema->keys[i], item, out);
		else
			errors += unlisted_key(ctx, schema, item);
	}
	return errors;
}

void strings_add(struct ctx *ctx, struct strings *s, const char *text)
{
	/* the capacity is the power of two at or above n, from 4 */
	if (s->n == 0 || (s->n >= 4 && (s->n & (s->n - 1)) == 0)) {
		const char **bigger = arena_alloc(ctx->arena, (s->n ? s->n * 2 : 4) * sizeof(*bigger));

		if (s->n)
			memcpy(bigger, s->v, s->n * sizeof(*bigger));
		s->v = bigger;
	}
	s->v[s->n++] = text;
}

int value_text(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type != NODE_SCALAR)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "text is wanted here, not %s", node_describe(value));
	if (strlen(value->text) != value->len)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a NUL character is not allowed here");
	*(const char **)out = value->text;
	return 0;
}

int value_line(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type == NODE_SCALAR && !text_single_line(value->text, value->len))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "line breaks and control characters are not allowed in %s",
			       diag_quote(ctx->arena, value->text, value->len));
	return value_text(ctx, value, out);
}

/* A name between slashes that no file system takes. */
static bool name_too_long(const char *path)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n > NAME_MAX)
			return true;
		p += n;
	}
	return false;
}

int value_path(struct ctx *ctx, const struct node *value, void *out)
{
	const char *path;
	const char *quoted;

	if (value_line(ctx, value, &path) < 0)
		return -EINVAL;
	quoted = diag_quote(ctx->arena, value->text, value->len);
	if (path[0] != '/')
		return diag_at(ctx->diags, DIAG_ERROR, value, "begin it with /", "the path %s is relative", quoted);
	if (value->len >= PATH_MAX || name_too_long(path))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the path %s is too long", quoted);
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the path %s has \"..\" in it", quoted);
	*(const char **)out = path;
	return 0;
}

int value_bool(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type == NODE_SCALAR && scalar_bool(value->text, out) == 0)
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not true or false",
		       value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value));
}

int value_strings(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *s = out;
	const char *text;
	int r = 0;

	*s = (struct strings){ NULL, 0 };
	if (value->type == NODE_SCALAR) {
		if (value_text(ctx, value, &text) < 0)
			return -EINVAL;
		strings_add(ctx, s, text);
		return 0;
	}
	for (const struct item *i = value->items; i; i = i->next) {
		if (value_text(ctx, i->value, &text) < 0)
			r = -EINVAL;
		else
			strings_add(ctx, s, text);
	}
	return r;
}

int value_duration(struct ctx *ctx, const struct node *value, void *out)
{
	if (value->type == NODE_SCALAR && scalar_duration(value->text, out) == 0)
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "such as 10s or 1m30s", "%s is not a duration",
		       value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value));
}
