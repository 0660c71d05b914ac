/* pull.c - settings, programs, import: one pull. Runs in the process that pulls. */
#include "runtime/registry/client/pull.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/registry/client/client.h"

#define TRIES_MAX 3	/* of what was killed: by the kernel for want of memory, by someone */

static int pull_once(struct store *s, const struct image_ref *ref, const struct pull_options *opt, struct store_import_result *result,
	char *digest, struct err *err)
{
	const struct store_remote *remote;
	struct registry *registry;
	struct config_pull config;
	char full[IMAGE_REF_SIZE];
	int r = config_pull_make(ref, &opt->config, &config, err);
	struct registry_options ro = { opt->registry, opt->http, config.settings.data, ref, config.parallel };

	if (r == 0)
		r = registry_open(&registry, &ro, &remote, err);
	config_pull_free(&config);
	image_ref_full(ref, full);
	if (r < 0)
		return err_wrap(err, r, "pull %s", full);
	r = store_import_remote(s, remote, full, &opt->import, result, err);
	if (r == 0 && digest)
		memcpy(digest, registry_digest(registry), IMAGE_DIGEST_SIZE);
	registry_close(registry);
	return r;
}

int pull_image(struct store *s, const struct image_ref *ref, const struct pull_options *opt, struct store_import_result *result,
	char digest[IMAGE_DIGEST_SIZE], struct err *err)
{
	int r = -EINTR;

	for (int tries = 0; r == -EINTR && tries < TRIES_MAX; tries++)
		r = pull_once(s, ref, opt, result, digest, err);
	return r;
}
