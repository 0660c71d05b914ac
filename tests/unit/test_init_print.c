/* test_init_print.c - PID 1's snprintf beside the C library's, for every form that it knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PRINT_TEST
#include "init/pid1/print.c"
#undef snprintf
#undef vsnprintf

/* Formats are made here, so the compiler cannot look at them. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

#define SAME(...) \
	do { \
		for (size_t n = 0; n <= sizeof(ours); n += n < 6 ? 1 : 29) { \
			memset(ours, 'x', sizeof(ours)); \
			memset(theirs, 'x', sizeof(theirs)); \
			a = print_snprintf(ours, n, __VA_ARGS__); \
			b = snprintf(theirs, n, __VA_ARGS__); \
			if (a != b || memcmp(ours, theirs, sizeof(ours))) \
				fail_msg("%s: %d \"%.60s\", expected %d \"%.60s\"", fmt, a, ours, b, theirs); \
		} \
	} while (0)

static char ours[64], theirs[64];
static int a, b;

static void numbers(void **state)
{
	static const char *const flags[] = { "", "-", "0", "-0", "0-" };
	static const char *const counts[] = { "", "1", "3", "12", "1.0", ".0", ".5", "12.5", "3.12", ".", "20.1" };
	static const int64_t values[] = { 0, 1, -1, 9, 10, 255, -128, 127, 32768, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, UINT32_MAX };

	(void)state;
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 11; k++)
			for (const char *c = "diuxXo"; *c; c++)
				for (int v = 0; v < 14; v++) {
					char fmt[32];

					/* a zero with a precision is left out by some C libraries' -0 only: both say what C says */
					snprintf(fmt, sizeof(fmt), "[%%%s%s%c]", flags[i], counts[k], *c);
					SAME(fmt, (int)values[v]);
					snprintf(fmt, sizeof(fmt), "[%%%s%sll%c]", flags[i], counts[k], *c);
					SAME(fmt, (long long)values[v]);
					snprintf(fmt, sizeof(fmt), "[%%%s%sl%c]", flags[i], counts[k], *c);
					SAME(fmt, (long)values[v]);
					snprintf(fmt, sizeof(fmt), "[%%%s%sz%c]", flags[i], counts[k], *c);
					SAME(fmt, (size_t)values[v]);
					snprintf(fmt, sizeof(fmt), "[%%%s%sh%c]", flags[i], counts[k], *c);
					SAME(fmt, (int)(short)values[v]);
					snprintf(fmt, sizeof(fmt), "[%%%s%shh%c]", flags[i], counts[k], *c);
					SAME(fmt, (int)(signed char)values[v]);
				}
}

static void texts(void **state)
{
	static const char *const formats[] = { "%s", "%.3s", "%10s", "%-10s|", "%10.2s", "%-4.9s", "a%sb%%", "%.0s", "%c", "%5c|", "%-5c|" };
	const char *fmt;

	(void)state;
	for (int i = 0; i < 11; i++) {
		fmt = formats[i];
		if (strchr(fmt, 'c')) {
			SAME(fmt, 'Q');
			continue;
		}
		SAME(fmt, "");
		SAME(fmt, "abcdef");
		SAME(fmt, "a text that is longer than the buffer of sixty-four bytes, so that it is cut");
	}
	fmt = "stars";
	SAME("%*d|%-*d|%.*s|%*.*s", 5, 42, 5, 42, 2, "abc", 6, 1, "xyz");
	SAME("%*d|", -6, 7);
	SAME("%.*s", 40, "ends before");
	SAME("%s %d %s %llu %s", "many", 1, "kinds", 18446744073709551615ull, "together");
	SAME("%p", (void *)(uintptr_t)0xdeadbeef);
	SAME("\\%03o \\u%04x %02d:%02d", 7u, 0x1fu, 3, 4);
	/* not terminated: no byte behind the precision is read */
	{
		char *edge = malloc(3);

		memcpy(edge, "abc", 3);
		SAME("%.3s", edge);
		free(edge);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(numbers), cmocka_unit_test(texts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
