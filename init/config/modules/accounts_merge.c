/* accounts_merge.c - one list of users out of `users`, `user` and the system's default user; as cloud-init's ug_util.py makes it.
 *
 * Pure: it changes the lists in memory, and reports nothing but a default user that is no name. */
#include <stdlib.h>
#include <string.h>

#include "accounts.h"

#define FIRST(field) if (!to->field) to->field = from->field

/* What `to` does not say is taken from `from` (util.mergemanydict). */
static void fill(struct account_user *to, const struct account_user *from)
{
	FIRST(at);
	FIRST(name);
	FIRST(gecos);
	FIRST(homedir);
	FIRST(primary_group);
	FIRST(create_groups);
	FIRST(lock_passwd);
	FIRST(passwd);
	FIRST(hashed_passwd);
	FIRST(plain_text_passwd);
	FIRST(shell);
	FIRST(expiredate);
	FIRST(inactive);
	FIRST(uid);
	FIRST(system);
	FIRST(no_create_home);
	FIRST(no_user_group);
	FIRST(no_log_init);
	FIRST(ssh_redirect_user);
	if (!to->groups_given) {
		to->groups_given = from->groups_given;
		to->groups = from->groups;
	}
	if (!to->keys_given) {
		to->keys_given = from->keys_given;
		to->keys = from->keys;
	}
	if (!to->sudo.n)
		to->sudo = from->sudo;
	if (!to->doas.n)
		to->doas = from->doas;
}

/* Entries of one name become one, where the first of them stands. */
static void join_names(struct ctx *ctx, struct accounts *a)
{
	struct account_user **at = &a->users;
	struct name_table seen = { NULL };

	while (*at) {
		struct account_user *first = names_add(ctx->arena, &seen, (*at)->name, *at);

		if (first == *at) {
			at = &(*at)->next;
			continue;
		}
		fill(first, *at);
		*at = (*at)->next;
	}
}

/* Takes the entry out of the list, or returns NULL. */
static struct account_user *take(struct accounts *a, const char *name)
{
	for (struct account_user **at = &a->users; *at; at = &(*at)->next) {
		struct account_user *u = *at;

		if (strcmp(u->name, name) != 0)
			continue;
		*at = u->next;
		u->next = NULL;
		return u;
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_all(struct ctx *ctx, struct strings *to, const struct strings *from)
{
	for (size_t i = 0; i < from->n; i++) {
		size_t k = 0;

		while (k < to->n && strcmp(to->v[k], from->v[i]) != 0)
			k++;
		if (k == to->n)
			strings_add(ctx, to, from->v[i]);
	}
}

/* `default` becomes the real user, and goes last: named users get their numbers before it. */
static void resolve_default(struct ctx *ctx, struct accounts *a, const struct account_user *distro)
{
	struct account_user *given = take(a, "default");
	struct account_user *u;
	struct account_user *named;
	struct account_user **tail = &a->users;
	struct strings groups = { NULL, 0 };

	if (!given)
		return;
	u = ARENA_NEW(ctx->arena, struct account_user);
	if (a->user)
		fill(u, a->user);
	fill(u, distro);
	named = take(a, u->name);
	if (named)
		add_all(ctx, &groups, &named->groups);
	add_all(ctx, &groups, &u->groups);
	if (groups.n)
		qsort(groups.v, groups.n, sizeof(groups.v[0]), by_text);
	/* the groups of an entry `name: default` take the place of the others */
	u->groups = given->groups_given ? given->groups : groups;
	u->groups_given = CHOICE_YES;
	given->name = NULL;
	u->at = a->user ? a->user->at : given->at;
	fill(u, given);
	if (named)
		fill(u, named);
	u->is_default = true;
	u->next = NULL;
	while (*tail)
		tail = &(*tail)->next;
	*tail = u;
}

void accounts_merge(struct ctx *ctx, struct accounts *a, const struct account_user *distro)
{
	struct account_user **tail = &a->users;

	if (!a->users_given || a->user) {
		while (*tail)
			tail = &(*tail)->next;
		*tail = ARENA_NEW(ctx->arena, struct account_user);
		**tail = (struct account_user){ .name = "default" };
	}
	join_names(ctx, a);
	resolve_default(ctx, a, distro);
}

const struct account_user *accounts_default(const struct accounts *a)
{
	for (const struct account_user *u = a->users; u; u = u->next)
		if (u->is_default)
			return u;
	return NULL;
}
