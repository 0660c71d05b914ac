/* pull.h - a whole pull, and the command `pull`. Runs in the process that pulls; blocks. */
#ifndef CORACLE_REGISTRY_PULL_H
#define CORACLE_REGISTRY_PULL_H

#include "runtime/registry/client/config.h"
#include "runtime/store/store.h"

#define PULL_REGISTRIES "/etc/coracle/registries.json"
#define PULL_DOCKER_CONFIG "/root/.docker/config.json"

struct pull_options {
	struct config_sources config;
	const char *registry, *http;	/* programs; NULL: as registry_open() finds them */
	struct store_import_options import;
};

/* Gets the image from where its name says. digest (of the index or manifest that the name led to) may be NULL.
 * Tries again when a program of it was killed. Returns 0 or -errno with Docker's words where it has any. */
int pull_image(struct store *s, const struct image_ref *ref, const struct pull_options *opt, struct store_import_result *result,
	char digest[IMAGE_DIGEST_SIZE], struct err *err);

/* `coracle-engine pull`: argv[0] is the command's name. Prints; returns an exit code. */
int pull_main(int argc, char **argv);

#endif
