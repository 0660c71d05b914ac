/* test_engine_text.c - what coracle-engine reads and writes as text: times, signals, users, filters, log records, JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine/filters.h"
#include "runtime/engine/gotime.h"
#include "runtime/engine/jw.h"
#include "runtime/engine/logformat.h"
#include "runtime/engine/signals.h"
#include "runtime/engine/user.h"

static void times(void **state)
{
	char out[GOTIME_MAX];
	int64_t ns;

	(void)state;
	assert_string_equal(gotime_format(1795477358257995795, out), "2026-11-23T23:42:38.257995795Z");
	assert_string_equal(gotime_format(1795477358250000000, out), "2026-11-23T23:42:38.25Z");
	assert_string_equal(gotime_format(1795477358000000000, out), "2026-11-23T23:42:38Z");
	assert_string_equal(gotime_format_fixed(1795477358250000000, out), "2026-11-23T23:42:38.250000000Z");
	assert_string_equal(gotime_format(0, out), "0001-01-01T00:00:00Z");
	assert_int_equal(gotime_parse("2026-11-23T23:42:38.257995795Z", &ns), 0);
	assert_int_equal(ns, 1795477358257995795);
	assert_int_equal(gotime_parse("2026-11-24T00:42:38+01:00", &ns), 0);
	assert_int_equal(ns, 1795477358000000000);
	assert_int_equal(gotime_parse("1795477442.5", &ns), 0);
	assert_int_equal(ns, 1795477442500000000);
	assert_int_equal(gotime_parse("yesterday", &ns), -EINVAL);
	assert_int_equal(gotime_parse("2026-11-23T23:42:38", &ns), -EINVAL);
	assert_int_equal(gotime_parse("99999999999999999999", &ns), -EINVAL);
}

static void durations(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} table[] = {
		{ 0, "Less than a second" }, { 1, "1 second" }, { 59, "59 seconds" }, { 60, "About a minute" },
		{ 119, "About a minute" }, { 120, "2 minutes" }, { 3599, "59 minutes" }, { 3600, "About an hour" },
		{ 5400, "2 hours" }, { 47 * 3600, "47 hours" }, { 48 * 3600, "2 days" }, { 14 * 86400, "2 weeks" },
		{ 60 * 86400, "2 months" }, { 730LL * 86400, "2 years" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_string_equal(gotime_human(table[i].seconds, out, sizeof(out)), table[i].text);
}

static void signals(void **state)
{
	(void)state;
	assert_int_equal(signal_parse("SIGTERM"), 15);
	assert_int_equal(signal_parse("term"), 15);
	assert_int_equal(signal_parse("9"), 9);
	assert_int_equal(signal_parse("SIGRTMIN+3"), 37);
	assert_int_equal(signal_parse("RTMAX-2"), 62);
	assert_int_equal(signal_parse("SIGNOPE"), -EINVAL);
	assert_int_equal(signal_parse("0"), -EINVAL);
	assert_int_equal(signal_parse("65"), -EINVAL);
	assert_int_equal(signal_parse("RTMIN+31"), -EINVAL);
	assert_int_equal(signal_parse(""), -EINVAL);
}

static int resolve(const char *spec, struct user_ids *out)
{
	char passwd[] = "root:x:0:0:root:/root:/bin/sh\nbroken line\nweb:x:33:44::/var/www:\nnohome:x:5:5\n";
	char group[] = "root:x:0:\nstaff:x:50:web,other\nadm:x:4:other\nlogs:x:60:x,web\n";
	struct err err = ERR_INIT;

	return user_resolve_text(passwd, group, spec, out, &err);
}

static void users(void **state)
{
	struct user_ids u;

	(void)state;
	assert_int_equal(resolve(NULL, &u), 0);
	assert_true(u.uid == 0 && u.gid == 0 && u.group_count == 0);
	assert_string_equal(u.home, "/root");
	assert_int_equal(resolve("web", &u), 0);
	assert_true(u.uid == 33 && u.gid == 44 && u.group_count == 2 && u.groups[0] == 50 && u.groups[1] == 60);
	assert_string_equal(u.home, "/var/www");
	assert_int_equal(resolve("33", &u), 0);
	assert_true(u.uid == 33 && u.gid == 44 && u.group_count == 2);
	assert_int_equal(resolve("web:staff", &u), 0);
	assert_true(u.uid == 33 && u.gid == 50 && u.group_count == 0);
	assert_int_equal(resolve("1234:5678", &u), 0);
	assert_true(u.uid == 1234 && u.gid == 5678);
	assert_string_equal(u.home, "/");
	assert_int_equal(resolve("1234", &u), 0);
	assert_true(u.uid == 1234 && u.gid == 0);
	assert_int_equal(resolve("nobody", &u), -ENOENT);
	assert_int_equal(resolve("web:nogroup", &u), -ENOENT);
	assert_int_equal(resolve("-1", &u), -ENOENT);
	assert_int_equal(resolve("4294967295", &u), -ENOENT);
}

static void filter_forms(void **state)
{
	static const char *const known[] = { "label", "name", NULL };
	static char one[] = "a=b", two[] = "c=";
	char *labels[] = { one, two, NULL };
	struct err err = ERR_INIT;
	struct arena mem;
	struct filters f;

	(void)state;
	arena_init(&mem, 1 << 16);
	assert_int_equal(filters_parse(&mem, "{\"label\":{\"x=y\":true,\"z\":true},\"name\":[\"n\"]}", known, &f, &err), 0);
	assert_string_equal(filters_get(&f, "label")[0], "x=y");
	assert_string_equal(filters_get(&f, "label")[1], "z");
	assert_string_equal(filters_get(&f, "name")[0], "n");
	assert_null(filters_get(&f, "status"));
	assert_int_equal(filters_parse(&mem, "", known, &f, &err), 0);
	assert_int_equal(filters_parse(&mem, "{\"nosuch\":[\"n\"]}", known, &f, &err), -EINVAL);
	assert_int_equal(filters_parse(&mem, "{\"name\":[1]}", known, &f, &err), -EINVAL);
	assert_int_equal(filters_parse(&mem, "[]", known, &f, &err), -EINVAL);
	assert_int_equal(filters_parse(&mem, "{\"name\":", known, &f, &err), -EINVAL);
	assert_true(filters_label("a", labels) && filters_label("a=b", labels) && filters_label("c", labels));
	assert_false(filters_label("a=", labels) || filters_label("b", labels) || filters_label("a=bc", labels));
	assert_true(filters_regex("^/w.b$", "/web"));
	assert_false(filters_regex("(", "("));
	arena_free(&mem);
}

static void round_trip(const char *text, size_t n, enum log_stream stream, const char *json)
{
	CLEANUP_BUF struct buf b = { 0 }, back = { 0 };
	struct log_record rec;

	buf_init(&b, LOG_RECORD_MAX);
	buf_init(&back, LOG_RECORD_MAX);
	logformat_add(&b, text, n, true, stream, 1795477358257995795);
	if (json)
		assert_string_equal(b.data, json);
	assert_int_equal(logformat_parse(b.data, b.len - 1, &back, &rec), 0);
	assert_int_equal(rec.stream, stream);
	assert_int_equal(rec.time_ns, 1795477358257995795);
	if (!memchr(text, 0xff, n)) {
		assert_int_equal(rec.len, n + 1);
		assert_memory_equal(rec.text, text, n);
	}
	assert_int_equal(rec.text[rec.len - 1], '\n');
}

static void log_records(void **state)
{
	char all[128];

	(void)state;
	round_trip("hello", 5, LOG_STDOUT, "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T23:42:38.257995795Z\"}\n");
	round_trip("", 0, LOG_STDERR, "{\"log\":\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-23T23:42:38.257995795Z\"}\n");
	round_trip("a\t\"<&>\\\r\xff", 9, LOG_STDOUT,
		   "{\"log\":\"a\\u0009\\\"\\u003c\\u0026\\u003e\\\\\\r\\ufffd\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T23:42:38.257995795Z\"}\n");
	round_trip("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8", 12, LOG_STDERR, NULL);
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	round_trip(all, sizeof(all), LOG_STDOUT, NULL);
}

static void damaged_records(void **state)
{
	static const char *const bad[] = {
		"", "{", "{\"log\":\"x", "{\"log\":\"x\\", "{\"log\":\"\\u12", "{\"log\":\"x\",\"stream\":\"std", "\0\0\0",
		"{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"now\"}", "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"2026-11-23T23:42:38Z\"",
		"{\"log\":\"\\q\",\"stream\":\"stdout\",\"time\":\"2026-11-23T23:42:38Z\"}",
	};
	CLEANUP_BUF struct buf back = { 0 };
	struct log_record rec;

	(void)state;
	buf_init(&back, LOG_RECORD_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = strlen(bad[i]);
		char *exact = malloc(n ? n : 1);	/* so that ASan sees a step too far */

		assert_non_null(exact);
		memcpy(exact, bad[i], n);
		assert_int_equal(logformat_parse(exact, n, &back, &rec), -EINVAL);
		free(exact);
	}
}

static void json_commas(void **state)
{
	static char kv[] = "k=v=w", bare[] = "bare";
	char *map[] = { kv, bare, NULL };
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	buf_init(&b, 4096);
	jw_open(&b, '{');
	jw_kstr(&b, "a", "x\"");
	jw_kstr(&b, "b", NULL);
	jw_karr(&b, "c");
	jw_int(&b, 1);
	jw_bool(&b, true);
	jw_open(&b, '{');
	jw_close(&b, '}');
	jw_close(&b, ']');
	jw_kmap(&b, "m", map);
	jw_kstr(&b, "e", "ends in [");
	jw_kint(&b, "z", -3);
	jw_close(&b, '}');
	assert_string_equal(b.data, "{\"a\":\"x\\\"\",\"b\":null,\"c\":[1,true,{}],\"m\":{\"k\":\"v=w\",\"bare\":\"\"},\"e\":\"ends in [\",\"z\":-3}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times), cmocka_unit_test(durations), cmocka_unit_test(signals), cmocka_unit_test(users),
		cmocka_unit_test(filter_forms), cmocka_unit_test(log_records), cmocka_unit_test(damaged_records),
		cmocka_unit_test(json_commas),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
