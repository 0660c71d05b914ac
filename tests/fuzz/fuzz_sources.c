/* fuzz_sources.c - any bytes as what firmware and clouds say: libFuzzer's entry.
 *
 * The first byte says what the rest is: x Azure's XML, a frames of coracle-http's answer, s the SMBIOS table, n OpenStack's network_data.json,
 * m a metadata document in JSON, l a NoCloud line, r a request's limits. `make test` drives it over tests/fuzz/corpus/sources. */
#include "fuzz_run.h"

#include <stdlib.h>

#include "httpframe.h"
#include "init/config/datasource/azure.h"
#include "init/config/datasource/credentials.h"
#include "init/config/datasource/imds.h"
#include "init/config/datasource/smbios.h"
#include "init/config/http/answer.h"
#include "init/config/network/network.h"

static int found_string(const char *s, size_t n, void *arg)
{
	credential_of_string(arg, s, n);
	return 0;
}

static void answer(const char *text, size_t n)
{
	struct err err = ERR_INIT;
	struct answering a = { .err = &err };
	struct buf in;

	buf_init(&a.body, 4096);
	buf_init(&a.url, 1024);
	buf_init(&in, 2 * (HTTP_FRAME_HEAD + HTTP_FRAME_MAX));
	for (size_t at = 0; at < n; at += 1000) {
		buf_add(&in, text + at, n - at < 1000 ? n - at : 1000);
		if (buf_error(&in) || http_take_frames(&in, &a) < 0 || a.done)
			break;
	}
	if (a.body.len > 4096)
		abort();
	buf_free(&a.body);
	buf_free(&a.url);
	buf_free(&in);
}

static void limits(const char *text, size_t n)
{
	struct http_frame f = { HTTP_LIMITS, text, n };
	struct http_limits l;
	char out[HTTP_LIMITS_TEXT];
	const char *rest;
	size_t len;
	int code;

	if (http_limits_read(&f, &l) == 0 && http_limits_print(&l, out) >= sizeof(out))
		abort();
	http_failure_read(&f, &code, &rest, &len);
}

static void metadata(struct ctx *ctx, char kind, const char *text, size_t n)
{
	const struct node *root = imds_parse(ctx, "metadata", text, n);
	struct meta meta = { .instance_id = NULL };
	const char *json;
	size_t len;

	if (!root)
		return;
	json = kind == 'n' ? network_from_openstack(ctx, root, &len) : node_json(ctx, root, &len);
	/* what we write must be readable */
	if (json && len <= YAML_TEXT_MAX && !imds_parse(ctx, "again", json, len) && kind == 'n')
		abort();
	meta_add_keys(ctx, node_get(root, "public_keys"), &meta);
	meta.tree = root;
	meta_complete(ctx, &meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_run r;
	struct nocloud_line line = { NULL, NULL, NULL };
	struct seed seed = { .name = NULL };
	const char *text;
	size_t n = size - 1;

	if (size < 1 || size > ((size_t)1 << 20))
		return 0;
	fuzz_begin(&r);
	text = arena_strndup(&r.arena, (const char *)data + 1, n);
	switch (data[0]) {
	case 'x':
		azure_read_ovf(&r.ctx, "ovf-env.xml", text, n, &seed);
		break;
	case 'a':
		answer(text, n);
		break;
	case 's':
		smbios_strings(text, n, SMBIOS_OEM_STRINGS, found_string, &r.ctx);
		break;
	case 'n':
	case 'm':
		metadata(&r.ctx, (char)data[0], text, n);
		break;
	case 'l':
		nocloud_parse_line(&r.arena, text, &line);
		break;
	default:
		limits(text, n);
	}
	fuzz_end(&r);
	return 0;
}
