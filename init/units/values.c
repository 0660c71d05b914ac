/* values.c - the values that unit files hold: see values.h. Pure; runs in PID 1, in tests and in the fuzzer. */
#include "init/units/values.h"

#include <errno.h>
#include <string.h>

#include "cdefs.h"

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int value_choice(const char *names, const char *s)
{
	for (int i = 0; *names; i++, names += strlen(names) + 1)
		if (!strcmp(names, s))
			return i;
	return -EINVAL;
}

int value_bool(const char *s)
{
	int i = value_choice("no\0yes\0false\0true\0off\0on\0" "0\0" "1\0n\0y\0f\0t\0", s);

	return i < 0 ? i : i & 1;
}

/* Digits from *s on; -EINVAL when there is none or they say more than max. */
static int read_digits(const char **s, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	const char *at = *s;

	for (; is_digit(*at); at++) {
		if (n > (max - (uint64_t)(*at - '0')) / 10)
			return -EINVAL;
		n = n * 10 + (uint64_t)(*at - '0');
	}
	if (at == *s)
		return -EINVAL;
	*s = at;
	*out = n;
	return 0;
}

int value_number(const char *s, int64_t min, int64_t max, int64_t *out)
{
	int negative = *s == '-';
	uint64_t n;

	s += negative || *s == '+';
	if (read_digits(&s, INT64_MAX, &n) < 0 || *s)
		return -EINVAL;
	*out = negative ? -(int64_t)n : (int64_t)n;
	return *out < min || *out > max ? -EINVAL : 0;
}

int value_octal(const char *s, unsigned *out)
{
	unsigned n = 0;

	if (!*s || strlen(s) > 6)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return -EINVAL;
		n = n * 8 + (unsigned)(*s - '0');
	}
	*out = n;
	return n > 07777 ? -EINVAL : 0;
}

static const struct { char name[8]; int64_t us; } span_units[] = {
	{ "us", 1 }, { "usec", 1 }, { "\xc2\xb5s", 1 }, { "ms", 1000 }, { "msec", 1000 },
	{ "s", 1000000 }, { "sec", 1000000 }, { "second", 1000000 }, { "seconds", 1000000 },
	{ "m", 60000000 }, { "min", 60000000 }, { "minute", 60000000 }, { "minutes", 60000000 },
	{ "h", 3600000000 }, { "hr", 3600000000 }, { "hour", 3600000000 }, { "hours", 3600000000 },
	{ "d", 86400000000 }, { "day", 86400000000 }, { "days", 86400000000 }, { "w", 604800000000 }, { "week", 604800000000 },
	{ "weeks", 604800000000 }, { "M", 2629800000000 }, { "month", 2629800000000 }, { "months", 2629800000000 },
	{ "y", 31557600000000 }, { "year", 31557600000000 }, { "years", 31557600000000 },
};

/* The unit of time behind a number, 0 when there is no such unit. */
static int64_t read_unit(const char **s, int64_t bare)
{
	size_t n = 0;

	while (is_blank(**s))
		(*s)++;
	while ((*s)[n] && !is_blank((*s)[n]) && !is_digit((*s)[n]) && (*s)[n] != '.')
		n++;
	if (n == 0)
		return bare;
	for (size_t i = 0; i < ARRAY_SIZE(span_units); i++) {
		if (strnlen(span_units[i].name, sizeof(span_units[i].name)) == n && !memcmp(span_units[i].name, *s, n)) {
			*s += n;
			return span_units[i].us;
		}
	}
	return 0;
}

