/* json.c - yyjson with limits. Pure functions. */
#include "runtime/image/json.h"

#include <errno.h>
#include <string.h>
#include "runtime/image/say.h"

#define DEPTH_MAX 32

/* yyjson reads without recursion, so depth costs nothing; documents that deep are no image's. */
static int too_deep(const char *json, size_t n)
{
	int depth = 0, quoted = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (json[i] == '\\')
				i++;
			else if (json[i] == '"')
				quoted = 0;
		} else if (json[i] == '"') {
			quoted = 1;
		} else if (json[i] == '{' || json[i] == '[') {
			if (++depth > DEPTH_MAX)
				return 1;
		} else if (json[i] == '}' || json[i] == ']') {
			depth--;
		}
	}
	return 0;
}

int json_document(const char *json, size_t n, yyjson_doc **out, struct err *err)
{
	yyjson_read_err e;
	yyjson_doc *doc;

	if (n > IMAGE_JSON_MAX)
		return image_bad(err, "longer than %u bytes", IMAGE_JSON_MAX);
	if (too_deep(json, n))
		return image_bad(err, "nested deeper than %d", DEPTH_MAX);
	/* without YYJSON_READ_INSITU the text is not written to */
	doc = yyjson_read_opts((char *)(uintptr_t)json, n, 0, NULL, &e);
	if (!doc) {
		if (e.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
			return err_set(err, ENOMEM, "parse");
		return image_bad(err, "not JSON: %s at byte %zu", e.msg, e.pos);
	}
	if (!yyjson_is_ctn(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		return image_bad(err, "not a JSON object or array");
	}
	*out = doc;
	return 0;
}

const char *json_value_text(yyjson_val *v)
{
	const char *s = yyjson_get_str(v);

	return s && strlen(s) == yyjson_get_len(v) ? s : "";
}

const char *json_text(yyjson_val *object, const char *key)
{
	return json_value_text(yyjson_obj_get(object, key));
}

int json_copy(yyjson_val *object, const char *key, char *out, size_t size)
{
	const char *s = json_text(object, key);
	size_t n = strlen(s);

	out[0] = '\0';
	if (n >= size)
		return -EINVAL;
	memcpy(out, s, n + 1);
	return 0;
}
