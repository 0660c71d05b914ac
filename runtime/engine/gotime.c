/* gotime.c - Go's time formats for Docker's clients (coracle-engine). Pure. */
#include "gotime.h"
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS 1000000000LL

char *gotime_format_fixed(int64_t ns, char out[GOTIME_MAX])
{
	time_t sec = (time_t)(ns / NS);
	long frac = (long)(ns % NS);
	struct tm tm;

	if (ns == 0)
		return strcpy(out, "0001-01-01T00:00:00.000000000Z");
	if (frac < 0) {
		frac += (long)NS;
		sec--;
	}
	gmtime_r(&sec, &tm);
	text_set(out, GOTIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, frac);
	return out;
}

char *gotime_format(int64_t ns, char out[GOTIME_MAX])
{
	size_t n;

	gotime_format_fixed(ns, out);
	n = strlen(out) - 1;
	while (out[n - 1] == '0')
		n--;
	if (out[n - 1] == '.')
		n--;
	strcpy(out + n, "Z");
	return out;
}

static int64_t parse_fraction(const char **s)
{
	int64_t ns = 0, unit = NS / 10;

	for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		ns += (**s - '0') * unit;
	return ns;
}

static int parse_rfc3339(const char *s, int64_t *ns)
{
	struct tm tm = { 0 };
	int used = 0, oh, om;
	int64_t frac = 0;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &used) != 6)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	s += used;
	if (*s == '.')
		frac = parse_fraction(&s);
	*ns = (int64_t)timegm(&tm) * NS + frac;
	if (strcmp(s, "Z") == 0)
		return 0;
	if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2d:%2d%n", &oh, &om, &used) != 2 || s[1 + used])
		return -EINVAL;
	*ns += (*s == '+' ? -1 : 1) * (int64_t)(oh * 3600 + om * 60) * NS;
	return 0;
}

int gotime_parse(const char *s, int64_t *ns)
{
	char *end;
	long long sec;

	if (strchr(s, 'T'))
		return parse_rfc3339(s, ns);
	errno = 0;
	sec = strtoll(s, &end, 10);
	if (errno || end == s || sec > INT64_MAX / NS - 1 || sec < -(INT64_MAX / NS - 1))
		return -EINVAL;
	*ns = sec * NS;
	if (*end == '.') {
		const char *p = end;

		*ns += parse_fraction(&p);
		end = (char *)(uintptr_t)p;
	}
	return *end ? -EINVAL : 0;
}

char *gotime_human(int64_t s, char *out, size_t size)
{
	int64_t h = (s + 1800) / 3600;	/* go-units rounds hours */

	if (s < 1)
		text_set(out, size, "Less than a second");
	else if (s == 1)
		text_set(out, size, "1 second");
	else if (s < 60)
		text_set(out, size, "%lld seconds", (long long)s);
	else if (s < 120)
		text_set(out, size, "About a minute");
	else if (s < 3600)
		text_set(out, size, "%lld minutes", (long long)s / 60);
	else if (h == 1)
		text_set(out, size, "About an hour");
	else if (h < 48)
		text_set(out, size, "%lld hours", (long long)h);
	else if (h < 24 * 7 * 2)
		text_set(out, size, "%lld days", (long long)h / 24);
	else if (h < 24 * 30 * 2)
		text_set(out, size, "%lld weeks", (long long)h / 24 / 7);
	else if (h < 24 * 365 * 2)
		text_set(out, size, "%lld months", (long long)h / 24 / 30);
	else
		text_set(out, size, "%lld years", (long long)(h / 24 / 365));
	return out;
}
