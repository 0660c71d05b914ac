/* arena.c - chunks of memory for one configuration. Runs in coracle-runtime;
 * never frees single pieces. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/oci/arena.h"

#define CHUNK 8000u
#define CEILING (16u << 20)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

void *arena_take(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->head;
	size_t max = a->max ? a->max : CEILING;
	void *p;

	if (n > max || a->total + n > max)
		return NULL;
	n = (n + 15) & ~(size_t)15;
	if (!c || c->size - c->used < n) {
		size_t size = n > CHUNK ? n : CHUNK;

		c = calloc(1, sizeof *c + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = a->head;
		a->head = c;
	}
	p = c->data + c->used;
	c->used += n;
	a->total += n;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		return NULL;
	n *= size;
	return arena_take(a, n ? n : 1);
}

char *arena_join(struct arena *a, const char *x, const char *y, const char *z)
{
	size_t lx = strlen(x), ly = strlen(y), lz = strlen(z);
	char *s = arena_take(a, lx + ly + lz + 1);

	if (!s)
		return NULL;
	memcpy(s, x, lx);
	memcpy(s + lx, y, ly);
	memcpy(s + lx + ly, z, lz + 1);
	return s;
}

void arena_free(struct arena *a)
{
	struct arena_chunk *c = a->head;

	while (c) {
		struct arena_chunk *next = c->next;

		free(c);
		c = next;
	}
	a->head = NULL;
	a->total = 0;
}
