/* test_units_fuzz.c - drives tests/fuzz/fuzz_units.c over its seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz_helper.h"

fuzz_target fuzz_units;

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
static void damage(fuzz_target *target, const char *data, size_t n, uint32_t seed)
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
		size_t at = line_at(copy, len, fuzz_random(&state));
		size_t end = line_end(copy, len, at);
		char piece[200];
		size_t take = 0;

		switch (fuzz_random(&state) % 4) {
		case 0:
			copy[fuzz_random(&state) % len] = bytes[fuzz_random(&state) % (sizeof(bytes) - 1)];
			continue;
		case 1: { /* another value */
			const char *equals = memchr(copy + at, '=', end - at);

			at = equals ? (size_t)(equals - copy) + 1 : at;
			end = end > at ? end - 1 : end;
			take = (size_t)snprintf(piece, sizeof(piece), "%s", values[fuzz_random(&state) % (sizeof(values) / sizeof(values[0]))]);
			break;
		}
		case 2: { /* a line from elsewhere */
			size_t from = line_at(copy, len, fuzz_random(&state));

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
	target((const uint8_t *)copy, len);
	free(copy);
}

static void seeds(void **state)
{
	(void)state;
	fuzz_seeds(&(struct fuzz_plan){ .target = fuzz_units, .folder = "tests/fuzz/corpus/units", .least = 3, .copies = 4000, .damage = damage });
}

int main(int argc, char **argv)
{
	static fuzz_target *const all[] = { fuzz_units };
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };

	return argc == 1 ? cmocka_run_group_tests(tests, NULL, NULL) : fuzz_files(argc, argv, all, 1);
}
