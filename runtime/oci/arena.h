/* arena.h - memory of one parsed configuration: taken piece by piece, given back at once.
 *
 * A runtime process lives for milliseconds and handles one container, so
 * everything that config.json becomes lives exactly as long as the struct spec. */
#ifndef CORACLE_OCI_ARENA_H
#define CORACLE_OCI_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *head;
	size_t total;		/* bytes taken so far */
	size_t max;		/* ceiling; 0: 16 MiB */
};

/* Returns n zeroed bytes aligned for any type, or NULL (memory, ceiling). */
void *arena_take(struct arena *a, size_t n);
/* The same for an array; NULL also when n * size overflows. An empty array is not NULL. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Returns "x" "y" "z" joined, or NULL. */
char *arena_join(struct arena *a, const char *x, const char *y, const char *z);
void arena_free(struct arena *a);

#endif
