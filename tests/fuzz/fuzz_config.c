/* fuzz_config.c - any bytes as user-data: libFuzzer's entry.
 *
 * With clang: -fsanitize=fuzzer,address over the sources of init/config. `make test` drives it over the
 * fixtures and over damaged copies of them (tests/unit/test_config_fuzz.c). */
#include "fuzz_run.h"

#include <stdlib.h>

#include "init/config/compose/compose.h"
#include "init/config/userdata.h"

#define OUTPUT_MAX ((size_t)16 << 20)

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
	struct fuzz_run r;
	struct config config;
	struct meta meta = { .instance_id = NULL };
	const char *text;
	struct buf out;

	if (size > 2 * USERDATA_MAX)
		return 0;
	fuzz_begin(&r);
	text = arena_strndup(&r.arena, (const char *)data, size);
	config_init(&config);
	userdata_read(&r.ctx, "user-data", text, size, &config);
	meta_read(&r.ctx, "meta-data", text, size, &meta);
	config_finish(&r.ctx, &config);
	buf_init(&out, OUTPUT_MAX);
	compose_write_json(&config.compose, &out);
	check_fstab(&r.ctx, &config);
	if (config.system.final_message)
		system_fill(&r.ctx, config.system.final_message, names, 2, &unknown);
	buf_free(&out);
	fuzz_end(&r);
	return 0;
}
