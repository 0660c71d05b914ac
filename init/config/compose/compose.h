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
	struct compose_service *next;
};

struct compose_volume {
	const char *key;	/* as services call it */
	const char *name;	/* of the volume */
	struct compose_volume *next;
};

struct compose {
	const char *project;		/* NULL: "coracle" */
	struct compose_service *services;
	struct compose_volume *volumes;
};

/* Reads `containers:` and the bare keys of the top level. */
void compose_read(struct ctx *ctx, const struct node *root, struct compose *c);
/* Checks what needs the whole: names, named volumes, dependencies. */
void compose_finish(struct ctx *ctx, struct compose *c);
/* Adds containers.json (docs/design/interfaces.md); false when there is no service to write. */
bool compose_write_json(const struct compose *c, struct buf *out);

/* Shared by the files of this folder. */

/* One service; always returns an entry, broken when it has errors. */
struct compose_service *compose_read_service(struct ctx *ctx, const struct node *key, const struct node *value);
void compose_check_depends(struct ctx *ctx, struct compose *c);
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

/* keys.c: the keys of Compose that are not done. */
extern const struct known_key compose_known_service_keys[];
extern const size_t compose_known_service_count;
extern const struct known_key compose_known_top_keys[];
extern const size_t compose_known_top_count;

bool compose_name_ok(const char *name);	/* [a-zA-Z0-9][a-zA-Z0-9_.-]* */

#endif
