/* manifest.c - indexes, manifests and docker-archive lists. Pure functions. */
#include "runtime/image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cdefs.h"
#include "runtime/image/json.h"
#include "runtime/image/say.h"

#define INDEX_ENTRIES_MAX 4096
#define DOCKER_IMAGES_MAX 256
#define DOCKER_TAGS_MAX 1024

static const char *const index_types[] = {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
};
static const char *const manifest_types[] = {
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
};
static const char *const config_types[] = {
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
	"application/octet-stream",	/* Docker 1.10's */
};

static int is_one_of(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, list[i]))
			return 1;
	return 0;
}

static enum image_compression layer_compression(const char *type)
{
	size_t n = strlen(type);

	if (n > 5 && (!strcmp(type + n - 5, "+gzip") || !strcmp(type + n - 5, ".gzip")))
		return IMAGE_GZIP;
	if (n > 5 && (!strcmp(type + n - 5, "+zstd") || !strcmp(type + n - 5, ".zstd")))
		return IMAGE_ZSTD;
	if (n > 4 && !strcmp(type + n - 4, ".tar"))
		return IMAGE_PLAIN;
	return IMAGE_COMPRESSION_UNKNOWN;
}

static int read_descriptor(yyjson_val *v, const char *what, struct image_descriptor *d, struct err *err)
{
	yyjson_val *size = yyjson_obj_get(v, "size");
	const char *digest = json_text(v, "digest");

	memset(d, 0, sizeof(*d));
	if (!yyjson_is_obj(v))
		return image_bad(err, "%s is missing or not an object", what);
	if (!image_digest_ok(digest))
		return image_bad(err, "%s: digest '%.80s' is not a sha256 digest", what, digest);
	if (!yyjson_is_uint(size) || yyjson_get_uint(size) > INT64_MAX)
		return image_bad(err, "%s: size is not a number of bytes", what);
	memcpy(d->digest, digest, IMAGE_DIGEST_SIZE);
	d->size = yyjson_get_uint(size);
	if (json_copy(v, "mediaType", d->media_type, sizeof(d->media_type)) < 0)
		return image_bad(err, "%s: mediaType is too long", what);
	d->compression = layer_compression(d->media_type);
	d->is_index = is_one_of(d->media_type, index_types, ARRAY_SIZE(index_types));
	return 0;
}

static void read_manifest_hints(yyjson_val *v, struct image_descriptor *d)
{
	yyjson_val *platform = yyjson_obj_get(v, "platform"), *notes = yyjson_obj_get(v, "annotations");
	const char *artifact = json_text(v, "artifactType");

	if (json_copy(platform, "os", d->platform.os, sizeof(d->platform.os)) < 0 ||
	    json_copy(platform, "architecture", d->platform.architecture, sizeof(d->platform.architecture)) < 0 ||
	    json_copy(platform, "variant", d->platform.variant, sizeof(d->platform.variant)) < 0)
		memcpy(d->platform.os, "?", 2);
	/* containerd's and Docker's own archives carry the full name there and only the tag in OCI's */
	if (json_copy(notes, "io.containerd.image.name", d->name, sizeof(d->name)) < 0 || !d->name[0])
		if (json_copy(notes, "org.opencontainers.image.ref.name", d->name, sizeof(d->name)) < 0)
			d->name[0] = '\0';
	d->attestation = json_text(notes, "vnd.docker.reference.type")[0] || !strcmp(d->platform.os, "unknown") ||
		(artifact[0] && !is_one_of(artifact, config_types, 2));
	if (d->media_type[0] && !d->is_index && !is_one_of(d->media_type, manifest_types, ARRAY_SIZE(manifest_types)))
		d->attestation = 1;
}

int image_index_parse(const char *json, size_t n, struct image_descriptor **out, struct err *err)
{
	struct image_descriptor *d = NULL;
	yyjson_doc *doc = NULL;
	yyjson_val *list, *v;
	size_t i, max;
	int r = json_document(json, n, &doc, err);

	if (r < 0)
		return r;
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "manifests");
	if (!yyjson_is_arr(list))
		r = image_bad(err, "has no list of manifests");
	else if (yyjson_arr_size(list) > INDEX_ENTRIES_MAX)
		r = image_bad(err, "lists more than %d manifests", INDEX_ENTRIES_MAX);
	else if (!(d = calloc(yyjson_arr_size(list) + 1, sizeof(*d))))
		r = err_set(err, ENOMEM, "parse");
	if (r == 0) {
		yyjson_arr_foreach(list, i, max, v) {
			if ((r = read_descriptor(v, "a manifest of the list", &d[i], err)) < 0)
				break;
			read_manifest_hints(v, &d[i]);
		}
	}
	if (r == 0)
		r = (int)yyjson_arr_size(list);
	yyjson_doc_free(doc);
	if (r < 0)
		free(d);
	else
		*out = d;
	return r;
}

const struct image_descriptor *image_index_select(const struct image_descriptor *d, size_t n,
	const struct image_platform *want)
{
	const struct image_descriptor *best = NULL;
	int best_score = 0, best_variant = 0;

	for (size_t i = 0; i < n; i++) {
		int score, variant = d[i].platform.variant[0] == 'v' ? d[i].platform.variant[1] : 0;

		if (d[i].attestation)
			continue;
		/* exactly, an older variant (the newest of them), or one that does not say */
		score = d[i].platform.os[0] ? 2 * image_platform_match(want, &d[i].platform) : 1;
		if (score > best_score || (score && score == best_score && variant > best_variant)) {
			best = &d[i];
			best_score = score;
			best_variant = variant;
		}
	}
	return best;
}

