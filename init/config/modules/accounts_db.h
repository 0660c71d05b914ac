/* accounts_db.h - passwd, group, shadow, gshadow, subuid and subgid of a tree: read once, changed in memory, written once.
 *
 * Lines and numbers come out as useradd, groupadd, usermod, passwd and chpasswd of Debian make them (shadow-utils 4.13), by the tree's own
 * /etc/login.defs and /etc/default/useradd. Lines that are not understood stay as they are. No name or field gets in
 * that holds a colon or a control character. */
#ifndef CORACLE_CONFIG_ACCOUNTS_DB_H
#define CORACLE_CONFIG_ACCOUNTS_DB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "../names.h"
#include "../target.h"
#include "../schema.h"

struct db_line {
	struct db_line *next;
	uint32_t n;
	uint32_t had;		/* group and gshadow: characters of the members that the file had */
	uint32_t len, cap;	/* of the text with those that were added; cap 0: none was */
	const char *fields[];	/* as many as a line of the file has; n == 0: fields[0] is a line that is not understood */
};

struct db_file {
	const char *path;
	unsigned fields;	/* of a line */
	mode_t mode;
	bool present;
	bool dirty;
	uid_t uid;
	gid_t gid;
	struct db_line *lines;
	struct db_line **tail;
	struct name_table names;		/* the first line of each name */
	struct number_table numbers;		/* passwd and group: field 2 */
};

/* Where new numbers come from, kept from one to the next: all lines would be read for each otherwise. */
struct db_range {
	const struct db_line *seen;	/* the last line that counts in high and low */
	uint64_t high;			/* all from here to the end are free; and all from the start to low */
	int64_t low;
	uint64_t gap;			/* so many numbers at the end where gaps are looked for are taken */
};

struct db_span {
	uint64_t from, end;
};

/* The same for subuid and subgid: the spans that the file had, by their start. */
struct db_spans {
	struct db_span *v;		/* NULL: not read yet */
	size_t n;
	size_t next;			/* those before it end at or before at */
	uint64_t at;
};

/* What login.defs and default/useradd say. */
struct db_rules {
	uint32_t uid_min, uid_max, sys_uid_min, sys_uid_max;
	uint32_t gid_min, gid_max, sys_gid_min, sys_gid_max;
	uint32_t sub_uid_min, sub_uid_max, sub_uid_count;
	uint32_t sub_gid_min, sub_gid_max, sub_gid_count;
	const char *pass_min, *pass_max, *pass_warn;	/* days */
	bool user_groups;
	uint32_t default_group;
	mode_t home_mode;
	const char *home;	/* "/home" */
	const char *shell;
	const char *skel;
};

enum db_which { DB_GROUP, DB_GSHADOW, DB_PASSWD, DB_SHADOW, DB_SUBUID, DB_SUBGID, DB_COUNT };

struct db {
	struct ctx *ctx;
	const struct target *target;
	struct db_file file[DB_COUNT];	/* in the order in which they are written: a user's group is there before the user */
	struct db_rules rules;
	const char *today;		/* days since 1970 */
	bool owner_told;		/* that the owner of a file could not be kept */
	struct db_range range[DB_COUNT][2];	/* of people's, of systems' numbers */
	struct db_spans spans[DB_COUNT];
};

/* A user that does not exist yet; NULL and 0 where nothing is asked for. */
struct db_user {
	const char *name;
	const char *uid;
	const char *primary_group;	/* name or number */
	const char *gecos;
	const char *home;
	const char *shell;
	const char *hash;
	const char *inactive;
	const char *expire;
	const struct strings *groups;	/* must exist */
	bool system;
	bool no_user_group;
};

/* Reads the files; those that are missing are empty. Returns 0 or -errno with a text. */
int db_read(struct db *db, struct ctx *ctx, const struct target *t, struct err *err);
/* Writes what has changed. *owner_failed is set when an owner could not be kept. Returns 0, or -errno of the first failure with a text; the others are tried all the same. */
int db_write(struct db *db, bool *owner_failed, struct err *err);

/* The line of a name, or NULL. */
struct db_line *db_find(const struct db *db, enum db_which which, const char *name);
/* A field of passwd as a number: 2 is the user's, 3 the group's. */
int db_number(const struct db_line *line, unsigned field, uint32_t *out);

/* Each returns 0, or -EINVAL with a text. */
int db_add_group(struct db *db, const char *name, struct err *err);
int db_add_member(struct db *db, const char *group, const char *user, struct err *err);
int db_add_user(struct db *db, const struct db_user *u, struct err *err);
/* chpasswd -e: the hash, changed today. */
int db_set_hash(struct db *db, const char *user, const char *hash, struct err *err);
/* passwd -l, passwd -u, passwd --expire. db_unlock leaves a password alone that would be none. */
int db_lock(struct db *db, const char *user, struct err *err);
int db_unlock(struct db *db, const char *user, struct err *err);
int db_expire(struct db *db, const char *user, struct err *err);

/* Parts of it, in accounts_db_rules.c, accounts_db_numbers.c and accounts_db_add.c. */
void db_read_rules(struct db *db);
/* A number that is free for a user (DB_PASSWD) or a group. Returns 0 or -ENOSPC. */
int db_new_number(struct db *db, enum db_which which, bool system, uint32_t *out);
/* The first gap between the ranges that are given away (DB_SUBUID, DB_SUBGID); it is the caller's. False: there is none. */
bool db_take_span(struct db *db, enum db_which which, uint32_t min, uint32_t max, uint32_t count, uint32_t *start);
/* Appends a line, or changes a field that is neither name nor number; the file is written by db_write(). */
struct db_line *db_append(struct db *db, enum db_which which, const char *const *fields);
/* Adds a member behind the others, without a look at them. */
void db_append_member(struct db *db, enum db_which which, struct db_line *line, const char *user);
void db_set_field(struct db *db, enum db_which which, struct db_line *line, unsigned field, const char *value);

#endif
