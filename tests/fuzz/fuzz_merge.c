/* fuzz_merge.c - documents between lines "---" are merged one after the other, then written and read again; a JSON patch is one, too. */
#include "fuzz_run.h"

#include <stdlib.h>
#include <string.h>

#include "init/config/formats/json.h"
#include "init/config/formats/merge.h"
#include "init/config/formats/patch.h"
#include "init/config/formats/yaml_write.h"

#define OUTPUT_MAX ((size_t)64 << 20)
#define DOCUMENTS_MAX 20

static const struct node *merge_in(struct ctx *ctx, const struct node *root, const struct source *source)
{
	struct mergers m;
	const struct node *body;
	bool empty;
	const struct node *n;

	if (!strncmp(source->text, "#cloud-config-jsonp", 19))
		return patch_apply(ctx, source, root);
	n = yaml_read(ctx->arena, ctx->diags, source, &empty);
	if (!n || n->type != NODE_MAP || mergers_of_part(ctx, n, NULL, &m, &body) < 0)
		return root;
	return merge_part(ctx, &m, merge_layers(ctx, root, body), body);
}

/* What is written is read as the same; unless it is refused for its size. */
static void write_and_read(struct ctx *ctx, const struct node *root)
{
	struct source again = { .name = "again" };
	struct buf yaml, json, second;
	const struct node *n;
	bool empty;

	buf_init(&yaml, OUTPUT_MAX);
	buf_init(&json, OUTPUT_MAX);
	buf_init(&second, OUTPUT_MAX);
	json_write(root, false, &json);
	yaml_write(root, &yaml);
	again.text = yaml.data;
	again.len = yaml.len;
	n = yaml_read(ctx->arena, ctx->diags, &again, &empty);
	if (n) {
		json_write(n, false, &second);
		if (strcmp(json.data, second.data) != 0)
			abort();
	}
	buf_free(&yaml);
	buf_free(&json);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_run r;
	const struct node *root = NULL;
	char *text;

	if (size > 65536)
		return 0;
	fuzz_begin(&r);
	text = arena_strndup(&r.arena, (const char *)data, size);
	for (unsigned i = 0; text && i < DOCUMENTS_MAX && r.arena.used < FUZZ_MEMORY_MAX / 3; i++) {
		char *end = strstr(text, "\n---\n");
		struct source *source = ARENA_NEW(&r.arena, struct source);

		if (end)
			*end = '\0';
		*source = (struct source){ "t", text, strlen(text) };
		root = merge_in(&r.ctx, root, source);
		text = end ? end + 5 : NULL;
	}
	if (root && r.arena.used < FUZZ_MEMORY_MAX / 3)
		write_and_read(&r.ctx, root);
	fuzz_end(&r);
	return 0;
}
