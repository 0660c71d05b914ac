/* test_init_data.c - init/data: ext4 superblocks, e2fsck's exit codes, and growing GPT partitions on image files.
 *
 * Where sgdisk and mke2fs are on the host they make the images and judge the results; without them our own encoder makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "gpt.h"
#include "init/data/check.h"
#include "init/data/ext4.h"
#include "init/data/grow.h"
#include "init/data/var.h"
#include "sys.h"

#define MIB 2048u	/* sectors */

static char dir[] = "/tmp/coracle-data-XXXXXX";
static char image[64];

static int have(const char *program)
{
	char line[128];

	snprintf(line, sizeof(line), "command -v %s >/dev/null 2>&1", program);
	return system(line) == 0;
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(image, sizeof(image), "%s/disk", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(image);
	return rmdir(dir);
}

static int open_image(uint64_t sectors)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(sectors * GPT_SECTOR)), 0);
	return fd;
}

static void put_table(int fd, const struct gpt *g)
{
	unsigned char sector[GPT_SECTOR];

	gpt_encode_mbr(g->sectors, sector);
	assert_int_equal(pwrite(fd, sector, GPT_SECTOR, 0), GPT_SECTOR);
	for (int backup = 0; backup < 2; backup++) {
		uint64_t at = backup ? g->sectors - 1 : 1;

		gpt_encode_header(g, backup, sector);
		assert_int_equal(pwrite(fd, sector, GPT_SECTOR, (off_t)(at * GPT_SECTOR)), GPT_SECTOR);
		at = backup ? at - GPT_TABLE_SECTORS : 2;
		assert_int_equal(pwrite(fd, g->entries, sizeof(g->entries), (off_t)(at * GPT_SECTOR)), sizeof(g->entries));
	}
}

/* A disk of 64 MiB as `make disk` lays it out: ESP, then data. Grown to 200 MiB it has room at its end. */
static int make_disk(struct gpt *g)
{
	struct gpt_entry esp = { .first = MIB, .last = 33 * MIB - 1, .name = "ESP", .guid = { 1 } };
	struct gpt_entry data = { .first = 33 * MIB, .last = 63 * MIB - 1, .name = "data", .guid = { 2 } };
	int fd = open_image(64 * MIB);

	memcpy(esp.type, gpt_type_esp, 16);
	memcpy(data.type, gpt_type_linux, 16);
	memset(g, 0, sizeof(*g));
	g->sectors = 64 * MIB;
	g->disk_guid[0] = 9;
	gpt_set(g, 0, &esp);
	gpt_set(g, 1, &data);
	put_table(fd, g);
	return fd;
}

static void extend(int fd, uint64_t sectors)
{
	assert_int_equal(ftruncate(fd, (off_t)(sectors * GPT_SECTOR)), 0);
}

static void judge_by_sgdisk(const char *says)
{
	char line[256];
	int status;

	if (!have("sgdisk")) {
		print_message("no sgdisk: judged by our own decoder only\n");
		return;
	}
	snprintf(line, sizeof(line), "sgdisk -v %s >%s/out 2>&1 && grep -q '%s' %s/out || { cat %s/out; false; }", image, dir, says, dir, dir);
	status = system(line);
	snprintf(line, sizeof(line), "%s/out", dir);
	unlink(line);
	assert_int_equal(status, 0);
}

static void read_table(int fd, uint64_t sectors, struct gpt *g)
{
	unsigned char header[GPT_SECTOR];
	unsigned char table[GPT_TABLE_SECTORS * GPT_SECTOR];
	struct err err = ERR_INIT;

	assert_int_equal(pread(fd, header, sizeof(header), GPT_SECTOR), sizeof(header));
	assert_int_equal(pread(fd, table, sizeof(table), 2 * GPT_SECTOR), sizeof(table));
	assert_int_equal(gpt_decode(g, header, table, sectors, &err), 0);
}

static void test_grow(void **state)
{
	struct err err = ERR_INIT;
	struct gpt g;
	struct gpt_entry e;
	int fd = make_disk(&g);

	(void)state;
	judge_by_sgdisk("No problems found");
	extend(fd, 200 * MIB);
	assert_int_equal(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 30 * MIB, &err), 166 * MIB);
	judge_by_sgdisk("No problems found");
	read_table(fd, 200 * MIB, &g);
	assert_true(gpt_get(&g, 1, &e));
	assert_int_equal(e.first, 33 * MIB);
	assert_int_equal(e.last, 199 * MIB - 1);
	assert_string_equal(e.name, "data");
	assert_int_equal(e.guid[0], 2);
	assert_true(gpt_get(&g, 0, &e));
	assert_int_equal(e.last, 33 * MIB - 1);
	/* and a second time there is nothing to do */
	assert_int_equal(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 166 * MIB, &err), 0);
	close(fd);
}

