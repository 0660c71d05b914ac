/* imds.h - what the metadata services of clouds have in common, and what is made of their answers. */
#ifndef CORACLE_CONFIG_IMDS_H
#define CORACLE_CONFIG_IMDS_H

#include "../http/http.h"
#include "buf.h"
#include "datasource.h"

#define IMDS_ADDRESS "http://169.254.169.254"
#define IMDS_MAX ((size_t)2 << 20)	/* bytes of one answer */

struct imds {
	struct ctx *ctx;
	const char *base;		/* "http://169.254.169.254/hetzner/v1" */
	const char *const *headers;	/* for each request, may be NULL */
	unsigned timeout_ms;
	unsigned tries;			/* the first request; the next ones have the same */
	unsigned total_ms;		/* of one request */
	uint64_t end_ms;		/* imds_in(): all requests; 0: no such limit */
};

/* The time that many ms from now, for end_ms. */
uint64_t imds_in(unsigned ms);

/* base + path. Returns 1, 0 when there is no such thing (404), -errno and a text. */
int imds_get(const struct imds *m, const char *path, const char **out, size_t *len, struct err *err);
/* The same, failures are reported; `required`: absence too. */
int imds_want(const struct imds *m, const char *path, bool required, const char **out, size_t *len);

/* Reads JSON or YAML; NULL when it is none or not a mapping (reported). */
const struct node *imds_parse(struct ctx *ctx, const char *name, const char *text, size_t len);
/* The text of map's key, NULL when it has none. */
const char *imds_text(const struct node *map, const char *key);
/* "a/b/c": steps into mappings. NULL when there is none. */
const struct node *imds_at(const struct node *map, const char *path);

/* Takes off base64 where the whole is that and what it holds looks like user-data (some clouds want it encoded, some people do it anyway). */
void imds_decode(struct ctx *ctx, const char **text, size_t *len);

/* The tree as JSON in the arena. */
const char *node_json(struct ctx *ctx, const struct node *n, size_t *len);

#endif
