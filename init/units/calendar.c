/* calendar.c - calendar events of systemd.time(7): "Mon..Fri *-*-1..7 06:00", "*:0/15", "weekly"; and when the next one is.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap, no time zones but UTC. Not known: the last days of a month ("~"), parts of a second, and
 * lists of years that are not one range. */
#include "init/units/unit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "cdefs.h"

#define LAST_YEAR 2199		/* as systemd's */
#define YEARS_AHEAD 41		/* February 29 on a given weekday comes back within 40 years, round a century without one */
#define DAY INT64_C(86400)

struct field {
	int min, max;
	uint64_t bits;		/* bit v - min; years: unused */
	int first, last;
};

static int read_value(const char **at, int *out)
{
	const char *s = *at;
	int n = 0;

	for (; *s >= '0' && *s <= '9' && s - *at < 5; s++)
		n = n * 10 + *s - '0';
	*out = n;
	if (s == *at)
		return -EINVAL;
	*at = s;
	return 0;
}

static int is_year(const struct field *f)
{
	return f->max > 63;
}

/* "V", "V..V", "V/STEP", "V..V/STEP" */
static int read_range(const char **at, struct field *f)
{
	int first, last, step = 1;
	int range;

	if (read_value(at, &first) < 0)
		return -EINVAL;
	last = first;
	range = !strncmp(*at, "..", 2);
	if (range) {
		*at += 2;
		if (read_value(at, &last) < 0)
			return -EINVAL;
	}
	if (**at == '/') {
		(*at)++;
		if (read_value(at, &step) < 0 || step == 0)
			return -EINVAL;
		last = range ? last : f->max;
	}
	if (first < f->min || last > f->max || first > last || (is_year(f) && (f->first || step != 1)))
		return -EINVAL;
	f->first = first;
	f->last = last;
	for (int v = first; v <= last && !is_year(f); v += step)
		f->bits |= UINT64_C(1) << (v - f->min);
	return 0;
}

static int read_field(const char **at, struct field *f)
{
	f->bits = 0;
	f->first = f->last = 0;
	if (**at == '*') {
		(*at)++;
		f->bits = (UINT64_C(2) << MIN(f->max - f->min, 62)) - 1;
		return 0;
	}
	for (;; (*at)++) {
		if (read_range(at, f) < 0)
			return -EINVAL;
		if (**at != ',')
			return 0;
	}
}

static int read_weekday(const char **at)
{
	static const char names[7][10] = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" };
	size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (int i = 0; i < 7; i++) {
		if ((n == 3 || n == strlen(names[i])) && !strncasecmp(*at, names[i], n)) {
			*at += n;
			return i;
		}
	}
	return -EINVAL;
}

/* "Mon", "Mon,Wed", "Mon..Fri"; a week goes from Monday to Sunday. */
static int read_weekdays(const char **at, uint8_t *out)
{
	*out = 0;
	for (;; (*at)++) {
		int first = read_weekday(at);
		int last = first;

		if (first >= 0 && !strncmp(*at, "..", 2)) {
			*at += 2;
			last = read_weekday(at);
		}
		if (first < 0 || last < 0 || (first + 6) % 7 > (last + 6) % 7)
			return -EINVAL;
		for (int i = (first + 6) % 7; i <= (last + 6) % 7; i++)
			*out = (uint8_t)(*out | 1u << (i + 1) % 7);
		if (**at != ',')
			return 0;
	}
}

/* "Y-M-D" or "M-D" */
static int read_date(const char **at, struct unit_calendar *out)
{
	struct field year = { .min = 1970, .max = LAST_YEAR };
	struct field month = { .min = 1, .max = 12 };
	struct field day = { .min = 1, .max = 31 };
	size_t dashes = 0;

	for (const char *s = *at; *s && *s != ' '; s++)
		dashes += *s == '-';
	if (dashes == 2 && (read_field(at, &year) < 0 || *(*at)++ != '-'))
		return -EINVAL;
	if (read_field(at, &month) < 0 || *(*at)++ != '-' || read_field(at, &day) < 0)
		return -EINVAL;
	out->year_first = (int16_t)year.first;
	out->year_last = (int16_t)year.last;
	out->months = (uint16_t)(month.bits << 1);
	out->days = (uint32_t)(day.bits << 1);
	return 0;
}

/* "H:M" or "H:M:S" */
static int read_time(const char **at, struct unit_calendar *out)
{
	struct field hour = { .max = 23 };
	struct field minute = { .max = 59 };
	struct field second = { .max = 59, .bits = 1 };

	if (read_field(at, &hour) < 0 || *(*at)++ != ':' || read_field(at, &minute) < 0)
		return -EINVAL;
	if (**at == ':') {
		(*at)++;
		if (read_field(at, &second) < 0)
			return -EINVAL;
	}
	out->hours = (uint32_t)hour.bits;
	out->minutes = minute.bits;
	out->seconds = second.bits;
	return 0;
}

