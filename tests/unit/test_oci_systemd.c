/* test_oci_systemd.c - what systemd is told, byte for byte: GVariant text, limits, device rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/cdefs.h"
#include "runtime/oci/gvariant.h"
#include "runtime/oci/systemd_properties.h"

static struct dbus_body b;

/* The text becomes this signature and these bytes, from the value's alignment on. */
static void becomes(const char *text, const char *signature, const void *bytes, size_t n)
{
	struct err err = ERR_INIT;
	size_t at = strlen(signature) + 2;

	dbus_clear(&b);
	if (gvariant_put(&b, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(b.data[0], strlen(signature));
	assert_string_equal((char *)b.data + 1, signature);
	assert_false(b.bad);
	assert_true(b.n >= n + at);
	assert_memory_equal(b.data + b.n - n, bytes, n);
	/* only padding between */
	for (; at < b.n - n; at++)
		assert_int_equal(b.data[at], 0);
}

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void values_of_gvariant_text(void **state)
{
	(void)state;
	becomes("true", "b", BYTES(1, 0, 0, 0));
	becomes(" false ", "b", BYTES(0, 0, 0, 0));
	becomes("5", "i", BYTES(5, 0, 0, 0));
	becomes("-2", "i", BYTES(0xfe, 0xff, 0xff, 0xff));
	becomes("0x10", "i", BYTES(16, 0, 0, 0));
	becomes("010", "i", BYTES(8, 0, 0, 0));
	becomes("-2147483648", "i", BYTES(0, 0, 0, 0x80));
	becomes("uint64 18446744073709551615", "t", BYTES(255, 255, 255, 255, 255, 255, 255, 255));
	becomes("@t 7", "t", BYTES(7, 0, 0, 0, 0, 0, 0, 0));
	becomes("int64 -1", "x", BYTES(255, 255, 255, 255, 255, 255, 255, 255));
	becomes("byte 255", "y", BYTES(255));
	becomes("int16 -2", "n", BYTES(0xfe, 0xff));
	becomes("uint16 65535", "q", BYTES(0xff, 0xff));
	becomes("1.5", "d", BYTES(0, 0, 0, 0, 0, 0, 0xf8, 0x3f));
	becomes("double 1", "d", BYTES(0, 0, 0, 0, 0, 0, 0xf0, 0x3f));
	becomes("'a\\'b'", "s", BYTES(3, 0, 0, 0, 'a', '\'', 'b', 0));
	becomes("\"\\n\\x\"", "s", BYTES(2, 0, 0, 0, '\n', 'x', 0));
	becomes("objectpath '/a'", "o", BYTES(2, 0, 0, 0, '/', 'a', 0));
	becomes("signature 'as'", "g", BYTES(2, 'a', 's', 0));
	becomes("['a', \"b\"]", "as", BYTES(14, 0, 0, 0, 1, 0, 0, 0, 'a', 0, 0, 0, 1, 0, 0, 0, 'b', 0));
	becomes("@as []", "as", BYTES(0, 0, 0, 0));
	becomes("[byte 1, 2]", "ay", BYTES(2, 0, 0, 0, 1, 2));
	becomes("[uint64 1]", "at", BYTES(8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
	becomes("[true,false,]", "ab", BYTES(8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
}

static void what_is_no_gvariant_text_is_refused(void **state)
{
	static const char *const TEXTS[] = {
		"", " ", "word", "'open", "'a\\", "\"a'", "[", "[]", "[1", "[1 2]", "[1, 'a']", "[[1]]", "1 2", "true x", "uint64 -1", "byte 256", "byte -1",
		"2147483648", "-2147483649", "int16 32768", "int64 9223372036854775808", "uint64 18446744073709551616", "uint64", "uint64 'a'", "@z 1",
		"@as 5", "@a", "@", "{'a': 1}", "(1, 2)", "<1>", "'\\u0041'", "5x", "--5", "nothing", "boolean 1", "string 5", "@as [1]", "1.5.2", "0x",
	};
	struct err err;
	uint64_t usec;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
		dbus_clear(&b);
		err = (struct err)ERR_INIT;
		if (gvariant_put(&b, TEXTS[i], &err) >= 0)
			fail_msg("accepted: %s", TEXTS[i]);
		assert_non_null(strstr(err.text, "GVariant text"));
		assert_true(gvariant_usec(TEXTS[i], &usec, &err) < 0);
	}
}

static void seconds_become_microseconds(void **state)
{
	struct err err = ERR_INIT;
	uint64_t usec = 0;

	(void)state;
	assert_int_equal(gvariant_usec("5", &usec, &err), 0);
	assert_int_equal(usec, 5000000);
	assert_int_equal(gvariant_usec("uint64 5", &usec, &err), 0);
	assert_int_equal(usec, 5000000);
	assert_int_equal(gvariant_usec("0.25", &usec, &err), 0);
	assert_int_equal(usec, 250000);
	assert_true(gvariant_usec("-5", &usec, &err) < 0);
	assert_true(gvariant_usec("-0.5", &usec, &err) < 0);
	assert_true(gvariant_usec("'5'", &usec, &err) < 0);
	assert_true(gvariant_usec("true", &usec, &err) < 0);
	assert_true(gvariant_usec("uint64 18446744073709551615", &usec, &err) < 0);
	assert_true(gvariant_usec("1e300", &usec, &err) < 0);
}

/* The value of a property: a number of eight bytes; -1: not there. */
static int64_t told(const char *property)
{
	size_t n = strlen(property) + 1;

	for (size_t i = 0; i + n + 3 <= b.n; i++)
		if (!memcmp(b.data + i, property, n) && !memcmp(b.data + i + n, "\1t", 3)) {
			int64_t value;

			memcpy(&value, b.data + ((i + n + 3 + 7) & ~(size_t)7), sizeof value);
			return value == -1 ? INT64_MAX : value;
		}
	return -1;
}

static void limits_in_systemds_words(void **state)
{
	struct spec_pair pairs[] = { { "memory.high", "32M" }, { "pids.max", "max" }, { "cpu.max", "30000 60000" }, { "io.weight", "default 33" },
				     { "memory.min", "x" }, { "rdma.max", "mlx hca_handle=1" } };
	struct spec_resources x = { .has_mem_limit = true, .mem_limit = 1 << 20, .has_mem_swap = true, .mem_swap = 3 << 20, .has_shares = true, .shares = 1024,
				    .unified = pairs, .unified_n = ARRAY_SIZE(pairs) };

	(void)state;
	dbus_clear(&b);
	systemd_put_limits(&b, &x, true);
	assert_int_equal(told("MemoryMax"), 1 << 20);
	assert_int_equal(told("MemorySwapMax"), 2 << 20);
	assert_int_equal(told("CPUWeight"), 100);
	assert_int_equal(told("MemoryHigh"), 32 << 20);
	assert_int_equal(told("TasksMax"), INT64_MAX);
	assert_int_equal(told("CPUQuotaPerSecUSec"), 500000);
	assert_int_equal(told("CPUQuotaPeriodUSec"), 60000);
	assert_int_equal(told("IOWeight"), 33);
	assert_int_equal(told("MemoryMin"), -1);
	x = (struct spec_resources){ .has_quota = true, .quota = 12345, .has_mem_limit = true, .mem_limit = 1 << 20 };
	dbus_clear(&b);
	systemd_put_limits(&b, &x, false);
	assert_int_equal(told("CPUQuotaPerSecUSec"), 130000);
	assert_int_equal(told("MemoryLimit"), 1 << 20);
	assert_int_equal(told("MemoryMax"), -1);
}

static void most_device_rules_fit_into_a_message(void **state)
{
	struct spec s = { 0 };
	struct spec_device_rule rules[200];
	struct cgroup c = { .pure_v2 = true, .unit = "a.scope", .slice = "b.slice" };
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 200; i++)
		rules[i] = (struct spec_device_rule){ true, 'c', 1000000, 1000000 + i, 7 };
	s.resources.devices = rules;
	s.resources.devices_n = 200;
	dbus_clear(&b);
	assert_int_equal(systemd_put_unit(&b, &c, "id", 1, &s, false, &err), 0);
	assert_false(b.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_gvariant_text), cmocka_unit_test(what_is_no_gvariant_text_is_refused),
		cmocka_unit_test(seconds_become_microseconds), cmocka_unit_test(limits_in_systemds_words),
		cmocka_unit_test(most_device_rules_fit_into_a_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
