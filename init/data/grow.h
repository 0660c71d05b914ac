/* grow.h - makes the last partition of a GPT disk as large as its disk.
 *
 * A disk image is small and is written to disks of any size; on its first boot the data partition takes what is there. */
#ifndef CORACLE_INIT_GROW_H
#define CORACLE_INIT_GROW_H

#include <stdint.h>
#include "err.h"

/* Less room than this is not worth writing a partition table for. Ends are aligned to it too. */
#define GROW_ALIGN_SECTORS 2048u

/* Rewrites both tables of the disk open at fd (read and write) so that partition number (from 1), which begins at start and
 * has size sectors as the kernel sees it, reaches to the end. sectors: of the whole disk; all in units of 512 bytes.
 * Returns the new size in sectors, 0 when there is nothing to do (not the last one, no room), -errno.
 * After a power cut at any moment one valid table is there: the backup at the new end is written and synced first. */
int64_t grow_gpt(int fd, uint64_t sectors, unsigned number, uint64_t start, uint64_t size, struct err *err);

/* Grows the partition of node ("/dev/vda2") and tells the kernel. Returns 1 when it grew, 0 when there was
 * nothing to do (no partition, no GPT, no room), -errno. */
int grow_partition(const char *node, struct err *err);

/* Size of the block device of node in sectors of 512 bytes as the kernel sees it now, or -errno. */
int64_t grow_device_sectors(const char *node);

#endif
