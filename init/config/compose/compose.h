/* compose.h - the containers of a boot configuration: a Compose document, read strictly.
 *
 * `containers:` holds a whole document; `services:`, `volumes:`... at the top level mean the same. A service with an error is
 * left out, with those that need it; the others stay. Ends up in /run/coracle/containers.json. Source: the Compose specification
 * and its JSON schema; what of it we do is in keys.c (known to be missing) and service.c (done). */
#ifndef CORACLE_CONFIG_COMPOSE_H
#define CORACLE_CONFIG_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>
#include "../schema.h"
#include "buf.h"

enum compose_mount_type { COMPOSE_BIND, COMPOSE_VOLUME, COMPOSE_TMPFS };

struct compose_mount {
	enum compose_mount_type type;
	const struct node *at;
	const char *source;	/* NULL: an anonymous volume */
	const char *target;
	bool read_only;
	struct strings options;
	struct compose_mount *next;
};

struct compose_tmpfs {
	const char *target;
	struct strings options;
	struct compose_tmpfs *next;
};

struct compose_depend {
	const struct node *at;
	const char *name;
	const char *condition;
	bool required;
	bool dropped;		/* not required and not there */
	struct compose_depend *next;
};

struct compose_words {
	bool given;		/* false: the image's own */
	struct strings words;
};

/* What the kernel shall hold it to; 0: no limit was asked for. */
struct compose_limits {
	int64_t mem_limit, mem_reservation, memswap_limit;	/* bytes; memswap_limit counts memory too, -1: any */
	int64_t cpu_quota, cpu_period;				/* microseconds */
	int64_t cpu_shares;
	const char *cpuset;					/* "0-3,5" */
	int64_t pids_limit;					/* -1: any */
	int64_t oom_score_adj;
	int64_t shm_size;
	struct strings ulimits;					/* "nofile=1024:2048" */
	struct strings sysctls;					/* key, value, key, value... */
};

struct compose_health {
	const struct node *at;		/* NULL: the image's own */
	struct strings test;		/* "CMD", word... or "CMD-SHELL", text, or "NONE" */
	uint64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
	uint64_t retries;
	bool disable;
};

/* A secret or configuration file that a service gets. */
struct compose_grant {
	const struct node *at;
	const char *source;
	const char *target;	/* NULL: where Compose puts it */
	const char *uid, *gid;
	unsigned mode;
	bool config;
	bool owned;		/* uid, gid or mode was given */
	struct compose_grant *next;
};

struct compose_env_file {
	const struct node *at;
	const char *path;
	bool required, raw;
	struct compose_env_file *next;
};

struct compose_service {
	const char *name;
	const struct node *at;		/* its key */
	bool broken;			/* left out; reported */
	const char *container_name;
	const char *image;		/* normalised */
	struct compose_words command;
	struct compose_words entrypoint;
	struct strings environment;	/* K=V */
	const char *working_dir;
	const char *user;
	const char *hostname;
	struct compose_mount *volumes;
	struct compose_tmpfs *tmpfs;
	bool read_only;
	const char *restart;
	unsigned max_retries;
	struct compose_depend *depends_on;
	const char *network_mode;
	const struct node *ports;	/* checked when network_mode is known */
	bool privileged;
	struct strings cap_add;
	struct strings cap_drop;
	struct strings labels;		/* key, value, key, value... */
	const char *stop_signal;
	uint64_t stop_grace_ms;
	bool tty;
	bool init;
	bool stdin_open;
	bool onboot;			/* x-onboot: the others wait until it has done its work */
	struct compose_limits limits;
	struct compose_health health;
	struct compose_grant *grants;
	struct compose_env_file *env_files;
	struct strings group_add;
	struct strings devices;		/* SOURCE:TARGET:PERMISSIONS */
	struct strings device_rules;	/* "c 1:3 rwm" */
	struct strings security_opt;	/* no-new-privileges, seccomp=unconfined, systempaths=unconfined, mask=PATH, unmask=PATH */
	struct strings dns, dns_search, dns_opt;
	struct strings extra_hosts;	/* NAME=ADDRESS */
	struct strings annotations;	/* as labels */
	const char *domainname;
	const char *pid, *ipc, *uts, *cgroup, *userns;	/* NULL: its own; "host" */
	const char *pull_policy;
	const struct node *networks;	/* checked when the document's are known */
	const struct node *deploy;	/* read last: it wins */
	struct compose_service *next;
};

struct compose_volume {
	const char *key;	/* as services call it */
	const char *name;	/* of the volume */
	struct compose_volume *next;
};

struct compose_network {
	const char *key;
	struct compose_network *next;
};

/* A secret or configuration file of the document. */
struct compose_secret {
	const char *key;
	const struct node *at;
	bool config;
	bool broken;
	const char *file;	/* a path of the machine, or */
	const char *content;	/* the text itself */
	size_t len;
	struct compose_secret *next;
};

/* A file that is made for a service: below /run/coracle/secrets, bound into the container. */
struct compose_file {
	const struct node *at;
	const struct compose_service *service;
	const char *path;
	const char *content;
	size_t len;
	const char *uid, *gid;	/* numbers */
	unsigned mode;
	struct compose_file *next;
};

