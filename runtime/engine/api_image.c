/* api_image.c - one image over the API: inspect, history, tag (coracle-engine). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "api_image.h"
#include "engine.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

struct store_image *api_image(struct request *r, const char *name)
{
	struct store_image *img = NULL;
	struct err err = ERR_INIT;
	char text[512];
	int e = store_image_lookup(engine.store, name, &img, &err);

	if (e == -ENOENT)
		api_error(r, 404, "No such image: %s", api_familiar(name, text, sizeof(text)));
	else if (e == -EINVAL)
		api_error(r, 400, "invalid reference format: %s", name);
	else if (e < 0)
		api_error(r, e == -ENOTUNIQ ? 400 : 500, "%s", err.text);
	return img;
}

static void add_names(struct buf *b, const struct store_image *img)
{
	char text[512];

	jw_karr(b, "RepoTags");
	for (size_t i = 0; i < img->name_count; i++)
		jw_str(b, api_familiar(img->name[i], text, sizeof(text)));
	jw_close(b, ']');
	api_image_digests(b, img);
}

static void add_value(struct buf *b, const char *key, yyjson_val *v, const char *otherwise)
{
	char *text = v ? yyjson_val_write(v, 0, NULL) : NULL;

	jw_kraw(b, key, text ? text : otherwise);
	free(text);
}

static void add_text(struct buf *b, const char *key, yyjson_val *root, const char *from)
{
	const char *s = yyjson_get_str(yyjson_obj_get(root, from));

	jw_kstr(b, key, s ? s : "");
}

static void add_rootfs(struct buf *b, const struct store_image *img)
{
	jw_kobj(b, "RootFS");
	jw_kstr(b, "Type", "layers");
	jw_karr(b, "Layers");
	for (size_t i = 0; i < img->config.layer_count; i++)
		jw_str(b, img->config.diff_id[i]);
	jw_close(b, ']');
	jw_close(b, '}');
}

/* Where the topmost layer lies: tools that look at files find them there. */
static void add_driver(struct buf *b, const struct store_image *img)
{
	char path[512];

	jw_kobj(b, "GraphDriver");
	jw_kobj(b, "Data");
	if (img->config.layer_count) {
		text_set(path, sizeof(path), "%s/layers/%s/diff", store_root(engine.store),
			 image_digest_hex(img->chain_id[img->config.layer_count - 1]));
		jw_kstr(b, "UpperDir", path);
	}
	jw_close(b, '}');
	jw_kstr(b, "Name", "overlay2");
	jw_close(b, '}');
}

