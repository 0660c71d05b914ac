/* passwords_read.c - reads `password` and `chpasswd`. What stands in them is never part of a message. */
#include <errno.h>
#include <string.h>

#include "../text.h"
#include "passwords.h"

#define PASSWORD_MAX 1024

/* cloud-init's \$(1|2a|2y|5|6|7|y)(\$.+){2}, without a colon */
bool password_is_hash(const char *s)
{
	static const char *const kinds[] = { "$1$", "$2a$", "$2b$", "$2y$", "$5$", "$6$", "$7$", "$y$", "$gy$" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i]);
		const char *next = strncmp(s, kinds[i], n) ? NULL : strchr(s + n, '$');

		if (next && next > s + n && next[1] && !strchr(s, ':'))
			return true;
	}
	return false;
}

static int check(struct ctx *ctx, const struct node *at, const char *s, size_t len)
{
	if (text_single_line(s, len) && len > 0 && len <= PASSWORD_MAX)
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "a password is one line of 1 to %d characters, without control characters; it is not set", PASSWORD_MAX);
}

int read_password(struct ctx *ctx, const struct node *value, void *out)
{
	struct passwords *p = out;

	if (value->len == 0)
		return 0;
	if (check(ctx, value, value->text, value->len) < 0)
		return -EINVAL;
	p->password = value->text;
	p->password_at = value;
	return 0;
}

static void add(struct ctx *ctx, struct passwords *p, const struct password *entry)
{
	struct password **tail = &p->list;

	while (*tail)
		tail = &(*tail)->next;
	*tail = ARENA_NEW(ctx->arena, struct password);
	**tail = *entry;
}

static int check_user(struct ctx *ctx, const struct node *at, const char *name, size_t len)
{
	if (account_name_ok(name))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "%s is not a user name; its password is not set", diag_quote(ctx->arena, name, len));
}

struct entry {
	const struct node *name;
	const char *type;
	const struct node *password;
};

static int read_node(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

static int read_type(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const types[] = { "hash", "text", "RANDOM" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(value->text, types[i])) {
			*(const char **)out = types[i];
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "hash, text or RANDOM", "%s is no type of password", diag_quote(ctx->arena, value->text, value->len));
}

static const struct key entry_keys[] = {
	KEY("name", NODE_SCALAR, read_node, struct entry, name),
	KEY("type", NODE_SCALAR, read_type, struct entry, type),
	KEY("password", NODE_SCALAR, read_node, struct entry, password),
};

static const struct schema entry_schema = {
	.what = "an entry of chpasswd.users",
	.keys = entry_keys,
	.n_keys = ARRAY_SIZE(entry_keys),
	.unknown = DIAG_UNKNOWN,
};

static int read_entry(struct ctx *ctx, const struct node *value, struct passwords *p)
{
	struct entry e = { NULL, "hash", NULL };
	struct password new = { .at = value };

	if (value->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, value, "- {name: USER, password: HASH}", "an entry of chpasswd.users is a mapping, not %s", node_describe(value));
	if (schema_read(ctx, &entry_schema, value, &e) > 0)
		return -EINVAL;
	new.kind = e.type[0] == 'h' ? PASSWORD_HASH : e.type[0] == 't' ? PASSWORD_TEXT : PASSWORD_RANDOM;
	if (!e.name || (!e.password && new.kind != PASSWORD_RANDOM))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "an entry of chpasswd.users needs a name, and a password when its type is not RANDOM");
	if (check_user(ctx, e.name, e.name->text, e.name->len) < 0)
		return -EINVAL;
	new.user = e.name->text;
	if (new.kind != PASSWORD_RANDOM) {
		if (check(ctx, e.password, e.password->text, e.password->len) < 0)
			return -EINVAL;
		if (new.kind == PASSWORD_HASH && !account_hash_ok(e.password->text))
			return diag_at(ctx->diags, DIAG_ERROR, e.password, "type: text is for clear text", "a hashed password has no colon in it; it is not set");
		if (new.kind == PASSWORD_HASH && !strchr("$_*!", e.password->text[0]) && e.password->len != 13)
			diag_at(ctx->diags, DIAG_WARNING, e.password, "type: text is for clear text", "this is no hash of a password: nobody will be able to log in with it");
		new.value = e.password->text;
	}
	add(ctx, p, &new);
	return 0;
}

static int read_users_list(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next)
		if (!node_is_null(i->value) && read_entry(ctx, i->value, out) < 0)
			r = -EINVAL;
	return r;
}

/* USER:PASSWORD, USER:RANDOM, USER:HASH */
static int read_line(struct ctx *ctx, const struct node *at, const char *line, size_t len, struct passwords *p)
{
	struct password new = { .at = at };
	const char *colon = memchr(line, ':', len);

	if (!colon)
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "a line of chpasswd.list is USER:PASSWORD; this one has no colon");
	new.user = arena_strndup(ctx->arena, line, (size_t)(colon - line));
	new.value = arena_strndup(ctx->arena, colon + 1, len - (size_t)(colon + 1 - line));
	if (check_user(ctx, at, new.user, strlen(new.user)) < 0 || check(ctx, at, new.value, len - (size_t)(colon + 1 - line)) < 0)
		return -EINVAL;
	new.kind = password_is_hash(new.value) ? PASSWORD_HASH : PASSWORD_TEXT;
	if (!strcmp(new.value, "R") || !strcmp(new.value, "RANDOM"))
		new.kind = PASSWORD_RANDOM;
	add(ctx, p, &new);
	return 0;
}

static int read_lines(struct ctx *ctx, const struct node *at, struct passwords *p)
{
	int r = 0;

	for (const char *s = at->text, *end; s < at->text + at->len; s = end + 1) {
		size_t n;

		end = memchr(s, '\n', at->len - (size_t)(s - at->text));
		if (!end)
			end = at->text + at->len;
		n = (size_t)(end - s);
		if (n > 0 && s[n - 1] == '\r')
			n--;
		if (n > 0 && read_line(ctx, at, s, n, p) < 0)
			r = -EINVAL;
	}
	return r;
}

static int read_old_list(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	diag_at(ctx->diags, DIAG_WARNING, value, "use chpasswd.users", "chpasswd.list is deprecated by cloud-init");
	if (value->type == NODE_SCALAR)
		return read_lines(ctx, value, out);
	for (const struct item *i = value->items; i; i = i->next) {
		if (node_is_null(i->value))
			continue;
		if (i->value->type == NODE_SCALAR)
			r |= read_line(ctx, i->value, i->value->text, i->value->len, out);
		else
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, "quote it: \"USER:PASSWORD\"", "a line of chpasswd.list is text, not %s", node_describe(i->value));
	}
	return r < 0 ? -EINVAL : 0;
}

static const struct key chpasswd_keys[] = {
	KEY("expire", NODE_SCALAR, value_choice, struct passwords, expire),
	{ "users", NODE_LIST, read_users_list, 0 },
	{ "list", NODE_SCALAR | NODE_LIST, read_old_list, 0 },
};

static const struct schema chpasswd_schema = {
	.what = "chpasswd",
	.keys = chpasswd_keys,
	.n_keys = ARRAY_SIZE(chpasswd_keys),
	.unknown = DIAG_UNKNOWN,
};

int read_chpasswd(struct ctx *ctx, const struct node *value, void *out)
{
	struct passwords *p = out;
	unsigned errors;

	p->list = NULL;
	ctx->diags->hide = true;
	/* each entry that can be read is used */
	errors = schema_read(ctx, &chpasswd_schema, value, out);
	ctx->diags->hide = false;
	return errors ? -EINVAL : 0;
}
