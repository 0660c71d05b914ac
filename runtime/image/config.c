/* config.c - image configurations (OCI image-spec config.md, with Docker's additions). Pure functions. */
#include "runtime/image/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cdefs.h"
#include "runtime/image/json.h"
#include "runtime/image/say.h"

/* Strings are yyjson's; the arrays of pointers to them lie in one block. */
struct pool {
	const char **next;
};

static int bad_value(yyjson_val *v)
{
	/* an argument, variable or path with a NUL byte would silently be another one */
	return !yyjson_is_str(v) || strlen(yyjson_get_str(v)) != yyjson_get_len(v);
}

static int take_list(yyjson_val *c, const char *key, struct pool *pool, struct image_strings *out, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(c, key), *v;
	size_t i, max;

	if (!list || yyjson_is_null(list))
		return 0;
	if (!yyjson_is_arr(list))
		return image_bad(err, "%s is not a list", key);
	out->v = pool->next;
	yyjson_arr_foreach(list, i, max, v) {
		if (bad_value(v))
			return image_bad(err, "%s holds something that is not a string", key);
		out->v[out->n++] = yyjson_get_str(v);
	}
	out->v[out->n] = NULL;
	pool->next += out->n + 1;
	return 0;
}

/* {"80/tcp": {}, ...}: the keys */
static int take_keys(yyjson_val *c, const char *key, struct pool *pool, struct image_strings *out, struct err *err)
{
	yyjson_val *object = yyjson_obj_get(c, key), *k, *v;
	size_t i, max;

	if (!object || yyjson_is_null(object))
		return 0;
	if (!yyjson_is_obj(object))
		return image_bad(err, "%s is not an object", key);
	out->v = pool->next;
	yyjson_obj_foreach(object, i, max, k, v) {
		if (bad_value(k))
			return image_bad(err, "%s has a key with a NUL byte", key);
		out->v[out->n++] = yyjson_get_str(k);
	}
	out->v[out->n] = NULL;
	pool->next += out->n + 1;
	return 0;
}

static int take_labels(yyjson_val *c, struct image_config *out, struct err *err)
{
	yyjson_val *object = yyjson_obj_get(c, "Labels"), *k, *v;
	size_t i, max;

	if (!object || yyjson_is_null(object) || yyjson_obj_size(object) == 0)
		return 0;
	if (!yyjson_is_obj(object))
		return image_bad(err, "Labels is not an object");
	out->label = calloc(yyjson_obj_size(object), sizeof(*out->label));
	if (!out->label)
		return err_set(err, ENOMEM, "parse");
	yyjson_obj_foreach(object, i, max, k, v) {
		if (bad_value(k) || bad_value(v))
			return image_bad(err, "a label is not a string");
		out->label[out->label_count].key = yyjson_get_str(k);
		out->label[out->label_count++].value = yyjson_get_str(v);
	}
	return 0;
}

static int64_t take_duration(yyjson_val *h, const char *key)
{
	yyjson_val *v = yyjson_obj_get(h, key);
	int64_t n = yyjson_is_int(v) ? yyjson_get_sint(v) : 0;

	return MAX(n, 0);
}

static int take_health(yyjson_val *c, struct pool *pool, struct image_healthcheck *out, struct err *err)
{
	yyjson_val *h = yyjson_obj_get(c, "Healthcheck");
	int64_t retries = take_duration(h, "Retries");

	out->interval_ns = take_duration(h, "Interval");
	out->timeout_ns = take_duration(h, "Timeout");
	out->start_period_ns = take_duration(h, "StartPeriod");
	out->start_interval_ns = take_duration(h, "StartInterval");
	out->retries = (int)MIN(retries, 1000000);
	return take_list(h, "Test", pool, &out->test, err);
}

