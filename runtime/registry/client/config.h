/* config.h - from registries.json, Docker's config.json and X-Registry-Auth to the settings of one pull. No network.
 *
 * Forms: coracle-registries(5). Strict: a key that is not known is an error that names it. */
#ifndef CORACLE_REGISTRY_CONFIG_H
#define CORACLE_REGISTRY_CONFIG_H

#include "lib/buf.h"
#include "lib/err.h"
#include "runtime/image/image.h"

#define CONFIG_FILE_MAX (1u << 20)	/* bytes of registries.json, config.json, a file of authorities */
#define CONFIG_PARALLEL 2		/* layers at once, where nothing is said */

struct config_sources {
	const char *registries;		/* path of registries.json; NULL or absent: nothing is said */
	const char *docker;		/* path of config.json; the same */
	const char *auth;		/* X-Registry-Auth as it came; NULL: none */
};

struct config_pull {
	struct buf settings;		/* for coracle-registry; has secrets: config_pull_free() clears it */
	int parallel;
};

/* Reads all that is said about pulling ref. Returns 0 or -errno; config_pull_free() in any case. */
int config_pull_make(const struct image_ref *ref, const struct config_sources *from, struct config_pull *out, struct err *err);
void config_pull_free(struct config_pull *p);

/* The same from texts, NULL where there is none. Pure. */
struct config_texts {
	const char *registries, *docker, *auth;
	size_t registries_len, docker_len;
};
int config_pull_parse(const struct image_ref *ref, const struct config_texts *texts, struct config_pull *out, struct err *err);

/* Base64 of either alphabet, padded or not, into out (n bytes are enough for n of text). Returns the bytes or -EINVAL. Pure. */
long config_base64(const char *text, size_t n, char *out);

#endif
