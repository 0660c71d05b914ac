/* mime_decode.c - transfer encodings of MIME (RFC 2045, section 6). */
#include <string.h>

#include "../base64.h"
#include "mime.h"

bool mime_is_identity(const char *encoding)
{
	static const char *const same[] = { "", "7bit", "8bit", "binary" };

	for (size_t i = 0; encoding && i < ARRAY_SIZE(same); i++)
		if (!strcmp(encoding, same[i]))
			return true;
	return !encoding;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What is no escape stays as it is, and so do blanks at the end of a line: as Python, so cloud-init, reads it. */
static char *decode_quoted_printable(struct ctx *ctx, const char *s, size_t len, size_t *out_len)
{
	char *out = arena_alloc(ctx->arena, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		size_t k = i + 1;

		if (s[i] != '=') {
			out[n++] = s[i];
			continue;
		}
		while (k < len && (s[k] == ' ' || s[k] == '\t' || s[k] == '\r'))
			k++;
		if (k == len || s[k] == '\n') {
			i = k; /* a soft line break */
		} else if (i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0) {
			out[n++] = (char)(hex(s[i + 1]) << 4 | hex(s[i + 2]));
			i += 2;
		} else {
			out[n++] = '=';
		}
	}
	out[n] = '\0';
	*out_len = n;
	return out;
}

char *mime_decode(struct ctx *ctx, const char *encoding, const char *text, size_t len, size_t *out_len, const char **why)
{
	char *out;

	if (!strcmp(encoding, "quoted-printable"))
		return decode_quoted_printable(ctx, text, len, out_len);
	if (strcmp(encoding, "base64") != 0) {
		*why = arena_printf(ctx->arena, "the transfer encoding %s is not known", diag_quote(ctx->arena, encoding, strlen(encoding)));
		return NULL;
	}
	out = base64_decode(ctx->arena, text, len, out_len);
	if (!out)
		*why = "its base64 cannot be read";
	return out;
}
