/* fuzz_mime.c - any bytes as user-data: what they are taken apart to, and all that becomes of it. #include brings the same bytes again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/config/userdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)32 << 20)
#define OUTPUT_MAX ((size_t)16 << 20)

struct bytes {
	const char *text;
	size_t len;
};

/* The limits on input are there so that this never happens. */
static void exhausted(void *arg)
{
	(void)arg;
	abort();
}

static int fetch(struct ctx *ctx, void *arg, const char *url, bool once, struct source *out, struct err *err)
{
	const struct bytes *b = arg;

	(void)url;
	(void)once;
	(void)err;
	out->text = arena_strndup(ctx->arena, b->text, b->len);
	out->len = b->len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct diags diags;
	struct ctx ctx = { .arena = &arena, .diags = &diags };
	struct config config;
	struct bytes bytes = { .len = size };
	struct userdata u = { .fetch = fetch, .fetch_arg = &bytes };
	struct buf out;

	if (size > 65536)
		return 0;
	arena_init(&arena, MEMORY_MAX, exhausted, NULL);
	diags_init(&diags, &arena);
	config_init(&config);
	bytes.text = arena_strndup(&arena, (const char *)data, size);
	u.layer[LAYER_USER].text = bytes.text;
	u.layer[LAYER_USER].len = size;
	u.cmdline = memchr(data, 0, size) ? NULL : bytes.text;
	userdata_read_layers(&ctx, &u, &config);
	config_finish(&ctx, &config);
	buf_init(&out, OUTPUT_MAX);
	diags_render(&diags, &out);
	buf_free(&out);
	arena_fini(&arena);
	return 0;
}
