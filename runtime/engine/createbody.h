/* createbody.h - Docker's body of `POST /containers/create` as a service.
 *
 * What the engine cannot do is refused by name; what has no meaning here is told in a warning. Unknown keys are ignored, as in dockerd. Pure. */
#ifndef CORACLE_ENGINE_CREATEBODY_H
#define CORACLE_ENGINE_CREATEBODY_H

#include "service.h"

#define CREATE_WARNINGS_MAX 16

struct create_body {
	struct arena *mem;
	struct service svc;		/* container_name is the caller's to set */
	char **volumes_from;		/* NAME[:ro]; the caller adds their mounts */
	char *warnings[CREATE_WARNINGS_MAX + 1];
	size_t warning_count;
	unsigned status;		/* of a refusal: 400 or 501 */
	struct err *err;
	/* private */
	int64_t swappiness;
	size_t mount_room;
};

/* Returns 0, or -errno with the text for the client in err and the HTTP status in out->status. */
int create_body_parse(struct arena *mem, const char *json, size_t n, struct create_body *out, struct err *err);

/* `POST /containers/ID/update`: Resources and RestartPolicy into s. Returns as create_body_parse(). */
int create_update(struct arena *mem, const char *json, size_t n, struct service *s, unsigned *status, struct err *err);

/* createmounts.c, createhost.c: parts of it. */
struct yyjson_val;
int create_take_mounts(struct create_body *x, struct yyjson_val *config, struct yyjson_val *host);
int create_take_host(struct create_body *x, struct yyjson_val *host);
int create_refuse(struct create_body *x, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void create_warn(struct create_body *x, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A table of keys that are taken as they are. */
enum create_kind { CREATE_STR, CREATE_BOOL, CREATE_INT, CREATE_STRV, CREATE_MAP };
struct create_key {
	const char *name;
	enum create_kind kind;
	size_t offset;			/* in struct service */
};
int create_take_keys(struct create_body *x, struct yyjson_val *obj, const struct create_key *keys, size_t n);
/* The text of a value as JSON, in the arena. */
char *create_json(struct create_body *x, struct yyjson_val *v);
/* True for null, missing, "", [], {}, 0 and false: what clients send for "not set". */
bool create_unset(struct yyjson_val *v);

#endif
