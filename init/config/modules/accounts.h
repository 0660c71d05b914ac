/* accounts.h - who may use the machine: users, groups, passwords and keys, as a configuration asks for them.
 *
 * accounts_read.c fills it from cloud-config, accounts_merge.c makes one list of users of it (`default`, `user`, the system's own user),
 * accounts.c carries it out. Keys are cloud-init's (cloudinit/config/cc_users_groups.py, cloudinit/distros/ug_util.py). All strings live in
 * the arena of the run. Passwords and hashes never go into messages. */
#ifndef CORACLE_CONFIG_ACCOUNTS_H
#define CORACLE_CONFIG_ACCOUNTS_H

#include <stdbool.h>
#include "../names.h"
#include "../schema.h"

/* A setting that is absent, or has a value: two mappings for one user are merged key by key, the first one wins. */
enum choice { CHOICE_ABSENT, CHOICE_NO, CHOICE_YES };

/* One line for authorized_keys, checked. */
struct account_key {
	const struct node *at;
	const char *options;	/* may be NULL */
	const char *type;
	const char *base64;
	const char *comment;	/* may be NULL */
	struct account_key *next;
};

struct account_user {
	const struct node *at;
	const char *name;		/* "default" until accounts_merge() */
	const char *gecos;
	const char *homedir;
	const char *primary_group;
	struct strings groups;
	enum choice groups_given;
	enum choice create_groups;
	enum choice lock_passwd;
	const char *passwd;		/* hash, for a new user only */
	const char *hashed_passwd;
	const char *plain_text_passwd;
	const char *shell;
	const char *expiredate;		/* days since 1970, as text */
	const char *inactive;		/* days, as text */
	const char *uid;
	enum choice system;
	enum choice no_create_home;
	enum choice no_user_group;
	enum choice no_log_init;
	struct strings sudo;
	struct strings doas;
	struct account_key *keys;
	enum choice keys_given;
	enum choice ssh_redirect_user;
	bool broken;			/* reported; the user is not made */
	bool is_default;		/* set by accounts_merge() */
	bool existed, left_out;		/* set when the users are made */
	struct account_user *next;
};

struct account_group {
	const struct node *at;
	const char *name;
	struct strings members;
	struct name_table members_seen;
	struct account_group *next;
};

struct accounts {
	struct account_user *users;	/* as they stand in the configuration; after accounts_merge() as they are made */
	bool users_given;		/* the key `users` is there: the default user is made only when it says so */
	struct account_user *user;	/* key `user`, or NULL */
	struct account_user *distro;	/* system_info.default_user, or NULL */
	struct account_group *groups;
	struct account_user *last_user;	/* of users, until accounts_merge() */
	size_t n_users;			/* the same */
	struct account_group *last_group;
	struct name_table group_names;	/* struct account_group */
	bool merged;			/* accounts_merge() was called */
};

/* Readers of the keys of cloud-config; out: struct accounts. */
int read_users(struct ctx *ctx, const struct node *value, void *out);
int read_user(struct ctx *ctx, const struct node *value, void *out);
int read_groups(struct ctx *ctx, const struct node *value, void *out);
int read_system_info(struct ctx *ctx, const struct node *value, void *out);
/* Reads a mapping as the system's default user (NULL on errors). */
struct account_user *accounts_read_user(struct ctx *ctx, const struct node *map);

/* struct strings: rules of sudo, of doas; one line each. */
int read_sudo(struct ctx *ctx, const struct node *value, void *out);
int read_doas(struct ctx *ctx, const struct node *value, void *out);
/* As cloud-init: when one of a user's rules for doas is wrong, none of them is written. */
void accounts_check_doas(struct ctx *ctx, struct account_user *u);

/* struct strings: names of users or groups, "a, b" or a list, without doubles; wrong ones are reported and left out. */
int value_names(struct ctx *ctx, const struct node *value, void *out);

/* enum choice: true or false. */
int value_choice(struct ctx *ctx, const struct node *value, void *out);

/* Makes one list of users: entries of one name become one, `default` becomes the system's default user with what `user` says of it.
 * distro: the system's default user. */
void accounts_merge(struct ctx *ctx, struct accounts *a, const struct account_user *distro);
/* The default user after accounts_merge(), or NULL. */
const struct account_user *accounts_default(const struct accounts *a);

/* True for a hash that a field of shadow(5) can carry. */
bool account_hash_ok(const char *hash);
/* True for names that passwd, group, shadow and sudoers can carry: [a-z_][a-z0-9_-]{0,31}. */
bool account_name_ok(const char *name);

/* Adds the keys of a text, one per line, to the list; a line that is no key is reported with its place. Returns 0 or -EINVAL. */
int account_keys_add(struct ctx *ctx, const struct node *at, const char *text, struct account_key **list);
/* The same for a node: text, a list of texts, or a mapping to texts. */
int account_keys_read(struct ctx *ctx, const struct node *value, struct account_key **list);
/* Takes one line of authorized_keys apart. Returns 0, 1 for a comment or an empty line, -EINVAL when it is no key. */
int account_key_parse(struct ctx *ctx, const char *line, struct account_key *key);

#endif
