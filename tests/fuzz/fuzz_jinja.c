/* fuzz_jinja.c - any bytes as a template; the header is put before them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "init/config/formats/jinja.h"
#include "init/config/formats/variables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)32 << 20)
#define OUTPUT_MAX ((size_t)16 << 20)

/* The limits are there so that this never happens. */
static void exhausted(void *arg)
{
	(void)arg;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct diags diags;
	struct ctx ctx = { .arena = &arena, .diags = &diags };
	struct source source = { .name = "template" };
	struct buf text;
	struct buf out;

	if (size > 65536)
		return 0;
	arena_init(&arena, MEMORY_MAX, exhausted, NULL);
	diags_init(&diags, &arena);
	buf_init(&text, OUTPUT_MAX);
	buf_puts(&text, "## template: jinja\n");
	buf_add(&text, data, size);
	source.text = text.data;
	source.len = text.len;
	jinja_render(&ctx, &source, variables_guess(&ctx), size & 1);
	buf_init(&out, OUTPUT_MAX);
	diags_render(&diags, &out);
	buf_free(&out);
	buf_free(&text);
	arena_fini(&arena);
	return 0;
}
