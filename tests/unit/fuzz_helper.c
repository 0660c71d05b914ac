/* fuzz_helper.c - seeds, their beginnings and damaged copies of them, for the unit tests of fuzz targets. */
#include "fuzz_helper.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/fd.h"

#define SEED_MAX ((size_t)16 << 20)

uint32_t fuzz_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

void fuzz_damage_text(fuzz_target *target, const char *data, size_t n, uint32_t seed)
{
	static const char bytes[] = "{}[]:,&*!|>'\"%@`#-?\n\t $\\\0\xff<=0aZ/;";
	uint32_t state = seed * 2654435761u + 1;
	char *copy = malloc(n * 2 + 64);
	size_t len = n;

	memcpy(copy, data, n);
	for (unsigned i = 0; i < 1 + seed % 6 && len > 4; i++) {
		size_t at = fuzz_random(&state) % len;
		size_t from = fuzz_random(&state) % len;
		size_t take = fuzz_random(&state) % 40;

		switch (fuzz_random(&state) % 3) {
		case 0:
			copy[at] = bytes[fuzz_random(&state) % (sizeof(bytes) - 1)];
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
	target((const uint8_t *)copy, len);
	free(copy);
}

static void one_seed(const struct fuzz_plan *plan, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, SEED_MAX, &text, &len, NULL), 0);
	for (size_t n = 0; n < len; n += 1 + (plan->beginnings ? len / plan->beginnings : 0))
		plan->target((const uint8_t *)text, n);
	plan->target((const uint8_t *)text, len);
	for (uint32_t seed = 0; seed < plan->copies && len > 0; seed++)
		(plan->damage ? plan->damage : fuzz_damage_text)(plan->target, text, len, seed);
}

static int ends_so(const char *name, const char *suffix)
{
	size_t n = strlen(name);

	return !suffix || (n >= strlen(suffix) && !strcmp(name + n - strlen(suffix), suffix));
}

void fuzz_seeds(const struct fuzz_plan *plan)
{
	DIR *d = opendir(plan->folder);
	struct dirent *e;
	char path[512];
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !ends_so(e->d_name, plan->suffix))
			continue;
		snprintf(path, sizeof(path), "%s/%s", plan->folder, e->d_name);
		one_seed(plan, path);
		n++;
	}
	closedir(d);
	assert_true(n >= plan->least);
}

int fuzz_files(int argc, char **argv, fuzz_target *const *targets, size_t n)
{
	for (int i = 1; i < argc; i++) {
		CLEANUP_FREE char *text = NULL;
		size_t len = 0;

		if (fd_read_file(AT_FDCWD, argv[i], SEED_MAX, &text, &len, NULL) < 0)
			return 1;
		for (size_t k = 0; k < n; k++)
			targets[k]((const uint8_t *)text, len);
	}
	return 0;
}

static void seeds(void **state)
{
	fuzz_seeds(*state);
}

int fuzz_main(int argc, char **argv, const struct fuzz_plan *plan)
{
	struct fuzz_plan copy = *plan;
	const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(seeds, &copy) };

	return argc == 1 ? cmocka_run_group_tests(tests, NULL, NULL) : fuzz_files(argc, argv, &copy.target, 1);
}
