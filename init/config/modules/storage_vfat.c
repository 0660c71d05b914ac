/* storage_vfat.c - makes a FAT16 or FAT32 file system (Microsoft's FAT specification 1.03, "fatgen103"), for fs_setup.
 *
 * Runs in coracle-config, on a descriptor that the caller has for itself. No program of the image makes vfat, and it is a few sectors: boot sector, two
 * empty tables, an empty root directory with the label. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cdefs.h"
#include "storage.h"
#include "sys.h"

#define SECTOR 512u
#define MIB ((uint64_t)1 << 20)
#define FAT32_FROM (64 * MIB)
#define FAT32_RESERVED 32u
#define ROOT_ENTRIES 512u	/* of FAT16's root directory */

struct shape {
	uint32_t sectors;
	unsigned per_cluster;
	unsigned reserved;
	unsigned root_sectors;	/* 0: FAT32, whose root is a cluster */
	uint32_t fat_sectors;
	uint32_t clusters;
};

static void put(unsigned char *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* Clusters as the specification's table has them: no larger than need be for the count to fit. */
static int make_shape(uint64_t size, struct shape *s, struct err *err)
{
	bool wide = size >= FAT32_FROM;
	uint32_t entry = wide ? 4 : 2;
	uint32_t data;

	if (size < 4 * MIB || size / SECTOR > UINT32_MAX)
		return err_set(err, 0, "vfat is made on 4 MiB to 2 TiB");
	*s = (struct shape){ .sectors = (uint32_t)(size / SECTOR), .reserved = wide ? FAT32_RESERVED : 1, .root_sectors = wide ? 0 : ROOT_ENTRIES * 32 / SECTOR };
	s->per_cluster = !wide ? (size <= 16 * MIB ? 1 : 2) : size <= 260 * MIB ? 1 : size <= (8 << 10) * MIB ? 8 : size <= (16 << 10) * MIB ? 16 :
			 size <= (32 << 10) * MIB ? 32 : 64;
	/* the tables are part of what they describe: a table large enough for all of it is large enough */
	data = s->sectors - s->reserved - s->root_sectors;
	s->fat_sectors = (uint32_t)((data / s->per_cluster + 2) * (uint64_t)entry / SECTOR + 1);
	s->clusters = (data - 2 * s->fat_sectors) / s->per_cluster;
	if (wide ? s->clusters < 65525 : s->clusters < 4085 || s->clusters > 65524)
		return err_set(err, 0, "vfat does not fit on %llu bytes", (unsigned long long)size);
	return 0;
}

/* Eleven bytes, upper case, blanks at the end. */
static int make_label(const char *label, unsigned char out[11], struct err *err)
{
	memcpy(out, "NO NAME    ", 11);
	if (!label)
		return 0;
	if (strlen(label) > 11)
		return err_set(err, 0, "the label \"%.64s\" has more than 11 characters", label);
	memset(out, ' ', 11);
	for (size_t i = 0; label[i]; i++) {
		if (label[i] < ' ' || label[i] > '~' || strchr("\"*+,./:;<=>?[\\]|", label[i]))
			return err_set(err, 0, "the label \"%.64s\" has a character that vfat does not have", label);
		out[i] = (unsigned char)toupper((unsigned char)label[i]);
	}
	return 0;
}

static void make_boot(const struct shape *s, const unsigned char label[11], unsigned char b[SECTOR])
{
	bool wide = s->root_sectors == 0;
	unsigned char *tail = b + (wide ? 64 : 36);
	uint32_t id = 0;

	memset(b, 0, SECTOR);
	memcpy(b, wide ? "\xeb\x58\x90" "CORACLE " : "\xeb\x3c\x90" "CORACLE ", 11);
	put(b + 11, SECTOR, 2);
	b[13] = (unsigned char)s->per_cluster;
	put(b + 14, s->reserved, 2);
	b[16] = 2;
	put(b + 17, wide ? 0 : ROOT_ENTRIES, 2);
	put(b + 19, s->sectors < 65536 ? s->sectors : 0, 2);
	b[21] = 0xf8;
	put(b + 22, wide ? 0 : s->fat_sectors, 2);
	put(b + 24, 63, 2);
	put(b + 26, 255, 2);
	put(b + 32, s->sectors < 65536 ? 0 : s->sectors, 4);
	if (wide) {
		put(b + 36, s->fat_sectors, 4);
		put(b + 44, 2, 4);	/* cluster of the root directory */
		put(b + 48, 1, 2);	/* FSInfo */
		put(b + 50, 6, 2);	/* copy of this sector */
	}
	if (getrandom(&id, sizeof(id), GRND_NONBLOCK) != (ssize_t)sizeof(id))
		id = (uint32_t)time(NULL);
	tail[0] = 0x80;
	tail[2] = 0x29;
	put(tail + 3, id, 4);
	memcpy(tail + 7, label, 11);
	memcpy(tail + 18, wide ? "FAT32   " : "FAT16   ", 8);
	put(b + 510, 0xaa55, 2);
}

static int write_sector(int fd, uint64_t sector, const unsigned char data[SECTOR], struct err *err)
{
	return pwrite(fd, data, SECTOR, (off_t)(sector * SECTOR)) == (ssize_t)SECTOR ? 0 : err_set(err, errno, "write sector %llu", (unsigned long long)sector);
}

static int clear(int fd, uint64_t from, uint64_t n, struct err *err)
{
	static const unsigned char zero[128 * SECTOR];
	int r = 0;

	while (n > 0 && r == 0) {
		size_t take = n < 128 ? (size_t)n : 128;

		if (pwrite(fd, zero, take * SECTOR, (off_t)(from * SECTOR)) != (ssize_t)(take * SECTOR))
			r = err_set(err, errno, "write sector %llu", (unsigned long long)from);
		from += take;
		n -= take;
	}
	return r;
}

/* Both tables: the medium, the end of chain, and in FAT32 the root directory's one cluster. */
static int write_tables(int fd, const struct shape *s, struct err *err)
{
	bool wide = s->root_sectors == 0;
	unsigned char first[SECTOR] = { 0 };
	int r = 0;

	put(first, wide ? 0x0ffffff8 : 0xfff8, wide ? 4 : 2);
	put(first + (wide ? 4 : 2), wide ? 0x0fffffff : 0xffff, wide ? 4 : 2);
	if (wide)
		put(first + 8, 0x0fffffff, 4);
	for (unsigned i = 0; i < 2 && r == 0; i++)
		r = write_sector(fd, s->reserved + (uint64_t)i * s->fat_sectors, first, err);
	return r;
}

static int write_root(int fd, const struct shape *s, const char *label, const unsigned char name[11], struct err *err)
{
	unsigned char entry[SECTOR] = { 0 };

	if (!label)
		return 0;
	memcpy(entry, name, 11);
	entry[11] = 0x08; /* a volume's label */
	put(entry + 24, 0x21, 2); /* the first day that FAT knows */
	return write_sector(fd, s->reserved + 2 * (uint64_t)s->fat_sectors, entry, err);
}

static int write_info(int fd, const struct shape *s, const unsigned char boot[SECTOR], struct err *err)
{
	unsigned char info[SECTOR] = { 0 };
	int r;

	memcpy(info, "RRaA", 4);
	memcpy(info + 484, "rrAa", 4);
	put(info + 488, s->clusters - 1, 4);
	put(info + 492, 3, 4);
	put(info + 508, 0xaa550000, 4);
	if ((r = write_sector(fd, 1, info, err)) < 0 || (r = write_sector(fd, 6, boot, err)) < 0)
		return r;
	return write_sector(fd, 7, info, err);
}

int storage_mkvfat(int fd, uint64_t size, const char *label, struct err *err)
{
	unsigned char name[11];
	unsigned char boot[SECTOR];
	struct shape s = { .sectors = 0 };
	int r;

	if ((r = make_shape(size, &s, err)) < 0 || (r = make_label(label, name, err)) < 0)
		return r;
	make_boot(&s, name, boot);
	if ((r = clear(fd, 0, s.reserved + 2 * (uint64_t)s.fat_sectors + (s.root_sectors ? s.root_sectors : s.per_cluster), err)) < 0 ||
	    (r = write_tables(fd, &s, err)) < 0 || (r = write_root(fd, &s, label, name, err)) < 0)
		return r;
	if (s.root_sectors == 0 && (r = write_info(fd, &s, boot, err)) < 0)
		return r;
	/* the boot sector last: without it there is no file system */
	r = write_sector(fd, 0, boot, err);
	if (r == 0 && (r = sys_fsync(fd)) < 0)
		err_set(err, -r, "flush the disk");
	return r;
}
