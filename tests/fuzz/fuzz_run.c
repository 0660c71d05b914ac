/* fuzz_run.c - the memory and the problems of one input. */
#include "fuzz_run.h"

#include <stdlib.h>

#include "buf.h"

#define OUTPUT_MAX ((size_t)16 << 20)

static void exhausted(void *arg)
{
	(void)arg;
	abort();
}

void fuzz_begin(struct fuzz_run *r)
{
	arena_init(&r->arena, FUZZ_MEMORY_MAX, exhausted, NULL);
	diags_init(&r->diags, &r->arena);
	r->ctx = (struct ctx){ .arena = &r->arena, .diags = &r->diags };
}

void fuzz_end(struct fuzz_run *r)
{
	struct buf out;

	buf_init(&out, OUTPUT_MAX);
	diags_render(&r->diags, &out);
	buf_free(&out);
	arena_fini(&r->arena);
}

struct source fuzz_source(struct fuzz_run *r, const char *name, const uint8_t *data, size_t size)
{
	return (struct source){ name, arena_strndup(&r->arena, (const char *)data, size), size };
}
