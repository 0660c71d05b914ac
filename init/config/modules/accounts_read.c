/* accounts_read.c - reads `users`, `user` and `system_info`: who shall be on the machine.
 *
 * A field that cannot be read is an error and is left out; the user is made without it, unless it is the name or the number: access is worth
 * more than a comment. One bad user never costs the others. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "accounts.h"

#define USERS_MAX 1000
#define NAMES_MAX 10000		/* as nodes: a text may hold more names than a list has entries */

bool account_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n <= 32 && name[n] == '\0' && name[0] != '-' && (name[0] < '0' || name[0] > '9');
}

int value_choice(struct ctx *ctx, const struct node *value, void *out)
{
	bool truth;

	if (value_bool(ctx, value, &truth) < 0)
		return -EINVAL;
	*(enum choice *)out = truth ? CHOICE_YES : CHOICE_NO;
	return 0;
}

static int read_name(struct ctx *ctx, const struct node *value, void *out)
{
	const char *name;

	if (value_text(ctx, value, &name) < 0)
		return -EINVAL;
	if (!account_name_ok(name))
		return diag_at(ctx->diags, DIAG_ERROR, value, "a-z, 0-9, _ and -, at most 32, no digit first", "%s is not a user name; the user is left out",
			       diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = name;
	return 0;
}

static int read_uid(struct ctx *ctx, const struct node *value, void *out)
{
	struct account_user *u = out;
	uint64_t id;

	/* the number above is "no change" to chown(2) */
	if (scalar_uint(value->text, 4294967294u, &id) == 0) {
		u->uid = arena_printf(ctx->arena, "%llu", (unsigned long long)id);
		return 0;
	}
	u->broken = true;
	return diag_at(ctx->diags, DIAG_ERROR, value, "0 to 4294967294", "%s is not a user's number; the user is left out",
		       diag_quote(ctx->arena, value->text, value->len));
}

/* Text for a field of passwd(5): one line, no colon. */
static int read_field(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_line(ctx, value, out) < 0)
		return -EINVAL;
	if (!strchr(value->text, ':'))
		return 0;
	*(const char **)out = NULL;
	return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a colon is not allowed in %s; it is left out",
		       diag_quote(ctx->arena, value->text, value->len));
}

static int read_directory(struct ctx *ctx, const struct node *value, void *out)
{
	const char *path;

	if (value_path(ctx, value, &path) < 0 || read_field(ctx, value, &path) < 0)
		return -EINVAL;
	*(const char **)out = path;
	return 0;
}

/* Passwords and their hashes: what is wrong is said, what stands there is not. */
static int read_secret(struct ctx *ctx, const struct node *value, void *out)
{
	if (!text_single_line(value->text, value->len) || value->len > 1024)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a password is one line of at most 1024 characters, without control characters; it is not set");
	*(const char **)out = value->len ? value->text : NULL;
	return 0;
}

bool account_hash_ok(const char *hash)
{
	return !strchr(hash, ':');
}

