/* accounts.c - the module users_groups: makes the groups and users that a configuration asks for.
 *
 * As cc_users_groups and distros/__init__.py of cloud-init: a user who is there already gets only passwords, locks, rules and keys. One who cannot
 * be made is reported, the next ones are made all the same. The files of accounts are written before anything in a home. */
#include "accounts_apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../userdata.h"

#define CLOUD_CFG "/etc/cloud/cloud.cfg"
#define CLOUD_CFG_MAX ((size_t)256 << 10)

/* The default user of a distribution's tree: as its own cloud-init has it. */
static struct account_user *distro_user(struct run *r)
{
	struct source *source = ARENA_NEW(&r->arena, struct source);
	char *text = NULL;
	size_t len = 0;
	const struct node *root;
	const struct node *user;
	bool empty;

	if (target_read(&r->target, CLOUD_CFG, CLOUD_CFG_MAX, &text, &len) < 0)
		return NULL;
	*source = (struct source){ CLOUD_CFG, arena_strndup(&r->arena, text, len), len };
	free(text);
	root = yaml_read(&r->arena, &r->diags, source, &empty);
	user = root && root->type == NODE_MAP ? node_get(root, "system_info") : NULL;
	user = user && user->type == NODE_MAP ? node_get(user, "default_user") : NULL;
	return user && user->type == NODE_MAP ? accounts_read_user(&r->ctx, user) : NULL;
}

/* Coracle's own default user: no password, and of the groups those that there are. docker: /run/docker.sock is theirs. */
static struct account_user *own_user(struct run *r, const struct db *db)
{
	static const char *const groups[] = { "adm", "docker", "sudo" };
	struct account_user *u = ARENA_NEW(&r->arena, struct account_user);

	*u = (struct account_user){ .name = "coracle", .gecos = "Coracle", .shell = "/bin/sh", .lock_passwd = CHOICE_YES, .groups_given = CHOICE_YES };
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (db_find(db, DB_GROUP, groups[i]))
			strings_add(&r->ctx, &u->groups, groups[i]);
	return u;
}

static void merge(struct run *r, const struct db *db)
{
	struct accounts *a = &r->config.accounts;
	struct account_user *distro = a->distro;

	if (a->merged)
		return;
	a->merged = true;
	if (!distro || !distro->name || !strcmp(distro->name, "default")) {
		struct account_user *other = distro_user(r);

		if (!other || !strcmp(other->name, "default"))
			other = own_user(r, db);
		if (distro) {
			/* system_info said something of it, but no name */
			distro->name = other->name;
		} else {
			distro = other;
		}
	}
	distro->at = NULL;
	accounts_merge(&r->ctx, a, distro);
}

struct accounts *accounts_of(struct run *r)
{
	struct err err = ERR_INIT;
	struct db db;

	if (!r->config.accounts.merged && db_read(&db, &r->ctx, &r->target, &err) == 0)
		merge(r, &db);
	return &r->config.accounts;
}

static void failed(struct run *r, const struct node *at, const struct err *err, const char *what, const char *name)
{
	diag_at(&r->diags, DIAG_ERROR, at, NULL, "the %s %s: %s", what, name, err->text);
}

static void make_groups(struct run *r, struct db *db)
{
	for (const struct account_group *g = r->config.accounts.groups; g; g = g->next) {
		struct err err = ERR_INIT;

		if (!db_find(db, DB_GROUP, g->name) && db_add_group(db, g->name, &err) < 0) {
			failed(r, g->at, &err, "group", g->name);
			continue;
		}
		for (size_t i = 0; i < g->members.n; i++) {
			const char *user = g->members.v[i];

			/* users come after groups, here as there */
			if (!db_find(db, DB_PASSWD, user))
				diag_at(&r->diags, DIAG_WARNING, g->at, arena_printf(&r->arena, "a user of this configuration names it: \"groups: [%s]\"", g->name),
					"%s is not made a member of the group %s: there is no such user yet", user, g->name);
			else if (db_add_member(db, g->name, user, &err) < 0)
				failed(r, g->at, &err, "group", g->name);
		}
	}
}

/* cloud-init's two exclusions. Returns 0 or -EINVAL. */
static int check(struct run *r, const struct account_user *u)
{
	bool no_home = u->no_create_home == CHOICE_YES || u->system == CHOICE_YES;

	if (no_home && (u->keys || u->ssh_redirect_user == CHOICE_YES))
		return diag_at(&r->diags, DIAG_ERROR, u->at, NULL, "the user %s is not made: %s cannot be with %s", u->name,
			       u->keys ? "ssh_authorized_keys" : "ssh_redirect_user", u->system == CHOICE_YES ? "system" : "no_create_home");
	if (u->keys_given && u->ssh_redirect_user == CHOICE_YES)
		return diag_at(&r->diags, DIAG_ERROR, u->at, NULL, "the user %s is not made: ssh_redirect_user cannot be with ssh_authorized_keys", u->name);
	return 0;
}

/* The groups that are missing; what may not be made is left out. */
static void need_groups(struct run *r, struct db *db, const struct account_user *u, struct strings *have)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < u->groups.n; i++) {
		const char *name = u->groups.v[i];

		if (db_find(db, DB_GROUP, name) || (u->create_groups != CHOICE_NO && db_add_group(db, name, &err) == 0))
			strings_add(&r->ctx, have, name);
		else
			diag_at(&r->diags, DIAG_ERROR, u->at, NULL, "the user %s is not in the group %s: there is no such group", u->name, name);
	}
	if (u->primary_group && u->create_groups != CHOICE_NO && u->primary_group[strspn(u->primary_group, "0123456789")] && !db_find(db, DB_GROUP, u->primary_group))
		db_add_group(db, u->primary_group, &err);
}

