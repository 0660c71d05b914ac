/* plan.c - from an OCI layout's index to images with verified documents. Runs in the engine. */
#include "runtime/store/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/cdefs.h"
#include "runtime/image/say.h"
#include "runtime/store/storeint.h"

#define IMAGES_MAX 256

struct plan_image *plan_add_image(struct plan *p, struct err *err)
{
	struct plan_image *more;

	if (p->images >= IMAGES_MAX) {
		image_bad(err, "more than %d images", IMAGES_MAX);
		return NULL;
	}
	more = realloc(p->image, (p->images + 1) * sizeof(*more));
	if (!more) {
		err_set(err, ENOMEM, "plan the import");
		return NULL;
	}
	p->image = more;
	memset(&more[p->images], 0, sizeof(*more));
	return &more[p->images++];
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->images; i++) {
		struct plan_image *image = &p->image[i];

		for (size_t k = 0; k < image->names; k++)
			free(image->name[k]);
		free(image->name);
		free(image->config_json);
		free(image->manifest_json);
		free(image->layer);
		image_config_free(&image->config);
	}
	free(p->image);
	image_docker_free(&p->docker);
	free(p->docker_json);
	memset(p, 0, sizeof(*p));
}

int plan_take_config(struct plan_image *image, char *json, size_t n, const struct image_platform *want, struct err *err)
{
	struct image_platform have = { "", "", "" };
	const char *parent = "";
	int r;

	image->config_json = json;
	image->config_len = n;
	image_digest_of(json, n, image->id);
	if ((r = image_config_parse(json, n, &image->config, err)) < 0)
		return err_wrap(err, r, "configuration %s", image->id);
	snprintf(have.os, sizeof(have.os), "%s", image->config.os);
	snprintf(have.architecture, sizeof(have.architecture), "%s", image->config.architecture);
	snprintf(have.variant, sizeof(have.variant), "%s", image->config.variant);
	/* images made from scratch by hand may not say */
	if (have.os[0] && have.architecture[0] && !image_platform_match(want, &have))
		return image_say(err, ENOENT, "the image is for %s/%s, not %s/%s", have.os, have.architecture, want->os,
			want->architecture);
	image->layer = calloc(image->config.layer_count + 1, sizeof(*image->layer));
	if (!image->layer)
		return err_set(err, ENOMEM, "plan the import");
	for (size_t i = 0; i < image->config.layer_count; i++) {
		image_chain_id(parent, image->config.diff_id[i], image->layer[i].chain_id);
		parent = image->layer[i].chain_id;
	}
	return 0;
}

static void blob_name(const char *digest, char out[IMAGE_DIGEST_SIZE + 32])
{
	snprintf(out, IMAGE_DIGEST_SIZE + 32, "blobs/sha256/%s", image_digest_hex(digest));
}

/* m: room for the manifest, which is too large for the stack */
static int read_manifest(struct plan_image *image, struct source *src, const struct image_descriptor *d,
	const struct image_platform *want, struct image_manifest *m, struct err *err)
{
	char name[IMAGE_DIGEST_SIZE + 32], *json = NULL;
	size_t n = 0;
	int r;

	blob_name(d->digest, name);
	if ((r = source_read(src, name, IMAGE_JSON_MAX, d->digest, &image->manifest_json, &image->manifest_len, err)) < 0)
		return r;
	memcpy(image->manifest_digest, d->digest, sizeof(d->digest));
	memcpy(image->manifest_type, d->media_type[0] ? d->media_type : MANIFEST_TYPE,
		d->media_type[0] ? sizeof(d->media_type) : sizeof(MANIFEST_TYPE));
	if ((r = image_manifest_parse(image->manifest_json, image->manifest_len, m, err)) < 0)
		return err_wrap(err, r, "manifest %s", d->digest);
	blob_name(m->config.digest, name);
	if ((r = source_read(src, name, IMAGE_JSON_MAX, m->config.digest, &json, &n, err)) < 0 ||
	    (r = plan_take_config(image, json, n, want, err)) < 0)
		return r;
	if (m->layer_count != image->config.layer_count)
		return image_bad(err, "manifest %s has %zu layers, its configuration %zu", d->digest, m->layer_count,
			image->config.layer_count);
	for (size_t i = 0; i < m->layer_count; i++) {
		struct plan_layer *layer = &image->layer[i];

		blob_name(m->layer[i].digest, layer->member);
		memcpy(layer->digest, m->layer[i].digest, sizeof(layer->digest));
		memcpy(layer->media_type, m->layer[i].media_type, sizeof(layer->media_type));
		layer->size = m->layer[i].size;
	}
	return 0;
}

static int take_manifest(struct plan_image *image, struct source *src, const struct image_descriptor *d,
	const struct image_platform *want, struct err *err)
{
	struct image_manifest *m = malloc(sizeof(*m));
	int r = m ? read_manifest(image, src, d, want, m, err) : err_set(err, ENOMEM, "plan the import");

	free(m);
	return r;
}

