/* storage_table.h - partition tables for disk_setup: planned in memory, compared with what is there, written.
 *
 * Used by coracle-config only. Nothing is written by anything but table_write and table_wipe. */
#ifndef CORACLE_CONFIG_STORAGE_TABLE_H
#define CORACLE_CONFIG_STORAGE_TABLE_H

#include <stdint.h>
#include "gpt.h"
#include "storage.h"

#define TABLE_SECTOR 512u
#define TABLE_ALIGN 2048u	/* sectors; a MiB, as sgdisk and sfdisk do */

struct table_part {
	uint64_t first;
	uint64_t sectors;
	unsigned char mbr_type;
	unsigned char gpt_type[16];
	bool typed;		/* its type was given */
};

struct table {
	bool gpt;
	bool whole;		/* layout: true */
	unsigned n;
	struct table_part part[PARTITIONS_MAX];
};

/* Lays the partitions out on a disk of so many sectors. Returns 0 or -EINVAL with the reason. */
int table_plan(const struct storage_disk *d, uint64_t sectors, struct table *t, struct err *err);

/* True when the disk has a table like this, by cloud-init's measure (check_partition_layout): as many partitions, of these types where they were given;
 * for layout: true any one. Then the disk stays as it is. */
bool table_matches(int fd, uint64_t sectors, const struct table *t);

/* Clears both ends, the beginnings of the partitions to be, and writes the table. */
int table_write(int fd, uint64_t sectors, const struct table *t, struct err *err);

/* Clears the first and the last MiB. */
int table_wipe(int fd, uint64_t sectors, struct err *err);

#endif
