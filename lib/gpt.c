/* gpt.c - the GUID partition table in memory (UEFI 2.10, section 5.3). */
#include "gpt.h"

#include <errno.h>
#include <string.h>

/* the first three fields of a GUID are little-endian on disk */
const unsigned char gpt_type_esp[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
const unsigned char gpt_type_linux[16] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };

static uint64_t get(const unsigned char *p, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void put(unsigned char *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

uint32_t gpt_crc32(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint32_t c = 0xffffffff;

	for (; n > 0; n--, p++) {
		c ^= *p;
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (0xedb88320 & (0 - (c & 1)));
	}
	return ~c;
}

int gpt_decode(struct gpt *g, const unsigned char *header, const unsigned char *table, uint64_t disk_sectors, struct err *err)
{
	unsigned char copy[92];
	uint64_t first = get(header + 40, 8);
	uint64_t last = get(header + 48, 8);

	if (memcmp(header, "EFI PART", 8) != 0)
		return err_set(err, 0, "no GPT signature");
	if (get(header + 12, 4) != sizeof(copy))
		return err_set(err, 0, "GPT header of %llu bytes", (unsigned long long)get(header + 12, 4));
	memcpy(copy, header, sizeof(copy));
	put(copy + 16, 0, 4);
	if (gpt_crc32(copy, sizeof(copy)) != get(header + 16, 4))
		return err_set(err, 0, "the GPT header's checksum is wrong");
	if (get(header + 24, 8) != 1 || get(header + 72, 8) != 2 || get(header + 80, 4) != GPT_ENTRIES || get(header + 84, 4) != GPT_ENTRY_LEN)
		return err_set(err, 0, "a GPT of another shape than 128 entries of 128 bytes at sector 2");
	if (gpt_crc32(table, sizeof(g->entries)) != get(header + 88, 4))
		return err_set(err, 0, "the GPT table's checksum is wrong");
	if (disk_sectors < GPT_FIRST_USABLE + GPT_RESERVED_END || first < GPT_FIRST_USABLE || last < first || last > disk_sectors - 1 - GPT_RESERVED_END)
		return err_set(err, 0, "the GPT does not fit its disk");
	g->sectors = disk_sectors;
	memcpy(g->disk_guid, header + 56, 16);
	memcpy(g->entries, table, sizeof(g->entries));
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		struct gpt_entry e;

		if (gpt_get(g, i, &e) && (e.first < first || e.last < e.first || e.last > last))
			return err_set(err, 0, "partition %u lies outside the disk", i + 1);
	}
	return 0;
}

void gpt_encode_header(const struct gpt *g, int backup, unsigned char out[GPT_SECTOR])
{
	uint64_t end = g->sectors - 1;

	memset(out, 0, GPT_SECTOR);
	memcpy(out, "EFI PART", 8);
	put(out + 8, 0x00010000, 4);
	put(out + 12, 92, 4);
	put(out + 24, backup ? end : 1, 8);
	put(out + 32, backup ? 1 : end, 8);
	put(out + 40, GPT_FIRST_USABLE, 8);
	put(out + 48, end - GPT_RESERVED_END, 8);
	memcpy(out + 56, g->disk_guid, 16);
	put(out + 72, backup ? end - GPT_TABLE_SECTORS : 2, 8);
	put(out + 80, GPT_ENTRIES, 4);
	put(out + 84, GPT_ENTRY_LEN, 4);
	put(out + 88, gpt_crc32(g->entries, sizeof(g->entries)), 4);
	put(out + 16, gpt_crc32(out, 92), 4);
}

void gpt_encode_mbr(uint64_t sectors, unsigned char out[GPT_SECTOR])
{
	uint64_t len = sectors - 1;

	memset(out, 0, GPT_SECTOR);
	out[446 + 2] = 0x02; /* CHS of sector 1 */
	out[446 + 4] = 0xee;
	memset(out + 446 + 5, 0xff, 3);
	put(out + 446 + 8, 1, 4);
	put(out + 446 + 12, len > 0xffffffff ? 0xffffffff : len, 4);
	out[510] = 0x55;
	out[511] = 0xaa;
}

int gpt_get(const struct gpt *g, unsigned i, struct gpt_entry *out)
{
	static const unsigned char unused[16];
	const unsigned char *p = g->entries + i * GPT_ENTRY_LEN;

	if (!memcmp(p, unused, 16))
		return 0;
	memset(out, 0, sizeof(*out));
	memcpy(out->type, p, 16);
	memcpy(out->guid, p + 16, 16);
	out->first = get(p + 32, 8);
	out->last = get(p + 40, 8);
	out->attributes = get(p + 48, 8);
	for (int k = 0; k < 36; k++) {
		uint64_t c = get(p + 56 + 2 * k, 2);

		if (c == 0)
			break;
		out->name[k] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	return 1;
}

void gpt_set(struct gpt *g, unsigned i, const struct gpt_entry *e)
{
	unsigned char *p = g->entries + i * GPT_ENTRY_LEN;

	memset(p, 0, GPT_ENTRY_LEN);
	memcpy(p, e->type, 16);
	memcpy(p + 16, e->guid, 16);
	put(p + 32, e->first, 8);
	put(p + 40, e->last, 8);
	put(p + 48, e->attributes, 8);
	for (int k = 0; k < 36 && e->name[k]; k++)
		put(p + 56 + 2 * k, (unsigned char)e->name[k], 2);
}
