/* filters.h - the API's `filters` parameter: {"label":{"x=y":true}} or {"label":["x=y"]}. Pure. */
#ifndef CORACLE_ENGINE_FILTERS_H
#define CORACLE_ENGINE_FILTERS_H

#include <stdbool.h>
#include "arena.h"
#include "err.h"

struct filters {
	size_t count;
	struct filter {
		char *key;
		char **values;
	} *v;
};

/* text NULL or "": no filters. An unknown key (not in known, NULL-terminated) is an error. */
int filters_parse(struct arena *mem, const char *text, const char *const *known, struct filters *out, struct err *err);

/* The values of a key, NULL when it is not there. */
char *const *filters_get(const struct filters *f, const char *key);

/* True when the key is not there, or match() holds for one of its values. */
bool filters_any(const struct filters *f, const char *key, bool (*match)(const char *value, const void *arg), const void *arg);
/* True when match() holds for all values (labels). */
bool filters_all(const struct filters *f, const char *key, bool (*match)(const char *value, const void *arg), const void *arg);

/* "k" or "k=v" against an array of "k=v". */
bool filters_label(const char *want, char *const *labels);
/* An unanchored extended regular expression; one that is not valid matches nothing. */
bool filters_regex(const char *pattern, const char *text);

#endif
