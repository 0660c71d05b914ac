/* plan.h - which images a source holds for a platform, before any layer is touched. */
#ifndef CORACLE_STORE_PLAN_H
#define CORACLE_STORE_PLAN_H

#include "runtime/image/image.h"
#include "runtime/store/source.h"

struct plan_layer {
	char member[IMAGE_DIGEST_SIZE + 32];	/* OCI: blobs/sha256/HEX */
	const char *docker_member;	/* docker-archive: instead of it */
	char digest[IMAGE_DIGEST_SIZE];	/* of the blob; "-" while unknown (docker-archive) */
	uint64_t size;			/* of the blob */
	char media_type[128];
	char chain_id[IMAGE_DIGEST_SIZE];
};

struct plan_image {
	char **name;			/* full names */
	size_t names;
	char *config_json, *manifest_json;	/* manifest_json NULL: to be made (docker-archive) */
	size_t config_len, manifest_len;
	char id[IMAGE_DIGEST_SIZE];
	char manifest_digest[IMAGE_DIGEST_SIZE];	/* "" until made */
	char manifest_type[128];
	struct image_config config;
	struct plan_layer *layer;	/* config.layer_count of them */
};

struct plan {
	struct plan_image *image;
	size_t images;
	struct image_docker_list docker;
	char *docker_json;
};

struct plan_options {
	const struct image_platform *platform;
	const char *label;		/* file name, for names */
	const char *name;		/* instead of the archive's names */
	void (*warning)(const char *text, void *arg);
	void *arg;
};

/* Returns 0 or -errno. plan_free() in any case. */
int plan_make(struct plan *p, struct source *src, const struct plan_options *opt, struct err *err);
void plan_free(struct plan *p);

/* Adds a full name made of what an archive calls an image: a full reference, a bare tag, or nothing
 * (joined to label, the file's name). Returns 0 or -errno. */
int plan_add_name(struct plan_image *image, const char *given, const char *label, struct err *err);
/* A new image of the plan, or NULL. */
struct plan_image *plan_add_image(struct plan *p, struct err *err);
/* Takes the configuration over: checks the platform and computes chain ids. */
int plan_take_config(struct plan_image *image, char *json, size_t n, const struct image_platform *want, struct err *err);
/* plandocker.c */
int plan_docker(struct plan *p, struct source *src, const struct plan_options *opt, struct err *err);

#endif