int value_span(const char *s, int64_t bare, int64_t *us)
{
	uint64_t sum = 0;

	*us = VALUE_FOREVER;
	if (!strcmp(s, "infinity"))
		return 0;
	do {
		uint64_t whole;
		int64_t unit;
		int64_t tenth = 1;
		uint64_t part = 0;

		if (read_digits(&s, VALUE_SPAN_MAX_MS, &whole) < 0)
			return -EINVAL;
		if (*s == '.')
			for (s++; is_digit(*s); s++, tenth *= tenth < 1000000 ? 10 : 1)
				part = tenth < 1000000 ? part * 10 + (uint64_t)(*s - '0') : part;
		unit = read_unit(&s, bare);
		if (unit == 0 || whole > (uint64_t)(VALUE_SPAN_MAX_MS * 1000 / unit))
			return -EINVAL;
		sum += whole * (uint64_t)unit + part * (uint64_t)unit / (uint64_t)tenth;
		if (sum > VALUE_SPAN_MAX_MS * 1000)
			return -EINVAL;
		while (is_blank(*s))
			s++;
	} while (*s);
	*us = (int64_t)sum;
	return 0;
}

int value_size(const char *s, uint64_t *out)
{
	static const char suffixes[] = "BKMGTPE";
	const char *suffix;
	unsigned shift = 0;

	*out = UINT64_MAX;
	if (!strcmp(s, "infinity"))
		return 0;
	if (read_digits(&s, INT64_MAX, out) < 0)
		return -EINVAL;
	if (*s) {
		if (s[1] || !(suffix = strchr(suffixes, *s)))
			return -EINVAL;
		shift = 10 * (unsigned)(suffix - suffixes);
	}
	if (*out > (uint64_t)INT64_MAX >> shift)
		return -EINVAL;
	*out <<= shift;
	return 0;
}

int value_signal(const char *s)
{
	static const char names[] = "HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0TERM\0STKFLT\0CHLD\0CONT\0STOP\0"
				    "TSTP\0TTIN\0TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0PROF\0WINCH\0IO\0PWR\0SYS\0";
	int64_t n;
	int i;

	if (is_digit(*s))
		return value_number(s, 1, 64, &n) < 0 ? -EINVAL : (int)n;
	if (!strncmp(s, "SIG", 3))
		s += 3;
	/* the kernel's first one: the C library keeps some for itself, but the others are counted from this by everyone */
	if (!strncmp(s, "RTMIN+", 6))
		return value_number(s + 6, 0, 30, &n) < 0 ? -EINVAL : 34 + (int)n;
	i = value_choice(names, s);
	return i < 0 ? i : i + 1;
}

static int hex_digit(char c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What stands behind a backslash. Returns the byte and moves *at behind it, -EINVAL for an escape that is none, or is a NUL. */
static int read_escape(const char **at)
{
	static const char from[] = "abfnrtvs\\\"';";
	static const char to[] = "\a\b\f\n\r\t\v \\\"';";
	const char *s = *at;
	const char *known = *s ? strchr(from, *s) : NULL;
	int c = known ? to[known - from] : -1;
	int n = known ? 1 : 3;

	if (known)
		;
	else if (*s == 'x' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0)
		c = hex_digit(s[1]) * 16 + hex_digit(s[2]);
	else if (*s >= '0' && *s <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7')
		c = (s[0] - '0') * 64 + (s[1] - '0') * 8 + s[2] - '0';
	if (c <= 0)
		return -EINVAL;
	*at = s + n;
	return c;
}

char *value_word(char **at, int *quoted, struct err *err)
{
	const char *s = *at;
	char quote = '\0';
	int special = 0;
	char *word;
	char *to;

	while (is_blank(*s))
		s++;
	if (!*s)
		return NULL;
	/* what is decoded is never longer than what it was written as */
	for (word = to = *at; *s && (quote || !is_blank(*s));) {
		int c = (unsigned char)*s++;

		if (c == quote || (!quote && (c == '"' || c == '\''))) {
			quote = quote ? '\0' : (char)c;
			special = 1;
			continue;
		}
		if (c == '\\') {
			special = 1;
			if ((c = read_escape(&s)) < 0) {
				err_set(err, 0, "unknown escape \"\\%.1s\"", s);
				return NULL;
			}
		}
		*to++ = (char)c;
	}
	if (quote) {
		err_set(err, 0, "a quote (%c) that is not closed", quote);
		return NULL;
	}
	*at = (char *)(uintptr_t)s + (*s != '\0');
	*to = '\0';
	if (quoted)
		*quoted = special;
	return word;
}
