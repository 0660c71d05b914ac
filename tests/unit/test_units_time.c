/* test_units_time.c - spans of time and calendar events: against a walk through every second, and against systemd-analyze where there is one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "init/units/unit.h"
#include "init/units/values.h"

static uint32_t random_state = 2463534242u;

static unsigned draw(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

static int matches(const struct unit_calendar *c, int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;

	gmtime_r(&at, &tm);
	return c->seconds >> tm.tm_sec & 1 && c->minutes >> tm.tm_min & 1 && c->hours >> tm.tm_hour & 1 && c->days >> tm.tm_mday & 1 &&
	       c->months >> (tm.tm_mon + 1) & 1 && c->weekdays >> tm.tm_wday & 1 &&
	       (!c->year_first || (tm.tm_year + 1900 >= c->year_first && tm.tm_year + 1900 <= c->year_last));
}

/* One field: a star, a value, a range, a step, a list. */
static void draw_field(char *out, size_t size, int min, int max)
{
	int a = min + (int)draw((unsigned)(max - min + 1));
	int b = a + (int)draw((unsigned)(max - a + 1));

	switch (draw(6)) {
	case 0:
		snprintf(out, size, "%d", a);
		break;
	case 1:
		snprintf(out, size, "%d..%d", a, b);
		break;
	case 2:
		snprintf(out, size, "%d/%d", a, 1 + (int)draw(20));
		break;
	case 3:
		snprintf(out, size, "%d..%d/%d,%02d", a, b, 1 + (int)draw(5), min);
		break;
	default:
		snprintf(out, size, "*");
	}
}

static void draw_event(char *out, size_t size)
{
	static const char *const weekdays[] = { "", "", "", "Mon ", "Sat,Sun ", "tue..thursday ", "Mon..Wed,Fri " };
	char f[5][40];

	draw_field(f[0], sizeof(f[0]), 1, 12);
	draw_field(f[1], sizeof(f[1]), 1, 31);
	draw_field(f[2], sizeof(f[2]), 0, 23);
	draw_field(f[3], sizeof(f[3]), 0, 59);
	draw_field(f[4], sizeof(f[4]), 0, 59);
	snprintf(out, size, "%s%s%s-%s %s:%s:%s", weekdays[draw(7)], draw(4) ? "*-" : "2026..2027-", f[0], f[1], f[2], f[3], f[4]);
}

/* Every second from a random one on: the first that matches is the next one. */
static void brute_force(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct unit_calendar c;
		char text[300];
		int64_t after = 1767225600 + (int64_t)draw(2 * 365 * 86400u);
		int64_t next;
		int64_t t = after + 1;

		draw_event(text, sizeof(text));
		assert_int_equal(unit_calendar_parse(text, &c, NULL), 0);
		next = unit_calendar_next(&c, after);
		while (t < after + 20000 && !matches(&c, t))
			t++;
		if (matches(&c, t) ? next != t : next != -1 && next < t)
			fail_msg("%s after %lld: %lld, but %lld matches", text, (long long)after, (long long)next, (long long)t);
		assert_true(next == -1 || matches(&c, next));
	}
}