/* A shell that is not there would lock the user out of this machine; a tree may get it later. */
static const char *shell_of(struct run *r, const struct account_user *u)
{
	if (!u->shell || target_exists(&r->target, u->shell))
		return u->shell;
	if (!r->target.machine)
		return u->shell;
	diag_at(&r->diags, DIAG_WARNING, u->at, NULL, "there is no %s here: the shell of %s is /bin/sh", u->shell, u->name);
	return "/bin/sh";
}

static int make_user(struct run *r, struct db *db, const struct account_user *u)
{
	struct strings groups = { NULL, 0 };
	struct err err = ERR_INIT;
	struct db_user new = {
		.name = u->name, .uid = u->uid, .primary_group = u->primary_group, .gecos = u->gecos, .home = u->homedir, .hash = u->passwd,
		.inactive = u->inactive, .expire = u->expiredate, .groups = &groups, .system = u->system == CHOICE_YES,
		.no_user_group = u->no_user_group == CHOICE_YES,
	};

	new.shell = shell_of(r, u);
	need_groups(r, db, u, &groups);
	if (db_add_user(db, &new, &err) == 0)
		return 0;
	failed(r, u->at, &err, "user", u->name);
	return -EINVAL;
}

/* Passwords and locks (distros/__init__.py, create_user). */
static void set_password(struct run *r, struct db *db, const struct account_user *u, bool existed)
{
	const struct db_line *shadow = db_find(db, DB_SHADOW, u->name);
	bool given = u->plain_text_passwd || u->hashed_passwd || (!existed && u->passwd);
	/* "!", "*", "!!" are no passwords */
	bool has = existed && shadow && shadow->fields[1][strspn(shadow->fields[1], "!*")];
	const char *hash = u->plain_text_passwd ? password_hash(r, u->plain_text_passwd) : NULL;
	struct err err = ERR_INIT;

	if (hash && db_set_hash(db, u->name, hash, &err) < 0)
		failed(r, u->at, &err, "password of", u->name);
	if (u->hashed_passwd && db_set_hash(db, u->name, u->hashed_passwd, &err) < 0)
		failed(r, u->at, &err, "password of", u->name);
	if (u->hashed_passwd || u->passwd)
		password_check_hash(r, u->at, u->hashed_passwd ? u->hashed_passwd : u->passwd);
	if (existed && u->passwd && !given)
		diag_at(&r->diags, DIAG_WARNING, u->at, "hashed_passwd sets it", "passwd is for new users only: the password of %s stays as it is", u->name);
	if (u->lock_passwd != CHOICE_NO)
		db_lock(db, u->name, &err);
	else if (given || has)
		db_unlock(db, u->name, &err);
	else
		diag_at(&r->diags, DIAG_WARNING, u->at, NULL, "lock_passwd: false, but %s has no password: it stays locked", u->name);
}

/* Homes and keys, when the accounts are on disk. Keys come first: the rules may fail. */
static void give_access(struct run *r, const struct db *db, struct homes *homes, const struct account_user *u)
{
	const struct account_user *to;

	if (!u->existed && u->no_create_home != CHOICE_YES && u->system != CHOICE_YES)
		accounts_make_home(r, db, homes, u->at, u->name);
	if (u->keys_given)
		ssh_write_keys(r, db, u->at, u->name, u->keys, NULL);
	if (u->ssh_redirect_user != CHOICE_YES)
		return;
	to = accounts_default(&r->config.accounts);
	if (!to || !ssh_public_keys(r))
		diag_at(&r->diags, DIAG_WARNING, u->at, NULL, "ssh_redirect_user of %s is not used: %s", u->name,
			to ? "the meta-data has no public keys" : "there is no default user");
	else
		ssh_write_keys(r, db, u->at, u->name, ssh_public_keys(r), ssh_disable_options(&r->ctx, NULL, to->name, u->name));
}

struct db *accounts_db(struct run *r)
{
	struct err err = ERR_INIT;
	struct db *db = r->accounts;

	if (db)
		return db;
	db = ARENA_NEW(&r->arena, struct db);
	if (db_read(db, &r->ctx, &r->target, &err) < 0) {
		module_failed(r, NULL, &err);
		return NULL;
	}
	return r->accounts = db;
}

bool accounts_write(struct run *r)
{
	struct err err = ERR_INIT;
	struct db *db = r->accounts;
	bool owner_failed = false;

	if (db_write(db, &owner_failed, &err) < 0) {
		module_failed(r, NULL, &err);
		r->accounts = NULL;
		return false;
	}
	if (owner_failed && !db->owner_told)
		diag_at(&r->diags, DIAG_WARNING, NULL, "only root may do that", "the owners of the files of accounts are not kept");
	db->owner_told = db->owner_told || owner_failed;
	return true;
}

void apply_users_groups(struct run *r)
{
	struct db *db = accounts_db(r);
	struct account_user *users;
	struct homes homes;

	if (!db)
		return;
	merge(r, db);
	make_groups(r, db);
	users = r->config.accounts.users;
	for (struct account_user *u = users; u; u = u->next) {
		u->existed = db_find(db, DB_PASSWD, u->name) != NULL;
		u->left_out = check(r, u) < 0 || (!u->existed && make_user(r, db, u) < 0);
		if (!u->left_out)
			set_password(r, db, u, u->existed);
	}
	accounts_write(r);
	accounts_homes_init(&homes, r, db);
	for (const struct account_user *u = users; u; u = u->next)
		if (!u->left_out)
			give_access(r, db, &homes, u);
	accounts_homes_fini(&homes);
	accounts_apply_rules(r, users);
	accounts_warn_of_sudo(r);
}
