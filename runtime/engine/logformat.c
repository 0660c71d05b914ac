/* logformat.c - records of the json-file log (coracle-engine). Pure. */
#include "logformat.h"

#include <errno.h>
#include <string.h>

#include "gotime.h"
#include "json.h"
#include "utf8.h"

static const char *const stream_names[] = { "stdout", "stderr" };

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void add_ascii(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		buf_putc(b, '\\');
		buf_putc(b, (char)c);
		break;
	case '\n':
		buf_puts(b, "\\n");
		break;
	case '\r':
		buf_puts(b, "\\r");
		break;
	default:
		buf_printf(b, "\\u%04x", c);
	}
}

static size_t add_wide(struct buf *b, const char *s, size_t n)
{
	char out[JSON_ESCAPE_MAX];
	size_t used, len = json_escape(s, n, &used, out);

	if (used == 1)
		buf_puts(b, "\\ufffd");
	else if (used == 3 && memcmp(s, "\xe2\x80\xa8", 3) == 0)
		buf_puts(b, "\\u2028");
	else if (used == 3 && memcmp(s, "\xe2\x80\xa9", 3) == 0)
		buf_puts(b, "\\u2029");
	else
		buf_add(b, out, len);
	return used;
}

void logformat_add(struct buf *b, const char *text, size_t n, bool newline, enum log_stream stream, int64_t time_ns)
{
	char when[GOTIME_MAX];
	size_t i = 0;

	buf_puts(b, "{\"log\":\"");
	while (i < n) {
		size_t run = i;

		while (run < n && plain((unsigned char)text[run]))
			run++;
		if (run > i)
			buf_add(b, text + i, run - i);
		else if ((unsigned char)text[i] < 0x80)
			add_ascii(b, (unsigned char)text[run++]);
		else
			run += add_wide(b, text + i, n - i);
		i = run;
	}
	buf_printf(b, "%s\",\"stream\":\"%s\",\"time\":\"%s\"}\n", newline ? "\\n" : "", stream_names[stream],
		   gotime_format(time_ns, when));
}

static int hex4(const char *s, const char *end, unsigned *out)
{
	*out = 0;
	if (end - s < 4)
		return -EINVAL;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned d = c >= '0' && c <= '9' ? c - (unsigned)'0' : (c | 0x20u) >= 'a' && (c | 0x20u) <= 'f' ? (c | 0x20u) - 'a' + 10 : 16;

		if (d > 15)
			return -EINVAL;
		*out = *out << 4 | d;
	}
	return 0;
}

/* Four hexadecimal digits, with the second half where it is a surrogate. s is behind the 'u'. */
static const char *parse_unicode(const char *s, const char *end, struct buf *b)
{
	unsigned c, low;

	if (hex4(s, end, &c) < 0)
		return NULL;
	s += 4;
	if (c >= 0xd800 && c < 0xdc00 && end - s >= 6 && s[0] == '\\' && s[1] == 'u' && hex4(s + 2, end, &low) == 0 &&
	    low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		s += 6;
	} else if (c >= 0xd800 && c < 0xe000) {
		c = 0xfffd;
	}
	utf8_add(b, c);
	return s;
}

static const char *parse_escape(const char *s, const char *end, struct buf *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (s == end)
		return NULL;
	if (*s == 'u')
		return parse_unicode(s + 1, end, b);
	p = *s ? strchr(from, *s) : NULL;
	if (!p)
		return NULL;
	buf_putc(b, to[p - from]);
	return s + 1;
}

/* A string whose opening quote was read; returns the place behind its closing quote or NULL. */
static const char *parse_string(const char *s, const char *end, struct buf *b)
{
	while (s < end && *s != '"') {
		const char *run = s;

		while (run < end && *run != '"' && *run != '\\')
			run++;
		buf_add(b, s, (size_t)(run - s));
		s = run;
		if (s < end && *s == '\\') {
			s = parse_escape(s + 1, end, b);
			if (!s)
				return NULL;
		}
	}
	return s < end ? s + 1 : NULL;
}

static const char *expect(const char *s, const char *end, const char *what)
{
	size_t n = strlen(what);

	return s && (size_t)(end - s) >= n && memcmp(s, what, n) == 0 ? s + n : NULL;
}

int logformat_parse(const char *line, size_t n, struct buf *text, struct log_record *out)
{
	const char *end = line + n, *s = expect(line, end, "{\"log\":\""), *err;
	char when[GOTIME_MAX];
	size_t len;

	buf_reset(text);
	s = s ? parse_string(s, end, text) : NULL;
	s = expect(s, end, ",\"stream\":\"std");
	if (!s)
		return -EINVAL;
	err = expect(s, end, "err\"");
	out->stream = err ? LOG_STDERR : LOG_STDOUT;
	s = err ? err : expect(s, end, "out\"");
	s = expect(s, end, ",\"time\":\"");
	if (!s || end - s < 3 || memcmp(end - 2, "\"}", 2) != 0)
		return -EINVAL;
	len = (size_t)(end - 2 - s);
	if (len >= sizeof(when) || buf_error(text))
		return -EINVAL;
	memcpy(when, s, len);
	when[len] = '\0';
	out->text = text->data;
	out->len = text->len;
	return gotime_parse(when, &out->time_ns);
}
