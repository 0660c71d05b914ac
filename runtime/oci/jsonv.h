/* jsonv.h - typed members of JSON objects, with errors that name the property.
 *
 * Every getter: where is the path of obj ("process.user"), key the member's name.
 * Returns 1 and fills *out when present, 0 and leaves *out alone when absent or
 * null (Go's encoders write null for empty lists), or -EINVAL with text such as
 * "process.user.uid: expected an integer from 0 to 4294967295, found a string";
 * also when obj is not an object, and when the member is there twice. */
#ifndef CORACLE_OCI_JSONV_H
#define CORACLE_OCI_JSONV_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>
#include "lib/err.h"
#include "runtime/oci/arena.h"

int jsonv_object(yyjson_val *obj, const char *where, const char *key, yyjson_val **out, struct err *err);
int jsonv_array(yyjson_val *obj, const char *where, const char *key, yyjson_val **out, struct err *err);
/* The string lives in the document; strings with an embedded NUL are refused. */
int jsonv_string(yyjson_val *obj, const char *where, const char *key, const char **out, struct err *err);
int jsonv_bool(yyjson_val *obj, const char *where, const char *key, bool *out, struct err *err);
int jsonv_int(yyjson_val *obj, const char *where, const char *key, int64_t *out, int64_t min, int64_t max, struct err *err);
int jsonv_uint(yyjson_val *obj, const char *where, const char *key, uint64_t *out, uint64_t max, struct err *err);
/* A NULL-terminated vector in the arena; *n (may be NULL) its length. */
int jsonv_strings(yyjson_val *obj, const char *where, const char *key, struct arena *a, char ***out, size_t *n, struct err *err);

/* A string without NUL. */
bool jsonv_is_plain(yyjson_val *v);
/* The word for v's type in messages: "a string", "an object"... */
const char *jsonv_type(yyjson_val *v);

#endif
