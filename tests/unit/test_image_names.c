/* test_image_names.c - runtime/image: names, platforms, digests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/cdefs.h"
#include "runtime/image/fetch/fetch.h"
#include "runtime/image/image.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_become_full(void **state)
{
	static const char *const cases[][3] = {
		/* written, full, familiar */
		{ "nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27" },
		{ "library/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "me/app:x_Y.z-1", "docker.io/me/app:x_Y.z-1", "me/app:x_Y.z-1" },
		{ "docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "index.docker.io/library/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
		{ "localhost/app", "localhost/app:latest", "localhost/app:latest" },
		{ "localhost:5000/a/b/c:v1", "localhost:5000/a/b/c:v1", "localhost:5000/a/b/c:v1" },
		{ "host:5000/a", "host:5000/a:latest", "host:5000/a:latest" },
		{ "ghcr.io/x/y", "ghcr.io/x/y:latest", "ghcr.io/x/y:latest" },
		{ "Host/x", "Host/x:latest", "Host/x:latest" },
		{ "[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest" },
		{ "a__b/c---d/e.f", "docker.io/a__b/c---d/e.f:latest", "a__b/c---d/e.f:latest" },
		{ "nginx@sha256:" HEX, "docker.io/library/nginx@sha256:" HEX, "nginx@sha256:" HEX },
		{ "nginx:1@sha256:" HEX, "docker.io/library/nginx:1@sha256:" HEX, "nginx:1@sha256:" HEX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct image_ref ref;
		char out[IMAGE_REF_SIZE];

		if (image_ref_parse(cases[i][0], &ref, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(image_ref_full(&ref, out), cases[i][1]);
		assert_string_equal(image_ref_familiar(&ref, out), cases[i][2]);
	}
}

static void bad_names_are_refused(void **state)
{
	static const char *const cases[] = {
		"", ":", "nginx:", "nginx:-x", "Nginx", "a/B", "a//b", "/a", "a/", "a..b", "a___b", "-a", "a-", "nginx@sha256:12",
		"nginx@md5:" HEX, "a b", "a\nb", "x:y:z", "host:port/x", "../x", "a.b:80x/c", HEX, "nginx:a/b:c d", "[::1/x", "a_/b",
	};
	char longer[IMAGE_REPOSITORY_MAX + 20];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		struct image_ref ref;

		if (image_ref_parse(cases[i], &ref, &err) != -EINVAL)
			fail_msg("'%s' was taken", cases[i]);
		assert_true(err.text[0]);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(image_ref_parse(longer, &(struct image_ref){ "", "", "" }, NULL), -EINVAL);
	longer[IMAGE_REPOSITORY_MAX - strlen("docker.io/library/")] = '\0';
	assert_int_equal(image_ref_parse(longer, &(struct image_ref){ "", "", "" }, NULL), 0);
}

static void platforms(void **state)
{
	struct image_platform p, arm5 = { "linux", "arm", "v5" }, arm7 = { "linux", "arm", "v7" }, amd = { "linux", "amd64", "" };
	struct image_platform arm64 = { "linux", "arm64", "" }, arm64v8 = { "linux", "arm64", "v8" }, win = { "windows", "amd64", "" };
	struct image_platform amd3 = { "linux", "amd64", "v3" };

	(void)state;
	assert_int_equal(image_platform_parse("linux/arm/v7", &p, NULL), 0);
	assert_string_equal(p.os, "linux");
	assert_string_equal(p.architecture, "arm");
	assert_string_equal(p.variant, "v7");
	assert_int_equal(image_platform_parse("x86_64", &p, NULL), 0);
	assert_string_equal(p.os, "linux");
	assert_string_equal(p.architecture, "amd64");
	assert_int_equal(image_platform_parse("a/b/c/d", &p, NULL), -EINVAL);
	assert_int_equal(image_platform_parse("", &p, NULL), -EINVAL);
	assert_int_equal(image_platform_parse("linux/", &p, NULL), -EINVAL);
	assert_int_equal(image_platform_parse("Linux/amd64", &p, NULL), -EINVAL);
	assert_int_equal(image_platform_match(&amd, &amd), 2);
	assert_int_equal(image_platform_match(&amd, &win), 0);
	assert_int_equal(image_platform_match(&amd, &amd3), 0);
	assert_int_equal(image_platform_match(&arm64, &arm64v8), 2);
	assert_int_equal(image_platform_match(&arm7, &arm5), 1);
	assert_int_equal(image_platform_match(&arm5, &arm7), 0);
}

static void digests_and_chains(void **state)
{
	char out[IMAGE_DIGEST_SIZE], chain[IMAGE_DIGEST_SIZE];

	(void)state;
	assert_true(image_digest_ok("sha256:" HEX));
	assert_false(image_digest_ok("sha256:" HEX "0"));
	assert_false(image_digest_ok("sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_false(image_digest_ok("sha512:" HEX));
	assert_false(image_digest_ok("sha256:../../../../../../../../../../../../../../../../../../../../../x"));
	image_digest_of("abc", 3, out);
	assert_string_equal(out, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	image_chain_id("", out, chain);
	assert_string_equal(chain, out);
	/* printf 'sha256:ba78... sha256:ba78...' | sha256sum */
	image_chain_id(chain, out, chain);
	assert_string_equal(chain, "sha256:95bbd0d1bf2f6edd073d53e1caa6d4b4778912f6b19bad7a45d56c58e23533bd");
}

static void names_survive_one_line(void **state)
{
	static const char odd[] = "a b%c\nd\x7f\xc3\xa4\x01z";
	char out[64], cut[8];

	(void)state;
	fetch_escape(odd, out, sizeof(out));
	assert_string_equal(out, "a%20b%25c%0Ad%7F%C3%A4%01z");
	assert_int_equal(fetch_unescape(out), 0);
	assert_string_equal(out, odd);
	assert_int_equal(fetch_unescape(strcpy(out, "%00")), -EINVAL);
	assert_int_equal(fetch_unescape(strcpy(out, "%4")), -EINVAL);
	assert_int_equal(fetch_unescape(strcpy(out, "%zz")), -EINVAL);
	fetch_escape("aaaaaaaaaaaaaaaa", cut, sizeof(cut));
	assert_true(strlen(cut) < sizeof(cut));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_full),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(platforms),
		cmocka_unit_test(digests_and_chains),
		cmocka_unit_test(names_survive_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
