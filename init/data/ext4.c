/* ext4.c - decodes ext4 superblocks: see ext4.h. Pure: the bytes may be anything. */
#include "init/data/ext4.h"

#include <errno.h>
#include <string.h>

#define STATE_VALID 0x0001
#define STATE_ERROR 0x0002
#define COMPAT_HAS_JOURNAL 0x0004
#define INCOMPAT_64BIT 0x0080

static uint32_t get(const unsigned char *p, int bytes)
{
	uint32_t v = 0;

	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

int ext4_decode(const unsigned char *sb, struct ext4_super *out, struct err *err)
{
	uint32_t log = get(sb + 24, 4);
	uint32_t state = get(sb + 58, 2);

	memset(out, 0, sizeof(*out));
	if (get(sb + 56, 2) != 0xef53)
		return err_set(err, 0, "no ext4 superblock");
	if (log > 6)
		return err_set(err, 0, "ext4 with blocks of 2^%u bytes", log + 10);
	out->block_size = 1024u << log;
	out->blocks = get(sb + 4, 4);
	if (get(sb + 96, 4) & INCOMPAT_64BIT)
		out->blocks |= (uint64_t)get(sb + 336, 4) << 32;
	if (out->blocks == 0 || out->blocks > UINT64_MAX / out->block_size)
		return err_set(err, 0, "ext4 with an impossible number of blocks");
	out->has_journal = (get(sb + 92, 4) & COMPAT_HAS_JOURNAL) != 0;
	/* With a journal the kernel leaves VALID set while it is mounted: after a power cut the journal alone makes it
	 * consistent, and mount(2) replays it. Without one, VALID is off until a clean unmount. */
	out->clean = (state & STATE_VALID) && !(state & STATE_ERROR);
	return 0;
}
