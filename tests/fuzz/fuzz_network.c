/* fuzz_network.c - any bytes as a network-config, as a kernel command line, and as OpenStack's network_data.json: libFuzzer's entry.
 *
 * What was read is printed, and what is printed has to read back without a mistake as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/config/network/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)32 << 20)
#define SIZE_MAX_BYTES ((size_t)1 << 20)

/* The limits on input are there so that this never happens. */
static void exhausted(void *arg)
{
	(void)arg;
	abort();
}

static void render(const struct diags *d)
{
	struct buf out;

	buf_init(&out, (size_t)16 << 20);
	diags_render(d, &out);
	buf_free(&out);
}

static void read_back(const char *text, size_t len)
{
	struct arena arena;
	struct diags diags;
	struct ctx ctx = { .arena = &arena, .diags = &diags };
	struct network_plan *p;
	const char *again;
	size_t n;

	arena_init(&arena, MEMORY_MAX, exhausted, NULL);
	diags_init(&diags, &arena);
	p = network_read(&ctx, "printed", text, len);
	again = p ? network_text(&ctx, p, &n) : "";
	if (diags_errors(&diags) || strcmp(again, text) != 0) {
		struct buf out;

		buf_init(&out, (size_t)1 << 20);
		diags_render(&diags, &out);
		fprintf(stderr, "printed:\n%s\nread and printed again:\n%s\n%s\n", text, again, out.data);
		abort();
	}
	arena_fini(&arena);
}

static void one(const char *bytes, size_t size, int how)
{
	struct arena arena;
	struct diags diags;
	struct ctx ctx = { .arena = &arena, .diags = &diags };
	const struct node *root;
	struct source source;
	const char *text = NULL;
	struct network_plan *p;
	size_t len;
	bool empty;

	arena_init(&arena, MEMORY_MAX, exhausted, NULL);
	diags_init(&diags, &arena);
	bytes = arena_strndup(&arena, bytes, size);
	source = (struct source){ "network_data.json", bytes, size };
	if (how == 2) {
		root = yaml_read(&arena, &diags, &source, &empty);
		text = root ? network_from_openstack(&ctx, root, &len) : NULL;
	} else {
		network_looks_like(bytes, size);
		p = how ? network_from_cmdline(&ctx, bytes) : network_read(&ctx, "network-config", bytes, size);
		text = p ? network_text(&ctx, p, &len) : NULL;
	}
	render(&diags);
	if (text)
		read_back(text, len);
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > SIZE_MAX_BYTES)
		return 0;
	for (int how = 0; how < 3; how++)
		one((const char *)data, size, how);
	return 0;
}
