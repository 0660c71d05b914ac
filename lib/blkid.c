/* blkid.c - superblocks of ext4, iso9660, vfat and erofs. No heap. */
#include "blkid.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

/* Offsets: ext4 and erofs superblocks at 1024, vfat's boot sector at 0; iso9660's
 * first volume descriptor at 32768 (ECMA-119, 6.7.1 and 8.4). */
#define HEAD_LEN 4096
#define ISO_OFFSET 32768

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const unsigned char *p)
{
	return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static int found(struct blkid *out, const char *type, const unsigned char *label, size_t n)
{
	size_t len = 0;

	snprintf(out->type, sizeof(out->type), "%s", type);
	for (size_t i = 0; i < n && label[i]; i++) {
		out->label[i] = label[i] < 0x20 || label[i] == 0x7f ? '?' : (char)label[i];
		if (out->label[i] != ' ')
			len = i + 1;
	}
	out->label[len] = '\0';
	return 1;
}

/* The volume's entry is among the first of the root directory. Returns 1 when there is one. */
static int read_root_label(int fd, uint64_t offset, unsigned char label[11])
{
	unsigned char entries[32 * 16];
	ssize_t n = pread(fd, entries, sizeof(entries), (off_t)offset);

	for (ssize_t at = 0; at + 32 <= n && entries[at]; at += 32) {
		/* 0x0f is a piece of a long name */
		if (entries[at] == 0xe5 || (entries[at + 11] & 0x3f) != 0x08)
			continue;
		memcpy(label, entries + at, 11);
		return 1;
	}
	return 0;
}

/* FAT32 and FAT12/16 keep the label at different places; both say "FAT" in the type field behind it, which mkfs.fat, mtools and Windows all
 * write. Windows and mlabel change the label in the root directory only, mkfs.fat writes both: the root's counts (blkid's LABEL), but a seed
 * is found by the boot sector's as well (its LABEL_FATBOOT). */
static int probe_vfat(int fd, const unsigned char *s, struct blkid *out)
{
	uint16_t sector = le16(s + 11);
	bool big = !memcmp(s + 82, "FAT32", 5);
	const unsigned char *boot = s + (big ? 71 : 43);
	unsigned char label[11];
	uint64_t root;

	if (s[510] != 0x55 || s[511] != 0xaa || (sector != 512 && sector != 1024 && sector != 2048 && sector != 4096) || s[16] == 0)
		return 0;
	if (!big && memcmp(s + 54, "FAT", 3))
		return 0;
	root = le16(s + 14) + (uint64_t)s[16] * (big ? le32(s + 36) : le16(s + 22));
	if (big)
		root += (uint64_t)(MAX(le32(s + 44), 2u) - 2) * s[13];
	if (!strncasecmp((const char *)boot, "cidata     ", 11) || !read_root_label(fd, root * sector, label))
		return found(out, "vfat", boot, 11);
	return found(out, "vfat", label, 11);
}

int blkid_probe(int fd, struct blkid *out)
{
	unsigned char head[HEAD_LEN];
	const unsigned char *sb = head + 1024;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return -errno;
	if (n == HEAD_LEN) {
		if (le16(sb + 56) == 0xef53)
			return found(out, "ext4", sb + 120, 16);
		if (le32(sb) == 0xe0f5e1e2)
			return found(out, "erofs", sb + 64, 16);
		if (probe_vfat(fd, head, out))
			return 1;
	}
	n = pread(fd, head, 2048, ISO_OFFSET);
	if (n == 2048 && head[0] == 1 && !memcmp(head + 1, "CD001", 5))
		return found(out, "iso9660", head + 40, 32);
	return n < 0 ? -errno : 0;
}

static int wanted(const char *name)
{
	static const char *const skip[] = { "ram", "loop", "zram", "fd", "nbd", "md" };

	if (name[0] == '.')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(skip); i++)
		if (!strncmp(name, skip[i], strlen(skip[i])) && isdigit((unsigned char)name[strlen(skip[i])]))
			return 0;
	return 1;
}

#define SCAN_MAX 128
#define NODE_MAX 32

/* Lists /sys/class/block by getdents64: readdir would need the heap. */
static int list_names(char names[SCAN_MAX][NODE_MAX])
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, "/sys/class/block", O_RDONLY | O_DIRECTORY, 0);
	char buf[4096] __attribute__((aligned(8)));
	int count = 0;
	long n;

	if (fd < 0)
		return fd;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent *d = (struct dirent *)(void *)(buf + at); /* same layout as linux_dirent64 on 64-bit */

			at += d->d_reclen;
			if (count < SCAN_MAX && wanted(d->d_name) && strlen(d->d_name) < NODE_MAX)
				snprintf(names[count++], NODE_MAX, "%.31s", d->d_name);
		}
	}
	return n < 0 ? -errno : count;
}

/* Highest name first; names of different length (sda, sdaa) compare by length first. */
static int before(const char *a, const char *b)
{
	size_t la = strlen(a);
	size_t lb = strlen(b);

	return la != lb ? la > lb : strcmp(a, b) > 0;
}

int blkid_scan(int (*callback)(const char *node, const struct blkid *b, void *arg), void *arg)
{
	char names[SCAN_MAX][NODE_MAX];
	int count = list_names(names);

	for (int done = 0; done < count; done++) {
		char node[NODE_MAX + 8];
		struct blkid b;
		int best = done;
		int r = 0;

		for (int i = done + 1; i < count; i++)
			if (before(names[i], names[best]))
				best = i;
		snprintf(node, sizeof(node), "/dev/%.31s", names[best]);
		memcpy(names[best], names[done], NODE_MAX);
		{
			CLEANUP_FD int fd = sys_openat(AT_FDCWD, node, O_RDONLY | O_NONBLOCK, 0);

			if (fd >= 0 && blkid_probe(fd, &b) == 1)
				r = 1;
		}
		if (r == 1 && (r = callback(node, &b, arg)) != 0)
			return r;
	}
	return count < 0 ? count : 0;
}

int blkid_label_is(const char *label, const char *want)
{
	for (; *label && *want; label++, want++) {
		int a = tolower((unsigned char)*label);
		int b = tolower((unsigned char)*want);

		if ((a == '_' ? '-' : a) != (b == '_' ? '-' : b))
			return 0;
	}
	return *label == *want;
}
