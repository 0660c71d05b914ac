/* filters.c - the API's filters (coracle-engine). Pure. */
#include "filters.h"

#include <errno.h>
#include <regex.h>
#include <string.h>
#include <yyjson.h>

#define PATTERN_MAX 256	/* bytes of a regular expression */

static int take_values(struct arena *mem, yyjson_val *v, struct filter *f)
{
	size_t i, max, n = 0;
	yyjson_val *key, *val;

	f->values = arena_strv(mem, yyjson_is_obj(v) ? yyjson_obj_size(v) : yyjson_arr_size(v));
	if (!f->values)
		return -ENOMEM;
	yyjson_obj_foreach(v, i, max, key, val)
		if (yyjson_get_bool(val))
			f->values[n++] = arena_strdup(mem, yyjson_get_str(key));
	yyjson_arr_foreach(v, i, max, val) {
		if (!yyjson_is_str(val))
			return -EINVAL;
		f->values[n++] = arena_strdup(mem, yyjson_get_str(val));
	}
	for (i = 0; i < n; i++)
		if (!f->values[i])
			return -ENOMEM;
	return yyjson_is_obj(v) || yyjson_is_arr(v) ? 0 : -EINVAL;
}

static int take_all(struct arena *mem, yyjson_val *root, const char *const *known, struct filters *out, struct err *err)
{
	size_t i, max;
	yyjson_val *key, *val;

	if (!yyjson_is_obj(root))
		return err_set(err, 0, "invalid filter");
	out->v = arena_alloc(mem, (yyjson_obj_size(root) + 1) * sizeof(*out->v));
	if (!out->v)
		return err_set(err, ENOMEM, "filters");
	yyjson_obj_foreach(root, i, max, key, val) {
		struct filter *f = &out->v[out->count++];
		size_t k = 0;

		f->key = arena_strdup(mem, yyjson_get_str(key));
		while (known[k] && strcmp(known[k], yyjson_get_str(key)) != 0)
			k++;
		if (!f->key || !known[k])
			return err_set(err, 0, "invalid filter '%s'", yyjson_get_str(key));
		if (take_values(mem, val, f) < 0)
			return err_set(err, 0, "invalid filter '%s'", f->key);
	}
	return 0;
}

int filters_parse(struct arena *mem, const char *text, const char *const *known, struct filters *out, struct err *err)
{
	yyjson_doc *doc;
	int r;

	*out = (struct filters){ 0 };
	if (!text || !text[0])
		return 0;
	doc = yyjson_read(text, strlen(text), 0);
	if (!doc)
		return err_set(err, 0, "invalid filter");
	r = take_all(mem, yyjson_doc_get_root(doc), known, out, err);
	yyjson_doc_free(doc);
	return r;
}

char *const *filters_get(const struct filters *f, const char *key)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->v[i].key, key) == 0)
			return f->v[i].values;
	return NULL;
}

bool filters_any(const struct filters *f, const char *key, bool (*match)(const char *value, const void *arg), const void *arg)
{
	char *const *v = filters_get(f, key);

	if (!v || !*v)
		return true;
	for (; *v; v++)
		if (match(*v, arg))
			return true;
	return false;
}

bool filters_all(const struct filters *f, const char *key, bool (*match)(const char *value, const void *arg), const void *arg)
{
	for (char *const *v = filters_get(f, key); v && *v; v++)
		if (!match(*v, arg))
			return false;
	return true;
}

bool filters_label(const char *want, char *const *labels)
{
	size_t n = strlen(want);
	bool with_value = strchr(want, '=') != NULL;

	for (; labels && *labels; labels++)
		if (strncmp(*labels, want, n) == 0 && ((*labels)[n] == '\0' || (!with_value && (*labels)[n] == '=')))
			return true;
	return false;
}

bool filters_regex(const char *pattern, const char *text)
{
	regex_t re;
	bool hit;

	if (strlen(pattern) > PATTERN_MAX || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	hit = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return hit;
}