int image_manifest_parse(const char *json, size_t n, struct image_manifest *out, struct err *err)
{
	yyjson_doc *doc = NULL;
	yyjson_val *root, *list, *v;
	const char *type;
	size_t i, max;
	int r = json_document(json, n, &doc, err);

	if (r < 0)
		return r;
	memset(out, 0, sizeof(*out));
	root = yyjson_doc_get_root(doc);
	type = json_text(root, "mediaType");
	list = yyjson_obj_get(root, "layers");
	if (yyjson_obj_get(root, "fsLayers") || yyjson_get_int(yyjson_obj_get(root, "schemaVersion")) == 1)
		r = image_bad(err, "is a schema 1 manifest, which Docker gave up in 2021: convert the image");
	else if (type[0] && !is_one_of(type, manifest_types, ARRAY_SIZE(manifest_types)))
		r = image_bad(err, "is not an image manifest but %.100s", type);
	else if (!yyjson_is_arr(list))
		r = image_bad(err, "has no list of layers");
	else if (yyjson_arr_size(list) > IMAGE_LAYERS_MAX)
		r = image_bad(err, "has %zu layers, more than %d", yyjson_arr_size(list), IMAGE_LAYERS_MAX);
	else
		r = read_descriptor(yyjson_obj_get(root, "config"), "config", &out->config, err);
	if (r == 0 && out->config.media_type[0] && !is_one_of(out->config.media_type, config_types, ARRAY_SIZE(config_types)))
		r = image_bad(err, "is an artifact (%.100s), not an image", out->config.media_type);
	if (r == 0 && out->config.size > IMAGE_JSON_MAX)
		r = image_bad(err, "has a configuration of %llu bytes", (unsigned long long)out->config.size);
	if (r == 0) {
		yyjson_arr_foreach(list, i, max, v) {
			struct image_descriptor *d = &out->layer[i];

			if ((r = read_descriptor(v, "a layer", d, err)) < 0)
				break;
			if (strstr(d->media_type, "foreign") || strstr(d->media_type, "nondistributable"))
				r = image_bad(err, "has a foreign layer, whose content is elsewhere (%s)", d->digest);
			else if (strstr(d->media_type, "encrypted"))
				r = image_bad(err, "has an encrypted layer (%s)", d->digest);
			if (r < 0)
				break;
		}
		out->layer_count = yyjson_arr_size(list);
	}
	yyjson_doc_free(doc);
	return r;
}

/* Copies an array of strings to where *pool points; a NULL ends it. */
static int take_strings(yyjson_val *list, const char ***pool, const char ***out, struct err *err, const char *what)
{
	yyjson_val *v;
	size_t i, max;

	*out = *pool;
	yyjson_arr_foreach(list, i, max, v) {
		const char *s = json_value_text(v);

		if (!*s)
			return image_bad(err, "%s holds something that is not a string", what);
		*(*pool)++ = s;
	}
	*(*pool)++ = NULL;
	return 0;
}

static int read_docker_entry(yyjson_val *v, const char ***pool, struct image_docker_entry *e, struct err *err)
{
	yyjson_val *layers = yyjson_obj_get(v, "Layers"), *tags = yyjson_obj_get(v, "RepoTags");
	int r;

	e->config = json_text(v, "Config");
	e->layer_count = yyjson_arr_size(layers);
	if (!e->config[0] || !yyjson_is_arr(layers))
		return image_bad(err, "an image has no Config or no Layers");
	if (e->layer_count > IMAGE_LAYERS_MAX)
		return image_bad(err, "an image has %zu layers, more than %d", e->layer_count, IMAGE_LAYERS_MAX);
	if ((r = take_strings(layers, pool, &e->layers, err, "Layers")) < 0)
		return r;
	return take_strings(tags, pool, &e->tags, err, "RepoTags");
}

int image_docker_parse(const char *json, size_t n, struct image_docker_list *out, struct err *err)
{
	yyjson_doc *doc = NULL;
	yyjson_val *root, *v;
	const char **pool;
	size_t i, max, strings = 0;
	int r = json_document(json, n, &doc, err);

	memset(out, 0, sizeof(*out));
	if (r < 0)
		return r;
	out->doc = doc;
	root = yyjson_doc_get_root(doc);
	out->count = yyjson_arr_size(root);
	if (!yyjson_is_arr(root) || out->count == 0 || out->count > DOCKER_IMAGES_MAX) {
		image_docker_free(out);
		return image_bad(err, "does not list between 1 and %d images", DOCKER_IMAGES_MAX);
	}
	yyjson_arr_foreach(root, i, max, v) {
		size_t tags = yyjson_arr_size(yyjson_obj_get(v, "RepoTags"));

		strings += 2 + MIN(tags, (size_t)DOCKER_TAGS_MAX) + yyjson_arr_size(yyjson_obj_get(v, "Layers"));
		if (tags > DOCKER_TAGS_MAX)
			r = image_bad(err, "an image has more than %d tags", DOCKER_TAGS_MAX);
	}
	out->entry = calloc(out->count, sizeof(*out->entry));
	out->pool = pool = calloc(strings, sizeof(*pool));
	if (r == 0 && (!out->entry || !pool))
		r = err_set(err, ENOMEM, "parse");
	if (r == 0) {
		yyjson_arr_foreach(root, i, max, v) {
			if ((r = read_docker_entry(v, &pool, &out->entry[i], err)) < 0)
				break;
		}
	}
	if (r < 0)
		image_docker_free(out);
	return r;
}

void image_docker_free(struct image_docker_list *list)
{
	yyjson_doc_free(list->doc);
	free(list->entry);
	free(list->pool);
	memset(list, 0, sizeof(*list));
}
