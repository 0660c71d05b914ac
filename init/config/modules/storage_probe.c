/* storage_probe.c - superblocks that lib/blkid.c does not need, UUIDs, and whether a device is blank.
 *
 * Runs in coracle-config. Every offset is a constant; nothing that was read is used as one. */
#include "storage_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "sys.h"

#define CHUNK 65536

/* Signatures that say what is there, and where label and UUID lie; -1: neither is read. Swap's page may be larger than 4 KiB elsewhere: not on this machine. */
static const struct signature {
	const char *type;
	const char *magic;
	unsigned magic_len;
	long at;
	long label;
	unsigned label_len;
	long uuid;
} signatures[] = {
	{ "swap", "SWAPSPACE2", 10, 4086, 1052, 16, 1036 },
	{ "xfs", "XFSB", 4, 0, 108, 12, 32 },
	{ "btrfs", "_BHRfS_M", 8, 65600, 65835, 128, 65568 },
	{ "crypto_LUKS", "LUKS\xba\xbe", 6, 0, -1, 0, -1 },
	{ "LVM2_member", "LABELONE", 8, 512, -1, 0, -1 },
	{ "linux_raid_member", "\xfc\x4e\x2b\xa9", 4, 4096, -1, 0, -1 },
	{ "linux_raid_member", "\xfc\x4e\x2b\xa9", 4, 0, -1, 0, -1 },
	{ "zfs_member", "\x0c\xb1\xba\0\0\0\0\0", 8, 131072, -1, 0, -1 },
	{ "bcache", "\xc6\x85\x73\xf6\x4e\x1a\x45\xca", 8, 4120, -1, 0, -1 },
	{ "squashfs", "hsqs", 4, 0, -1, 0, -1 },
	{ "ntfs", "NTFS    ", 8, 3, -1, 0, -1 },
	{ "f2fs", "\x10\x20\xf5\xf2", 4, 1024, -1, 0, -1 },
};

static bool read_at(int fd, long at, void *buf, size_t n)
{
	return at >= 0 && pread(fd, buf, n, at) == (ssize_t)n;
}

static void copy_label(char *out, const unsigned char *label, unsigned n)
{
	unsigned i;

	for (i = 0; i < n && label[i]; i++)
		out[i] = label[i] < 0x20 || label[i] == 0x7f ? '?' : (char)label[i];
	out[i] = '\0';
}

static void copy_uuid(char *out, const unsigned char *u)
{
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
		 u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

static int by_signature(int fd, struct probe *out)
{
	unsigned char bytes[128];

	for (size_t i = 0; i < ARRAY_SIZE(signatures); i++) {
		const struct signature *s = &signatures[i];

		if (!read_at(fd, s->at, bytes, s->magic_len) || memcmp(bytes, s->magic, s->magic_len) != 0)
			continue;
		snprintf(out->type, sizeof(out->type), "%.15s", s->type);
		if (read_at(fd, s->label, bytes, s->label_len))
			copy_label(out->label, bytes, s->label_len);
		if (read_at(fd, s->uuid, bytes, 16))
			copy_uuid(out->uuid, bytes);
		return 1;
	}
	return 0;
}

/* ext2, ext3 and ext4 differ in their features: a journal makes 3, extents make 4 (as e2fsprogs' blkid sees it). */
static void more_of_ext(int fd, struct probe *out)
{
	unsigned char sb[256];

	if (!read_at(fd, 1024, sb, sizeof(sb)))
		return;
	copy_uuid(out->uuid, sb + 104);
	if (!(sb[96] & 0x40) && !(sb[100] & 0x08)) /* neither extents nor huge_file */
		snprintf(out->type, sizeof(out->type), sb[92] & 0x04 ? "ext3" : "ext2");
}

static void more_of_vfat(int fd, struct probe *out)
{
	unsigned char s[90];
	const unsigned char *id;

	if (!read_at(fd, 0, s, sizeof(s)))
		return;
	id = !memcmp(s + 82, "FAT32", 5) ? s + 67 : s + 39;
	snprintf(out->uuid, sizeof(out->uuid), "%02X%02X-%02X%02X", id[3], id[2], id[1], id[0]);
	if (!strcmp(out->label, "NO NAME"))
		out->label[0] = '\0';
}

int probe_device(int fd, struct probe *out)
{
	struct blkid b;
	unsigned char uuid[16];
	int r;

	memset(out, 0, sizeof(*out));
	r = blkid_probe(fd, &b);
	if (r < 0)
		return r;
	if (r == 0)
		return by_signature(fd, out);
	snprintf(out->type, sizeof(out->type), "%s", b.type);
	snprintf(out->label, sizeof(out->label), "%s", b.label);
	if (!strcmp(b.type, "ext4"))
		more_of_ext(fd, out);
	else if (!strcmp(b.type, "vfat"))
		more_of_vfat(fd, out);
	else if (!strcmp(b.type, "erofs") && read_at(fd, 1024 + 48, uuid, sizeof(uuid)))
		copy_uuid(out->uuid, uuid);
	return 1;
}

/* 1 all zero, 0 not, -errno. What lies behind the end counts as zero. */
static int is_zero(int fd, uint64_t from, uint64_t len)
{
	static unsigned char bytes[CHUNK];

	for (uint64_t at = from; at < from + len; at += CHUNK) {
		ssize_t n = pread(fd, bytes, sizeof(bytes), (off_t)at);

		if (n < 0)
			return -errno;
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i])
				return 0;
	}
	return 1;
}

