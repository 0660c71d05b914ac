/* fuzz_mime.c - any bytes as user-data: what they are taken apart to, and all that becomes of it. #include brings the same bytes again. */
#include "fuzz_run.h"

#include <string.h>

#include "init/config/userdata.h"

struct bytes {
	const char *text;
	size_t len;
};

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
	struct fuzz_run r;
	struct config config;
	struct bytes bytes = { .len = size };
	struct userdata u = { .fetch = fetch, .fetch_arg = &bytes };

	if (size > 65536)
		return 0;
	fuzz_begin(&r);
	config_init(&config);
	bytes.text = arena_strndup(&r.arena, (const char *)data, size);
	u.layer[LAYER_USER].text = bytes.text;
	u.layer[LAYER_USER].len = size;
	u.cmdline = memchr(data, 0, size) ? NULL : bytes.text;
	userdata_read_layers(&r.ctx, &u, &config);
	config_finish(&r.ctx, &config);
	fuzz_end(&r);
	return 0;
}
