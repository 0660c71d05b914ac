/* test_image_fuzz.c - the layer fuzzer over a corpus that is made here: archives of every kind of entry, hostile ones
 * too, damaged in thousands of repeatable ways. It passes when nothing crashes, hangs, or leaves the layer. */
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <zlib.h>

#include "fuzz_helper.h"
#include "lib/cdefs.h"
#include "tests/fuzz/fuzz_layer.h"

#define ROUNDS 600
#define CORPUS_MAX 65536

static const struct {
	const char *name;
	mode_t type;
	const char *target, *data;
} entries[] = {
	{ "d", S_IFDIR, NULL, NULL },
	{ "d/file", S_IFREG, NULL, "some text that is long enough to be cut somewhere in its middle" },
	{ "d/link", S_IFLNK, "../..", NULL },
	{ "d/link/escaped", S_IFREG, NULL, "x" },
	{ "../escaped", S_IFREG, NULL, "x" },
	{ "d/hard", S_IFREG, "d/file", NULL },
	{ "up", S_IFLNK, "..", NULL },
	{ "up/escaped2", S_IFDIR, NULL, NULL },
	{ "d/.wh.file", S_IFREG, NULL, "" },
	{ "d/.wh..wh..opq", S_IFREG, NULL, "" },
	{ "pipe", S_IFIFO, NULL, NULL },
	{ "d", S_IFREG, NULL, "a file instead" },
	{ "a/b/c/d/e/f", S_IFREG, NULL, "deep" },
	{ "sparse", S_IFREG, NULL, "0123456789" },
};

/* A tar of count entries from first on; format: 0 pax, 1 GNU, 2 ustar. Returns its bytes. */
static size_t make_tar(unsigned char *out, int format, size_t first, size_t count)
{
	struct archive *a = archive_write_new();
	size_t used = 0;

	if (format == 0)
		archive_write_set_format_pax(a);
	else if (format == 1)
		archive_write_set_format_gnutar(a);
	else
		archive_write_set_format_ustar(a);
	archive_write_set_bytes_per_block(a, 512);
	assert_int_equal(archive_write_open_memory(a, out, CORPUS_MAX, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		size_t k = (first + i) % ARRAY_SIZE(entries);
		struct archive_entry *e = archive_entry_new();
		const char *data = entries[k].data ? entries[k].data : "";

		archive_entry_set_pathname(e, entries[k].name);
		archive_entry_set_mode(e, entries[k].type | 0755);
		archive_entry_set_mtime(e, 1735689600, 5);
		if (entries[k].target && entries[k].type == S_IFLNK)
			archive_entry_set_symlink(e, entries[k].target);
		else if (entries[k].target)
			archive_entry_set_hardlink(e, entries[k].target);
		archive_entry_set_size(e, entries[k].target ? 0 : (la_int64_t)strlen(data));
		if (format == 0 && k == 1)
			archive_entry_xattr_add_entry(e, "user.note", "value", 5);
		if (format == 0 && !strcmp(entries[k].name, "sparse")) {
			archive_entry_set_size(e, 1 << 20);
			archive_entry_sparse_add_entry(e, 4096, 10);
		}
		if (archive_write_header(a, e) >= ARCHIVE_WARN && archive_entry_size(e) > 0)
			archive_write_data(a, data, strlen(data));
		archive_entry_free(e);
	}
	archive_write_close(a);
	archive_write_free(a);
	return used;
}

/* tar headers carry a sum: without it right, damage would never reach what lies behind the check */
static void repair_sums(unsigned char *data, size_t n)
{
	for (size_t at = 0; at + 512 <= n; at += 512) {
		unsigned char *h = data + at;
		unsigned sum = 0;
		char text[12];

		if (memcmp(h + 257, "ustar", 5) != 0)
			continue;
		memset(h + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += h[i];
		snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(h + 148, text, 7);
	}
}

static void damage(unsigned char *data, size_t *n, uint32_t *random)
{
	unsigned times = 1 + fuzz_random(random) % 6;

	for (unsigned i = 0; i < times && *n > 1; i++) {
		size_t at = fuzz_random(random) % *n;

		switch (fuzz_random(random) % 5) {
		case 0:
			data[at] = (unsigned char)fuzz_random(random);
			break;
		case 1:
			data[at] ^= (unsigned char)(1u << fuzz_random(random) % 8);
			break;
		case 2:	/* a number, a type, a name */
			at = at / 512 * 512 + (size_t)(fuzz_random(random) % 160);
			if (at < *n)
				data[at] = (unsigned char)"01234567/.xgLKS\0"[fuzz_random(random) % 16];
			break;
		case 3:
			*n = at;
			break;
		default:	/* a block again, elsewhere */
			if (*n > 1024)
				memmove(data + fuzz_random(random) % (*n / 512) * 512, data + at / 512 * 512, MIN((size_t)512, *n - at / 512 * 512));
			break;
		}
	}
}

static void fuzz_plain(void **state)
{
	unsigned char *data = malloc(CORPUS_MAX);
	uint32_t random = 2463534242u;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		size_t n = make_tar(data, i % 3, (size_t)i, 1 + (size_t)i % ARRAY_SIZE(entries));

		if (i >= 3 * (int)ARRAY_SIZE(entries)) {	/* the first ones as they are */
			damage(data, &n, &random);
			if (i % 4)
				repair_sums(data, n);
		}
		LLVMFuzzerTestOneInput(data, n);
	}
	free(data);
}

static void fuzz_gzip(void **state)
{
	unsigned char *data = malloc(CORPUS_MAX), *packed = malloc(CORPUS_MAX);
	uint32_t random = 88172645u;

	(void)state;
	for (int i = 0; i < ROUNDS / 2; i++) {
		z_stream z;
		size_t n = make_tar(data, i % 3, (size_t)i, 5);

		memset(&z, 0, sizeof(z));
		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
		z.next_in = data;
		z.avail_in = (uInt)n;
		z.next_out = packed;
		z.avail_out = CORPUS_MAX;
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		n = CORPUS_MAX - z.avail_out;
		deflateEnd(&z);
		if (i > 3)
			damage(packed, &n, &random);
		LLVMFuzzerTestOneInput(packed, n);
	}
	free(packed);
	free(data);
}

/* zstd's compressor is not built: frames of raw blocks are simple enough to be written here */
static void fuzz_zstd(void **state)
{
	unsigned char *data = malloc(CORPUS_MAX), *packed = malloc(CORPUS_MAX);
	uint32_t random = 314159265u;

	(void)state;
	for (int i = 0; i < ROUNDS / 2; i++) {
		static const unsigned char head[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40 };
		size_t n = make_tar(data, i % 3, (size_t)i, 5), used = sizeof(head);

		memcpy(packed, head, used);
		for (size_t at = 0; at < n; at += 4096) {
			size_t len = MIN(n - at, (size_t)4096);
			uint32_t block = (uint32_t)len << 3 | (at + len == n);

			packed[used++] = (unsigned char)block;
			packed[used++] = (unsigned char)(block >> 8);
			packed[used++] = (unsigned char)(block >> 16);
			memcpy(packed + used, data + at, len);
			used += len;
		}
		if (i > 3)
			damage(packed, &used, &random);
		LLVMFuzzerTestOneInput(packed, used);
	}
	free(packed);
	free(data);
}

static int finish(void **state)
{
	(void)state;
	fuzz_layer_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fuzz_plain),
		cmocka_unit_test(fuzz_gzip),
		cmocka_unit_test(fuzz_zstd),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
