/* blob.c - reading what is in the store. Runs in the engine. */
#include "runtime/store/storeint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "runtime/image/say.h"

void store_blob_path(const char *digest, char out[128])
{
	snprintf(out, 128, BLOBS "/%s", image_digest_hex(digest));
}

int store_blob_present(struct store *s, const char *digest)
{
	char path[128];

	store_blob_path(digest, path);
	return faccessat(s->rootfd, path, F_OK, 0) == 0;
}

int store_layer_present(struct store *s, const char *chain_id)
{
	char path[128];

	/* the file "size" and the directory came by one rename; the file says that they are complete */
	snprintf(path, sizeof(path), "layers/%s/size", image_digest_hex(chain_id));
	return faccessat(s->rootfd, path, F_OK, 0) == 0;
}

int store_blob_read(struct store *s, const char *digest, size_t max, char **out, size_t *n, struct err *err)
{
	CLEANUP_FREE char *data = NULL;
	char path[128], actual[IMAGE_DIGEST_SIZE];
	size_t len;
	int r;

	if (!image_digest_ok(digest))
		return image_say(err, EINVAL, "'%.80s' is not a digest", digest);
	store_blob_path(digest, path);
	if ((r = fd_read_file(s->rootfd, path, max, &data, &len, err)) < 0)
		return err_wrap(err, r, "%s", s->root);
	image_digest_of(data, len, actual);
	if (strcmp(actual, digest) != 0)
		return image_bad(err, "%s/%s is damaged: its digest is %s", s->root, path, actual);
	*out = ptr_take(&data);
	if (n)
		*n = len;
	return 0;
}

int store_manifest_read(struct store *s, const char *digest, struct image_manifest *m, struct image_config *config,
	struct err *err)
{
	CLEANUP_FREE char *json = NULL;
	CLEANUP_FREE char *config_json = NULL;
	size_t n;
	int r;

	if ((r = store_blob_read(s, digest, IMAGE_JSON_MAX, &json, &n, err)) < 0)
		return r;
	if ((r = image_manifest_parse(json, n, m, err)) < 0)
		return err_wrap(err, r, "manifest %s", digest);
	if (!config)
		return 0;
	if ((r = store_blob_read(s, m->config.digest, IMAGE_JSON_MAX, &config_json, &n, err)) < 0)
		return r;
	if ((r = image_config_parse(config_json, n, config, err)) < 0)
		return err_wrap(err, r, "configuration %s", m->config.digest);
	return 0;
}
