/* test_units_fuzz.c - drives tests/fuzz/fuzz_units.c over its seeds, over their beginnings, and over damaged copies: the same ones on every
 * run. Given files as arguments, it runs these only: to look at what a fuzzer found. */
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

#define FOLDER "tests/fuzz/corpus/units"
#define MUTATIONS 4000

int fuzz_units(const uint8_t *data, size_t size);

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Where a line begins. */
static size_t line_at(const char *text, size_t n, uint32_t from)
{
	size_t at = from % n;

	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const char *text, size_t n, size_t at)
{
	while (at < n && text[at] != '\n')
		at++;
	return at < n ? at + 1 : n;
}

/* Bytes change, values change, lines are doubled, moved and left out. */
static void damage(const char *data, size_t n, uint32_t seed)
{
	static const char bytes[] = "\\\n\"'%=[]@#;$ \t\0\x7f\xff:,./-*0~!";
	static const char *const values[] = {
		"", "=", "infinity", "18446744073709551615", "-1", "0", "9223372036854775807", "1E", "99999999y", "*-02-30", "%i%n%%", "%", "\"", "\\", "a b c",
		"Feb", "*/0", "Mon..Sun 2199-12-31 23:59:59", "SIGRTMIN+30", "64:1", "/", "@", "[::]:1", ".5s",
	};
	uint32_t state = seed * 2654435761u + 1;
	char *copy = malloc(n * 2 + 256);
	size_t len = n;

	memcpy(copy, data, n);
	for (unsigned i = 0; i < 1 + seed % 5 && len > 8; i++) {
		size_t at = line_at(copy, len, next_random(&state));
		size_t end = line_end(copy, len, at);
		char piece[200];
		size_t take = 0;

		switch (next_random(&state) % 4) {
		case 0:
			copy[next_random(&state) % len] = bytes[next_random(&state) % (sizeof(bytes) - 1)];
			continue;
		case 1: { /* another value */
			const char *equals = memchr(copy + at, '=', end - at);

			at = equals ? (size_t)(equals - copy) + 1 : at;
			end = end > at ? end - 1 : end;
			take = (size_t)snprintf(piece, sizeof(piece), "%s", values[next_random(&state) % (sizeof(values) / sizeof(values[0]))]);
			break;
		}
		case 2: { /* a line from elsewhere */
			size_t from = line_at(copy, len, next_random(&state));

			take = line_end(copy, len, from) - from;
			take = take > sizeof(piece) ? sizeof(piece) : take;
			memcpy(piece, copy + from, take);
			end = at;
			break;
		}
		default: /* a line less */
			break;
		}
		if (len - (end - at) + take > n * 2)
			break;
		memmove(copy + at + take, copy + end, len - end);
		memcpy(copy + at, piece, take);
		len = len - (end - at) + take;
	}
	fuzz_units((const uint8_t *)copy, len);
	free(copy);
}

static void one_file(const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t len = 0;

	assert_int_equal(fd_read_file(AT_FDCWD, path, (size_t)1 << 20, &text, &len, NULL), 0);
	for (size_t n = 0; n <= len; n++)
		fuzz_units((const uint8_t *)text, n);
	for (uint32_t seed = 0; seed < MUTATIONS; seed++)
		damage(text, len, seed);
}

static void seeds(void **state)
{
	DIR *d = opendir(FOLDER);
	struct dirent *e;
	char path[400];
	unsigned n = 0;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s", e->d_name);
		one_file(path);
		n++;
	}
	closedir(d);
	assert_true(n >= 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };

	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++) {
		CLEANUP_FREE char *text = NULL;
		size_t len = 0;

		if (fd_read_file(AT_FDCWD, argv[i], (size_t)16 << 20, &text, &len, NULL) < 0)
			return 1;
		fuzz_units((const uint8_t *)text, len);
	}
	return 0;
}
