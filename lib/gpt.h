/* gpt.h - the GUID partition table (UEFI 2.10, section 5.3): both headers, 128 entries.
 *
 * Pure: works on memory; the caller reads and writes the disk. 512-byte sectors. No heap. Used by the image
 * builder, which makes tables, and by coracle-data, which grows the last partition. */
#ifndef CORACLE_GPT_H
#define CORACLE_GPT_H

#include <stddef.h>
#include <stdint.h>
#include "err.h"

#define GPT_SECTOR 512u
#define GPT_ENTRIES 128u
#define GPT_ENTRY_LEN 128u
#define GPT_TABLE_SECTORS 32u	/* 128 entries of 128 bytes */
/* Sectors before the first and after the last usable one: MBR, header, table; table, header. */
#define GPT_FIRST_USABLE (2 + GPT_TABLE_SECTORS)
#define GPT_RESERVED_END (1 + GPT_TABLE_SECTORS)

struct gpt {
	uint64_t sectors;		/* of the disk */
	unsigned char disk_guid[16];
	unsigned char entries[GPT_ENTRIES * GPT_ENTRY_LEN];
};

/* One entry, as the caller sees it. first and last are sectors, last inclusive. */
struct gpt_entry {
	unsigned char type[16];
	unsigned char guid[16];
	uint64_t first;
	uint64_t last;
	uint64_t attributes;
	char name[37];			/* ASCII; other characters read as '?' */
};

extern const unsigned char gpt_type_esp[16];	/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B */
extern const unsigned char gpt_type_linux[16];	/* 0FC63DAF-8483-4772-8E79-3D69D8477DE4 */

/* CRC-32 as Ethernet, zlib and GPT have it. */
uint32_t gpt_crc32(const void *data, size_t n);

/* Reads primary header (sector 1) and table. header: 512 bytes; table: GPT_ENTRIES * GPT_ENTRY_LEN bytes;
 * disk_sectors: the disk's true size now. Every field and both checksums are checked, and that entries lie
 * inside the disk. Returns 0 or -EINVAL with the reason. */
int gpt_decode(struct gpt *g, const unsigned char *header, const unsigned char *table, uint64_t disk_sectors, struct err *err);

/* Writes the header for one end of the disk; backup: 0 the primary (goes to sector 1, table at
 * sector 2), 1 the backup (last sector, table before it). */
void gpt_encode_header(const struct gpt *g, int backup, unsigned char out[GPT_SECTOR]);

/* The protective MBR of a disk of that size. */
void gpt_encode_mbr(uint64_t sectors, unsigned char out[GPT_SECTOR]);

/* Entry i (0 to 127): 1 and *out when in use, else 0. */
int gpt_get(const struct gpt *g, unsigned i, struct gpt_entry *out);
void gpt_set(struct gpt *g, unsigned i, const struct gpt_entry *e);

#endif
