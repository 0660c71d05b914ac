/* service_fields.h - the keys of a service that are read and written by a table. Used by service.c and service_list.c only. */
#ifndef CORACLE_ENGINE_SERVICE_FIELDS_H
#define CORACLE_ENGINE_SERVICE_FIELDS_H

#include <yyjson.h>
#include "service.h"

/* Every key of the object is known, every key that must be there is. Returns 0 or -errno. */
int service_take_fields(struct arena *mem, yyjson_val *v, struct service *s, struct err *err);

/* Writes the keys that are there only where they were asked for. */
void service_write_wanted(struct buf *b, const struct service *s);

/* NULL when it is not a string (without NUL), not an array of such, or there is no memory. */
char *service_take_str(struct arena *mem, yyjson_val *v);
char **service_take_strv(struct arena *mem, yyjson_val *v);

int service_bad(struct err *err, const char *key, const char *want);

#endif
