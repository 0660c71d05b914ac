/* image.h - container images as documents: names, platforms, indexes,
 * manifests, configurations, layer chains.
 *
 * Pure functions over text in memory: no files, no system calls. The store
 * (runtime/store/store.h) reads the bytes and verifies their digests before
 * anything here sees them. Sources: OCI image-spec 1.1, Docker image manifest
 * v2 schema 2, `docker save` archives, distribution's reference grammar.
 *
 * A user of this folder links runtime/image/?*.c (not fetch/) and -lyyjson.
 */
#ifndef CORACLE_IMAGE_H
#define CORACLE_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

#define IMAGE_JSON_MAX (4u << 20)	/* bytes of one index, manifest or configuration */
#define IMAGE_LAYERS_MAX 127		/* layers of one image, as Docker's limit */
#define IMAGE_INDEX_DEPTH_MAX 3		/* an index within an index within an index */
#define IMAGE_REPOSITORY_MAX 255	/* bytes of domain and path together */
#define IMAGE_TAG_MAX 128
#define IMAGE_DIGEST_SIZE 72		/* "sha256:", 64 digits, NUL */
#define IMAGE_REF_SIZE (IMAGE_REPOSITORY_MAX + 1 + IMAGE_TAG_MAX + 1 + IMAGE_DIGEST_SIZE + 1)

/* -- digests ------------------------------------------------------------ */

/* True for "sha256:" and 64 lower-case hexadecimal digits; no other algorithm is taken. */
int image_digest_ok(const char *s);
/* The 64 digits of a digest that image_digest_ok() took. */
const char *image_digest_hex(const char *digest);
/* Digest of n bytes. */
void image_digest_of(const void *data, size_t n, char out[IMAGE_DIGEST_SIZE]);
/* The chain id of a layer (OCI image-spec config.md, "Layer ChainID"): parent is the chain
 * id below it, "" for the first layer. out may be parent. */
void image_chain_id(const char *parent, const char *diff_id, char out[IMAGE_DIGEST_SIZE]);

/* -- names -------------------------------------------------------------- */

struct image_ref {
	char repository[IMAGE_REPOSITORY_MAX + 1];	/* with its domain: "docker.io/library/nginx" */
	char tag[IMAGE_TAG_MAX + 1];			/* "" when only a digest was given */
	char digest[IMAGE_DIGEST_SIZE];			/* "" when none was given */
};

/* Reads a name as Docker does: no domain means docker.io, no path there means
 * library/, neither tag nor digest means :latest. Returns 0 or -EINVAL. */
int image_ref_parse(const char *text, struct image_ref *out, struct err *err);
/* Full text: "docker.io/library/nginx:latest", "...@sha256:...", or both. Returns out. */
char *image_ref_full(const struct image_ref *ref, char out[IMAGE_REF_SIZE]);
/* What people write: "nginx:latest" (docker.io/ and library/ left away). Returns out. */
char *image_ref_familiar(const struct image_ref *ref, char out[IMAGE_REF_SIZE]);

/* -- platforms ---------------------------------------------------------- */

struct image_platform {
	char os[32];		/* "linux" */
	char architecture[32];	/* "amd64" */
	char variant[16];	/* "v7", or "" for any */
};

/* "linux/arm/v7", "linux/amd64" or "arm64" (linux then); x86_64 and aarch64 are known
 * by their image names. Returns 0 or -EINVAL. */
int image_platform_parse(const char *text, struct image_platform *out, struct err *err);
/* The platform of this program. */
struct image_platform image_platform_host(void);
/* How well have serves want: 0 not at all, 1 older variant, 2 exactly. */
int image_platform_match(const struct image_platform *want, const struct image_platform *have);

/* -- documents ---------------------------------------------------------- */

enum image_compression { IMAGE_PLAIN, IMAGE_GZIP, IMAGE_ZSTD, IMAGE_COMPRESSION_UNKNOWN };

struct image_descriptor {
	char digest[IMAGE_DIGEST_SIZE];
	uint64_t size;				/* bytes */
	char media_type[128];			/* "" when absent */
	enum image_compression compression;	/* of layers, from the media type; the bytes decide in the end */
	int is_index;				/* media type of an index or manifest list */
	struct image_platform platform;		/* of manifests; os "" when absent */
	char name[IMAGE_REF_SIZE];		/* of manifests: annotation io.containerd.image.name or
						   org.opencontainers.image.ref.name as written; "" when absent */
	int attestation;			/* buildkit's attestation manifest, or an artifact: not an image */
};

/* An index.json, OCI index or Docker manifest list. The caller frees *out with free(). At most
 * 4,096 entries. Returns the number of entries or -errno. */
int image_index_parse(const char *json, size_t n, struct image_descriptor **out, struct err *err);
/* The entry that serves the platform best, NULL when none does. Entries without a platform
 * serve any (their configuration is checked later). Attestations never are chosen. */
const struct image_descriptor *image_index_select(const struct image_descriptor *d, size_t n,
	const struct image_platform *want);

struct image_manifest {
	struct image_descriptor config;
	size_t layer_count;
	struct image_descriptor layer[IMAGE_LAYERS_MAX];
};

/* An OCI manifest or Docker v2 schema 2 manifest of an image. Returns 0 or -errno. Schema 1,
 * artifacts and foreign layers are refused by name. */
int image_manifest_parse(const char *json, size_t n, struct image_manifest *out, struct err *err);

/* One image of a docker-archive's manifest.json; all strings belong to the list. */
struct image_docker_entry {
	const char *config;		/* member holding the configuration */
	const char **tags;		/* RepoTags, NULL at the end; may be empty */
	const char **layers;		/* members holding the layers, lowest first, NULL at the end */
	size_t layer_count;
};
struct image_docker_list {
	size_t count;
	struct image_docker_entry *entry;
	void *doc, *pool;		/* private */
};
/* At most 256 images. Returns 0 or -errno. */
int image_docker_parse(const char *json, size_t n, struct image_docker_list *out, struct err *err);
void image_docker_free(struct image_docker_list *list);

/* -- configuration ------------------------------------------------------ */

struct image_strings {
	const char **v;		/* NULL at the end: usable as argv; NULL itself when the key was absent or null */
	size_t n;
};

struct image_pair {
	const char *key, *value;
};

struct image_healthcheck {
	struct image_strings test;	/* ["CMD", ...], ["CMD-SHELL", "..."], ["NONE"]; v NULL: inherit or none */
	int64_t interval_ns, timeout_ns, start_period_ns, start_interval_ns;	/* 0: Docker's default */
	int retries;			/* 0: default */
};

/* An image configuration. Strings belong to it, are never NULL ("" when
 * absent) and hold no NUL byte; image_config_free() ends them all. */
struct image_config {
	const char *created, *architecture, *os, *variant;
	const char *user, *working_dir, *stop_signal;
	struct image_strings entrypoint, cmd, env, shell;
	struct image_strings exposed_ports;	/* "80/tcp" */
	struct image_strings volumes;		/* "/data" */
	struct image_pair *label;
	size_t label_count;
	struct image_healthcheck health;
	size_t layer_count;
	char diff_id[IMAGE_LAYERS_MAX][IMAGE_DIGEST_SIZE];	/* lowest first */
	void *doc, *pool;			/* private */
};

/* Returns 0 or -errno. out needs no image_config_free() after a failure. */
int image_config_parse(const char *json, size_t n, struct image_config *out, struct err *err);
void image_config_free(struct image_config *c);

#endif
