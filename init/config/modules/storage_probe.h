/* storage_probe.h - what is on a device: the file systems of lib/blkid.h and a few that are only recognised, so as not to write over them.
 *
 * Used by coracle-config only. Reads; never writes. */
#ifndef CORACLE_CONFIG_STORAGE_PROBE_H
#define CORACLE_CONFIG_STORAGE_PROBE_H

#include <stdint.h>
#include "blkid.h"
#include "err.h"

#define PROBE_EDGE ((uint64_t)1 << 20)	/* bytes at both ends that must be zero on a blank device */

struct probe {
	char type[16];		/* blkid's, and "ext2", "ext3", "swap", "xfs", "btrfs", "LVM2_member", "crypto_LUKS", "linux_raid_member", "zfs_member" */
	char label[129];
	char uuid[37];		/* lower case with dashes; of vfat "ABCD-1234"; "" when there is none */
};

/* Returns 1 when recognised, 0 when not, -errno. */
int probe_device(int fd, struct probe *out);

/* Returns 1 when the first and the last MiB are all zero, 0 when something is there, -errno. */
int probe_blank(int fd, uint64_t size);

/* The partition table: 0 none, 1 MBR, 2 GPT, or -errno. */
enum { TABLE_NONE, TABLE_MBR, TABLE_GPT };
int probe_table(int fd);

/* Bytes of a block device or a regular file. */
int probe_size(int fd, uint64_t *size, struct err *err);

/* The device of "LABEL=..." or "UUID=...", the first that the kernel lists. Writes "/dev/X" into node. Returns 0 or -errno. */
int probe_find(const char *spec, char *node, size_t size, struct err *err);

#endif