static int read_hash(struct ctx *ctx, const struct node *value, void *out)
{
	const char *hash;

	if (read_secret(ctx, value, &hash) < 0)
		return -EINVAL;
	if (!hash)
		return 0;
	if (!account_hash_ok(hash))
		return diag_at(ctx->diags, DIAG_ERROR, value, "mkpasswd --method=SHA-512 makes one", "a hashed password has no colon in it; it is not set");
	if (!strchr("$_*!", hash[0]) && value->len != 13)
		diag_at(ctx->diags, DIAG_WARNING, value, "mkpasswd --method=SHA-512 makes one; clear text belongs into plain_text_passwd",
			"this is no hash of a password: nobody will be able to log in with it");
	*(const char **)out = hash;
	return 0;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static long days_of(long y, long m, long d)
{
	y -= m <= 2;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1 - 719468;
}

static int read_date(struct ctx *ctx, const struct node *value, void *out)
{
	static const unsigned char lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *s = value->text;
	uint64_t n[3] = { 0, 0, 0 };

	if (scalar_uint(s, 10000000, &n[0]) == 0) { /* days, as useradd takes them */
		*(const char **)out = arena_printf(ctx->arena, "%llu", (unsigned long long)n[0]);
		return 0;
	}
	if (strlen(s) == 10 && s[4] == '-' && s[7] == '-' && scalar_uint(arena_strndup(ctx->arena, s, 4), 9999, &n[0]) == 0 &&
	    scalar_uint(arena_strndup(ctx->arena, s + 5, 2), 12, &n[1]) == 0 && scalar_uint(s + 8, 31, &n[2]) == 0 &&
	    n[0] >= 1970 && n[1] >= 1 && n[2] >= 1 && n[2] <= lengths[n[1] - 1]) {
		*(const char **)out = arena_printf(ctx->arena, "%ld", days_of((long)n[0], (long)n[1], (long)n[2]));
		return 0;
	}
	return diag_at(ctx->diags, DIAG_ERROR, value, "such as 2032-09-01", "%s is not a date; the account does not expire",
		       diag_quote(ctx->arena, value->text, value->len));
}

static int read_days(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n;

	if (strcmp(value->text, "-1") == 0)
		return 0; /* never */
	if (scalar_uint(value->text, 10000000, &n) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a number of days; it is left out", diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = arena_printf(ctx->arena, "%llu", (unsigned long long)n);
	return 0;
}

static int add_group_name(struct ctx *ctx, const struct node *at, const char *s, size_t n, struct strings *list, struct name_table *seen)
{
	char *name;

	while (n > 0 && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n == 0)
		return 0;
	if (ctx->names == NAMES_MAX)
		diag_at(ctx->diags, DIAG_ERROR, at, NULL, "more than %d names of groups and users; this one and those that follow are left out", NAMES_MAX);
	if (ctx->names++ >= NAMES_MAX)
		return -EINVAL;
	name = arena_strndup(ctx->arena, s, n);
	if (!account_name_ok(name))
		return diag_at(ctx->diags, DIAG_ERROR, at, "a-z, 0-9, _ and -, at most 32, no digit first", "%s is not the name of a group or a user; it is left out",
			       diag_quote(ctx->arena, s, n));
	if (!seen || names_add(ctx->arena, seen, name, name) == name)
		strings_add(ctx, list, name);
	return 0;
}

/* seen: what the list has already; NULL: the caller wants one name. */
static int read_names(struct ctx *ctx, const struct node *value, struct strings *list, struct name_table *seen)
{
	const char *text;
	int r = 0;

	if (value->type != NODE_SCALAR) {
		for (const struct item *i = value->items; i; i = i->next) {
			const struct node *name = value->type == NODE_MAP ? i->key : i->value;

			if (value_text(ctx, name, &text) < 0 || read_names(ctx, name, list, seen) < 0)
				r = -EINVAL;
		}
		return r;
	}
	for (const char *s = value->text, *end; s < value->text + value->len; s = end + 1) {
		end = s + strcspn(s, ",");
		if (add_group_name(ctx, value, s, (size_t)(end - s), list, seen) < 0)
			r = -EINVAL;
	}
	return r;
}

/* "a, b" | [a, b] | {a: , b: } (cloud-init's deprecated form): struct strings of names. */
int value_names(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *list = out;
	struct name_table seen = { NULL };

	for (size_t i = 0; i < list->n; i++)
		names_add(ctx->arena, &seen, list->v[i], (void *)(uintptr_t)list->v[i]);
	return read_names(ctx, value, list, &seen);
}

static int read_user_groups(struct ctx *ctx, const struct node *value, void *out)
{
	struct account_user *u = out;

	u->groups_given = CHOICE_YES;
	return value_names(ctx, value, &u->groups);
}

static int read_primary_group(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings one = { NULL, 0 };
	uint64_t id;

	if (scalar_uint(value->text, 4294967294u, &id) == 0) {
		*(const char **)out = arena_printf(ctx->arena, "%llu", (unsigned long long)id);
		return 0;
	}
	if (add_group_name(ctx, value, value->text, value->len, &one, NULL) < 0)
		return -EINVAL;
	if (one.n)
		*(const char **)out = one.v[0];
	return 0;
}

static int read_user_keys(struct ctx *ctx, const struct node *value, void *out)
{
	struct account_user *u = out;

	u->keys_given = CHOICE_YES;
	return account_keys_read(ctx, value, &u->keys);
}

/* true, false or "default". */
static int read_redirect(struct ctx *ctx, const struct node *value, void *out)
{
	if (strcmp(value->text, "default") != 0)
		return value_choice(ctx, value, out);
	*(enum choice *)out = CHOICE_YES;
	return 0;
}

static const struct key user_keys[] = {
	KEY("name", NODE_SCALAR, read_name, struct account_user, name),
	KEY("gecos", NODE_SCALAR, read_field, struct account_user, gecos),
	KEY("homedir", NODE_SCALAR, read_directory, struct account_user, homedir),
	KEY("primary_group", NODE_SCALAR, read_primary_group, struct account_user, primary_group),
	{ "groups", NODE_SCALAR | NODE_LIST | NODE_MAP, read_user_groups, 0 },
	KEY("create_groups", NODE_SCALAR, value_choice, struct account_user, create_groups),
	KEY("lock_passwd", NODE_SCALAR, value_choice, struct account_user, lock_passwd),
	KEY("passwd", NODE_SCALAR, read_hash, struct account_user, passwd),
	KEY("hashed_passwd", NODE_SCALAR, read_hash, struct account_user, hashed_passwd),
	KEY("plain_text_passwd", NODE_SCALAR, read_secret, struct account_user, plain_text_passwd),
	KEY("shell", NODE_SCALAR, read_directory, struct account_user, shell),
	KEY("expiredate", NODE_SCALAR, read_date, struct account_user, expiredate),
	KEY("inactive", NODE_SCALAR, read_days, struct account_user, inactive),
	{ "uid", NODE_SCALAR, read_uid, 0 },
	KEY("system", NODE_SCALAR, value_choice, struct account_user, system),
	KEY("no_create_home", NODE_SCALAR, value_choice, struct account_user, no_create_home),
	KEY("no_user_group", NODE_SCALAR, value_choice, struct account_user, no_user_group),
	KEY("no_log_init", NODE_SCALAR, value_choice, struct account_user, no_log_init),
	KEY("sudo", NODE_SCALAR | NODE_LIST, read_sudo, struct account_user, sudo),
	KEY("doas", NODE_SCALAR | NODE_LIST, read_doas, struct account_user, doas),
	{ "ssh_authorized_keys", NODE_SCALAR | NODE_LIST | NODE_MAP, read_user_keys, 0 },
	KEY("ssh_redirect_user", NODE_SCALAR, read_redirect, struct account_user, ssh_redirect_user),
};

static const struct known_key user_known[] = {
	{ "ssh_import_id", DIAG_WARNING, "is not used: Coracle fetches no keys; put them into ssh_authorized_keys" },
	{ "selinux_user", DIAG_WARNING, "is not used: there is no SELinux here" },
	{ "snapuser", DIAG_ERROR, "is not used: there are no snaps here; the user is not made by it" },
};

static const struct schema user_schema = {
	.what = "a user",
	.keys = user_keys,
	.n_keys = ARRAY_SIZE(user_keys),
	.known = user_known,
	.n_known = ARRAY_SIZE(user_known),
	.unknown = DIAG_UNKNOWN,
	.fold_dashes = true,
};

static void warn_of_dashes(struct ctx *ctx, const struct node *map)
{
	for (const struct item *i = map->items; i; i = i->next) {
		char *better;

		if (!memchr(i->key->text, '-', i->key->len))
			continue;
		better = arena_strndup(ctx->arena, i->key->text, i->key->len);
		for (char *p = better; (p = strchr(p, '-')); p++)
			*p = '_';
		diag_at(ctx->diags, DIAG_WARNING, i->key, arena_printf(ctx->arena, "write %s", better), "%s is deprecated by cloud-init",
			diag_quote(ctx->arena, i->key->text, i->key->len));
	}
}

/* name: of an entry of a mapping of users, or NULL. */
static struct account_user *read_entry(struct ctx *ctx, const struct node *map, const char *name)
{
	struct account_user *u = ARENA_NEW(ctx->arena, struct account_user);
	const struct node *given = node_get(map, "name");

	u->at = map;
	schema_read(ctx, &user_schema, map, u);
	warn_of_dashes(ctx, map);
	if (name)
		u->name = name;
	else if (!u->name && given && !node_is_null(given))
		return NULL; /* a name that is none: reported */
	else if (!u->name && node_get(map, "snapuser"))
		return NULL;
	else if (!u->name)
		u->name = "default"; /* an entry without a name is the default user's (ug_util.py) */
	if (u->broken)
		return NULL;
	accounts_check_doas(ctx, u);
	return u;
}

struct account_user *accounts_read_user(struct ctx *ctx, const struct node *map)
{
	return read_entry(ctx, map, NULL);
}

static void add_user(struct ctx *ctx, struct accounts *a, struct account_user *u)
{
	if (a->n_users == USERS_MAX)
		diag_at(ctx->diags, DIAG_ERROR, u->at, NULL, "more than %d users; this one and those that follow are left out", USERS_MAX);
	if (a->n_users++ >= USERS_MAX)
		return;
	if (a->users)
		a->last_user->next = u;
	else
		a->users = u;
	a->last_user = u;
}

static void add_names(struct ctx *ctx, struct accounts *a, const struct node *value)
{
	struct strings names = { NULL, 0 };

	value_names(ctx, value, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct account_user *u = ARENA_NEW(ctx->arena, struct account_user);

		*u = (struct account_user){ .at = value, .name = names.v[i] };
		add_user(ctx, a, u);
	}
}

/* {NAME: {...}, NAME: true} */
static void read_users_map(struct ctx *ctx, const struct node *map, struct accounts *a)
{
	struct account_user *u;
	const char *name;
	bool wanted;

	for (const struct item *i = map->items; i; i = i->next) {
		if (read_name(ctx, i->key, &name) < 0)
			continue;
		if (i->value->type == NODE_MAP) {
			u = read_entry(ctx, i->value, name);
			if (u)
				add_user(ctx, a, u);
		} else if (node_is_null(i->value)) {
			diag_at(ctx->diags, DIAG_ERROR, i->key, "write true, or a mapping", "nothing is said of the user %s, who is left out", name);
		} else if (value_bool(ctx, i->value, &wanted) == 0 && wanted) {
			add_names(ctx, a, i->key);
		}
	}
}

int read_users(struct ctx *ctx, const struct node *value, void *out)
{
	struct accounts *a = out;
	struct account_user *u;

	a->users_given = true;
	a->users = NULL;
	a->n_users = 0;
	if (value->type != NODE_LIST)
		diag_at(ctx->diags, DIAG_WARNING, value, "write a list: - name: ...", "users as %s are deprecated by cloud-init", node_describe(value));
	if (value->type == NODE_SCALAR)
		add_names(ctx, a, value);
	if (value->type == NODE_MAP)
		read_users_map(ctx, value, a);
	if (value->type != NODE_LIST)
		return 0;
	for (const struct item *i = value->items; i; i = i->next) {
		if (node_is_null(i->value))
			continue;
		if (i->value->type != NODE_MAP) {
			add_names(ctx, a, i->value);
			continue;
		}
		u = read_entry(ctx, i->value, NULL);
		if (u)
			add_user(ctx, a, u);
	}
	return 0;
}

int read_user(struct ctx *ctx, const struct node *value, void *out)
{
	struct accounts *a = out;
	struct account_user *u;
	const char *name;

	if (value->type == NODE_MAP) {
		u = read_entry(ctx, value, NULL);
		if (u && !strcmp(u->name, "default"))
			u->name = NULL; /* the system's default user keeps its name */
		a->user = u;
		return u ? 0 : -EINVAL;
	}
	diag_at(ctx->diags, DIAG_WARNING, value, "write a list of users", "user as text is deprecated by cloud-init");
	if (read_name(ctx, value, &name) < 0)
		return -EINVAL;
	a->user = ARENA_NEW(ctx->arena, struct account_user);
	a->user->at = value;
	a->user->name = name;
	return 0;
}

/* Of system_info only the default user is ours. */
int read_system_info(struct ctx *ctx, const struct node *value, void *out)
{
	struct accounts *a = out;
	const struct node *user = node_get(value, "default_user");

	if (user && user->type == NODE_MAP) {
		a->distro = read_entry(ctx, user, NULL);
		if (a->distro && !strcmp(a->distro->name, "default"))
			a->distro->name = NULL;
	} else if (user && !node_is_null(user)) {
		return diag_at(ctx->diags, DIAG_ERROR, user, NULL, "default_user must be a mapping, not %s", node_describe(user));
	}
	for (const struct item *i = value->items; i; i = i->next)
		if (strcmp(i->key->text, "default_user") != 0)
			diag_at(ctx->diags, DIAG_WARNING, i->key, NULL, "%s of system_info is not used by Coracle", diag_quote(ctx->arena, i->key->text, i->key->len));
	return 0;
}

static struct account_group *group_of(struct ctx *ctx, struct accounts *a, const struct node *at, const char *name)
{
	struct account_group *g = names_find(&a->group_names, name);

	if (g)
		return g;
	g = ARENA_NEW(ctx->arena, struct account_group);
	g->at = at;
	g->name = name;
	names_add(ctx->arena, &a->group_names, name, g);
	*(a->groups ? &a->last_group->next : &a->groups) = g;
	a->last_group = g;
	return g;
}

static int add_group(struct ctx *ctx, struct accounts *a, const struct node *name, const struct node *members)
{
	struct strings one = { NULL, 0 };
	struct account_group *g;

	if (read_names(ctx, name, &one, NULL) < 0)
		return -EINVAL;
	if (one.n != 1)
		return diag_at(ctx->diags, DIAG_ERROR, name, "one name for each entry of the list", "%s is not the name of a group",
			       diag_quote(ctx->arena, name->text, name->len));
	g = group_of(ctx, a, name, one.v[0]);
	return members && !node_is_null(members) ? read_names(ctx, members, &g->members, &g->members_seen) : 0;
}

/* "a,b" | [a, {b: [members]}] | {a: members} */
int read_groups(struct ctx *ctx, const struct node *value, void *out)
{
	struct accounts *a = out;
	struct strings names = { NULL, 0 };
	int r = 0;

	if (value->type == NODE_SCALAR) {
		r = value_names(ctx, value, &names);
		for (size_t i = 0; i < names.n; i++)
			group_of(ctx, a, value, names.v[i]);
		return r;
	}
	for (const struct item *i = value->items; i; i = i->next) {
		if (value->type == NODE_MAP)
			r |= add_group(ctx, a, i->key, i->value);
		else if (i->value->type == NODE_MAP)
			r |= read_groups(ctx, i->value, out);
		else if (i->value->type == NODE_SCALAR)
			r |= add_group(ctx, a, i->value, NULL);
		else
			r = diag_at(ctx->diags, DIAG_ERROR, i->value, "a name, or {name: [members]}", "a group is not %s", node_describe(i->value));
	}
	return r < 0 ? -EINVAL : 0;
}
