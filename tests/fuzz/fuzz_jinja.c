/* fuzz_jinja.c - any bytes as a template; the header is put before them. */
#include "fuzz_run.h"

#include <stdlib.h>

#include "init/config/formats/jinja.h"
#include "init/config/formats/variables.h"

#define OUTPUT_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_run r;
	struct source source = { .name = "template" };
	struct buf text;

	if (size > 65536)
		return 0;
	fuzz_begin(&r);
	buf_init(&text, OUTPUT_MAX);
	buf_puts(&text, "## template: jinja\n");
	buf_add(&text, data, size);
	source.text = text.data;
	source.len = text.len;
	jinja_render(&r.ctx, &source, variables_guess(&r.ctx), size & 1);
	fuzz_end(&r);
	buf_free(&text);
	return 0;
}
