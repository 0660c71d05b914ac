/* jsonv.c - typed members of JSON objects. Runs in coracle-runtime; never
 * changes the document. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "runtime/oci/jsonv.h"

const char *jsonv_type(yyjson_val *v)
{
	switch (yyjson_get_type(v)) {
	case YYJSON_TYPE_NULL: return "null";
	case YYJSON_TYPE_BOOL: return "a boolean";
	case YYJSON_TYPE_NUM: return "a number";
	case YYJSON_TYPE_STR: return "a string";
	case YYJSON_TYPE_ARR: return "an array";
	case YYJSON_TYPE_OBJ: return "an object";
	default: return "nothing";
	}
}

static int wrong(yyjson_val *v, const char *where, const char *key, const char *expected, struct err *err)
{
	return err_set(err, 0, "%s%s%s: expected %s, found %s", where, *where ? "." : "", key, expected, jsonv_type(v));
}

/* 1 and *out, or 0 when it is absent or null. A name that is there twice has two meanings: whoever checked the file may have read the other. */
static int member(yyjson_val *obj, const char *where, const char *key, yyjson_val **out, struct err *err)
{
	size_t n = strlen(key);
	yyjson_val *k, *found = NULL;
	yyjson_obj_iter it;

	if (!obj)
		return 0;
	if (!yyjson_is_obj(obj))
		return err_set(err, 0, "%s: expected an object, found %s", where, jsonv_type(obj));
	yyjson_obj_iter_init(obj, &it);
	while ((k = yyjson_obj_iter_next(&it))) {
		if (!yyjson_equals_strn(k, key, n))
			continue;
		if (found)
			return err_set(err, 0, "%s%s%s: is there twice", where, *where ? "." : "", key);
		found = yyjson_obj_iter_get_val(k);
	}
	if (!found || yyjson_is_null(found))
		return 0;
	*out = found;
	return 1;
}

int jsonv_object(yyjson_val *obj, const char *where, const char *key, yyjson_val **out, struct err *err)
{
	yyjson_val *v;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (!yyjson_is_obj(v))
		return wrong(v, where, key, "an object", err);
	*out = v;
	return 1;
}

int jsonv_array(yyjson_val *obj, const char *where, const char *key, yyjson_val **out, struct err *err)
{
	yyjson_val *v;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (!yyjson_is_arr(v))
		return wrong(v, where, key, "an array", err);
	*out = v;
	return 1;
}

bool jsonv_is_plain(yyjson_val *v)
{
	return yyjson_is_str(v) && strlen(yyjson_get_str(v)) == yyjson_get_len(v);
}

int jsonv_string(yyjson_val *obj, const char *where, const char *key, const char **out, struct err *err)
{
	yyjson_val *v;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (!jsonv_is_plain(v))
		return wrong(v, where, key, "a string without NUL", err);
	*out = yyjson_get_str(v);
	return 1;
}

int jsonv_bool(yyjson_val *obj, const char *where, const char *key, bool *out, struct err *err)
{
	yyjson_val *v;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (!yyjson_is_bool(v))
		return wrong(v, where, key, "true or false", err);
	*out = yyjson_get_bool(v);
	return 1;
}

int jsonv_int(yyjson_val *obj, const char *where, const char *key, int64_t *out, int64_t min, int64_t max, struct err *err)
{
	yyjson_val *v;
	int64_t n;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (yyjson_is_sint(v))
		n = yyjson_get_sint(v);
	else if (yyjson_is_uint(v) && yyjson_get_uint(v) <= INT64_MAX)
		n = (int64_t)yyjson_get_uint(v);
	else
		goto bad;
	if (n < min || n > max)
		goto bad;
	*out = n;
	return 1;
bad:
	return err_set(err, 0, "%s%s%s: expected an integer from %" PRId64 " to %" PRId64 ", found %s", where, *where ? "." : "", key, min, max, jsonv_type(v));
}

int jsonv_uint(yyjson_val *obj, const char *where, const char *key, uint64_t *out, uint64_t max, struct err *err)
{
	yyjson_val *v;
	int r = member(obj, where, key, &v, err);

	if (r <= 0)
		return r;
	if (!yyjson_is_uint(v) || yyjson_get_uint(v) > max)
		return err_set(err, 0, "%s%s%s: expected an integer from 0 to %" PRIu64, where, *where ? "." : "", key, max);
	*out = yyjson_get_uint(v);
	return 1;
}

int jsonv_strings(yyjson_val *obj, const char *where, const char *key, struct arena *a, char ***out, size_t *n, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	size_t i = 0;
	char **list;
	int r = jsonv_array(obj, where, key, &arr, err);

	if (r <= 0)
		return r;
	list = arena_array(a, yyjson_arr_size(arr) + 1, sizeof *list);
	if (!list)
		return err_set(err, ENOMEM, "%s.%s", where, key);
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		if (!jsonv_is_plain(v))
			return err_set(err, 0, "%s%s%s[%zu]: expected a string without NUL, found %s", where, *where ? "." : "", key, i, jsonv_type(v));
		memcpy(&list[i++], &(const char *){ yyjson_get_str(v) }, sizeof list[0]);
	}
	*out = list;
	if (n)
		*n = i;
	return 1;
}
