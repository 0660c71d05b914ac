/* escape.c - names on one line, between coracle-fetch and the store (fetch/fetch.h). Pure functions. */
#include "runtime/image/fetch/fetch.h"

#include <errno.h>

char *fetch_escape(const char *s, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *s && n + 4 <= size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > 0x20 && c < 0x7f && c != '%') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
	return out;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int fetch_unescape(char *s)
{
	char *out = s;

	for (; *s; s++, out++) {
		int hi, lo;

		if (*s != '%') {
			*out = *s;
			continue;
		}
		hi = digit(s[1]);
		lo = hi < 0 ? -1 : digit(s[2]);
		if (lo < 0 || hi * 16 + lo == 0)
			return -EINVAL;
		*out = (char)(hi * 16 + lo);
		s += 2;
	}
	*out = '\0';
	return 0;
}
