/* sha256.h - FIPS 180-4 SHA-256, by the processor's SHA extensions where it has them.
 * x86 SHA-NI is five times the portable code: every pull and import hashes each byte twice. */
#ifndef CORACLE_SHA256_H
#define CORACLE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	unsigned char block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t n);
void sha256_final(struct sha256 *s, unsigned char out[SHA256_LEN]);
/* Ends it and writes 64 lower-case hexadecimal digits and a NUL. */
void sha256_final_hex(struct sha256 *s, char out[SHA256_HEX_LEN + 1]);
void sha256_hex(const void *data, size_t n, char out[SHA256_HEX_LEN + 1]);
/* For tests: use the portable code even where SHA-NI is there. */
void sha256_force_portable(int on);

#endif
