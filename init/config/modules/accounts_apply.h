/* accounts_apply.h - what the modules of people's access share. */
#ifndef CORACLE_CONFIG_ACCOUNTS_APPLY_H
#define CORACLE_CONFIG_ACCOUNTS_APPLY_H

#include "accounts.h"
#include "accounts_db.h"
#include "module.h"

struct account_place {
	const char *home;
	uint32_t uid;
	uint32_t gid;
};

/* Where a user of the tree lives. Returns 0, or -EINVAL when there is no such user. */
int accounts_place(const struct db *db, const char *user, struct account_place *out);

/* What stays open from one home to the next. */
struct homes {
	int skel;		/* /etc/skel, or -errno */
	int parent;		/* of the last home, or < 0 */
	const char *path;	/* of that */
	size_t len;
};

void accounts_homes_init(struct homes *h, const struct run *r, const struct db *db);
void accounts_homes_fini(struct homes *h);
/* Makes the home directory with what is in /etc/skel, as useradd -m; one that is there stays. Problems are reported at `at`. */
void accounts_make_home(struct run *r, const struct db *db, struct homes *h, const struct node *at, const char *user);

/* Rules of sudo and doas of all users that were not left out; each file is written once. */
void accounts_apply_rules(struct run *r, const struct account_user *users);
/* Says it once when rules were asked for and there is no such program. */
void accounts_warn_of_sudo(struct run *r);

/* Adds keys to the user's ~/.ssh/authorized_keys, which is made when it is missing; a key that is there gets the new options and comment.
 * options: put before each key in place of its own; NULL: its own. */
void ssh_write_keys(struct run *r, const struct db *db, const struct node *at, const char *user, const struct account_key *keys, const char *options);

/* The options that keep a key of the meta-data from the user `from` and name `to` (NULL: nobody). opts NULL: cloud-init's. */
const char *ssh_disable_options(struct ctx *ctx, const char *opts, const char *to, const char *from);

/* The keys of the meta-data, checked; the first call reports what is none. */
const struct account_key *ssh_public_keys(struct run *r);

/* The list of users of the configuration, merged; made once. */
struct accounts *accounts_of(struct run *r);

/* The tree's files of accounts for the modules users_groups, ssh and set_passwords, which follow each other: read by the first of them.
 * NULL: they cannot be read, which has been said. */
struct db *accounts_db(struct run *r);
/* Writes what has changed, and says what failed. Returns false when a file was not written. */
bool accounts_write(struct run *r);

/* SHA-512 crypt(3) with a salt of its own. NULL: it cannot be made. */
const char *password_hash(struct run *r, const char *plain);
/* Warns of a hash that this machine cannot check. */
void password_check_hash(struct run *r, const struct node *at, const char *hash);

/* Text for the console of the machine; off the machine for standard output. It may be lost. */
void console_write(const struct run *r, const char *text);

#endif
