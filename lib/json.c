/* json.c - JSON strings without heap: shared by buf.c's users and report.c. */
#include "json.h"

#include <stdint.h>
#include <string.h>

#include "buf.h"

/* Length of the well-formed UTF-8 sequence at s (n bytes left), 0 when there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
	unsigned char lo = 0x80;
	unsigned char hi = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	else if (s[0] == 0xed)
		hi = 0x9f;
	else if (s[0] == 0xf0)
		lo = 0x90;
	else if (s[0] == 0xf4)
		hi = 0x8f;
	if (n < len || s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return len;
}

size_t json_escape(const char *s, size_t n, size_t *used, char out[JSON_ESCAPE_MAX])
{
	static const char hex[] = "0123456789abcdef";
	static const char short_names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	const unsigned char *u = (const unsigned char *)s;
	size_t len = utf8_sequence(u, n);

	*used = len ? len : 1;
	if (len == 0) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (len > 1 || (u[0] >= 0x20 && u[0] != '"' && u[0] != '\\' && u[0] != 0x7f)) {
		memcpy(out, s, len);
		return len;
	}
	for (const char *p = short_names; *p; p += 2)
		if (*p == s[0]) {
			out[0] = '\\';
			out[1] = p[1];
			return 2;
		}
	memcpy(out, "\\u00", 4);
	out[4] = hex[u[0] >> 4];
	out[5] = hex[u[0] & 15];
	return 6;
}

void buf_json_string(struct buf *b, const char *s, size_t n)
{
	char out[JSON_ESCAPE_MAX];
	size_t used;

	buf_putc(b, '"');
	for (size_t i = 0; i < n; i += used)
		buf_add(b, out, json_escape(s + i, n - i, &used, out));
	buf_putc(b, '"');
}