static int take_layers(yyjson_val *root, struct image_config *out, struct err *err)
{
	yyjson_val *rootfs = yyjson_obj_get(root, "rootfs"), *list = yyjson_obj_get(rootfs, "diff_ids"), *v;
	size_t i, max;

	if (!yyjson_is_arr(list) && !yyjson_is_null(list))
		return image_bad(err, "rootfs.diff_ids is not a list");
	if (yyjson_arr_size(list) > IMAGE_LAYERS_MAX)
		return image_bad(err, "has more than %d layers", IMAGE_LAYERS_MAX);
	yyjson_arr_foreach(list, i, max, v) {
		const char *s = json_value_text(v);

		if (!image_digest_ok(s))
			return image_bad(err, "rootfs.diff_ids holds '%.80s', not a sha256 digest", s);
		memcpy(out->diff_id[out->layer_count++], s, IMAGE_DIGEST_SIZE);
	}
	return 0;
}

static int take_all(yyjson_val *root, struct pool *pool, struct image_config *out, struct err *err)
{
	static const char *const texts[] = { "User", "WorkingDir", "StopSignal" };
	yyjson_val *c = yyjson_obj_get(root, "config");
	int r;

	if (c && !yyjson_is_obj(c) && !yyjson_is_null(c))
		return image_bad(err, "config is not an object");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		yyjson_val *v = yyjson_obj_get(c, texts[i]);

		if (v && !yyjson_is_null(v) && bad_value(v))
			return image_bad(err, "%s is not a string", texts[i]);
	}
	out->created = json_text(root, "created");
	out->architecture = json_text(root, "architecture");
	out->os = json_text(root, "os");
	out->variant = json_text(root, "variant");
	out->user = json_text(c, "User");
	out->working_dir = json_text(c, "WorkingDir");
	out->stop_signal = json_text(c, "StopSignal");
	if ((r = take_list(c, "Entrypoint", pool, &out->entrypoint, err)) < 0 ||
	    (r = take_list(c, "Cmd", pool, &out->cmd, err)) < 0 ||
	    (r = take_list(c, "Env", pool, &out->env, err)) < 0 ||
	    (r = take_list(c, "Shell", pool, &out->shell, err)) < 0 ||
	    (r = take_keys(c, "ExposedPorts", pool, &out->exposed_ports, err)) < 0 ||
	    (r = take_keys(c, "Volumes", pool, &out->volumes, err)) < 0 ||
	    (r = take_health(c, pool, &out->health, err)) < 0 ||
	    (r = take_labels(c, out, err)) < 0)
		return r;
	return take_layers(root, out, err);
}

int image_config_parse(const char *json, size_t n, struct image_config *out, struct err *err)
{
	static const char *const counted[] = { "Entrypoint", "Cmd", "Env", "Shell", "ExposedPorts", "Volumes" };
	struct pool pool = { NULL };
	yyjson_doc *doc = NULL;
	yyjson_val *c;
	size_t strings = 0;
	int r = json_document(json, n, &doc, err);

	memset(out, 0, sizeof(*out));
	if (r < 0)
		return r;
	out->doc = doc;
	c = yyjson_obj_get(yyjson_doc_get_root(doc), "config");
	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		yyjson_val *v = yyjson_obj_get(c, counted[i]);

		strings += 1 + yyjson_arr_size(v) + yyjson_obj_size(v);
	}
	strings += 1 + yyjson_arr_size(yyjson_obj_get(yyjson_obj_get(c, "Healthcheck"), "Test"));
	out->pool = calloc(strings, sizeof(const char *));
	pool.next = out->pool;
	if (!out->pool)
		r = err_set(err, ENOMEM, "parse");
	else if (!yyjson_is_obj(yyjson_doc_get_root(doc)))
		r = image_bad(err, "is not an object");
	else
		r = take_all(yyjson_doc_get_root(doc), &pool, out, err);
	if (r < 0)
		image_config_free(out);
	return r;
}

void image_config_free(struct image_config *c)
{
	yyjson_doc_free(c->doc);
	free(c->pool);
	free(c->label);
	memset(c, 0, sizeof(*c));
}