static void test_grow_refuses(void **state)
{
	struct err err = ERR_INIT;
	struct gpt g;
	unsigned char before[34 * GPT_SECTOR];
	unsigned char after[34 * GPT_SECTOR];
	int fd = make_disk(&g);

	(void)state;
	extend(fd, 200 * MIB);
	assert_int_equal(pread(fd, before, sizeof(before), 0), sizeof(before));
	assert_int_equal(grow_gpt(fd, 200 * MIB, 1, MIB, 32 * MIB, &err), 0); /* not the last one */
	assert_true(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 29 * MIB, &err) < 0); /* the kernel has another size */
	assert_true(grow_gpt(fd, 200 * MIB, 2, 32 * MIB, 30 * MIB, &err) < 0);
	assert_true(grow_gpt(fd, 200 * MIB, 3, 33 * MIB, 30 * MIB, &err) < 0); /* no such entry */
	assert_true(grow_gpt(fd, 200 * MIB, 0, 33 * MIB, 30 * MIB, &err) < 0);
	assert_true(grow_gpt(fd, 200 * MIB, 129, 33 * MIB, 30 * MIB, &err) < 0);
	assert_true(grow_gpt(fd, 3, 2, 33 * MIB, 30 * MIB, &err) < 0);
	assert_true(grow_gpt(fd, 60 * MIB, 2, 33 * MIB, 30 * MIB, &err) < 0); /* a disk smaller than its table says */
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	close(fd);
}

/* Any one wrong byte in header or table is refused, and nothing is written. */
static void test_grow_damaged(void **state)
{
	struct gpt g;
	int fd = make_disk(&g);

	(void)state;
	extend(fd, 200 * MIB);
	for (off_t at = GPT_SECTOR; at < 4 * (off_t)GPT_SECTOR; at += at < 2 * (off_t)GPT_SECTOR ? 1 : 37) {
		struct err err = ERR_INIT;
		unsigned char c;
		unsigned char bad;

		if (at >= GPT_SECTOR + 92 && at < 2 * (off_t)GPT_SECTOR)
			continue; /* reserved bytes that no checksum covers */
		assert_int_equal(pread(fd, &c, 1, at), 1);
		bad = (unsigned char)(c ^ 0x41);
		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		assert_true(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 30 * MIB, &err) < 0);
		assert_true(err.text[0] != '\0');
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
	}
	close(fd);
}

/* A power cut after the backup was written: the old primary table still describes the disk. Forced by failing the first flush. */
static void test_grow_cut(void **state)
{
	struct err err = ERR_INIT;
	struct gpt g;
	struct gpt_entry e;
	int fd = make_disk(&g);

	(void)state;
	extend(fd, 200 * MIB);
	sys_fault_arm(1, EIO);
	assert_int_equal(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 30 * MIB, &err), -EIO);
	sys_fault_arm(0, 0);
	read_table(fd, 200 * MIB, &g);
	assert_true(gpt_get(&g, 1, &e));
	assert_int_equal(e.last, 63 * MIB - 1);
	assert_int_equal(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 30 * MIB, &err), 166 * MIB);
	judge_by_sgdisk("No problems found");
	close(fd);
}

/* Boot code and hybrid tables in the MBR are not ours. */
static void test_grow_mbr(void **state)
{
	struct err err = ERR_INIT;
	unsigned char mbr[GPT_SECTOR];
	struct gpt g;
	int fd = make_disk(&g);

	(void)state;
	assert_int_equal(pread(fd, mbr, sizeof(mbr), 0), sizeof(mbr));
	mbr[0] = 0xeb;
	mbr[445] = 0x77;
	assert_int_equal(pwrite(fd, mbr, sizeof(mbr), 0), sizeof(mbr));
	extend(fd, 200 * MIB);
	assert_true(grow_gpt(fd, 200 * MIB, 2, 33 * MIB, 30 * MIB, &err) > 0);
	assert_int_equal(pread(fd, mbr, sizeof(mbr), 0), sizeof(mbr));
	assert_int_equal(mbr[0], 0xeb);
	assert_int_equal(mbr[445], 0x77);
	assert_int_equal(mbr[446 + 12] | mbr[446 + 13] << 8 | mbr[446 + 14] << 16, (200 * MIB - 1) & 0xffffff);
	close(fd);
}

