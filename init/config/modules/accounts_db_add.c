/* accounts_db_add.c - new users, groups and members: lines as useradd and groupadd make them. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "accounts_db.h"

static void append_group(struct db *db, const char *name, uint32_t gid)
{
	const char *group[] = { name, "x", arena_printf(db->ctx->arena, "%u", gid), "" };
	const char *shadow[] = { name, "!", "", "" };

	db_append(db, DB_GROUP, group);
	if (db->file[DB_GSHADOW].present)
		db_append(db, DB_GSHADOW, shadow);
}

int db_add_group(struct db *db, const char *name, struct err *err)
{
	uint32_t gid;

	if (db_new_number(db, DB_GROUP, false, &gid) < 0)
		return err_set(err, 0, "no number is left for the group %s", name);
	append_group(db, name, gid);
	return 0;
}

/* Looks at n characters of the list. */
static bool has_member(const char *list, size_t n, const char *user)
{
	size_t len = strlen(user);

	for (const char *s = list; s < list + n; s += strcspn(s, ","), s += *s == ',')
		if (strcspn(s, ",") == len && !memcmp(s, user, len))
			return true;
	return false;
}

static bool is_last(const char *list, size_t n, const char *user)
{
	size_t len = strlen(user);

	return n >= len && !memcmp(list + n - len, user, len) && (n == len || list[n - len - 1] == ',');
}

/* is_new: the user was made just now. It may be a member by what the file said, or by the call before, but not by any in between. */
static void add_to_list(struct db *db, enum db_which which, const char *group, const char *user, bool is_new)
{
	struct db_line *l = db_find(db, which, group);
	size_t n = l ? strlen(l->fields[3]) : 0;

	if (l && !has_member(l->fields[3], is_new ? l->had : n, user) && !is_last(l->fields[3], n, user))
		db_append_member(db, which, l, user);
}

static int add_member(struct db *db, const char *group, const char *user, bool is_new, struct err *err)
{
	if (!db_find(db, DB_GROUP, group))
		return err_set(err, 0, "there is no group %s", group);
	add_to_list(db, DB_GROUP, group, user, is_new);
	add_to_list(db, DB_GSHADOW, group, user, is_new);
	return 0;
}

int db_add_member(struct db *db, const char *group, const char *user, struct err *err)
{
	return add_member(db, group, user, false, err);
}

static int choose_uid(struct db *db, const struct db_user *u, uint32_t *uid, struct err *err)
{
	uint64_t wanted;

	if (u->uid) {
		if (scalar_uint(u->uid, UINT32_MAX - 1, &wanted) < 0)
			return err_set(err, 0, "%s is not a user's number", u->uid);
		*uid = (uint32_t)wanted;
		return numbers_have(&db->file[DB_PASSWD].numbers, *uid) ? err_set(err, 0, "the number %s is another user's", u->uid) : 0;
	}
	if (db_new_number(db, DB_PASSWD, u->system, uid) < 0)
		return err_set(err, 0, "no number is left for it");
	return 0;
}

/* The group that useradd makes with the user: the user's number when it is free. */
static int make_own_group(struct db *db, const struct db_user *u, uint32_t uid, uint32_t *gid, struct err *err)
{
	const struct db_rules *r = &db->rules;
	uint32_t min = u->system ? r->sys_gid_min : r->gid_min;
	uint32_t max = u->system ? r->sys_gid_max : r->gid_max;

	if (db_find(db, DB_GROUP, u->name))
		return err_set(err, 0, "there is a group of that name already; with \"primary_group: %s\" it becomes the user's", u->name);
	*gid = uid;
	if ((uid < min || uid > max || numbers_have(&db->file[DB_GROUP].numbers, uid)) && db_new_number(db, DB_GROUP, u->system, gid) < 0)
		return err_set(err, 0, "no number is left for its group");
	append_group(db, u->name, *gid);
	return 0;
}

static int find_group(const struct db *db, const char *group, uint32_t *gid, struct err *err)
{
	const struct db_line *l = db_find(db, DB_GROUP, group);
	uint64_t number;

	if (l && db_number(l, 2, gid) == 0)
		return 0;
	if (scalar_uint(group, UINT32_MAX - 1, &number) < 0 || !numbers_have(&db->file[DB_GROUP].numbers, (uint32_t)number))
		return err_set(err, 0, "there is no group %s", group);
	*gid = (uint32_t)number;
	return 0;
}

static int choose_gid(struct db *db, const struct db_user *u, uint32_t uid, uint32_t *gid, struct err *err)
{
	/* useradd looks at all groups before it makes one */
	for (size_t i = 0; u->groups && i < u->groups->n; i++)
		if (!db_find(db, DB_GROUP, u->groups->v[i]))
			return err_set(err, 0, "there is no group %s", u->groups->v[i]);
	if (u->primary_group)
		return find_group(db, u->primary_group, gid, err);
	if (!u->no_user_group && db->rules.user_groups)
		return make_own_group(db, u, uid, gid, err);
	*gid = db->rules.default_group;
	return 0;
}

static void add_sub_ids(struct db *db, const char *name, enum db_which which, uint32_t min, uint32_t max, uint32_t count)
{
	const char *line[] = { name, NULL, arena_printf(db->ctx->arena, "%u", count) };
	uint32_t start;

	if (!db->file[which].present || db_find(db, which, name) || !db_take_span(db, which, min, max, count, &start))
		return;
	line[1] = arena_printf(db->ctx->arena, "%u", start);
	db_append(db, which, line);
}

static void append_user(struct db *db, const struct db_user *u, uint32_t uid, uint32_t gid)
{
	const struct db_rules *r = &db->rules;
	struct arena *a = db->ctx->arena;
	const char *passwd[] = {
		u->name, "x", arena_printf(a, "%u", uid), arena_printf(a, "%u", gid), u->gecos ? u->gecos : "",
		u->home ? u->home : arena_printf(a, "%s/%s", r->home, u->name), u->shell ? u->shell : r->shell,
	};
	const char *shadow[] = {
		u->name, u->hash ? u->hash : "!", db->today, u->system ? "" : r->pass_min, u->system ? "" : r->pass_max,
		u->system ? "" : r->pass_warn, u->inactive && !u->system ? u->inactive : "", u->expire && !u->system ? u->expire : "", "",
	};

	db_append(db, DB_PASSWD, passwd);
	db_append(db, DB_SHADOW, shadow);
}

int db_add_user(struct db *db, const struct db_user *u, struct err *err)
{
	const struct db_rules *r = &db->rules;
	uint32_t uid = 0;
	uint32_t gid = 0;

	if (choose_uid(db, u, &uid, err) < 0 || choose_gid(db, u, uid, &gid, err) < 0)
		return -EINVAL;
	append_user(db, u, uid, gid);
	for (size_t i = 0; u->groups && i < u->groups->n; i++)
		add_member(db, u->groups->v[i], u->name, true, err);
	if (!u->system && uid >= r->uid_min && uid <= r->uid_max) {
		add_sub_ids(db, u->name, DB_SUBUID, r->sub_uid_min, r->sub_uid_max, r->sub_uid_count);
		add_sub_ids(db, u->name, DB_SUBGID, r->sub_gid_min, r->sub_gid_max, r->sub_gid_count);
	}
	return 0;
}
