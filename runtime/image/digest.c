/* digest.c - digests and layer chains. Pure functions. */
#include "runtime/image/image.h"

#include <string.h>

#include "lib/sha256.h"

#define PREFIX "sha256:"
#define PREFIX_LEN 7

int image_digest_ok(const char *s)
{
	if (strncmp(s, PREFIX, PREFIX_LEN) != 0)
		return 0;
	s += PREFIX_LEN;
	for (int i = 0; i < SHA256_HEX_LEN; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return 0;
	return s[SHA256_HEX_LEN] == '\0';
}

const char *image_digest_hex(const char *digest)
{
	return digest + PREFIX_LEN;
}

void image_digest_of(const void *data, size_t n, char out[IMAGE_DIGEST_SIZE])
{
	memcpy(out, PREFIX, PREFIX_LEN);
	sha256_hex(data, n, out + PREFIX_LEN);
}

void image_chain_id(const char *parent, const char *diff_id, char out[IMAGE_DIGEST_SIZE])
{
	char text[2 * IMAGE_DIGEST_SIZE];
	size_t n = strlen(parent);

	if (n == 0) {
		memmove(out, diff_id, IMAGE_DIGEST_SIZE);
		return;
	}
	memcpy(text, parent, n);
	text[n++] = ' ';
	memcpy(text + n, diff_id, strlen(diff_id));
	image_digest_of(text, n + strlen(diff_id), out);
}
