/* test_lib_disk.c - lib/sha256, lib/gpt, lib/blkid on made-up disks. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "blkid.h"
#include "cdefs.h"
#include "gpt.h"
#include "sha256.h"
#include "sys.h"

/* FIPS 180-4 examples, both code paths, and every split of a longer message */
static void sha256_vectors(void **state)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char hex[SHA256_HEX_LEN + 1];
	unsigned char data[300];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	for (int portable = 0; portable < 2; portable++) {
		char whole[SHA256_HEX_LEN + 1];

		sha256_force_portable(portable);
		sha256_hex("abc", 3, hex);
		assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		sha256_hex("", 0, hex);
		assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		sha256_hex(two, strlen(two), hex);
		assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
		sha256_hex(data, sizeof(data), whole);
		for (size_t split = 0; split <= sizeof(data); split++) {
			struct sha256 s;

			sha256_init(&s);
			sha256_update(&s, data, split);
			sha256_update(&s, data + split, sizeof(data) - split);
			sha256_final_hex(&s, hex);
			assert_string_equal(hex, whole);
		}
	}
	sha256_force_portable(0);
}

static void make_gpt(struct gpt *g)
{
	struct gpt_entry e = { .first = 2048, .last = 4095, .name = "DATA" };

	memset(g, 0, sizeof(*g));
	g->sectors = 8192;
	memcpy(e.type, gpt_type_linux, 16);
	memset(e.guid, 7, 16);
	gpt_set(g, 0, &e);
}

static void gpt_round_trip(void **state)
{
	unsigned char header[GPT_SECTOR];
	struct err err = ERR_INIT;
	struct gpt_entry e;
	struct gpt g;
	struct gpt back;

	(void)state;
	assert_int_equal(gpt_crc32("123456789", 9), 0xcbf43926);
	make_gpt(&g);
	gpt_encode_header(&g, 0, header);
	assert_int_equal(gpt_decode(&back, header, g.entries, g.sectors, &err), 0);
	assert_int_equal(gpt_get(&back, 0, &e), 1);
	assert_string_equal(e.name, "DATA");
	assert_int_equal(e.last, 4095);
	assert_int_equal(gpt_get(&back, 1, &e), 0);
	/* the disk has grown: still right; it has shrunk: refused */
	assert_int_equal(gpt_decode(&back, header, g.entries, g.sectors * 2, &err), 0);
	assert_int_equal(gpt_decode(&back, header, g.entries, 4000, &err), -EINVAL);
}

static void gpt_refuses_every_changed_byte(void **state)
{
	unsigned char header[GPT_SECTOR];
	struct err err = ERR_INIT;
	struct gpt g;
	struct gpt back;

	(void)state;
	make_gpt(&g);
	gpt_encode_header(&g, 0, header);
	for (size_t i = 0; i < 92; i++) {
		header[i] ^= 0x10;
		assert_int_equal(gpt_decode(&back, header, g.entries, g.sectors, &err), -EINVAL);
		header[i] ^= 0x10;
	}
	g.entries[40] ^= 1;
	assert_int_equal(gpt_decode(&back, header, g.entries, g.sectors, &err), -EINVAL);
	/* right checksums, but a partition beyond the end */
	g.entries[47] = 1;
	gpt_encode_header(&g, 0, header);
	assert_int_equal(gpt_decode(&back, header, g.entries, g.sectors, &err), -EINVAL);
	assert_string_equal(err.text, "partition 1 lies outside the disk");
}

static int probe(const unsigned char *data, size_t n, struct blkid *b)
{
	int fd = sys_memfd_create("disk", 0);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	r = blkid_probe(fd, b);
	close(fd);
	return r;
}

static void blkid_knows_four_file_systems(void **state)
{
	static unsigned char d[65536];
	struct blkid b;

	(void)state;
	memset(d, 0, sizeof(d));
	assert_int_equal(probe(d, sizeof(d), &b), 0);
	assert_int_equal(probe(d, 100, &b), 0);
	assert_int_equal(probe(d, 0, &b), 0);
	d[1024 + 56] = 0x53;
	d[1024 + 57] = 0xef;
	memcpy(d + 1024 + 120, "CORACLE-DATA\n\0xyz", 16);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.type, "ext4");
	assert_string_equal(b.label, "CORACLE-DATA?");

	memset(d, 0, sizeof(d));
	memcpy(d + 32768, "\1CD001", 6);
	memcpy(d + 32768 + 40, "cidata                          ", 32);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.type, "iso9660");
	assert_string_equal(b.label, "cidata");

	memset(d, 0, sizeof(d));
	memcpy(d + 510, "\x55\xaa", 2);
	d[12] = 2; /* 512 bytes a sector */
	d[16] = 2;
	memcpy(d + 54, "FAT16   ", 8);
	memcpy(d + 43, "CIDATA     ", 11);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.type, "vfat");
	assert_string_equal(b.label, "CIDATA");
	/* a label that was changed later is in the root directory only; the one of a seed counts in both places */
	d[14] = 1;
	d[22] = 4;
	memcpy(d + 512 * 9, "\xe5" "LD        \x08", 12);
	memcpy(d + 512 * 9 + 32, "x          \x0f", 12);
	memcpy(d + 512 * 9 + 64, "WINDOWS    \x08", 12);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.label, "CIDATA");
	memcpy(d + 43, "NO NAME    ", 11);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.label, "WINDOWS");
	memset(d + 512 * 9 + 64, 0, 12);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.label, "NO NAME");

	memset(d, 0, sizeof(d));
	memcpy(d + 1024, "\xe2\xe1\xf5\xe0", 4);
	assert_int_equal(probe(d, sizeof(d), &b), 1);
	assert_string_equal(b.type, "erofs");
}

static void labels_compare_loosely(void **state)
{
	(void)state;
	assert_true(blkid_label_is("CORACLE_IMAGES", "coracle-images"));
	assert_false(blkid_label_is("CORACLE_IMAGE", "coracle-images"));
	assert_false(blkid_label_is("", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(gpt_round_trip),
		cmocka_unit_test(gpt_refuses_every_changed_byte),
		cmocka_unit_test(blkid_knows_four_file_systems),
		cmocka_unit_test(labels_compare_loosely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
