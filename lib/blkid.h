/* blkid.h - which block device holds which file system.
 *
 * Reads the first 68 KiB of a device and knows ext2/3/4, iso9660, vfat and
 * erofs; every number read from the device is checked. No heap. */
#ifndef CORACLE_BLKID_H
#define CORACLE_BLKID_H

#include <stddef.h>
#include "err.h"

struct blkid {
	char type[12];		/* "ext4" (also for ext2/3), "iso9660", "vfat", "erofs" */
	char label[129];	/* trailing blanks cut, control characters replaced by '?' */
};

/* Probes an open device or file. Returns 1 when recognised, 0 when not, -errno. */
int blkid_probe(int fd, struct blkid *out);

/* Calls found for every block device (partitions too) listed in /sys/class/block,
 * except ram, loop and zram, highest name first (vdb before vda, as cloud-init does). found returns
 * non-zero to stop. Returns 0, that value, or -errno. */
int blkid_scan(int (*found)(const char *node, const struct blkid *b, void *arg), void *arg);

/* Case-insensitive comparison of labels that takes '-' and '_' as the same. */
int blkid_label_is(const char *label, const char *want);

#endif
