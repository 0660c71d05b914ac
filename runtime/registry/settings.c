/* settings.c - reads the settings of a pull. Pure; runs in coracle-registry. */
#include "runtime/registry/settings.h"

#include <string.h>
#include <yyjson.h>

#include "runtime/image/say.h"

static const char *text_of(yyjson_val *v, const char *key)
{
	yyjson_val *t = yyjson_obj_get(v, key);
	const char *s = yyjson_get_str(t);

	return s && strlen(s) == yyjson_get_len(t) ? s : "";
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int take_endpoint(yyjson_val *v, struct endpoint *e, struct err *err)
{
	*e = (struct endpoint){
		.url = text_of(v, "url"), .plain = yyjson_get_bool(yyjson_obj_get(v, "plain")), .username = text_of(v, "username"),
		.password = text_of(v, "password"), .identity = text_of(v, "identity"), .ca = text_of(v, "ca"),
	};
	if (strncmp(e->url, "https://", 8) && strncmp(e->url, "http://", 7))
		return image_say(err, EINVAL, "endpoint '%.200s' is neither http:// nor https://", e->url);
	if (has_control(e->url) || strchr(e->url, ' ') || has_control(e->username) || has_control(e->password))
		return image_say(err, EINVAL, "the settings of endpoint %.200s hold control characters", e->url);
	return 0;
}

int settings_parse(const char *json, size_t n, struct settings *out, struct err *err)
{
	yyjson_doc *doc = yyjson_read(json, n, 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *list = yyjson_obj_get(root, "endpoints"), *v;
	uint64_t tries = yyjson_get_uint(yyjson_obj_get(root, "tries")), stall = yyjson_get_uint(yyjson_obj_get(root, "stall_ms"));
	size_t i, max;
	int r = 0;

	*out = (struct settings){ .repository = text_of(root, "repository"), .doc = doc };
	if (!*out->repository || has_control(out->repository) || yyjson_arr_size(list) == 0 || yyjson_arr_size(list) > REGISTRY_ENDPOINTS_MAX)
		r = image_say(err, EINVAL, "the settings of the pull cannot be read");
	out->tries = tries >= 1 && tries <= 20 ? (unsigned)tries : 6;
	out->stall_ms = stall >= 1000 && stall <= 600000 ? (uint32_t)stall : 30000;
	if (r == 0) {
		yyjson_arr_foreach(list, i, max, v) {
			if ((r = take_endpoint(v, &out->endpoint[out->endpoints++], err)) < 0)
				break;
		}
	}
	if (r < 0)
		settings_free(out);
	return r;
}

void settings_free(struct settings *s)
{
	yyjson_doc_free(s->doc);
	*s = (struct settings){ 0 };
}
