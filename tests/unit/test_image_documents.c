/* test_image_documents.c - runtime/image: indexes, manifests, docker-archive lists, configurations; sound and not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cdefs.h"
#include "runtime/image/image.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define D3 "sha256:3333333333333333333333333333333333333333333333333333333333333333"
#define D4 "sha256:4444444444444444444444444444444444444444444444444444444444444444"
#define MANIFEST "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""

static const char *const multi =
	"{\"schemaVersion\":2,\"manifests\":["
	"{" MANIFEST ",\"digest\":\"" D1 "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v5\"}},"
	"{" MANIFEST ",\"digest\":\"" D2 "\",\"size\":2,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v6\"}},"
	"{" MANIFEST ",\"digest\":\"" D3 "\",\"size\":3,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
	"{" MANIFEST ",\"digest\":\"" D4 "\",\"size\":4,\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},"
	"\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}}]}";

static const struct image_descriptor *pick(const struct image_descriptor *d, int n, const char *platform)
{
	struct image_platform p;

	assert_int_equal(image_platform_parse(platform, &p, NULL), 0);
	return image_index_select(d, (size_t)n, &p);
}

static void index_selects_the_platform(void **state)
{
	struct image_descriptor *d;
	int n = image_index_parse(multi, strlen(multi), &d, NULL);

	(void)state;
	assert_int_equal(n, 4);
	assert_string_equal(pick(d, n, "linux/amd64")->digest, D3);
	/* the newest variant that this processor runs */
	assert_string_equal(pick(d, n, "linux/arm/v7")->digest, D2);
	assert_string_equal(pick(d, n, "linux/arm/v5")->digest, D1);
	assert_null(pick(d, n, "linux/riscv64"));
	assert_null(pick(d, n, "windows/amd64"));
	assert_true(d[3].attestation);
	free(d);
}

static void index_entries_without_platform_serve_any(void **state)
{
	static const char json[] = "{\"manifests\":[{" MANIFEST ",\"digest\":\"" D1 "\",\"size\":1,\"annotations\":{"
		"\"org.opencontainers.image.ref.name\":\"1.27\",\"io.containerd.image.name\":\"docker.io/library/nginx:1.27\"}},"
		"{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"" D2 "\",\"size\":1}]}";
	struct image_descriptor *d;
	int n = image_index_parse(json, sizeof(json) - 1, &d, NULL);

	(void)state;
	assert_int_equal(n, 2);
	assert_string_equal(pick(d, n, "linux/amd64")->digest, D1);
	assert_string_equal(d[0].name, "docker.io/library/nginx:1.27");
	assert_false(d[0].is_index);
	assert_true(d[1].is_index);
	free(d);
}

static void bad_indexes_are_refused(void **state)
{
	static const char *const cases[] = {
		"", "[", "{}", "42", "{\"manifests\":{}}", "{\"manifests\":[1]}", "{\"manifests\":[{\"size\":1}]}",
		"{\"manifests\":[{\"digest\":\"" D1 "\"}]}", "{\"manifests\":[{\"digest\":\"" D1 "\",\"size\":-1}]}",
		"{\"manifests\":[{\"digest\":\"" D1 "\",\"size\":\"1\"}]}", "{\"manifests\":[{\"digest\":\"" D1 "\",\"size\":1.5}]}",
		"{\"manifests\":[{\"digest\":\"" D1 "\",\"size\":18446744073709551615}]}",
		"{\"manifests\":[{\"digest\":\"sha256:../../etc/passwd\",\"size\":1}]}",
		"{\"manifests\":[{\"digest\":\"sha256:1111\\u0000\",\"size\":1}]}", "{\"manifests\":[]} trailing", "{\"manifests\":[],}",
	};
	struct image_descriptor *d;
	CLEANUP_BUF struct buf deep;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		if (image_index_parse(cases[i], strlen(cases[i]), &d, &err) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
		assert_true(err.text[0]);
	}
	buf_init(&deep, 100000);
	for (int i = 0; i < 40000; i++)
		buf_putc(&deep, '[');
	assert_int_equal(image_index_parse(deep.data, deep.len, &d, NULL), -EBADMSG);
}

