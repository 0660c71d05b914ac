/* arena.h - memory that is given back all at once, with a ceiling.
 *
 * One arena per container record and per API request: no single free, and
 * nothing that comes from outside can make it grow beyond its ceiling. */
#ifndef CORACLE_ENGINE_ARENA_H
#define CORACLE_ENGINE_ARENA_H

#include <stddef.h>
#include "cdefs.h"

struct arena {
	struct arena_block *blocks;
	size_t used;	/* bytes handed out */
	size_t max;	/* ceiling of used */
};

void arena_init(struct arena *a, size_t max);
void arena_free(struct arena *a);

/* Zeroed memory aligned for any type, or NULL at the ceiling or without memory. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);	/* NULL gives NULL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A NULL-terminated array of n pointers, all NULL (n + 1 slots). */
char **arena_strv(struct arena *a, size_t n);

/* Number of strings; NULL is an empty array. */
size_t strv_len(char *const *v);

#endif
