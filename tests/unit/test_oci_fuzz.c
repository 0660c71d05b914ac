/* test_oci_fuzz.c - drives tests/fuzz/fuzz_{spec,process,resources,state}.c over their seeds, over the seeds' beginnings, and over damaged copies: the
 * same ones on every run. `make fuzz` goes on from there. Given files as arguments, it runs these only: to look at what a fuzzer found. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/fd.h"
#include "tests/fuzz/fuzz_oci.h"

#define CORPUS_DIR "tests/fuzz/corpus/"
#define MUTATIONS 3000		/* damaged copies of each seed */

typedef int target(const uint8_t *data, size_t n);

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

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
static void damage(target *fn, const char *data, size_t n, uint32_t seed)
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
		const char *from = VALUES[next_random(&state) % (sizeof VALUES / sizeof *VALUES)];
		size_t at = find_value(copy, len, next_random(&state)), end = value_end(copy, len, at), take = strlen(from);
		char piece[512];

		switch (next_random(&state) % 4) {
		case 0: /* one byte */
			copy[next_random(&state) % len] = (char)next_random(&state);
			continue;
		case 1: /* a value from elsewhere */
			from = copy + find_value(copy, len, next_random(&state));
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
	fn((const uint8_t *)copy, len);
	free(copy);
}

static void one_seed(target *fn, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, (size_t)1 << 20, &text, &len, NULL), 0);
	fn((const uint8_t *)text, len);
	for (size_t n = 0; n < len; n += 1 + len / 100)
		fn((const uint8_t *)text, n);
	for (uint32_t seed = 0; seed < MUTATIONS; seed++)
		damage(fn, text, len, seed);
}

static void all_seeds(target *fn, const char *folder, unsigned least)
{
	char path[400];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof path, CORPUS_DIR "%s", folder);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, CORPUS_DIR "%s/%s", folder, e->d_name);
		one_seed(fn, path);
		n++;
	}
	closedir(d);
	assert_true(n >= least);
	fuzz_oci_end();
}

static void config_json(void **state)
{
	(void)state;
	all_seeds(fuzz_spec, "spec", 8);
}

static void process_json(void **state)
{
	(void)state;
	all_seeds(fuzz_process, "process", 3);
}

static void resources_json(void **state)
{
	(void)state;
	all_seeds(fuzz_resources, "resources", 5);
}

static void state_json_(void **state)
{
	(void)state;
	all_seeds(fuzz_state, "state", 3);
}

int main(int argc, char **argv)
{
	static target *const ALL[] = { fuzz_spec, fuzz_process, fuzz_resources, fuzz_state };
	const struct CMUnitTest tests[] = { cmocka_unit_test(config_json), cmocka_unit_test(process_json), cmocka_unit_test(resources_json),
		cmocka_unit_test(state_json_) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++) {
		CLEANUP_FREE char *text = NULL;
		size_t len = 0;

		if (fd_read_file(AT_FDCWD, argv[i], (size_t)16 << 20, &text, &len, NULL) < 0)
			return 1;
		for (size_t k = 0; k < sizeof ALL / sizeof *ALL; k++)
			ALL[k]((const uint8_t *)text, len);
	}
	return 0;
}
