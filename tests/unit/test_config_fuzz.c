/* test_config_fuzz.c - drives tests/fuzz/fuzz_config.c over the fixtures, over their beginnings, and over damaged copies. Given
 * files as arguments, it runs these only: to look at what a fuzzer found. */
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

#include "fd.h"

#define FOLDER "tests/fixtures/config"
#define MUTATIONS 60		/* damaged copies of each file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t next_random(uint32_t *state)
{
	/* xorshift32: the same damage on every run */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void damage(const char *data, size_t n, uint32_t seed)
{
	static const char bits[] = "{}[]:,&*!|>'\"%@`#-?\n\t $\\\0\xff<=0aZ";
	uint32_t state = seed * 2654435761u + 1;
	char *copy = malloc(n * 2 + 64);
	size_t len = n;

	memcpy(copy, data, n);
	for (unsigned i = 0; i < 1 + seed % 6 && len > 20; i++) {
		size_t at = 14 + next_random(&state) % (len - 14);
		size_t from = next_random(&state) % len;
		size_t take = next_random(&state) % 40;

		switch (next_random(&state) % 3) {
		case 0:
			copy[at] = bits[next_random(&state) % (sizeof(bits) - 1)];
			break;
		case 1: /* a piece of it once more */
			take = take > len - from ? len - from : take;
			if (len + take > n * 2)
				break;
			memmove(copy + at + take, copy + at, len - at);
			memmove(copy + at, copy + (from >= at ? from + take : from), take);
			len += take;
			break;
		default: /* a piece less */
			take = take > len - at ? len - at : take;
			memmove(copy + at, copy + at + take, len - at - take);
			len -= take;
		}
	}
	LLVMFuzzerTestOneInput((const uint8_t *)copy, len);
	free(copy);
}

static void one_file(const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, (size_t)1 << 20, &text, &len, NULL), 0);
	for (size_t n = 0; n < len; n += 1 + len / 100)
		LLVMFuzzerTestOneInput((const uint8_t *)text, n);
	LLVMFuzzerTestOneInput((const uint8_t *)text, len);
	for (uint32_t seed = 0; seed < MUTATIONS; seed++)
		damage(text, len, seed);
}

static void fixtures(void **state)
{
	DIR *d = opendir(FOLDER);
	struct dirent *e;
	char path[400];
	unsigned n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !strstr(e->d_name, ".yaml"))
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
		one_file(path);
		n++;
	}
	closedir(d);
	assert_true(n >= 10);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(fixtures) };

	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++) {
		CLEANUP_FREE char *text = NULL;
		size_t len = 0;

		if (fd_read_file(AT_FDCWD, argv[i], (size_t)16 << 20, &text, &len, NULL) < 0)
			return 1;
		LLVMFuzzerTestOneInput((const uint8_t *)text, len);
	}
	return 0;
}
