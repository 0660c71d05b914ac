/* test_config_names.c - tables of names and numbers, and the numbers of new accounts: held against a search through all lines. */
#include "config_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "init/config/modules/accounts_db.h"
#include "init/config/names.h"

#define COUNT 5000

static uint32_t number(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void names(void **state)
{
	struct arena *a = &helper_run()->arena;
	struct name_table t = { NULL };
	char text[16];

	(void)state;
	assert_null(names_find(&t, "a"));
	for (int i = 0; i < COUNT; i++) {
		char *name = arena_printf(a, "n%d", i);

		assert_ptr_equal(names_add(a, &t, name, name), name);
	}
	for (int i = 0; i < COUNT; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		assert_string_equal(names_find(&t, text), text);
		/* the first stays */
		assert_ptr_not_equal(names_add(a, &t, text, text), text);
	}
	assert_null(names_find(&t, "n"));
	assert_null(names_find(&t, ""));
	assert_int_equal(t.n, COUNT);
	helper_end();
}

static void numbers(void **state)
{
	struct arena *a = &helper_run()->arena;
	struct number_table t = { NULL };

	(void)state;
	assert_false(numbers_have(&t, 0));
	for (uint32_t i = 0; i < COUNT; i++) {
		numbers_add(a, &t, i * 65536);
		numbers_add(a, &t, i * 65536);
	}
	numbers_add(a, &t, UINT32_MAX);
	for (uint32_t i = 0; i < COUNT; i++) {
		assert_true(numbers_have(&t, i * 65536));
		assert_false(numbers_have(&t, i * 65536 + 1));
	}
	assert_true(numbers_have(&t, UINT32_MAX));
	helper_end();
}

static void start(struct db *db)
{
	struct run *r = helper_run();
	static const struct db_rules rules = {
		.uid_min = 100, .uid_max = 140, .sys_uid_min = 10, .sys_uid_max = 40, .gid_min = 100, .gid_max = 140, .sys_gid_min = 10, .sys_gid_max = 40,
		.home = "/home", .shell = "/bin/sh", .pass_min = "0", .pass_max = "9", .pass_warn = "7",
	};

	*db = (struct db){ .ctx = &r->ctx, .rules = rules, .today = "1" };
	for (int i = 0; i < DB_COUNT; i++) {
		db->file[i].tail = &db->file[i].lines;
		db->file[i].fields = (const unsigned[]){ 4, 4, 7, 9, 3, 3 }[i];
		db->file[i].present = true;
	}
}

static void add_passwd(struct db *db, uint32_t uid)
{
	char *text = arena_printf(db->ctx->arena, "%u", uid);
	const char *fields[] = { arena_printf(db->ctx->arena, "u%u", uid), "x", text, "0", "", "/", "/bin/sh" };

	db_append(db, DB_PASSWD, fields);
}

static bool taken(const struct db *db, uint32_t uid)
{
	uint32_t have;

	for (const struct db_line *l = db->file[DB_PASSWD].lines; l; l = l->next)
		if (db_number(l, 2, &have) == 0 && have == uid)
			return true;
	return false;
}

/* shadow-utils' rule, said in the plainest way. -1: none is left. */
static int64_t plain_number(const struct db *db, bool system)
{
	int64_t min = system ? 10 : 100;
	int64_t max = system ? 40 : 140;
	int64_t edge = system ? max + 1 : min - 1;

	for (int64_t id = min; id <= max; id++)
		if (taken(db, (uint32_t)id))
			edge = system ? (edge < id ? edge : id) : id;
	if (system ? edge > min : edge < max)
		return system ? edge - 1 : edge + 1;
	for (int64_t n = 0; n <= max - min; n++)
		if (!taken(db, (uint32_t)(system ? max - n : min + n)))
			return system ? max - n : min + n;
	return -1;
}

static void new_numbers(void **state)
{
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct db db;
		uint32_t got;

		start(&db);
		for (int i = 0; i < 90; i++) {
			bool system = number(&random) & 1;
			int64_t want = plain_number(&db, system);

			if (number(&random) % 3 == 0) {
				/* a number that was asked for */
				uint32_t uid = number(&random) % 150;

				if (!taken(&db, uid))
					add_passwd(&db, uid);
				continue;
			}
			assert_int_equal(db_new_number(&db, DB_PASSWD, system, &got), want < 0 ? -28 : 0);
			if (want < 0)
				continue;
			assert_int_equal(got, want);
			add_passwd(&db, got);
		}
		helper_end();
	}
}

static void spans(void **state)
{
	static const char *const lines[][3] = { { "b", "300", "50" }, { "a", "110", "20" }, { "c", "x", "1" }, { "d", "115", "5" } };
	struct db db;
	uint32_t at;

	(void)state;
	start(&db);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		db_append(&db, DB_SUBUID, lines[i]);
	for (uint32_t want = 130; want < 300; want += 50) {
		assert_true(db_take_span(&db, DB_SUBUID, 100, 450, 50, &at));
		assert_int_equal(at, want == 280 ? 350 : want);
	}
	assert_true(db_take_span(&db, DB_SUBUID, 100, 450, 50, &at));
	assert_int_equal(at, 400);
	assert_false(db_take_span(&db, DB_SUBUID, 100, 450, 50, &at));
	assert_false(db_take_span(&db, DB_SUBGID, 100, 450, 0, &at));
	helper_end();
}

/* A new user is looked for in what the file said; one that is there already is not added again. */
static void members(void **state)
{
	const char *const group[] = { "g", "x", "5", "amy,bob" };
	const struct strings groups = { (const char *[]){ "g", "g" }, 2 };
	struct err err = ERR_INIT;
	struct db db;

	(void)state;
	start(&db);
	db_append(&db, DB_GROUP, group)->had = 7;
	for (const char *const *name = (const char *const[]){ "amy", "bo", "carl", NULL }; *name; name++) {
		const struct db_user user = { .name = *name, .groups = &groups, .no_user_group = true };

		assert_int_equal(db_add_user(&db, &user, &err), 0);
		assert_int_equal(db_add_member(&db, "g", *name, &err), 0);
	}
	assert_int_equal(db_add_member(&db, "g", "amy", &err), 0);
	assert_int_equal(db_add_member(&db, "g", "b:d", &err), 0);
	assert_string_equal(db_find(&db, DB_GROUP, "g")->fields[3], "amy,bob,bo,carl,b?d");
	assert_int_equal(db_add_member(&db, "no", "amy", &err), -22);
	helper_end();
}

static void limits(void **state)
{
	char *text = malloc(60000);
	size_t n = (size_t)sprintf(text, "#cloud-config\ngroups: \"");

	(void)state;
	for (int i = 0; i < 10001; i++)
		n += (size_t)sprintf(text + n, "%s%c%c%c", i ? "," : "", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
	strcpy(text + n, "\"\n");
	helper_config(text);
	assert_problems("t:2:9: error: more than 10000 names of groups and users; this one and those that follow are left out\n");
	free(text);
	helper_config("#cloud-config\ngroups: [\"a, b\", a, {a: [x, y, x]}]\n");
	assert_problems("t:2:10: error: \"a, b\" is not the name of a group (one name for each entry of the list)\n");
	assert_int_equal(helper_last_run()->config.accounts.groups->members.n, 2);
	assert_null(helper_last_run()->config.accounts.groups->next);
	helper_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	cmocka_unit_test(numbers), cmocka_unit_test(new_numbers),
		cmocka_unit_test(spans),	cmocka_unit_test(members), cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
