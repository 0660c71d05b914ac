/* fuzz_containers.c - any bytes as a Quadlet file, an Ignition configuration, a Pod, a container declaration and an env_file: libFuzzer's entry.
 *
 * The first byte says which. With clang: -fsanitize=fuzzer,address over the sources of init/config. `make test` drives it over its seeds and over
 * damaged copies of them (tests/unit/test_config_containers_fuzz.c). */
#include "fuzz_run.h"

#include <stdlib.h>

#include "init/config/compose/env_file.h"
#include "init/config/config.h"
#include "init/config/containers/containers.h"

#define OUTPUT_MAX ((size_t)16 << 20)
#define INPUT_MAX ((size_t)1 << 20)

static void as_file(struct ctx *ctx, struct config *c, const struct source *s, const char *path)
{
	c->files = ARENA_NEW(ctx->arena, struct config_file);
	*c->files = (struct config_file){ .path = path, .content = s->text, .len = s->len, .user = "root" };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_run r;
	struct config *config;
	struct source source;
	struct strings words = { NULL, 0 };
	struct buf out;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	fuzz_begin(&r);
	config = ARENA_NEW(&r.arena, struct config);
	config_init(config);
	source = fuzz_source(&r, "t", data + 1, size - 1);
	switch (data[0]) {
	case 'q':
		as_file(&r.ctx, config, &source, "/etc/containers/systemd/web.container");
		break;
	case 'v':
		as_file(&r.ctx, config, &source, "/etc/containers/systemd/web.volume");
		break;
	case 'c':
		as_file(&r.ctx, config, &source, "/etc/compose.d/web.yaml");
		break;
	case 'i':
		ignition_read(&r.ctx, &source, config);
		break;
	case 'p':
		pod_read(&r.ctx, &source, config);
		break;
	case 'g':
		gce_declaration_read(&r.ctx, &source, config);
		break;
	default:
		env_file_read(&r.ctx, &source, false, &words);
	}
	config_finish(&r.ctx, config);
	buf_init(&out, OUTPUT_MAX);
	compose_write_json(&config->compose, &out);
	buf_free(&out);
	fuzz_end(&r);
	return 0;
}
