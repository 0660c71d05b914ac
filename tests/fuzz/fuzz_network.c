/* fuzz_network.c - any bytes as a network-config, as a kernel command line, and as OpenStack's network_data.json: libFuzzer's entry.
 *
 * What was read is printed, and what is printed has to read back without a mistake as the same. */
#include "fuzz_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/config/network/network.h"

#define SIZE_MAX_BYTES ((size_t)1 << 20)

static void read_back(const char *text, size_t len)
{
	struct fuzz_run r;
	struct network_plan *p;
	const char *again;
	size_t n;

	fuzz_begin(&r);
	p = network_read(&r.ctx, "printed", text, len);
	again = p ? network_text(&r.ctx, p, &n) : "";
	if (diags_errors(&r.diags) || strcmp(again, text) != 0) {
		struct buf out;

		buf_init(&out, (size_t)1 << 20);
		diags_render(&r.diags, &out);
		fprintf(stderr, "printed:\n%s\nread and printed again:\n%s\n%s\n", text, again, out.data);
		abort();
	}
	fuzz_end(&r);
}

static void one(const uint8_t *data, size_t size, int how)
{
	struct fuzz_run r;
	const struct node *root;
	struct source source;
	const char *text = NULL;
	struct network_plan *p;
	size_t len;
	bool empty;

	fuzz_begin(&r);
	source = fuzz_source(&r, "network_data.json", data, size);
	if (how == 2) {
		root = yaml_read(&r.arena, &r.diags, &source, &empty);
		text = root ? network_from_openstack(&r.ctx, root, &len) : NULL;
	} else {
		network_looks_like(source.text, size);
		p = how ? network_from_cmdline(&r.ctx, source.text) : network_read(&r.ctx, "network-config", source.text, size);
		text = p ? network_text(&r.ctx, p, &len) : NULL;
	}
	if (text)
		read_back(text, len);
	fuzz_end(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > SIZE_MAX_BYTES)
		return 0;
	for (int how = 0; how < 3; how++)
		one(data, size, how);
	return 0;
}