void api_image_inspect(struct request *r)
{
	struct store_image *img = api_image(r, r->arg);
	CLEANUP_FREE char *json = NULL;
	char when[GOTIME_MAX];
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	yyjson_val *root;
	struct buf b;
	size_t n;

	if (!img)
		return;
	if (store_config_read(engine.store, img, &json, &n, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		store_image_free(img);
		return;
	}
	doc = yyjson_read(json, n, 0);
	root = yyjson_doc_get_root(doc);
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_kstr(&b, "Id", img->id);
	add_names(&b, img);
	jw_kstr(&b, "Parent", "");
	add_text(&b, "Comment", root, "comment");
	if (img->config.created[0])
		jw_kstr(&b, "Created", img->config.created);
	add_text(&b, "DockerVersion", root, "docker_version");
	add_text(&b, "Author", root, "author");
	add_value(&b, "Config", yyjson_obj_get(root, "config"), "{}");
	jw_kstr(&b, "Architecture", img->config.architecture);
	if (img->config.variant[0])
		jw_kstr(&b, "Variant", img->config.variant);
	jw_kstr(&b, "Os", img->config.os);
	jw_kint(&b, "Size", (int64_t)img->size);
	add_driver(&b, img);
	add_rootfs(&b, img);
	jw_kobj(&b, "Metadata");
	jw_kstr(&b, "LastTagTime", gotime_format(store_image_arrived(engine.store, img) * 1000000000, when));
	jw_close(&b, '}');
	jw_close(&b, '}');
	yyjson_doc_free(doc);
	store_image_free(img);
	api_json(r, 200, &b);
}

/* -- history ------------------------------------------------------------- */

static void add_step(struct buf *b, yyjson_val *step, const struct store_image *img, bool top, int64_t size)
{
	const char *created = yyjson_get_str(yyjson_obj_get(step, "created"));
	char text[512];
	int64_t ns = 0;

	if (!created || gotime_parse(created, &ns) < 0)
		ns = 0;
	jw_open(b, '{');
	add_text(b, "Comment", step, "comment");
	jw_kint(b, "Created", ns / 1000000000);
	add_text(b, "CreatedBy", step, "created_by");
	jw_kstr(b, "Id", top ? img->id : "<missing>");
	jw_kint(b, "Size", size);
	if (top && img->name_count) {
		jw_karr(b, "Tags");
		for (size_t i = 0; i < img->name_count; i++)
			jw_str(b, api_familiar(img->name[i], text, sizeof(text)));
		jw_close(b, ']');
	} else {
		jw_kraw(b, "Tags", "null");
	}
	jw_close(b, '}');
}

/* Newest first. Steps that made no layer have no size; an image that tells nothing has a step per layer. */
static void add_steps(struct buf *b, yyjson_val *history, const struct store_image *img)
{
	size_t layer = img->config.layer_count, n = yyjson_arr_size(history);
	bool top = true;

	for (size_t i = n; i-- > 0;) {
		yyjson_val *step = yyjson_arr_get(history, i);
		bool empty = yyjson_get_bool(yyjson_obj_get(step, "empty_layer"));
		int64_t size = 0;

		if (!empty && layer > 0)
			size = (int64_t)store_layer_size(engine.store, img->chain_id[--layer]);
		add_step(b, step, img, top, size);
		top = false;
	}
	while (n == 0 && layer-- > 0) {
		add_step(b, NULL, img, top, (int64_t)store_layer_size(engine.store, img->chain_id[layer]));
		top = false;
	}
}

void api_image_history(struct request *r)
{
	struct store_image *img = api_image(r, r->arg);
	CLEANUP_FREE char *json = NULL;
	struct err err = ERR_INIT;
	yyjson_doc *doc;
	struct buf b;
	size_t n;

	if (!img)
		return;
	if (store_config_read(engine.store, img, &json, &n, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		store_image_free(img);
		return;
	}
	doc = yyjson_read(json, n, 0);
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	add_steps(&b, yyjson_obj_get(yyjson_doc_get_root(doc), "history"), img);
	jw_close(&b, ']');
	yyjson_doc_free(doc);
	store_image_free(img);
	api_json(r, 200, &b);
}

/* -- names --------------------------------------------------------------- */

/* repo and tag as one name; false: answered. */
bool api_image_name(struct request *r, const char *repo, const char *tag, char full[IMAGE_REF_SIZE])
{
	struct image_ref ref;
	struct err err = ERR_INIT;
	char text[600];

	text_set(text, sizeof(text), "%s%s%s", repo ? repo : "", tag && *tag ? ":" : "", tag ? tag : "");
	if (strchr(text, '@')) {
		api_error(r, 400, "refusing to create a tag with a digest reference");
		return false;
	}
	if (image_ref_parse(text, &ref, &err) < 0) {
		api_error(r, 400, "invalid reference format: %s", err.text);
		return false;
	}
	image_ref_full(&ref, full);
	return true;
}

void api_image_tag(struct request *r)
{
	struct store_image *img = api_image(r, r->arg);
	char full[IMAGE_REF_SIZE];
	struct err err = ERR_INIT;

	if (!img)
		return;
	if (api_image_name(r, api_query(r, "repo"), api_query(r, "tag"), full)) {
		if (store_tag(engine.store, img->id, full, &err) < 0)
			api_error(r, 500, "%s", err.text);
		else
			api_empty(r, 201);
	}
	store_image_free(img);
}
