/* test_config_values.c - scalars by the wanted type, durations, shlex, base64 and gzip, names of images, nearest names. */
#include "config_helper.h"

#include <string.h>

#include "init/config/base64.h"
#include "init/config/compose/shlex.h"
#include "init/config/scalar.h"
#include "init/config/text.h"

static void booleans(void **state)
{
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "on", "ON", "1" };
	static const char *const no[] = { "false", "no", "NO", "off", "Off", "0" };
	static const char *const neither[] = { "", "y", "n", "truee", "2", "null", "~" };
	bool b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		b = false;
		assert_int_equal(scalar_bool(yes[i], &b), 0);
		assert_true(b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		b = true;
		assert_int_equal(scalar_bool(no[i], &b), 0);
		assert_false(b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(neither); i++)
		assert_true(scalar_bool(neither[i], &b) < 0);
}

static void numbers(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(scalar_uint("0", 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(scalar_uint("65535", 65535, &n), 0);
	assert_int_equal(n, 65535);
	assert_true(scalar_uint("65536", 65535, &n) < 0);
	assert_true(scalar_uint("5", 4, &n) < 0);
	assert_int_equal(scalar_uint("18446744073709551615", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_true(scalar_uint("18446744073709551616", UINT64_MAX, &n) < 0);
	assert_true(scalar_uint("99999999999999999999", UINT64_MAX, &n) < 0);
	assert_true(scalar_uint("", 10, &n) < 0);
	assert_true(scalar_uint("-1", 10, &n) < 0);
	assert_true(scalar_uint("+1", 10, &n) < 0);
	assert_true(scalar_uint("0x1", 10, &n) < 0);
	assert_true(scalar_uint("1_000", 10000, &n) < 0);
	assert_true(n == UINT64_MAX);
}

static void modes(void **state)
{
	static const struct { const char *text; unsigned mode; bool bare; } good[] = {
		{ "0644", 0644, false }, { "644", 0644, true }, { "0o755", 0755, false }, { "0", 0, false }, { "04755", 04755, false },
		{ "7777", 07777, true }, { "00644", 0644, false },
	};
	static const char *const bad[] = { "", "0o", "888", "0x1ff", "-1", "10000", "017777", "rw-r--r--", ".nan", "6 44", "0000000" };
	unsigned mode;
	bool bare;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(scalar_mode(good[i].text, &mode, &bare), 0);
		assert_int_equal(mode, good[i].mode);
		assert_int_equal(bare, good[i].bare);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (scalar_mode(bad[i], &mode, &bare) == 0)
			fail_msg("\"%s\" was taken for permissions", bad[i]);
}

static void durations(void **state)
{
	static const struct { const char *text; uint64_t ms; } good[] = {
		{ "10s", 10000 }, { "1m30s", 90000 }, { "1h30m5s20ms", 5405020 }, { "20ms", 20 }, { "1us", 1 }, { "1500us", 2 },
		{ "0s", 0 }, { "8784h", 31622400000 },
	};
	static const char *const bad[] = { "", "10", "s", "1.5s", "1 s", "10x", "-1s", "1d", "8785h", "9999999999999s", "1h9999h", "10sm" };
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(scalar_duration(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (scalar_duration(bad[i], &ms) == 0)
			fail_msg("\"%s\" was taken for a duration", bad[i]);
}

/* The expectations are Python's: [w for w in shlex.split(text)], joined by |. */
static void shell_words(void **state)
{
	static const struct { const char *text, *words; } good[] = {
		{ "a b  c", "a|b|c" }, { " a\tb\n", "a|b" }, { "", "" }, { "   ", "" }, { "''", "" }, { "a '' b", "a||b" },
		{ "sh -c 'echo \"x y\"'", "sh|-c|echo \"x y\"" }, { "\"a b\"c", "a bc" }, { "a\\ b", "a b" }, { "'a\\'", "a\\" },
		{ "\"a\\\"b\\\\c\\n\"", "a\"b\\c\\n" }, { "a#b # c", "a#b|#|c" }, { "x'y'\"z\"", "xyz" }, { "\\a", "a" }, { "$HOME *", "$HOME|*" },
	};
	static const struct { const char *text, *wrong; } bad[] = {
		{ "'a", "a ' is not closed" }, { "\"a", "a \" is not closed" }, { "a\\", "it ends in a backslash" }, { "\"a\\", "a \" is not closed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct run *r = helper_run();
		CLEANUP_BUF struct buf joined = { 0 };
		struct strings words = { NULL, 0 };

		assert_null(shlex_split(&r->ctx, good[i].text, &words));
		buf_init(&joined, 256);
		for (size_t k = 0; k < words.n; k++)
			buf_printf(&joined, "%s%s", k ? "|" : "", words.v[k]);
		assert_string_equal(joined.data, good[i].words);
		assert_int_equal(words.n == 0, good[i].text[strspn(good[i].text, " ")] == '\0');
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct run *r = helper_run();
		struct strings words = { NULL, 0 };

		assert_string_equal(shlex_split(&r->ctx, bad[i].text, &words), bad[i].wrong);
	}
}

static void base64(void **state)
{
	static const struct { const char *text, *bytes; } good[] = {
		{ "aGVsbG8=", "hello" }, { "aGVs\n bG8", "hello" }, { "", "" }, { "aGVsbG8h", "hello!" }, { "aA==", "h" }, { "+/+/", "\xfb\xff\xbf" },
	};
	static const char *const bad[] = { "a", "aGVsbG8=x", "a-b_", "====", "aGVsb?8=" };
	struct run *r = helper_run();
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const char *out = base64_decode(&r->arena, good[i].text, strlen(good[i].text), &len);

		assert_non_null(out);
		assert_int_equal(len, strlen(good[i].bytes));
		assert_memory_equal(out, good[i].bytes, len + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(base64_decode(&r->arena, bad[i], strlen(bad[i]), &len));
}

static void compressed(void **state)
{
	/* printf 'hello hello hello\n' | gzip -n */
	static const char gz[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x5c\x00\x3b\x7c\x8a\xdf\x12\x00\x00\x00";
	char two[2 * (sizeof(gz) - 1)];
	struct run *r = helper_run();
	const char *why;
	size_t len = 0;
	const char *out = gunzip(&r->arena, gz, sizeof(gz) - 1, 100, &len, &why);

	(void)state;
	assert_non_null(out);
	assert_string_equal(out, "hello hello hello\n");
	assert_int_equal(len, 18);
	memcpy(two, gz, sizeof(gz) - 1);
	memcpy(two + sizeof(gz) - 1, gz, sizeof(gz) - 1);
	out = gunzip(&r->arena, two, sizeof(two), 100, &len, &why);
	assert_non_null(out);
	assert_int_equal(len, 36);
	assert_null(gunzip(&r->arena, gz, sizeof(gz) - 1, 17, &len, &why));
	assert_string_equal(why, "it decompresses to too much");
	for (size_t cut = 0; cut < sizeof(gz) - 1; cut++) {
		assert_null(gunzip(&r->arena, gz, cut, 100, &len, &why));
		assert_string_equal(why, "the gzip data is damaged or cut short");
	}
}

static void image_names(void **state)
{
	static const char d[] = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct { const char *name, *full; } good[] = {
		{ "nginx", "docker.io/library/nginx:latest" }, { "nginx:1.27", "docker.io/library/nginx:1.27" },
		{ "me/app", "docker.io/me/app:latest" }, { "docker.io/nginx", "docker.io/library/nginx:latest" },
		{ "index.docker.io/nginx:2", "docker.io/library/nginx:2" }, { "ghcr.io/x/api:1", "ghcr.io/x/api:1" },
		{ "localhost/a", "localhost/a:latest" }, { "localhost:5000/a:b", "localhost:5000/a:b" }, { "r:5000/a/b/c", "r:5000/a/b/c:latest" },
		{ "a__b-c.d--e", "docker.io/library/a__b-c.d--e:latest" }, { "a:_X.y-z", "docker.io/library/a:_X.y-z" },
	};
	static const char *const bad[] = {
		"", "Nginx", "a b", "a:", "a:b:c", "/a", "a/", "a//b", "-a", "a-", "a___b", "a..b", "a:-x", "../a", "a@sha256:12", "a@md5:1",
		"host.example:port/a", "a..b/c", ".a/b", "a.-b/c", "a.b-/c", ":5000/a", "a\nb",
	};
	struct run *r = helper_run();
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_string_equal(compose_image_name(&r->arena, good[i].name, &why), good[i].full);
	assert_string_equal(compose_image_name(&r->arena, arena_printf(&r->arena, "redis:7%s", d), &why),
			    arena_printf(&r->arena, "docker.io/library/redis:7%s", d));
	assert_string_equal(compose_image_name(&r->arena, arena_printf(&r->arena, "redis%s", d), &why),
			    arena_printf(&r->arena, "docker.io/library/redis%s", d));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (compose_image_name(&r->arena, bad[i], &why))
			fail_msg("\"%s\" was taken for the name of an image", bad[i]);
}

static const char *name_at(size_t i, const void *arg)
{
	return ((const char *const *)arg)[i];
}

static void nearest(void **state)
{
	static const char *const names[] = { "hostname", "runcmd", "write_files", "tty", NULL };

	(void)state;
	assert_string_equal(text_nearest("hostnam", 7, name_at, names), "hostname");
	assert_string_equal(text_nearest("hsotname", 8, name_at, names), "hostname");
	assert_string_equal(text_nearest("write-file", 10, name_at, names), "write_files");
	assert_string_equal(text_nearest("run_cmds", 8, name_at, names), "runcmd");
	assert_string_equal(text_nearest("HOSTNAME", 8, name_at, names), "hostname");
	assert_string_equal(text_nearest("tt", 2, name_at, names), "tty");
	assert_null(text_nearest("xy", 2, name_at, names));
	assert_null(text_nearest("completely-else", 15, name_at, names));
	assert_null(text_nearest("", 0, name_at, names));
}

static void quoting(void **state)
{
	struct run *r = helper_run();

	(void)state;
	assert_string_equal(diag_quote(&r->arena, "a\nb\x1b[31m", 8), "\"a?b?[31m\"");
	assert_string_equal(diag_quote(&r->arena, "0123456789012345678901234567890123456789012345678901234567890123456789", 70),
			    "\"01234567890123456789012345678901234567890123456789012345678...\"");
	/* cut between characters */
	assert_string_equal(diag_quote(&r->arena, "0123456789012345678901234567890123456789012345678901234567\xc3\xa4\xc3\xa4\xc3\xa4", 64),
			    "\"0123456789012345678901234567890123456789012345678901234567\xc3\xa4...\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(booleans), cmocka_unit_test(numbers), cmocka_unit_test(modes), cmocka_unit_test(durations),
		cmocka_unit_test(shell_words), cmocka_unit_test(base64), cmocka_unit_test(compressed), cmocka_unit_test(image_names),
		cmocka_unit_test(nearest), cmocka_unit_test(quoting),
	};

	return helper_run_tests(tests);
}
