/* env_file.c - env_file of a service, and what such a file holds.
 *
 * The files are read when the configuration is applied, after write_files: that is where they usually come from. Values may be
 * secrets: no message shows one. */
#include "env_file.h"

#include <errno.h>
#include <string.h>

struct long_form {
	const char *path;
	bool required;
	const char *format;
};

static const struct key long_keys[] = {
	KEY("path", NODE_SCALAR, value_path, struct long_form, path),
	KEY("required", NODE_SCALAR, value_bool, struct long_form, required),
	KEY("format", NODE_SCALAR, value_line, struct long_form, format),
};

static int read_one(struct ctx *ctx, const struct node *value, struct compose_env_file *f)
{
	static const struct schema schema = {
		.what = "an env_file", .keys = long_keys, .n_keys = ARRAY_SIZE(long_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct long_form form = { .required = true };

	if (value->type == NODE_LIST)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "an env_file is text or a mapping, not a list");
	if (value->type == NODE_SCALAR)
		return value_path(ctx, value, &f->path);
	if (schema_read(ctx, &schema, value, &form))
		return -EINVAL;
	if (!form.path)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "an env_file needs a path");
	if (form.format && strcmp(form.format, "raw") != 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "raw", "%s is not a format of an env_file",
			       diag_quote(ctx->arena, form.format, strlen(form.format)));
	f->path = form.path;
	f->required = form.required;
	f->raw = form.format != NULL;
	return 0;
}

int compose_read_env_file(struct ctx *ctx, const struct node *value, void *out)
{
	struct item only = { .value = (struct node *)value };
	struct compose_env_file **tail = out;
	int r = 0;

	for (const struct item *i = value->type == NODE_LIST ? value->items : &only; i; i = i->next) {
		struct compose_env_file *f = ARENA_NEW(ctx->arena, struct compose_env_file);

		f->at = i->value;
		f->required = true;
		if (read_one(ctx, i->value, f) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = f;
		tail = &f->next;
	}
	return r;
}

struct line {
	const struct source *source;
	unsigned number;
	const char *text;
	size_t len;
};

static int bad_line(struct ctx *ctx, const struct line *l, const char *hint, const char *what)
{
	diag_add(ctx->diags, DIAG_ERROR, l->source, l->number, 1, hint, "%s", what);
	return -EINVAL;
}

/* '...' is taken as it is; in "..." \n, \", \\ and \$ mean what they do in a shell. */
static char *unquote(struct ctx *ctx, const char *s, size_t n, const char **end)
{
	char quote = *s;
	char *out = arena_alloc(ctx->arena, n + 1);
	size_t used = 0;

	for (size_t i = 1; i < n; i++) {
		if (s[i] == quote) {
			*end = s + i + 1;
			return out;
		}
		if (quote == '"' && s[i] == '\\' && i + 1 < n && strchr("n\"\\$", s[i + 1])) {
			i++;
			out[used++] = s[i] == 'n' ? '\n' : s[i];
		} else {
			out[used++] = s[i];
		}
	}
	return NULL;
}

static int read_value(struct ctx *ctx, const struct line *l, const char *s, size_t n, bool raw, const char **out)
{
	const char *end = NULL;

	if (raw) {
		*out = arena_strndup(ctx->arena, s, n);
		return 0;
	}
	while (n > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	if (n > 0 && (*s == '\'' || *s == '"')) {
		*out = unquote(ctx, s, n, &end);
		if (!*out)
			return bad_line(ctx, l, NULL, "a quote is not closed in this line");
		for (; end < s + n && *end != '#'; end++)
			if (*end != ' ' && *end != '\t')
				return bad_line(ctx, l, NULL, "there is text after the closing quote");
		return 0;
	}
	for (size_t i = 0; i < n; i++) /* a comment stands behind a blank */
		if (s[i] == '#' && (i == 0 || s[i - 1] == ' ' || s[i - 1] == '\t'))
			n = i;
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	*out = arena_strndup(ctx->arena, s, n);
	if (strstr(*out, "${"))
		return bad_line(ctx, l, "in '...' it is taken as it is", "variables are not replaced in an env_file");
	return 0;
}

static int read_line(struct ctx *ctx, const struct line *l, bool raw, struct strings *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const char *s = l->text;
	size_t n = l->len;
	const char *value;
	size_t name;

	while (n > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	if (n == 0 || *s == '#')
		return 0;
	if (!raw && n > 7 && !strncmp(s, "export ", 7)) {
		s += 7;
		n -= 7;
	}
	name = strspn(s, letters);
	if (name == 0 || name >= n || s[name] != '=')
		return bad_line(ctx, l, "NAME=VALUE", "this line does not set a variable");
	if (read_value(ctx, l, s + name + 1, n - name - 1, raw, &value) < 0)
		return -EINVAL;
	strings_add(ctx, out, arena_printf(ctx->arena, "%.*s=%s", (int)name, s, value));
	return 0;
}

int env_file_read(struct ctx *ctx, const struct source *source, bool raw, struct strings *out)
{
	struct line l = { .source = source };
	int r = 0;

	for (const char *s = source->text, *end; s < source->text + source->len; s = end + 1) {
		end = memchr(s, '\n', source->len - (size_t)(s - source->text));
		if (!end)
			end = source->text + source->len;
		l.number++;
		l.text = s;
		l.len = (size_t)(end - s);
		if (l.len > 0 && s[l.len - 1] == '\r')
			l.len--;
		if (out->n >= ENV_FILE_VARIABLES_MAX)
			return bad_line(ctx, &l, NULL, "more than 2,000 variables");
		if (memchr(s, '\0', l.len))
			r = bad_line(ctx, &l, NULL, "a NUL character is not allowed here");
		else if (read_line(ctx, &l, raw, out) < 0)
			r = -EINVAL;
	}
	return r;
}
