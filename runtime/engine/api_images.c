/* api_images.c - GET /images/json (coracle-engine). */
#include "apiint.h"

#include <stdio.h>
#include <string.h>

#include "api.h"
#include "api_shared.h"
#include "engine.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

static const char *const known_filters[] = {
	"reference", "label", "dangling", "before", "since", "until", NULL,
};

static bool matches_reference(const char *want, const void *arg)
{
	const struct store_image *img = arg;
	char a[512], b[512];

	api_familiar(want, a, sizeof(a));
	for (size_t i = 0; i < img->name_count; i++) {
		size_t n = strlen(want);

		api_familiar(img->name[i], b, sizeof(b));
		if (strcmp(a, b) == 0 || (strncmp(b, want, n) == 0 && b[n] == ':'))
			return true;
	}
	return false;
}

static bool matches_label(const char *want, const void *arg)
{
	const struct store_image *img = arg;
	char pair[1024];
	char *labels[2] = { pair, NULL };

	for (size_t i = 0; i < img->config.label_count; i++) {
		text_set(pair, sizeof(pair), "%s=%s", img->config.label[i].key, img->config.label[i].value);
		if (filters_label(want, labels))
			return true;
	}
	return false;
}

static bool matches_dangling(const char *want, const void *arg)
{
	const struct store_image *img = arg;
	bool yes = strcmp(want, "true") == 0 || strcmp(want, "1") == 0;

	return yes == (img->name_count == 0);
}

static void add_digests(struct buf *b, const struct store_image *img)
{
	struct image_ref ref;
	char full[IMAGE_REF_SIZE];

	jw_karr(b, "RepoDigests");
	for (size_t i = 0; i < img->name_count; i++) {
		if (image_ref_parse(img->name[i], &ref, NULL) < 0)
			continue;
		ref.tag[0] = '\0';
		text_set(ref.digest, sizeof(ref.digest), "%s", img->manifest_digest);
		jw_str(b, image_ref_familiar(&ref, full));
	}
	jw_close(b, ']');
}

static void add_image(struct buf *b, const struct store_image *img)
{
	char text[512];
	int64_t created = 0;

	if (img->config.created[0] && gotime_parse(img->config.created, &created) < 0)
		created = 0;
	jw_open(b, '{');
	jw_kint(b, "Containers", -1);
	jw_kint(b, "Created", created / 1000000000);
	jw_kstr(b, "Id", img->id);
	if (img->config.label_count > 0) {
		jw_kobj(b, "Labels");
		for (size_t i = 0; i < img->config.label_count; i++)
			jw_kstr(b, img->config.label[i].key, img->config.label[i].value);
		jw_close(b, '}');
	} else {
		jw_kraw(b, "Labels", "null");
	}
	jw_kstr(b, "ParentId", "");
	add_digests(b, img);
	jw_karr(b, "RepoTags");
	for (size_t i = 0; i < img->name_count; i++)
		jw_str(b, api_familiar(img->name[i], text, sizeof(text)));
	jw_close(b, ']');
	jw_kint(b, "SharedSize", -1);
	jw_kint(b, "Size", (int64_t)img->size);
	jw_close(b, '}');
}

void api_images(struct request *r)
{
	struct store_image **all = NULL;
	struct err err = ERR_INIT;
	struct filters f;
	struct buf b;

	if (filters_parse(&r->mem, api_query(r, "filters"), known_filters, &f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	if (store_images(engine.store, &all, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		return;
	}
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	for (struct store_image **i = all; *i; i++)
		if (filters_any(&f, "reference", matches_reference, *i) && filters_all(&f, "label", matches_label, *i) &&
		    filters_any(&f, "dangling", matches_dangling, *i))
			add_image(&b, *i);
	jw_close(&b, ']');
	store_images_free(all);
	api_json(r, 200, &b);
}
