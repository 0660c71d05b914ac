/* base64.c - base64 and gzip, with ceilings. */
#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *base64_decode(struct arena *a, const char *s, size_t n, size_t *len)
{
	char *out = arena_alloc(a, n / 4 * 3 + 4);
	uint32_t bits = 0;
	unsigned have = 0;
	size_t used = 0;
	size_t pad = 0;

	for (size_t i = 0; i < n; i++) {
		int v;

		if (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t')
			continue;
		if (s[i] == '=') {
			pad++;
			continue;
		}
		v = digit_value(s[i]);
		if (v < 0 || pad)
			return NULL;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[used++] = (char)(unsigned char)(bits >> have);
		}
	}
	/* one digit alone carries no byte */
	if (have == 6 || pad > 2)
		return NULL;
	out[used] = '\0';
	*len = used;
	return out;
}

int is_gzip(const char *s, size_t n)
{
	return n >= 3 && (unsigned char)s[0] == 0x1f && (unsigned char)s[1] == 0x8b && s[2] == 8;
}

/* Inflates into a growing heap buffer; *used bytes when it returns Z_STREAM_END. */
static int inflate_all(z_stream *z, size_t max, char **data, size_t *used, const char **why)
{
	size_t cap = 0;
	int r = Z_OK;

	*why = "out of memory";
	while (r == Z_OK) {
		if (*used == cap) {
			size_t bigger = cap ? cap * 2 : 16384;
			char *p;

			if (cap > max) {
				*why = "it decompresses to too much";
				return Z_MEM_ERROR;
			}
			p = realloc(*data, bigger);
			if (!p)
				return Z_MEM_ERROR;
			*data = p;
			cap = bigger;
		}
		z->next_out = (unsigned char *)*data + *used;
		z->avail_out = (unsigned)(cap - *used);
		r = inflate(z, Z_NO_FLUSH);
		*used = cap - z->avail_out;
		if (r == Z_STREAM_END && z->avail_in > 0 && *z->next_in == 0x1f)
			r = inflateReset(z);
		else if (r == Z_BUF_ERROR || (r == Z_OK && z->avail_in == 0 && z->avail_out > 0))
			r = Z_DATA_ERROR;
	}
	if (r == Z_STREAM_END && *used > max)
		*why = "it decompresses to too much";
	else
		*why = "the gzip data is damaged or cut short";
	return *used > max ? Z_MEM_ERROR : r;
}

char *gunzip(struct arena *a, const char *s, size_t n, size_t max, size_t *len, const char **why)
{
	char *data = NULL;
	size_t used = 0;
	z_stream z;
	char *out = NULL;

	memset(&z, 0, sizeof(z));
	*why = "out of memory";
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return NULL;
	z.next_in = (const unsigned char *)s;
	z.avail_in = (unsigned)n;
	if (inflate_all(&z, max, &data, &used, why) == Z_STREAM_END) {
		out = arena_strndup(a, data, used);
		*len = used;
	}
	inflateEnd(&z);
	free(data);
	return out;
}
