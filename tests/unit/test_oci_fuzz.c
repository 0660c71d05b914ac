/* test_oci_fuzz.c - drives tests/fuzz/fuzz_{spec,process,resources,state}.c over their seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz_helper.h"
#include "tests/fuzz/fuzz_oci.h"

#define CORPUS_DIR "tests/fuzz/corpus/"

/* Where a value begins: behind a colon, a comma or a bracket. */
static size_t find_value(const char *text, size_t n, uint32_t from)
{
	size_t at = from % n;

	for (size_t i = 0; i < n; i++, at = (at + 1) % n)
		if (strchr(":,[", text[at]) && text[at])
			return at + 1;
	return n / 2;
}

static size_t value_end(const char *text, size_t n, size_t at)
{
	while (at < n && (!strchr(",]}", text[at]) || !text[at]))
		at++;
	return at;
}

/* JSON stays JSON more often than not: values are exchanged for others, of other types, sizes and places. */
static void damage(fuzz_target *target, const char *data, size_t n, uint32_t seed)
{
	static const char *const VALUES[] = {
		"null", "-1", "0", "18446744073709551615", "-9223372036854775808", "18446744073709551616", "1e308", "1.5", "true", "[]", "{}", "\"\"",
		"\"x\"", "[[[[[[]]]]]]", "{\"a\":1,\"a\":2}", "\"/../../x\"", "\"\\u0000\"", "[null]", "[{}]", "\"%s%n\"", "4294967296", "\"a b:c/d,e=f\"",
	};
	uint32_t state = seed * 2654435761u + 1;
	char *copy = malloc(n * 4 + 4096);
	size_t len = n;

	memcpy(copy, data, n);
	for (unsigned i = 0; i < 1 + seed % 4 && len > 4; i++) {
		const char *from = VALUES[fuzz_random(&state) % (sizeof VALUES / sizeof *VALUES)];
		size_t at = find_value(copy, len, fuzz_random(&state)), end = value_end(copy, len, at), take = strlen(from);
		char piece[512];

		switch (fuzz_random(&state) % 4) {
		case 0: /* one byte */
			copy[fuzz_random(&state) % len] = (char)fuzz_random(&state);
			continue;
		case 1: /* a value from elsewhere */
			from = copy + find_value(copy, len, fuzz_random(&state));
			take = value_end(copy, len, (size_t)(from - copy)) - (size_t)(from - copy);
			break;
		default:
			break;
		}
		take = take > sizeof piece ? sizeof piece : take;
		if (len - (end - at) + take > n * 4)
			break;
		memcpy(piece, from, take);
		memmove(copy + at + take, copy + end, len - end);
		memcpy(copy + at, piece, take);
		len = len - (end - at) + take;
	}
	target((const uint8_t *)copy, len);
	free(copy);
}

static void all_seeds(fuzz_target *target, const char *folder, unsigned least)
{
	fuzz_seeds(&(struct fuzz_plan){ .target = target, .folder = folder, .least = least, .copies = 3000, .beginnings = 100, .damage = damage });
	fuzz_oci_end();
}

static void config_json(void **state)
{
	(void)state;
	all_seeds(fuzz_spec, CORPUS_DIR "spec", 8);
}

static void process_json(void **state)
{
	(void)state;
	all_seeds(fuzz_process, CORPUS_DIR "process", 3);
}

static void resources_json(void **state)
{
	(void)state;
	all_seeds(fuzz_resources, CORPUS_DIR "resources", 5);
}

static void state_json_(void **state)
{
	(void)state;
	all_seeds(fuzz_state, CORPUS_DIR "state", 3);
}

int main(int argc, char **argv)
{
	static fuzz_target *const all[] = { fuzz_spec, fuzz_process, fuzz_resources, fuzz_state };
	const struct CMUnitTest tests[] = { cmocka_unit_test(config_json), cmocka_unit_test(process_json), cmocka_unit_test(resources_json),
		cmocka_unit_test(state_json_) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return argc == 1 ? cmocka_run_group_tests(tests, NULL, NULL) : fuzz_files(argc, argv, all, sizeof all / sizeof *all);
}