int probe_blank(int fd, uint64_t size)
{
	int r = is_zero(fd, 0, PROBE_EDGE);

	if (r == 1 && size > PROBE_EDGE)
		r = is_zero(fd, size - PROBE_EDGE, PROBE_EDGE);
	return r;
}

int probe_table(int fd)
{
	unsigned char s[1024];

	if (pread(fd, s, sizeof(s), 0) != (ssize_t)sizeof(s))
		return TABLE_NONE;
	if (!memcmp(s + 512, "EFI PART", 8))
		return TABLE_GPT;
	if (s[510] != 0x55 || s[511] != 0xaa)
		return TABLE_NONE;
	for (unsigned i = 0; i < 4; i++)
		if (s[446 + 16 * i] & 0x7f) /* a boot flag is 0 or 0x80: this is a boot sector, such as vfat's */
			return TABLE_NONE;
	return TABLE_MBR;
}

int probe_size(int fd, uint64_t *size, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0)
		return err_set(err, errno, "ask for its size");
	*size = (uint64_t)end;
	return 0;
}

struct wanted {
	const char *label;	/* NULL: by UUID */
	const char *uuid;
	char *node;
	size_t size;
};

static int is_wanted(const char *node, const struct wanted *w)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, node, O_RDONLY | O_NONBLOCK, 0);
	struct probe p;

	if (fd < 0 || probe_device(fd, &p) != 1)
		return 0;
	if (w->label ? strcmp(p.label, w->label) : strcasecmp(p.uuid, w->uuid))
		return 0;
	snprintf(w->node, w->size, "%s", node);
	return 1;
}

int probe_find(const char *spec, char *node, size_t size, struct err *err)
{
	struct wanted w = { .label = !strncmp(spec, "LABEL=", 6) ? spec + 6 : NULL, .uuid = spec + 5, .node = node, .size = size };
	char name[48];
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	/* the kernel's list has partitions too, in the order in which they came */
	if (fd_read_file(AT_FDCWD, "/proc/partitions", 65536, &text, NULL, err) < 0)
		return -EIO;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *last = strrchr(l, ' ');

		if (!last || !strncmp(last + 1, "loop", 4) || !strncmp(last + 1, "ram", 3) || snprintf(name, sizeof(name), "/dev/%.40s", last + 1) < 6)
			continue;
		if (last[1] && is_wanted(name, &w))
			return 0;
	}
	return err_set(err, ENODEV, "%.200s", spec);
}
