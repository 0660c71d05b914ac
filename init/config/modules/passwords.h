/* passwords.h - the keys `password` and `chpasswd` of cloud-config (cloudinit/config/cc_set_passwords.py). */
#ifndef CORACLE_CONFIG_PASSWORDS_H
#define CORACLE_CONFIG_PASSWORDS_H

#include "accounts.h"

enum password_kind { PASSWORD_HASH, PASSWORD_TEXT, PASSWORD_RANDOM };

struct password {
	const struct node *at;
	const char *user;
	enum password_kind kind;
	const char *value;	/* NULL: random */
	struct password *next;
};

struct passwords {
	const char *password;		/* of the default user; a hash when it looks like one */
	const struct node *password_at;
	struct password *list;
	enum choice expire;		/* absent: yes */
};

int read_password(struct ctx *ctx, const struct node *value, void *out);	/* struct passwords */
int read_chpasswd(struct ctx *ctx, const struct node *value, void *out);	/* struct passwords */

/* True for what crypt(3) makes: $6$SALT$HASH and the like. */
bool password_is_hash(const char *s);

#endif
