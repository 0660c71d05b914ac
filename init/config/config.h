/* config.h - what a boot configuration asks for, read and checked, before anything is applied.
 *
 * keys.c fills it from cloud-config; apply.c carries it out. All strings live in the arena of the run. */
#ifndef CORACLE_CONFIG_CONFIG_H
#define CORACLE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "compose/compose.h"
#include "containers/tree.h"
#include "modules/storage.h"
#include "modules/accounts.h"
#include "modules/passwords.h"
#include "modules/ssh.h"
#include "modules/system.h"
#include "schema.h"

#define CONFIG_FILE_MAX ((size_t)8 << 20)	/* bytes of one file after decoding */

struct config_file {
	const struct node *at;
	const char *path;	/* absolute, without ".." and control characters */
	const char *content;
	size_t len;
	const char *user;	/* name or number */
	const char *group;	/* NULL: the user's own */
	unsigned mode;
	bool append;
	bool defer;
	bool has_content;		/* false: `content` is not there at all */
	const char *url;		/* source.uri: what is there comes first, content is used when it cannot be had; NULL: none */
	const char *const *headers;	/* "Name: value" for it, ends with NULL; they hold secrets */
	struct config_file *next;
};

struct config_power {
	const char *mode;	/* NULL: not asked for; "poweroff", "reboot", "halt" */
	unsigned delay_minutes;
	const char *message;	/* may be NULL */
	uint64_t timeout_s;
	bool never;		/* condition: false */
	const char *condition;	/* NULL: no test; else a shell script whose success is waited for */
};

/* Where a script goes, and when it runs (formats/scripts.h). */
enum config_script_kind { SCRIPT_USER, SCRIPT_VENDOR, SCRIPT_PER_BOOT, SCRIPT_PER_INSTANCE, SCRIPT_PER_ONCE, SCRIPT_BOOTHOOK };

/* A script part of the user-data or vendor-data, or the one that runcmd became. */
struct config_script {
	enum config_script_kind kind;
	const char *name;	/* one safe component */
	const char *text;
	size_t len;
	struct config_script *next;
};

/* vendor_data: whether the vendor is listened to. */
struct config_vendor {
	bool enabled;
	struct strings prefix;		/* words before the name of each script of the vendor */
	struct strings disabled;	/* content types that are not looked at */
};

struct config {
	const struct node *root;	/* the merged cloud-config that was read, NULL: none */
	const char *hostname;
	const char *fqdn;
	bool prefer_fqdn;
	bool preserve_hostname;
	bool create_hostname_file;
	int manage_hosts;		/* HOSTS_... (modules/hostname.h), 0: /etc/hosts stays as it is */
	struct config_file *files;
	const char *bootcmd;	/* shell script, or NULL */
	const char *runcmd;	/* the same; becomes one of scripts */
	struct config_script *scripts;
	struct config_vendor vendor, vendor2;
	struct config_power power;
	struct storage storage;
	struct accounts accounts;
	struct passwords passwords;
	struct ssh_config ssh;
	struct system system;
	struct compose compose;
	struct config_tree tree;
	bool accepted;			/* of keys that need nothing done */
};

/* What holds where nothing is configured. Before config_read. */
void config_init(struct config *c);

/* Reads one cloud-config document into c. */
void config_read(struct ctx *ctx, const struct node *root, struct config *c);

/* Last checks over the whole, after all documents are read. */
void config_finish(struct ctx *ctx, struct config *c);

void config_add_script(struct ctx *ctx, struct config *c, enum config_script_kind kind, const char *name, const char *text, size_t len);

/* True for a name that sethostname(2), /etc/hostname and DNS can all carry. */
bool config_hostname_ok(const char *name);

/* Readers of the larger keys. */
int read_write_files(struct ctx *ctx, const struct node *value, void *out);	/* struct config_file * */
int read_bootcmd(struct ctx *ctx, const struct node *value, void *out);		/* const char * */
int read_runcmd(struct ctx *ctx, const struct node *value, void *out);		/* const char * */
int read_power_state(struct ctx *ctx, const struct node *value, void *out);	/* struct config_power */
int read_manage_etc_hosts(struct ctx *ctx, const struct node *value, void *out);	/* int */

#endif