static void manifest_is_read(void **state)
{
	static const char json[] = "{\"schemaVersion\":2," MANIFEST ",\"config\":{\"mediaType\":"
		"\"application/vnd.oci.image.config.v1+json\",\"digest\":\"" D1 "\",\"size\":100},\"layers\":["
		"{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" D2 "\",\"size\":200},"
		"{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+zstd\",\"digest\":\"" D3 "\",\"size\":300},"
		"{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"digest\":\"" D4 "\",\"size\":5000000000}]}";
	struct image_manifest *m = malloc(sizeof(*m));

	(void)state;
	assert_int_equal(image_manifest_parse(json, sizeof(json) - 1, m, NULL), 0);
	assert_string_equal(m->config.digest, D1);
	assert_int_equal(m->layer_count, 3);
	assert_int_equal(m->layer[0].compression, IMAGE_GZIP);
	assert_int_equal(m->layer[1].compression, IMAGE_ZSTD);
	assert_int_equal(m->layer[2].compression, IMAGE_GZIP);
	assert_true(m->layer[2].size == 5000000000u);
	free(m);
}

static void bad_manifests_are_refused(void **state)
{
#define CONFIG "\"config\":{\"digest\":\"" D1 "\",\"size\":1}"
	static const struct {
		const char *json, *why;
	} cases[] = {
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1" },
		{ "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}", "not an image manifest" },
		{ "{" CONFIG "}", "no list of layers" },
		{ "{\"layers\":[]}", "config is missing" },
		{ "{\"config\":[],\"layers\":[]}", "config is missing" },
		{ "{" CONFIG ",\"layers\":[{}]}", "digest" },
		{ "{\"config\":{\"digest\":\"" D1 "\",\"size\":5000000},\"layers\":[]}", "configuration of 5000000" },
		{ "{\"config\":{\"digest\":\"" D1 "\",\"size\":1,\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\"},\"layers\":[]}",
			"artifact" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":\"" D2 "\",\"size\":1,\"mediaType\":"
			"\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\"}]}", "foreign" },
		{ "{" CONFIG ",\"layers\":[{\"digest\":\"" D2 "\",\"size\":1,\"mediaType\":"
			"\"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\"}]}", "encrypted" },
	};
	struct image_manifest *m = malloc(sizeof(*m));
	CLEANUP_BUF struct buf many;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		if (image_manifest_parse(cases[i].json, strlen(cases[i].json), m, &err) != -EBADMSG)
			fail_msg("taken: %s", cases[i].json);
		if (!strstr(err.text, cases[i].why))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].why);
	}
	for (int layers = IMAGE_LAYERS_MAX; layers <= IMAGE_LAYERS_MAX + 1; layers++) {
		buf_init(&many, 1 << 20);
		buf_puts(&many, "{" CONFIG ",\"layers\":[");
		for (int i = 0; i < layers; i++)
			buf_printf(&many, "%s{\"digest\":\"" D2 "\",\"size\":1}", i ? "," : "");
		buf_puts(&many, "]}");
		assert_int_equal(image_manifest_parse(many.data, many.len, m, NULL), layers > IMAGE_LAYERS_MAX ? -EBADMSG : 0);
		buf_free(&many);
	}
	buf_init(&many, 16);
	free(m);
}

