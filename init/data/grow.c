/* grow.c - grows the last GPT partition. Runs in coracle-data before the partition is mounted.
 *
 * Every number read from disk is checked by lib/gpt, and compared with what the kernel says, before anything is written. */
#include "init/data/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"
#include "gpt.h"
#include "sys.h"

#define SYS_BLOCK "/sys/class/block/"

static int read_sectors(int fd, uint64_t first, void *buf, size_t sectors, struct err *err)
{
	size_t n = sectors * GPT_SECTOR;
	ssize_t r = pread(fd, buf, n, (off_t)(first * GPT_SECTOR));

	if (r < 0)
		return err_set(err, errno, "read sector %llu", (unsigned long long)first);
	return (size_t)r == n ? 0 : err_set(err, EIO, "read sector %llu", (unsigned long long)first);
}

static int write_sectors(int fd, uint64_t first, const void *buf, size_t sectors, struct err *err)
{
	size_t n = sectors * GPT_SECTOR;
	ssize_t r = pwrite(fd, buf, n, (off_t)(first * GPT_SECTOR));

	if (r < 0)
		return err_set(err, errno, "write sector %llu", (unsigned long long)first);
	return (size_t)r == n ? 0 : err_set(err, EIO, "write sector %llu", (unsigned long long)first);
}

static int flush(int fd, struct err *err)
{
	int r = sys_fsync(fd);

	return r < 0 ? err_set(err, -r, "flush the disk") : 0;
}

/* The protective MBR says how long the disk is. Boot code before it is kept; one that holds more than the protective
 * partition (a hybrid image) is somebody's decision and stays as it is. */
static int write_mbr(int fd, uint64_t sectors, struct err *err)
{
	static const unsigned char none[48];
	unsigned char old[GPT_SECTOR];
	unsigned char fresh[GPT_SECTOR];
	int r = read_sectors(fd, 0, old, 1, err);

	if (r < 0)
		return r;
	if (old[446 + 4] != 0xee || memcmp(old + 462, none, sizeof(none)))
		return 0;
	gpt_encode_mbr(sectors, fresh);
	memcpy(fresh, old, 446);
	return write_sectors(fd, 0, fresh, 1, err);
}

static int write_tables(int fd, const struct gpt *g, struct err *err)
{
	unsigned char header[GPT_SECTOR];
	int r;

	gpt_encode_header(g, 1, header);
	if ((r = write_sectors(fd, g->sectors - 1 - GPT_TABLE_SECTORS, g->entries, GPT_TABLE_SECTORS, err)) < 0 ||
	    (r = write_sectors(fd, g->sectors - 1, header, 1, err)) < 0 || (r = flush(fd, err)) < 0)
		return err_wrap(err, r, "backup table");
	gpt_encode_header(g, 0, header);
	if ((r = write_sectors(fd, 2, g->entries, GPT_TABLE_SECTORS, err)) < 0 ||
	    (r = write_sectors(fd, 1, header, 1, err)) < 0 || (r = flush(fd, err)) < 0)
		return err_wrap(err, r, "primary table");
	if ((r = write_mbr(fd, g->sectors, err)) < 0 || (r = flush(fd, err)) < 0)
		return err_wrap(err, r, "protective MBR");
	return 0;
}

/* The last sector that the partition may have, 0: another one lies behind it. */
static uint64_t new_last(const struct gpt *g, const struct gpt_entry *mine)
{
	uint64_t end = g->sectors - GPT_RESERVED_END - 1; /* one past the last usable sector */

	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		struct gpt_entry e;

		if (gpt_get(g, i, &e) && e.first > mine->last)
			return 0;
	}
	return end / GROW_ALIGN_SECTORS * GROW_ALIGN_SECTORS - 1;
}

