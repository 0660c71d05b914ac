/* arena.c - memory of one run of coracle-config: chunks, a ceiling, no free. */
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)16 * 1024)
#define ALIGN ((size_t)16)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(16) char data[];
};

void arena_init(struct arena *a, size_t max, void (*exhausted)(void *arg), void *arg)
{
	*a = (struct arena){ .max = max, .exhausted = exhausted, .arg = arg };
}

void arena_fini(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *older = a->chunks->older;

		free(a->chunks);
		a->chunks = older;
	}
	a->next = NULL;
	a->left = 0;
	a->used = 0;
}

static NORETURN void give_up(struct arena *a)
{
	a->exhausted(a->arg);
	abort(); /* the owner broke its promise not to return */
}

static void add_chunk(struct arena *a, size_t n)
{
	size_t size = n > CHUNK_SIZE ? n : CHUNK_SIZE;
	struct arena_chunk *c;

	if (size > a->max - a->used)
		give_up(a);
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		give_up(a);
	c->older = a->chunks;
	c->size = size;
	a->chunks = c;
	a->used += size;
	a->next = c->data;
	a->left = size;
}

void *arena_alloc(struct arena *a, size_t n)
{
	char *p;

	if (n > SIZE_MAX / 2)
		give_up(a);
	n = (n + ALIGN - 1) & ~(ALIGN - 1);
	if (n > a->left)
		add_chunk(a, n);
	p = a->next;
	a->next += n;
	a->left -= n;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		give_up(a);
	text = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}
