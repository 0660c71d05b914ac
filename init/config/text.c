/* text.c - checks and small searches on text that came from outside. */
#include "text.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#define NAME_MAX_LEN 40
#define REPORTS_MAX 10

size_t text_utf8_length(const char *s, size_t left)
{
	static const unsigned minimum[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned c = (unsigned char)s[0];
	size_t n = c < 0x80 ? 1 : c >= 0xf8 ? 0 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	unsigned value;

	if (n == 0 || n > left)
		return 0;
	value = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (c & 0x3f);
	}
	if (value < minimum[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	return n;
}

static bool control_character(const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	if (n == 1)
		return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
	/* U+0080..U+009F but NEL, and the two that are no characters */
	if (n == 2 && c == 0xc2)
		return (unsigned char)s[1] < 0xa0 && (unsigned char)s[1] != 0x85;
	return n == 3 && c == 0xef && (unsigned char)s[1] == 0xbf && (unsigned char)s[2] >= 0xbe;
}

int text_check(struct diags *diags, const struct source *source)
{
	const char *s = source->text;
	unsigned line = 1;
	unsigned column = 1;
	unsigned bad = 0;

	for (size_t i = 0; i < source->len && bad < REPORTS_MAX;) {
		size_t n = text_utf8_length(s + i, source->len - i);

		if (n == 0)
			diag_add(diags, DIAG_ERROR, source, line, column, "save the file as UTF-8",
				 "byte 0x%02x (at offset %zu) is not UTF-8", (unsigned char)s[i], i);
		else if (control_character(s + i, n))
			diag_add(diags, DIAG_ERROR, source, line, column, n == 1 && s[i] ? "in quotes, write it as an escape" : NULL,
				 "control character 0x%02x (at offset %zu)", (unsigned char)s[i + n - 1], i);
		bad += n == 0 || control_character(s + i, n);
		column++;
		if (s[i] == '\n') {
			line++;
			column = 1;
		}
		i += n ? n : 1;
	}
	return bad ? -EINVAL : 0;
}

const char *text_line(const char *text, size_t len, unsigned n)
{
	const char *p = text;

	for (unsigned i = 1; i < n; i++) {
		p = memchr(p, '\n', len - (size_t)(p - text));
		if (!p)
			return NULL;
		p++;
	}
	return p;
}

bool text_single_line(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

uint32_t text_hash(const char *s, size_t n)
{
	static uint32_t seed;
	uint32_t hash;

	if (!seed) {
		/* the kernel's 16 bytes for this process: nobody can prepare names that all meet in one place */
		const void *random = (const void *)getauxval(AT_RANDOM);

		if (random)
			memcpy(&seed, random, sizeof(seed));
		seed |= 1;
	}
	hash = seed;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)s[i]) * 16777619u; /* FNV-1a */
	return hash ^ hash >> 15;
}

static char fold(char c)
{
	return c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Optimal string alignment over three rows. */
static unsigned distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned rows[3][NAME_MAX_LEN + 1];
	unsigned *before = rows[0];
	unsigned *last = rows[1];
	unsigned *now = rows[2];

	for (size_t j = 0; j <= bn; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			unsigned differ = fold(a[i - 1]) != fold(b[j - 1]);
			unsigned best = MIN(last[j] + 1, now[j - 1] + 1);

			best = MIN(best, last[j - 1] + differ);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
				best = MIN(best, before[j - 2] + 1);
			now[j] = best;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[bn];
}

const char *text_nearest(const char *s, size_t n, const char *(*name)(size_t i, const void *arg), const void *arg)
{
	unsigned limit = n < 4 ? 1 : n < 8 ? 2 : 3;
	const char *best = NULL;
	const char *candidate;

	if (n == 0 || n > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; (candidate = name(i, arg)); i++) {
		size_t len = strlen(candidate);
		unsigned d;

		if (len > NAME_MAX_LEN || len > n + limit || n > len + limit)
			continue;
		d = distance(s, n, candidate, len);
		if (d <= limit) {
			best = candidate;
			limit = d ? d - 1 : 0;
			if (d == 0)
				break;
		}
	}
	return best;
}
