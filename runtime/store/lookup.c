/* lookup.c - from what a person writes to an image. Runs in the engine. */
#include "runtime/store/storeint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"
#include "runtime/image/say.h"

#define ID_PREFIX_MIN 4

void store_image_free(struct store_image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->name_count; i++)
		free(image->name[i]);
	free(image->name);
	image_config_free(&image->config);
	free(image);
}

void store_images_free(struct store_image **images)
{
	if (!images)
		return;
	for (size_t i = 0; images[i]; i++)
		store_image_free(images[i]);
	free(images);
}

static uint64_t layer_size(struct store *s, const char *chain_id)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "layers/%s/size", image_digest_hex(chain_id));
	if (fd_read_small(s->rootfd, path, text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

/* The configuration's digest is in the manifest only: read once, kept with the entry. */
const char *store_entry_id(struct store *s, struct store_entry *entry)
{
	CLEANUP_FREE struct image_manifest *m = NULL;

	if (entry->id[0])
		return entry->id;
	m = malloc(sizeof(*m));
	if (!m || store_manifest_read(s, entry->digest, m, NULL, NULL) < 0)
		return NULL;
	memcpy(entry->id, m->config.digest, IMAGE_DIGEST_SIZE);
	return entry->id;
}

static int take_names(struct store *s, struct store_image *image)
{
	image->name = calloc(s->entries + 1, sizeof(*image->name));
	if (!image->name)
		return -ENOMEM;
	for (size_t i = 0; i < s->entries; i++) {
		const char *id = s->entry[i].name[0] ? store_entry_id(s, &s->entry[i]) : NULL;

		/* one image may be there in two compressions, under two manifests */
		if (!id || strcmp(id, image->id) != 0)
			continue;
		image->name[image->name_count] = strdup(s->entry[i].name);
		if (!image->name[image->name_count])
			return -ENOMEM;
		image->name_count++;
	}
	return 0;
}

static int load_image(struct store *s, const struct store_entry *entry, struct store_image **out, struct err *err)
{
	struct store_image *image = calloc(1, sizeof(*image));
	CLEANUP_FREE struct image_manifest *m = malloc(sizeof(*m));
	const char *parent = "";
	int r;

	if (!image || !m) {
		free(image);
		return err_set(err, ENOMEM, "read the image");
	}
	memcpy(image->manifest_digest, entry->digest, sizeof(entry->digest));
	r = store_manifest_read(s, entry->digest, m, &image->config, err);
	if (r == 0) {
		memcpy(image->id, m->config.digest, sizeof(image->id));
		if ((r = take_names(s, image)) < 0)
			err_set(err, -r, "read its names");
	}
	if (r < 0) {
		store_image_free(image);
		return err_wrap(err, r, "image %s", entry->name[0] ? entry->name : entry->digest);
	}
	for (size_t i = 0; i < image->config.layer_count; i++) {
		image_chain_id(parent, image->config.diff_id[i], image->chain_id[i]);
		parent = image->chain_id[i];
		image->size += layer_size(s, parent);
	}
	*out = image;
	return 0;
}

static int is_prefix(const char *digest, const char *prefix)
{
	return !strncmp(image_digest_hex(digest), prefix, strlen(prefix));
}

/* By digest or id prefix. Returns 1 found, 0 not, -ENOTUNIQ. */
static int find_by_id(struct store *s, const char *text, const struct store_entry **out)
{
	const char *hex = strncmp(text, "sha256:", 7) ? text : text + 7;
	char first[IMAGE_DIGEST_SIZE] = "";
	size_t n = strlen(hex);

	if (n < ID_PREFIX_MIN || n > 64 || strspn(hex, "0123456789abcdef") != n)
		return 0;
	for (size_t i = 0; i < s->entries; i++) {
		const char *id = store_entry_id(s, &s->entry[i]);

		if (!id)
			continue;
		if (!is_prefix(id, hex) && !(n == 64 && is_prefix(s->entry[i].digest, hex)))
			continue;
		if (first[0] && strcmp(first, id) != 0)
			return -ENOTUNIQ;
		memcpy(first, id, sizeof(first));
		*out = &s->entry[i];
	}
	return first[0] != '\0';
}

static const struct store_entry *find_by_name(struct store *s, const char *text)
{
	char full[IMAGE_REF_SIZE];
	struct image_ref ref;

	if (image_ref_parse(text, &ref, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < s->entries; i++) {
		struct image_ref have;

		if (!s->entry[i].name[0])
			continue;
		if (!ref.digest[0]) {
			if (!strcmp(s->entry[i].name, image_ref_full(&ref, full)))
				return &s->entry[i];
			continue;
		}
		/* with a digest the tag is decoration, as Docker has it */
		if (!strcmp(s->entry[i].digest, ref.digest) && image_ref_parse(s->entry[i].name, &have, NULL) == 0 &&
		    !strcmp(have.repository, ref.repository))
			return &s->entry[i];
	}
	return NULL;
}

int store_image_lookup(struct store *s, const char *name, struct store_image **out, struct err *err)
{
	const struct store_entry *entry = find_by_name(s, name);
	struct image_ref ref;
	char full[IMAGE_REF_SIZE];
	int r;

	*out = NULL;
	if (entry)
		return load_image(s, entry, out, err);
	r = find_by_id(s, name, &entry);
	if (r == 1)
		return load_image(s, entry, out, err);
	if (r < 0)
		return image_say(err, -r, "image id %s is not unique", name);
	if (image_ref_parse(name, &ref, err) < 0)
		return -EINVAL;
	return image_say(err, ENOENT, "image %s is not in the store", image_ref_full(&ref, full));
}

int store_images(struct store *s, struct store_image ***out, struct err *err)
{
	struct store_image **list = calloc(s->entries + 1, sizeof(*list));
	size_t n = 0;
	int r;

	if (!list)
		return err_set(err, ENOMEM, "list the images");
	for (size_t i = 0; i < s->entries; i++) {
		const char *id = store_entry_id(s, &s->entry[i]);
		size_t k = 0;

		while (id && k < n && strcmp(list[k]->id, id) != 0)
			k++;
		if (k < n)
			continue;
		if ((r = load_image(s, &s->entry[i], &list[n], err)) < 0) {
			store_images_free(list);
			return r;
		}
		n++;
	}
	*out = list;
	return (int)n;
}