static void test_ext4_made_up(void **state)
{
	struct err err = ERR_INIT;
	struct ext4_super s;
	unsigned char sb[EXT4_SUPER_LEN] = { 0 };
	uint32_t seed = 3;

	(void)state;
	assert_true(ext4_decode(sb, &s, &err) < 0);
	sb[56] = 0x53;
	sb[57] = 0xef;
	assert_true(ext4_decode(sb, &s, &err) < 0); /* no blocks */
	sb[5] = 1;
	sb[24] = 2;
	sb[58] = 1;
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_int_equal(s.blocks, 256);
	assert_int_equal(s.block_size, 4096);
	assert_int_equal(s.clean, 1);
	sb[336] = 1; /* the high half counts only with the feature 64bit */
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_int_equal(s.blocks, 256);
	sb[96] = 0x80;
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_true(s.blocks == (UINT64_C(1) << 32) + 256);
	sb[58] = 3;
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_int_equal(s.clean, 0);
	sb[58] = 0;
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_int_equal(s.clean, 0);
	sb[24] = 7;
	assert_true(ext4_decode(sb, &s, &err) < 0);
	for (int i = 0; i < 100000; i++) {
		for (size_t k = 0; k < sizeof(sb); k += 4) {
			seed = seed * 1664525 + 1013904223;
			memcpy(sb + k, &seed, 4);
		}
		sb[56] = 0x53;
		sb[57] = 0xef;
		sb[24] &= 7;
		sb[25] = sb[26] = sb[27] = 0;
		if (ext4_decode(sb, &s, &err) == 0)
			assert_true(s.blocks > 0 && s.blocks <= UINT64_MAX / s.block_size);
	}
}

static void test_ext4_real(void **state)
{
	struct err err = ERR_INIT;
	struct ext4_super s;
	unsigned char sb[EXT4_SUPER_LEN];
	char line[256];
	int fd;

	(void)state;
	if (!have("mke2fs"))
		skip();
	fd = open_image(32 * MIB);
	snprintf(line, sizeof(line), "mke2fs -q -t ext4 -b 4096 -L CORACLE-DATA %s", image);
	assert_int_equal(system(line), 0);
	assert_int_equal(pread(fd, sb, sizeof(sb), EXT4_SUPER_OFFSET), sizeof(sb));
	assert_int_equal(ext4_decode(sb, &s, &err), 0);
	assert_int_equal(s.blocks, 8192);
	assert_int_equal(s.block_size, 4096);
	assert_true(s.clean && s.has_journal);
	snprintf(line, sizeof(line), "debugfs -w -R 'ssv state 2' %s >/dev/null 2>&1", image);
	if (have("debugfs") && system(line) == 0) {
		assert_int_equal(pread(fd, sb, sizeof(sb), EXT4_SUPER_OFFSET), sizeof(sb));
		assert_int_equal(ext4_decode(sb, &s, &err), 0);
		assert_int_equal(s.clean, 0);
	}
	close(fd);
}

static void test_e2fsck_codes(void **state)
{
	(void)state;
	assert_int_equal(check_understand(0), CHECK_CLEAN);
	assert_int_equal(check_understand(1), CHECK_REPAIRED);
	assert_int_equal(check_understand(2), CHECK_REPAIRED);
	assert_int_equal(check_understand(3), CHECK_REPAIRED);
	assert_int_equal(check_understand(4), CHECK_DAMAGED);
	assert_int_equal(check_understand(5), CHECK_DAMAGED);
	assert_int_equal(check_understand(8), -EIO);
	assert_int_equal(check_understand(9), -EIO);
	assert_int_equal(check_understand(127), -EIO);
}

static void test_var(void **state)
{
	static const char *const names[] = { "lib/coracle", "lib/cloud", "lib", "log", "tmp", "home", "roothome", "opt", "srv", "mnt" };
	struct err err = ERR_INIT;
	char path[128];
	char root[64];
	struct stat st;

	(void)state;
	snprintf(root, sizeof(root), "%s/var", dir);
	assert_true(var_make_directories(root, &err) < 0);
	assert_non_null(strstr(err.text, root));
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(var_make_directories(root, &err), 0);
	assert_int_equal(var_make_directories(root, &err), 0);
	snprintf(path, sizeof(path), "%s/roothome", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/tmp", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, names[i]);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow), cmocka_unit_test(test_grow_refuses), cmocka_unit_test(test_grow_damaged),
		cmocka_unit_test(test_grow_cut), cmocka_unit_test(test_grow_mbr),
		cmocka_unit_test(test_ext4_made_up), cmocka_unit_test(test_ext4_real), cmocka_unit_test(test_e2fsck_codes), cmocka_unit_test(test_var),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
