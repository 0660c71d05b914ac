/* fuzz_config.c - any bytes as user-data: libFuzzer's entry.
 *
 * With clang: -fsanitize=fuzzer,address over the sources of init/config. `make test` drives it over the
 * fixtures and over damaged copies of them (tests/unit/test_config_fuzz.c). */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "init/config/compose/compose.h"
#include "init/config/userdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX ((size_t)32 << 20)
#define OUTPUT_MAX ((size_t)16 << 20)

/* The limits on input are there so that this never happens. */
static void exhausted(void *arg)
{
	(void)arg;
	abort();
}

/* Whatever was read, each entry is one line of six fields. */
static void check_fstab(struct ctx *ctx, const struct config *c)
{
	static struct storage_line lines[MOUNTS_MAX + 1];
	unsigned n = 0;
	unsigned tabs = 0;
	unsigned newlines = 0;
	const char *text = storage_fstab(ctx, &c->storage, "", c->storage.swap.path, false, lines, &n);

	for (const char *p = text ? text : ""; *p; p++) {
		tabs += *p == '\t';
		newlines += *p == '\n';
	}
	if (newlines != n || tabs != 5 * n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fill names[] = { { "version", "1" }, { "uptime", "2" } };
	const char *unknown;
	struct arena arena;
	struct diags diags;
	struct ctx ctx = { .arena = &arena, .diags = &diags };
	struct config config;
	struct meta meta = { .instance_id = NULL };
	const char *text;
	struct buf out;

	if (size > 2 * USERDATA_MAX)
		return 0;
	arena_init(&arena, MEMORY_MAX, exhausted, NULL);
	text = arena_strndup(&arena, (const char *)data, size);
	diags_init(&diags, &arena);
	config_init(&config);
	userdata_read(&ctx, "user-data", text, size, &config);
	meta_read(&ctx, "meta-data", text, size, &meta);
	config_finish(&ctx, &config);
	buf_init(&out, OUTPUT_MAX);
	diags_render(&diags, &out);
	compose_write_json(&config.compose, &out);
	check_fstab(&ctx, &config);
	if (config.system.final_message)
		system_fill(&ctx, config.system.final_message, names, 2, &unknown);
	buf_free(&out);
	arena_fini(&arena);
	return 0;
}
