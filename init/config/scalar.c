/* scalar.c - what the text of a scalar means when a certain type is wanted. */
#include "scalar.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "cdefs.h"

int scalar_bool(const char *s, bool *out)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", "1", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(s, words[i])) {
			*out = i % 2 == 0;
			return 0;
		}
	return -EINVAL;
}

int scalar_uint(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned digit = (unsigned)(unsigned char)*s - '0';

		if (digit > 9 || value > (max - MIN(max, digit)) / 10 || value * 10 + digit > max)
			return -EINVAL;
		value = value * 10 + digit;
	}
	*out = value;
	return 0;
}

int scalar_mode(const char *s, unsigned *out, bool *bare)
{
	unsigned value = 0;
	const char *p = s;

	if (p[0] == '0' && (p[1] == 'o' || p[1] == 'O'))
		p += 2;
	if (!*p || strlen(p) > 5)
		return -EINVAL;
	for (; *p; p++) {
		if (*p < '0' || *p > '7')
			return -EINVAL;
		value = value * 8 + (unsigned)(*p - '0');
	}
	if (value > 07777)
		return -EINVAL;
	*bare = s[0] != '0';
	*out = value;
	return 0;
}

int scalar_duration(const char *s, uint64_t *ms)
{
	static const struct { const char *name; uint64_t us; } units[] = {
		{ "us", 1 }, { "ms", 1000 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000 },
	};
	const uint64_t year = (uint64_t)366 * 24 * 3600000000;
	uint64_t total = 0;

	if (!*s)
		return -EINVAL;
	while (*s) {
		uint64_t n = 0;
		size_t digits = strspn(s, "0123456789");
		size_t letters;
		size_t u = 0;

		if (digits == 0 || digits > 12)
			return -EINVAL;
		for (size_t i = 0; i < digits; i++)
			n = n * 10 + (uint64_t)(s[i] - '0');
		s += digits;
		letters = strspn(s, "abcdefghijklmnopqrstuvwxyz");
		while (u < ARRAY_SIZE(units) && (strlen(units[u].name) != letters || strncmp(s, units[u].name, letters) != 0))
			u++;
		if (u == ARRAY_SIZE(units) || n > year / units[u].us)
			return -EINVAL;
		total += n * units[u].us;
		if (total > year)
			return -EINVAL;
		s += letters;
	}
	*ms = (total + 999) / 1000;
	return 0;
}