static void docker_list_is_read(void **state)
{
	static const char json[] = "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],\"Layers\":[\"x/layer.tar\",\"y/layer.tar\"]},"
		"{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[]}]";
	static const char *const bad[] = { "[]", "{}", "[{}]", "[{\"Config\":\"c\"}]", "[{\"Config\":\"c\",\"Layers\":[1]}]",
		"[{\"Config\":\"c\",\"Layers\":[],\"RepoTags\":[{}]}]", "[{\"Config\":1,\"Layers\":[]}]", "[1]" };
	struct image_docker_list list;

	(void)state;
	assert_int_equal(image_docker_parse(json, sizeof(json) - 1, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.entry[0].config, "c.json");
	assert_string_equal(list.entry[0].tags[1], "b:2");
	assert_null(list.entry[0].tags[2]);
	assert_string_equal(list.entry[0].layers[1], "y/layer.tar");
	assert_int_equal(list.entry[0].layer_count, 2);
	assert_null(list.entry[1].tags[0]);
	image_docker_free(&list);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (image_docker_parse(bad[i], strlen(bad[i]), &list, NULL) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
}

static void config_is_read(void **state)
{
	static const char json[] = "{\"created\":\"2025-01-01T00:00:00Z\",\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{"
		"\"User\":\"www\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"Env\":[\"A=B\",\"C=\"],\"Entrypoint\":[\"/e\"],"
		"\"Cmd\":[\"a\",\"\"],\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/w\",\"Labels\":{\"k\":\"v\"},\"StopSignal\":\"SIGQUIT\","
		"\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1000000000,\"Retries\":3}},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2 "\"]}}";
	struct image_config c;

	(void)state;
	assert_int_equal(image_config_parse(json, sizeof(json) - 1, &c, NULL), 0);
	assert_string_equal(c.user, "www");
	assert_string_equal(c.working_dir, "/w");
	assert_string_equal(c.stop_signal, "SIGQUIT");
	assert_int_equal(c.exposed_ports.n, 2);
	assert_string_equal(c.exposed_ports.v[1], "53/udp");
	assert_string_equal(c.env.v[1], "C=");
	assert_null(c.env.v[2]);
	assert_string_equal(c.entrypoint.v[0], "/e");
	assert_int_equal(c.cmd.n, 2);
	assert_string_equal(c.volumes.v[0], "/data");
	assert_string_equal(c.label[0].value, "v");
	assert_int_equal(c.health.interval_ns, 1000000000);
	assert_string_equal(c.health.test.v[1], "x");
	assert_int_equal(c.layer_count, 2);
	assert_string_equal(c.diff_id[1], D2);
	image_config_free(&c);
}

static void config_tells_null_from_empty(void **state)
{
	static const char json[] = "{\"config\":{\"Cmd\":null,\"Entrypoint\":[]},\"rootfs\":{\"diff_ids\":[]}}";
	static const char none[] = "{\"rootfs\":{\"diff_ids\":[]}}";
	struct image_config c;

	(void)state;
	assert_int_equal(image_config_parse(json, sizeof(json) - 1, &c, NULL), 0);
	assert_null(c.cmd.v);
	assert_non_null(c.entrypoint.v);
	assert_int_equal(c.entrypoint.n, 0);
	assert_string_equal(c.user, "");
	image_config_free(&c);
	assert_int_equal(image_config_parse(none, sizeof(none) - 1, &c, NULL), 0);
	assert_null(c.env.v);
	image_config_free(&c);
}

static void bad_configs_are_refused(void **state)
{
	static const char *const cases[] = {
		"[]", "{}", "{\"rootfs\":{}}", "{\"rootfs\":{\"diff_ids\":[\"x\"]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":3}", "{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Cmd\":\"sh -c x\"}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Cmd\":[1]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Cmd\":[\"a\\u0000b\"]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"User\":\"root\\u0000x\"}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"User\":7}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Volumes\":[\"/x\"]}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Labels\":{\"a\":1}}}",
		"{\"rootfs\":{\"diff_ids\":[]},\"config\":{\"Healthcheck\":{\"Test\":\"x\"}}}",
	};
	struct image_config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		if (image_config_parse(cases[i], strlen(cases[i]), &c, &err) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
		assert_true(err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_selects_the_platform),
		cmocka_unit_test(index_entries_without_platform_serve_any),
		cmocka_unit_test(bad_indexes_are_refused),
		cmocka_unit_test(manifest_is_read),
		cmocka_unit_test(bad_manifests_are_refused),
		cmocka_unit_test(docker_list_is_read),
		cmocka_unit_test(config_is_read),
		cmocka_unit_test(config_tells_null_from_empty),
		cmocka_unit_test(bad_configs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
