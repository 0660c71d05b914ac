/* system.h - what else a configuration asks of the machine: certificates, time, names, messages.
 *
 * The readers fill struct system and check it; the modules carry it out. Each subject has a file, reader and module together. Used by coracle-config only. */
#ifndef CORACLE_CONFIG_SYSTEM_H
#define CORACLE_CONFIG_SYSTEM_H

#include <stdbool.h>
#include "../schema.h"

struct run;
struct config;

struct system_certs {
	const struct node *at;
	struct strings trusted;		/* PEM, only the certificates of what was written */
	bool remove_defaults;
};

struct system_ntp {
	const struct node *at;		/* NULL: not asked for */
	bool disabled;
	struct strings servers;
	struct strings pools;
};

struct system_locale {
	const char *name;		/* NULL: not asked for, or false */
	const char *file;		/* NULL: /etc/default/locale */
};

struct system_phone {
	const struct node *at;
	const char *url;
	struct strings post;		/* n == 0: all */
	unsigned tries;
};

struct system_random {
	const struct node *at;
	const char *file;		/* NULL: the kernel's pool */
	const char *data;
	size_t len;
	struct strings command;
	bool required;
};

struct system_resolv {
	const struct node *at;
	bool manage;
	struct strings nameservers, search, sortlist, options;
	const char *domain;
};

/* An entry of cloud_final_modules and the like that says how often. */
struct system_frequency {
	const char *name;		/* with underscores */
	int when;			/* enum module_when */
	struct system_frequency *next;
};

struct system {
	struct system_certs certs;
	struct system_ntp ntp;
	const struct node *timezone_at;
	const char *timezone;
	struct system_locale locale;
	struct system_phone phone;
	const char *final_message;
	struct system_random random;
	struct system_resolv resolv;
	struct system_frequency *frequencies;
};

int read_ca_certs(struct ctx *ctx, const struct node *value, void *out);	/* struct system_certs */
int read_ntp(struct ctx *ctx, const struct node *value, void *out);		/* struct system_ntp */
int read_timezone(struct ctx *ctx, const struct node *value, void *out);	/* struct system */
int read_locale(struct ctx *ctx, const struct node *value, void *out);		/* struct system_locale */
int read_phone_home(struct ctx *ctx, const struct node *value, void *out);	/* struct system_phone */
int read_final_message(struct ctx *ctx, const struct node *value, void *out);	/* const char * */
int read_random_seed(struct ctx *ctx, const struct node *value, void *out);	/* struct system_random */
int read_resolv_conf(struct ctx *ctx, const struct node *value, void *out);	/* struct system_resolv */
int read_module_list(struct ctx *ctx, const struct node *value, void *out);	/* struct system_frequency * */
int read_output(struct ctx *ctx, const struct node *value, void *out);		/* nothing is kept */

/* Last checks, when all keys are read. */
void system_finish(struct ctx *ctx, struct system *s);

/* How often a module is to be done: what the configuration says, or the default. */
int system_when(const struct system *s, const char *module, int when);

/* The text with $NAME, ${NAME} and {{ NAME }} replaced, names in either case, in jinja with "v1." before them or not; what is not known stays and is in
 * *unknown (NULL: all were known). Pure. */
struct fill {
	const char *name;
	const char *value;
};
const char *system_fill(struct ctx *ctx, const char *text, const struct fill *names, size_t n, const char **unknown);

/* The modules. */
bool certs_wanted(const struct run *r);
void apply_certs(struct run *r);
bool ntp_wanted(const struct run *r);
void apply_ntp(struct run *r);
bool timezone_wanted(const struct run *r);
void apply_timezone(struct run *r);
bool locale_wanted(const struct run *r);
void apply_locale(struct run *r);
bool phone_home_wanted(const struct run *r);
void apply_phone_home(struct run *r);
void apply_final_message(struct run *r);
bool random_wanted(const struct run *r);
void apply_random(struct run *r);
bool resolv_wanted(const struct run *r);
void apply_resolv(struct run *r);

/* timezone.c: the bytes of a TZif file (RFC 9636) that has this rule for all times. Returns the length, 0 when the rule cannot be read. */
size_t timezone_file(const char *rule, unsigned char *out, size_t size);

#endif
