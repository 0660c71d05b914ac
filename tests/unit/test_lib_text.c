/* test_lib_text.c - lib/err, lib/buf, lib/json. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "err.h"
#include "json.h"

static void err_wraps_outward(void **state)
{
	struct err err = ERR_INIT;
	int r;

	(void)state;
	r = err_set(&err, ENOENT, "open %s", "/x");
	assert_int_equal(r, -ENOENT);
	r = err_wrap(&err, r, "start %s", "web");
	assert_int_equal(r, -ENOENT);
	assert_string_equal(err.text, "start web: open /x: No such file or directory");
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(err_set(NULL, EIO, "nobody listens"), -EIO);
	assert_int_equal(err_set(&err, 0, "no reason"), -EINVAL);
	assert_string_equal(err.text, "no reason");
}

static void err_cuts_what_does_not_fit(void **state)
{
	struct err err = ERR_INIT;
	char big[3000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, EIO, "%s", big);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	err_wrap(&err, -EIO, "b");
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "b: aaa", 6);
	err_wrap(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void buf_has_a_ceiling_that_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(b.data, "");
	buf_puts(&b, "12345");
	buf_printf(&b, "%d", 678);
	assert_string_equal(b.data, "12345678");
	buf_puts(&b, "abc");
	assert_int_equal(buf_error(&b), -EFBIG);
	buf_putc(&b, 'x');
	assert_string_equal(b.data, "12345678");
	assert_null(buf_take(&b));
	buf_reset(&b);
	assert_int_equal(buf_error(&b), 0);
	buf_puts(&b, "0123456789");
	assert_int_equal(buf_error(&b), 0);
	buf_consume(&b, 4);
	assert_string_equal(b.data, "456789");
	buf_consume(&b, 100);
	assert_string_equal(b.data, "");
	buf_free(&b);
}

static void buf_take_gives_the_string_away(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 100);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
	buf_puts(&b, "hello");
	s = buf_take(&b);
	assert_string_equal(s, "hello");
	free(s);
	buf_puts(&b, "again");
	assert_string_equal(b.data, "again");
	buf_free(&b);
}

static void json_strings(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} cases[] = {
		{ "plain", 5, "\"plain\"" },
		{ "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "\n\t\b\f\r", 5, "\"\\n\\t\\b\\f\\r\"" },
		{ "\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\"" },
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\xff" "a", 2, "\"\xef\xbf\xbd" "a\"" },
		{ "\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },	/* overlong */
		{ "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
		{ "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },	/* cut short */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b;

		buf_init(&b, 100);
		buf_json_string(&b, cases[i].in, cases[i].n);
		assert_string_equal(b.data, cases[i].out);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_wraps_outward),
		cmocka_unit_test(err_cuts_what_does_not_fit),
		cmocka_unit_test(buf_has_a_ceiling_that_sticks),
		cmocka_unit_test(buf_take_gives_the_string_away),
		cmocka_unit_test(json_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