/* "linux/arm64, linux/arm/v7": what there is instead */
static void list_platforms(const struct image_descriptor *d, size_t n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++) {
		int k;

		if (d[i].attestation || !d[i].platform.os[0])
			continue;
		k = snprintf(out + used, size - used, "%s%s/%s%s%s", used ? ", " : "", d[i].platform.os,
			d[i].platform.architecture, d[i].platform.variant[0] ? "/" : "", d[i].platform.variant);
		used += k > 0 ? (size_t)k : 0;
	}
}

/* Follows indexes down to the manifest for the platform. */
static int resolve(struct source *src, const struct image_descriptor *list, size_t n, const struct image_platform *want,
	int depth, struct image_descriptor *out, struct err *err)
{
	const struct image_descriptor *d = image_index_select(list, n, want);
	CLEANUP_FREE struct image_descriptor *inner = NULL;
	CLEANUP_FREE char *json = NULL;
	char name[IMAGE_DIGEST_SIZE + 32], there[256];
	size_t len;
	int r;

	if (!d) {
		list_platforms(list, n, there, sizeof(there));
		return image_say(err, ENOENT, "no image for %s/%s%s%s%s%s", want->os, want->architecture,
			want->variant[0] ? "/" : "", want->variant, there[0] ? "; there is " : "", there);
	}
	*out = *d;
	if (!d->is_index)
		return 0;
	if (depth >= IMAGE_INDEX_DEPTH_MAX)
		return image_bad(err, "indexes are nested deeper than %d", IMAGE_INDEX_DEPTH_MAX);
	blob_name(d->digest, name);
	if ((r = source_read(src, name, IMAGE_JSON_MAX, d->digest, &json, &len, err)) < 0)
		return r;
	if ((r = image_index_parse(json, len, &inner, err)) < 0)
		return err_wrap(err, r, "index %s", d->digest);
	return resolve(src, inner, (size_t)r, want, depth + 1, out, err);
}

/* Entries of one name are one image for several platforms; entries of other names are other images. */
static int plan_group(struct plan *p, struct source *src, const struct image_descriptor *group, size_t n,
	const struct plan_options *opt, struct err *err)
{
	struct image_descriptor d;
	struct plan_image *image;
	int r = resolve(src, group, n, opt->platform, 1, &d, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < p->images; i++)
		if (!strcmp(p->image[i].manifest_digest, d.digest))
			return plan_add_name(&p->image[i], group[0].name, opt->label, err);
	image = plan_add_image(p, err);
	if (!image)
		return err ? -err->code : -ENOMEM;
	if ((r = take_manifest(image, src, &d, opt->platform, err)) < 0)
		return r;
	return plan_add_name(image, group[0].name, opt->label, err);
}

static int plan_layout(struct plan *p, struct source *src, const struct plan_options *opt, struct err *err)
{
	CLEANUP_FREE struct image_descriptor *all = NULL;
	CLEANUP_FREE struct image_descriptor *group = NULL;
	CLEANUP_FREE char *json = NULL;
	size_t len, count;
	int r = source_read(src, "index.json", IMAGE_JSON_MAX, NULL, &json, &len, err);

	if (r < 0)
		return r;
	if ((r = image_index_parse(json, len, &all, err)) < 0)
		return err_wrap(err, r, "index.json");
	count = (size_t)r;
	group = calloc(count + 1, sizeof(*group));
	if (!group)
		return err_set(err, ENOMEM, "plan the import");
	for (size_t i = 0; i < count; i++) {
		struct err why = ERR_INIT;
		size_t n = 0, before = p->images;
		int seen = 0;

		for (size_t k = 0; k < i && !seen; k++)
			seen = !all[k].attestation && !strcmp(all[k].name, all[i].name);
		if (seen || all[i].attestation)
			continue;
		for (size_t k = i; k < count; k++)
			if (!strcmp(all[k].name, all[i].name))
				group[n++] = all[k];
		r = plan_group(p, src, group, n, opt, &why);
		if (r == -ENOENT && why.code == ENOENT && before == p->images && count > n) {
			/* one image of several is for other machines */
			if (opt->warning)
				opt->warning(why.text, opt->arg);
			*err = why;
			continue;
		}
		if (r < 0) {
			*err = why;
			return r;
		}
	}
	if (p->images == 0)
		return err->text[0] ? -ENOENT : image_say(err, ENOENT, "index.json lists no image");
	return 0;
}

static int use_given_name(struct plan *p, const struct plan_options *opt, struct err *err)
{
	struct plan_image *image = &p->image[0];

	if (p->images != 1)
		return image_say(err, EINVAL, "it holds %zu images: a name can be given to one only", p->images);
	for (size_t k = 0; k < image->names; k++)
		free(image->name[k]);
	image->names = 0;
	return plan_add_name(image, opt->name, opt->label, err);
}

int plan_make(struct plan *p, struct source *src, const struct plan_options *opt, struct err *err)
{
	int r;

	memset(p, 0, sizeof(*p));
	if (source_find(src, "index.json"))
		r = plan_layout(p, src, opt, err);
	else if (source_find(src, "manifest.json"))
		r = plan_docker(p, src, opt, err);
	else
		r = image_bad(err, "neither an OCI layout (index.json) nor a docker-archive (manifest.json)");
	if (r == 0 && opt->name)
		r = use_given_name(p, opt, err);
	return r;
}