struct compose {
	const char *project;		/* NULL: "coracle" */
	struct compose_service *services;
	struct compose_volume *volumes;
	struct compose_network *networks;
	struct compose_secret *secrets;
	struct compose_file *files;
};

/* Reads `containers:` and the bare keys of the top level. */
void compose_read(struct ctx *ctx, const struct node *root, struct compose *c);
/* Reads a mapping that is a whole Compose document. */
void compose_read_document(struct ctx *ctx, const struct node *document, struct compose *c);
/* Checks what needs the whole: names, named volumes, dependencies. */
void compose_finish(struct ctx *ctx, struct compose *c);
/* What needs the tree that is applied to: reads env_files, writes secrets. Services whose files are missing are left out. */
struct target;
void compose_prepare(struct ctx *ctx, const struct target *t, struct compose *c);
/* Adds containers.json (docs/design/interfaces.md); false when there is no service to write. */
bool compose_write_json(const struct compose *c, struct buf *out);

/* Shared by the files of this folder. */

/* One service; always returns an entry, broken when it has errors. */
struct compose_service *compose_read_service(struct ctx *ctx, const struct node *key, const struct node *value);
void compose_check_depends(struct ctx *ctx, struct compose *c);
/* Leaves out who requires what is left out. */
void compose_spread_broken(struct ctx *ctx, struct compose *c);
/* Services with x-onboot run one after the other before all others. */
void compose_order_onboot(struct ctx *ctx, struct compose *c);
/* Secrets, configs and networks that services name, against the document. */
void compose_check_grants(struct ctx *ctx, struct compose *c);
void compose_check_networks(struct ctx *ctx, struct compose *c);
/* dns..., sysctls and networks of a service against its network mode. Returns the number of errors. */
unsigned compose_check_network_mode(struct ctx *ctx, const struct compose_service *s);
/* Limits against each other. Returns the number of errors. */
unsigned compose_check_limits(struct ctx *ctx, struct compose_service *s);
/* Bytes as Docker reads them: 64m, 1.5g, 100kb. Returns 0 or -EINVAL. */
int compose_bytes(const char *text, int64_t *out);
/* An IPv4 or IPv6 address. */
bool compose_address_ok(const char *text);
/* nginx -> docker.io/library/nginx:latest. Returns NULL and *why when it is no image name. */
const char *compose_image_name(struct arena *a, const char *name, const char **why);
/* Replaces $$, ${X:-default}... in all scalars below n. Returns the number of errors. */
unsigned compose_interpolate(struct ctx *ctx, struct node *n);
/* The ports of a service against its network mode. Returns the number of errors. */
unsigned compose_check_ports(struct ctx *ctx, const struct compose_service *s);

int compose_read_volumes(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_mount * */
int compose_read_tmpfs(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_tmpfs * */
int compose_read_depends(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_depend * */
int compose_read_words(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_words */
int compose_read_environment(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_labels(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_capabilities(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_bytes(struct ctx *ctx, const struct node *value, void *out);		/* int64_t */
int compose_read_count(struct ctx *ctx, const struct node *value, void *out);		/* int64_t, at least -1 */
int compose_read_microseconds(struct ctx *ctx, const struct node *value, void *out);	/* int64_t */
int compose_read_cpus(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_limits */
int compose_read_cpuset(struct ctx *ctx, const struct node *value, void *out);		/* const char * */
int compose_read_oom_score(struct ctx *ctx, const struct node *value, void *out);	/* int64_t */
int compose_read_ulimits(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_sysctls(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_deploy(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_service */
int compose_read_scale(struct ctx *ctx, const struct node *value, void *out);
int compose_read_health(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_health */
int compose_read_secrets(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_grant * */
int compose_read_configs(struct ctx *ctx, const struct node *value, void *out);		/* struct compose_grant * */
int compose_read_env_file(struct ctx *ctx, const struct node *value, void *out);	/* struct compose_env_file * */
int compose_read_groups(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_devices(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_device_rules(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_security(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_namespace(struct ctx *ctx, const struct node *value, void *out);	/* const char * */
int compose_read_addresses(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_domains(struct ctx *ctx, const struct node *value, void *out);		/* struct strings */
int compose_read_extra_hosts(struct ctx *ctx, const struct node *value, void *out);	/* struct strings */
int compose_read_network_mode(struct ctx *ctx, const struct node *value, void *out);	/* const char * */
/* Top-level tables; out is struct compose. */
int compose_read_top_networks(struct ctx *ctx, const struct node *value, void *out);
int compose_read_top_secrets(struct ctx *ctx, const struct node *value, void *out);
int compose_read_top_configs(struct ctx *ctx, const struct node *value, void *out);

/* keys.c: the keys of Compose that are not done. */
extern const struct known_key compose_known_service_keys[];
extern const size_t compose_known_service_count;
#define COMPOSE_KNOWN_TOP 2
extern const struct known_key compose_known_top_keys[COMPOSE_KNOWN_TOP];

bool compose_name_ok(const char *name);	/* [a-zA-Z0-9][a-zA-Z0-9_.-]* */

#endif
