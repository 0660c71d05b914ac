/* ssh.h - the keys of cloud-config that concern the ssh server and who may log in through it (cloudinit/config/cc_ssh.py). */
#ifndef CORACLE_CONFIG_SSH_H
#define CORACLE_CONFIG_SSH_H

#include "accounts.h"

/* A host key that is given: ssh_keys: {rsa_private: ..., rsa_public: ..., rsa_certificate: ...} */
struct ssh_host_key {
	const struct node *at;
	const char *type;	/* "rsa", "ecdsa", "ed25519" */
	const char *part;	/* "private", "public", "certificate" */
	const char *text;
	struct ssh_host_key *next;
};

struct ssh_config {
	struct account_key *keys;	/* ssh_authorized_keys: the default user's, and root's with the options below */
	const struct node *keys_at;
	enum choice pwauth;		/* absent: as it is; on the machine that is no */
	enum choice disable_root;	/* absent: yes */
	const char *disable_root_opts;	/* NULL: cloud-init's */
	enum choice allow_public_keys;	/* absent: yes */
	struct ssh_host_key *host_keys;
	bool host_keys_given;
	enum choice delete_keys;	/* absent: yes */
	struct strings types;		/* to generate; empty: our choice */
	enum choice no_fingerprints;	/* of authorized keys */
	const char *fingerprint_hash;	/* "sha256" (NULL) or "sha512" */
	enum choice emit_keys;		/* the host's, on the console; absent: yes */
	struct strings console_skip;	/* key types that are not shown there */
	struct strings fingerprint_skip;
	struct account_key *public_keys;	/* of the meta-data, once they are read (ssh_public_keys) */
	bool public_read;
	bool accepted;
};

int read_ssh_authorized_keys(struct ctx *ctx, const struct node *value, void *out);	/* struct ssh_config */
int read_ssh_pwauth(struct ctx *ctx, const struct node *value, void *out);		/* enum choice */
int read_ssh_keys(struct ctx *ctx, const struct node *value, void *out);		/* struct ssh_config */
int read_ssh_types(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int read_ssh_options(struct ctx *ctx, const struct node *value, void *out);		/* const char * */
int read_ssh_publish(struct ctx *ctx, const struct node *value, void *out);		/* ignored */
int read_ssh_console(struct ctx *ctx, const struct node *value, void *out);		/* struct ssh_config: `ssh: {emit_keys_to_console: }` */
int read_ssh_hash(struct ctx *ctx, const struct node *value, void *out);		/* const char * */
int read_ssh_skip(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */

#endif
