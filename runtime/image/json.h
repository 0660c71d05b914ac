/* json.h - reading JSON documents of images with yyjson: limits and short forms. Private to runtime/image. */
#ifndef CORACLE_IMAGE_JSON_H
#define CORACLE_IMAGE_JSON_H

#include <yyjson.h>
#include "lib/err.h"
#include "runtime/image/image.h"

/* Parses an object or array of at most IMAGE_JSON_MAX bytes and sane depth. Returns 0 or -errno; the caller frees the document. */
int json_document(const char *json, size_t n, yyjson_doc **out, struct err *err);
/* A string member without a NUL byte; "" when absent or of another type. */
const char *json_text(yyjson_val *object, const char *key);
/* Text of a value, "" when it is no string or holds a NUL byte. */
const char *json_value_text(yyjson_val *v);
/* Copies a string member; -EINVAL when it does not fit. */
int json_copy(yyjson_val *object, const char *key, char *out, size_t size);

#endif
