/* ext4.h - the few fields of an ext4 superblock that the boot has to know. Pure; no heap.
 * Source: Documentation/filesystems/ext4/super.rst of Linux. */
#ifndef CORACLE_INIT_EXT4_H
#define CORACLE_INIT_EXT4_H

#include <stdint.h>
#include "err.h"

#define EXT4_SUPER_OFFSET 1024
#define EXT4_SUPER_LEN 1024

struct ext4_super {
	uint64_t blocks;	/* of the file system */
	uint32_t block_size;	/* bytes */
	int clean;		/* no error was recorded and it was unmounted, or its journal will be replayed by mount(2) */
	int has_journal;
};

/* Decodes EXT4_SUPER_LEN bytes. Returns 0 or -EINVAL with the reason. */
int ext4_decode(const unsigned char *sb, struct ext4_super *out, struct err *err);

#endif