static const char *expand_shorthand(const char *text)
{
	static const char names[][2][18] = {
		{ "minutely", "*-*-* *:*:00" }, { "hourly", "*-*-* *:00:00" }, { "daily", "*-*-* 00:00" }, { "weekly", "Mon *-*-* 00:00" },
		{ "monthly", "*-*-01 00:00" }, { "quarterly", "*-1/3-01 00:00" }, { "semiannually", "*-1/6-01 00:00" }, { "yearly", "*-01-01 00:00" },
		{ "annually", "*-01-01 00:00" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(text, names[i][0]))
			return names[i][1];
	return text;
}

/* Parts in this order, each at most once: weekdays, date, time, "UTC". */
static int read_all(const char *s, struct unit_calendar *out)
{
	int part = 0;

	while (*s) {
		size_t n = strcspn(s, " ");
		int r;

		if (part < 1 && ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))) {
			part = 1;
			r = read_weekdays(&s, &out->weekdays);
		} else if (part < 2 && memchr(s, '-', n)) {
			part = 2;
			r = read_date(&s, out);
		} else if (part < 3 && memchr(s, ':', n)) {
			part = 3;
			r = read_time(&s, out);
		} else {
			r = part && !strcmp(s, "UTC") ? 0 : -EINVAL;
			s += n;
		}
		if (r < 0 || (*s && *s != ' '))
			return -EINVAL;
		s += strspn(s, " ");
	}
	return part ? 0 : -EINVAL;
}

int unit_calendar_parse(const char *text, struct unit_calendar *out, struct err *err)
{
	*out = (struct unit_calendar){ .seconds = 1, .minutes = 1, .hours = 1, .days = UINT32_MAX - 1, .months = 0x1ffe, .weekdays = 0x7f };
	if (read_all(expand_shorthand(text), out) < 0)
		return err_set(err, 0, "not a calendar event (\"Mon..Fri *-*-* 06:00\", \"*:0/15\", \"daily\")");
	return 0;
}

struct date { int year, month, day; };

/* Days since 1970 <-> dates: Howard Hinnant's algorithms for the proleptic Gregorian calendar, for years after 0. */
static struct date date_of(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);

	return (struct date){ (int)(yoe + era * 400 + (month <= 2)), month, (int)(doy - (153 * mp + 2) / 5 + 1) };
}

static int64_t days_of(struct date d)
{
	int64_t y = d.year - (d.month <= 2);
	int64_t era = y / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int next_bit(uint64_t bits, int from)
{
	uint64_t left = from > 63 ? 0 : bits >> from << from;

	return left ? __builtin_ctzll(left) : -1;
}

/* The first second of the day, from `from` on, that matches; -1: none. */
static int64_t next_in_day(const struct unit_calendar *c, int64_t from)
{
	int hour = (int)(from / 3600);
	int minute = (int)(from / 60 % 60);
	int second = next_bit(c->seconds, (int)(from % 60));
	int h = next_bit(c->hours, hour);
	int m;

	if (h == hour) {
		m = next_bit(c->minutes, minute);
		if (m == minute && second >= 0)
			return (int64_t)h * 3600 + m * 60 + second;
		if (m == minute)
			m = next_bit(c->minutes, minute + 1);
		if (m >= 0)
			return (int64_t)h * 3600 + m * 60 + next_bit(c->seconds, 0);
		h = next_bit(c->hours, hour + 1);
	}
	return h < 0 ? -1 : (int64_t)h * 3600 + next_bit(c->minutes, 0) * 60 + next_bit(c->seconds, 0);
}

int64_t unit_calendar_next(const struct unit_calendar *c, int64_t after)
{
	int64_t start = MAX(after, -1) + 1;
	int64_t day = start / DAY;
	int64_t from = start % DAY;
	int last = c->year_last ? c->year_last : LAST_YEAR;
	struct date d = date_of(day);

	if (d.year < c->year_first) {
		d = (struct date){ c->year_first, 1, 1 };
		day = days_of(d);
		from = 0;
	}
	last = MIN(last, d.year + YEARS_AHEAD);
	for (; d.year <= last; d = date_of(day)) {
		if (!(c->months >> d.month & 1)) {
			d.year += d.month == 12;
			d.month = d.month % 12 + 1;
			d.day = 1;
			day = days_of(d);
		} else {
			/* 1970-01-01 was a Thursday */
			int64_t second = c->days >> d.day & 1 && c->weekdays >> (day + 4) % 7 & 1 ? next_in_day(c, from) : -1;

			if (second >= 0)
				return day * DAY + second;
			day++;
		}
		from = 0;
	}
	return -1;
}