static void calendar_texts(void **state)
{
	static const char *const good[] = { "minutely", "hourly", "daily", "monthly", "weekly", "yearly", "annually", "quarterly", "semiannually", "Mon", "*:0/15",
					    "06:00", "*-*-* 06:00 UTC", "2026-12-24", "12-24 18:00", "Mon..Fri 8..17:0", "Sun *-1..7-* 23:59:59" };
	static const char *const bad[] = { "", " ", "now", "24:00", "0:60", "*-13-01", "*-*-32", "*-*-0", "5", "Mon Tue", "*:*:*:*", "*/2:00", "0/0:00", "5..3:00",
					   "Fri..Mon", "06:00 Mon", "06:00 2026-01-01", "2026,2028-01-01", "*-*~1", "06:00:00.5", "06:00 Europe/Paris", "06:", "-1-1",
					   "06:00,", "Mon,", "*-*-* 06:00 UTC UTC", "99999-01-01", "UTC" };
	struct unit_calendar c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (unit_calendar_parse(good[i], &c, NULL) < 0)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (unit_calendar_parse(bad[i], &c, NULL) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static int64_t next(const char *text, int64_t after)
{
	struct unit_calendar c;

	assert_int_equal(unit_calendar_parse(text, &c, NULL), 0);
	return unit_calendar_next(&c, after);
}

static void calendar_edges(void **state)
{
	(void)state;
	assert_int_equal(next("1970-01-01", -1), 0);
	assert_int_equal(next("1970-01-01", INT64_MIN), 0);
	assert_int_equal(next("1970-01-01", 0), -1);
	assert_int_equal(next("*-02-30", 1767225600), -1);
	assert_int_equal(next("Mon *-02-29", 3223929600), 4486147200);	/* 2072, 2112: the longest wait there is */
	assert_int_equal(next("2199-12-31 23:59:59", 0), 7258118399);
	assert_int_equal(next("2199-12-31 23:59:59", 7258118399), -1);
	assert_int_equal(next("*:*:*", INT64_MAX / 2), -1);
}

/* Reads the lines of a command that begin with a word, at most max; 0: the command is not there. */
static int lines_of(const char *command, const char *const *begins, char lines[][100], int max)
{
	FILE *f = popen(command, "r");
	char line[400];
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		const char *at = line + strspn(line, " ");

		for (int i = 0; begins[i] && n < max; i++)
			if (!strncmp(at, begins[i], strlen(begins[i])))
				snprintf(lines[n++], 100, "%.*s", (int)strcspn(at, "\n"), at);
	}
	if (f)
		pclose(f);
	return n;
}

static int64_t time_of(const char *line)
{
	struct tm tm = { 0 };
	const char *at = strchr(line, ':');

	/* "Next elapse: Mon 2026-01-05 00:00:00 UTC" */
	if (!at || sscanf(at + 1, " %*s %d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

static void as_systemd_calendar(void **state)
{
	static const char *const begins[] = { "Next elapse:", "Iter. #", NULL };
	static const char *const fixed[] = { "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "Mon *-02-29", "Tue" };
	int compared = 0;

	(void)state;
	if (system("systemd-analyze calendar daily >/dev/null 2>&1") != 0)
		skip();
	for (int i = 0; i < 60; i++) {
		char text[300];
		char command[400];
		char lines[6][100];
		int64_t at = 1772323199;
		int n;

		draw_event(text, sizeof(text));
		if (i < 10)
			snprintf(text, sizeof(text), "%s", fixed[i]);
		snprintf(command, sizeof(command), "TZ=UTC LC_ALL=C systemd-analyze calendar --base-time=@%lld --iterations=6 '%s' 2>&1", (long long)at, text);
		n = lines_of(command, begins, lines, 6);
		for (int k = 0; k < n; k++, compared++) {
			int64_t want = time_of(lines[k]);

			at = next(text, at);
			if (at != want)
				fail_msg("%s: %lld, systemd: %s", text, (long long)at, lines[k]);
			if (want < 0)
				break;
		}
	}
	assert_true(compared > 200);
}

static void spans(void **state)
{
	static const struct { const char *text; int64_t us; } cases[] = {
		{ "5", 5000000 }, { "0", 0 }, { "1.5", 1500000 }, { "2min", 120000000 }, { "1h 30min", 5400000000 }, { "1d12h", 129600000000 }, { "55s500ms", 55500000 },
		{ "300ms20s 5day", 432020300000 }, { "1 month", 2629800000000 }, { "2 y", 63115200000000 }, { "10us", 10 }, { "infinity", VALUE_FOREVER },
		{ "0.000001", 1 }, { "1.5min", 90000000 }, { "3w", 1814400000000 },
	};
	static const char *const bad[] = { "", " ", "s", "5 x", "-5", "5..5", "1e3", "5 5min x", "infinity 5", "18446744073709551616", "101y", "99999999999999 y", "." };
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (value_span(cases[i].text, 1000000, &us) < 0)
			fail_msg("refused: %s", cases[i].text);
		assert_int_equal(us, cases[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (value_span(bad[i], 1000000, &us) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static void as_systemd_spans(void **state)
{
	static const char *const units_of[] = { "us", "usec", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute", "minutes", "h", "hr", "hour",
						"hours", "d", "day", "days", "w", "week", "weeks", "M", "month", "months", "y", "year", "years", "" };
	static const char *const begins[] = { "\xce\xbcs:", "us:", NULL };

	(void)state;
	if (system("systemd-analyze timespan 1s >/dev/null 2>&1") != 0)
		skip();
	for (int i = 0; i < 60; i++) {
		char text[100];
		char command[200];
		char lines[1][100];
		int64_t us;

		snprintf(text, sizeof(text), "%u%s%s %u.%u%s", draw(50), draw(2) ? " " : "", units_of[i % 28], draw(9), draw(1000), units_of[draw(28)]);
		snprintf(command, sizeof(command), "LC_ALL=C.UTF-8 systemd-analyze timespan '%s' 2>&1", text);
		assert_int_equal(lines_of(command, begins, lines, 1), 1);
		if (value_span(text, 1000000, &us) < 0)
			fail_msg("refused: %s", text);
		if (us != strtoll(strchr(lines[0], ':') + 1, NULL, 10))
			fail_msg("%s: %lld, systemd: %s", text, (long long)us, lines[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brute_force), cmocka_unit_test(calendar_texts), cmocka_unit_test(calendar_edges), cmocka_unit_test(as_systemd_calendar),
		cmocka_unit_test(spans), cmocka_unit_test(as_systemd_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