int64_t grow_gpt(int fd, uint64_t sectors, unsigned number, uint64_t start, uint64_t size, struct err *err)
{
	struct gpt g;
	struct gpt_entry e;
	unsigned char header[GPT_SECTOR];
	unsigned char table[GPT_TABLE_SECTORS * GPT_SECTOR];
	uint64_t last;
	int r;

	if (sectors < 2 * GPT_FIRST_USABLE || sectors > INT64_MAX / GPT_SECTOR)
		return err_set(err, 0, "a disk of %llu sectors", (unsigned long long)sectors);
	if ((r = read_sectors(fd, 1, header, 1, err)) < 0 || (r = read_sectors(fd, 2, table, GPT_TABLE_SECTORS, err)) < 0)
		return r;
	if ((r = gpt_decode(&g, header, table, sectors, err)) < 0)
		return r;
	if (number < 1 || number > GPT_ENTRIES || !gpt_get(&g, number - 1, &e) || e.first != start || e.last != start + size - 1)
		return err_set(err, 0, "partition %u of the table is not the one that the kernel has", number);
	last = new_last(&g, &e);
	if (last < e.last + GROW_ALIGN_SECTORS)
		return 0;
	/* Only the end changes: the entry's other bytes (a name in any alphabet) stay as they are. */
	for (int i = 0; i < 8; i++)
		g.entries[(number - 1) * GPT_ENTRY_LEN + 40 + (unsigned)i] = (unsigned char)(last >> (8 * i));
	if ((r = write_tables(fd, &g, err)) < 0)
		return r;
	return (int64_t)(last - start + 1);
}

static int64_t read_number(const char *name, const char *file)
{
	char path[128];
	char text[32];
	ssize_t r;

	snprintf(path, sizeof(path), SYS_BLOCK "%.40s/%s", name, file);
	r = fd_read_small(AT_FDCWD, path, text, sizeof(text));
	return r < 0 ? (int64_t)r : (int64_t)strtoll(text, NULL, 10);
}

static const char *name_of(const char *node)
{
	const char *slash = strrchr(node, '/');

	return slash ? slash + 1 : node;
}

int64_t grow_device_sectors(const char *node)
{
	return read_number(name_of(node), "size");
}

/* "../../devices/.../block/vda/vda2": the disk is the directory above. */
static int disk_of(const char *name, char *disk, size_t size)
{
	char path[128];
	char link[512];
	ssize_t n;
	char *slash;

	snprintf(path, sizeof(path), SYS_BLOCK "%.40s", name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	if (!(slash = strrchr(link, '/')))
		return -EINVAL;
	*slash = '\0';
	if (!(slash = strrchr(link, '/')) || strlen(slash + 1) >= size)
		return -EINVAL;
	strcpy(disk, slash + 1);
	return 0;
}

static int tell_kernel(int fd, unsigned number, int64_t start, int64_t size, struct err *err)
{
	struct blkpg_partition p = { .start = start * GPT_SECTOR, .length = size * GPT_SECTOR, .pno = (int)number };
	struct blkpg_ioctl_arg arg = { .op = BLKPG_RESIZE_PARTITION, .datalen = sizeof(p), .data = &p };

	return ioctl(fd, BLKPG, &arg) < 0 ? err_set(err, errno, "tell the kernel the new size of partition %u", number) : 0;
}

int grow_partition(const char *node, struct err *err)
{
	const char *name = name_of(node);
	char disk[48];
	char path[64];
	int64_t number = read_number(name, "partition");
	int64_t start = read_number(name, "start");
	int64_t size = read_number(name, "size");
	int64_t sectors;
	int64_t grown;
	int r;
	CLEANUP_FD int fd = -1;

	if (number == -ENOENT)
		return 0; /* a whole disk */
	if (number < 1 || start < 1 || size < 1)
		return err_set(err, 0, "the kernel does not describe %s", node);
	if ((r = disk_of(name, disk, sizeof(disk))) < 0)
		return err_set(err, -r, "find the disk of %s", node);
	sectors = read_number(disk, "size");
	/* Almost every boot ends here: there is no room behind the partition, so nothing needs to be read. */
	if (start + size + GROW_ALIGN_SECTORS + GPT_RESERVED_END >= sectors)
		return 0;
	if (read_number(disk, "queue/logical_block_size") != GPT_SECTOR)
		return err_set(err, 0, "%s has sectors that are not of 512 bytes", disk);
	snprintf(path, sizeof(path), "/dev/%.47s", disk);
	fd = sys_openat(AT_FDCWD, path, O_RDWR, 0);
	if (fd < 0)
		return err_set(err, -fd, "open %s", path);
	grown = grow_gpt(fd, (uint64_t)sectors, (unsigned)number, (uint64_t)start, (uint64_t)size, err);
	if (grown < 0)
		return err_wrap(err, (int)grown, "%s", path);
	if (grown == 0)
		return 0;
	if ((r = tell_kernel(fd, (unsigned)number, start, grown, err)) < 0)
		return r;
	return 1;
}
