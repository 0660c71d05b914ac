/* accounts_db_rules.c - ranges and habits of a tree: /etc/login.defs and /etc/default/useradd. */
#include <stdlib.h>
#include <string.h>

#include "../scalar.h"
#include "accounts_db.h"
#include "cdefs.h"

#define RULES_MAX ((size_t)256 << 10)

/* The value of the last line "NAME VALUE" or "NAME=VALUE", or NULL. */
static const char *find(struct db *db, const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *value = NULL;

	for (const char *s = text; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		size_t end;

		s += strspn(s, " \t");
		if (strncmp(s, name, n) != 0 || !strchr(" \t=", s[n]) || !s[n])
			continue;
		s += n + strspn(s + n, " \t=\"");
		end = strcspn(s, " \t\r\n\"#");
		value = end ? arena_strndup(db->ctx->arena, s, end) : value;
	}
	return value;
}

static uint32_t number(struct db *db, const char *text, const char *name, uint32_t otherwise)
{
	const char *value = find(db, text, name);
	uint64_t n;

	return value && scalar_uint(value, UINT32_MAX - 1, &n) == 0 ? (uint32_t)n : otherwise;
}

static mode_t octal(struct db *db, const char *text, const char *name, mode_t otherwise)
{
	const char *value = find(db, text, name);
	unsigned mode;
	bool bare;

	return value && scalar_mode(value, &mode, &bare) == 0 ? (mode_t)mode & 0777 : otherwise;
}

static const char *days(struct db *db, const char *text, const char *name, const char *otherwise)
{
	const char *value = find(db, text, name);
	uint64_t n;

	if (value && !strcmp(value, "-1"))
		return "";
	return value && scalar_uint(value, 10000000, &n) == 0 ? value : otherwise;
}

static const char *path(struct db *db, const char *text, const char *name, const char *otherwise)
{
	const char *value = find(db, text, name);

	return value && value[0] == '/' && !strchr(value, ':') ? value : otherwise;
}

void db_read_rules(struct db *db)
{
	CLEANUP_FREE char *defs = NULL;
	CLEANUP_FREE char *useradd = NULL;
	struct db_rules *r = &db->rules;
	const char *groups;
	/* a machine without login.defs keeps its people apart; one that has it and says nothing does as useradd does */
	bool found = target_read(db->target, "/etc/login.defs", RULES_MAX, &defs, NULL) == 0;

	target_read(db->target, "/etc/default/useradd", RULES_MAX, &useradd, NULL);
	r->uid_min = number(db, defs, "UID_MIN", 1000);
	r->uid_max = number(db, defs, "UID_MAX", 60000);
	r->sys_uid_min = number(db, defs, "SYS_UID_MIN", 101);
	r->sys_uid_max = number(db, defs, "SYS_UID_MAX", r->uid_min - 1);
	r->gid_min = number(db, defs, "GID_MIN", 1000);
	r->gid_max = number(db, defs, "GID_MAX", 60000);
	r->sys_gid_min = number(db, defs, "SYS_GID_MIN", 101);
	r->sys_gid_max = number(db, defs, "SYS_GID_MAX", r->gid_min - 1);
	r->sub_uid_min = number(db, defs, "SUB_UID_MIN", 100000);
	r->sub_uid_max = number(db, defs, "SUB_UID_MAX", 600100000);
	r->sub_uid_count = number(db, defs, "SUB_UID_COUNT", 65536);
	r->sub_gid_min = number(db, defs, "SUB_GID_MIN", 100000);
	r->sub_gid_max = number(db, defs, "SUB_GID_MAX", 600100000);
	r->sub_gid_count = number(db, defs, "SUB_GID_COUNT", 65536);
	r->pass_min = days(db, defs, "PASS_MIN_DAYS", found ? "" : "0");
	r->pass_max = days(db, defs, "PASS_MAX_DAYS", found ? "" : "99999");
	r->pass_warn = days(db, defs, "PASS_WARN_AGE", found ? "" : "7");
	groups = find(db, defs, "USERGROUPS_ENAB");
	r->user_groups = groups ? !strcmp(groups, "yes") : !found;
	r->home_mode = octal(db, defs, "HOME_MODE", found ? (mode_t)(0777 & ~octal(db, defs, "UMASK", 022)) : 0700);
	r->default_group = number(db, useradd, "GROUP", 100);
	r->home = path(db, useradd, "HOME", "/home");
	r->shell = path(db, useradd, "SHELL", "/bin/sh");
	r->skel = path(db, useradd, "SKEL", "/etc/skel");
}
