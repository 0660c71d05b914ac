/* arena.h - memory of one run of coracle-config, with a ceiling.
 *
 * Everything that is read from a configuration lives here until the program
 * ends. Allocation never returns NULL: when the ceiling is reached the owner's
 * `exhausted` is called, which must not return (the program writes its status
 * and exits; a test jumps). Used by coracle-config only. */
#ifndef CORACLE_CONFIG_ARENA_H
#define CORACLE_CONFIG_ARENA_H

#include <stddef.h>
#include "cdefs.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* newest first */
	char *next;			/* free bytes of the newest chunk */
	size_t left;
	size_t used;			/* bytes taken from the heap */
	size_t max;			/* ceiling of used */
	void (*exhausted)(void *arg);	/* must not return */
	void *arg;
};

void arena_init(struct arena *a, size_t max, void (*exhausted)(void *arg), void *arg);
void arena_fini(struct arena *a);

/* Zeroed memory, aligned for any object. */
void *arena_alloc(struct arena *a, size_t n);
/* Copy of n bytes with a NUL behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
