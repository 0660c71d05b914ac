/* storage_table.c - GPT (lib/gpt.c) and MBR partition tables as disk_setup describes them.
 *
 * Runs in coracle-config, on a descriptor that the caller has opened for itself alone and found fit to be written. 512-byte sectors. */
#include "storage_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

#define EDGE ((size_t)1 << 20)

/* Names of types: MBR's number, sgdisk's code, the GUID as text (UEFI 2.10 table 5.7, and the discoverable partitions' list). */
static const struct type {
	unsigned mbr;
	const char *code;
	const char *guid;
} types[] = {
	{ 0x83, "8300", "0FC63DAF-8483-4772-8E79-3D69D8477DE4" }, { 0x82, "8200", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F" },
	{ 0xef, "EF00", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" }, { 0x8e, "8E00", "E6D6D379-F507-44C2-A23C-238F2A3DF928" },
	{ 0xfd, "FD00", "A19D880F-05FC-4D3B-A006-743F0F84911E" }, { 0x07, "0700", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
	{ 0x0c, "0C00", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" }, { 0x0b, "0B00", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" },
	{ 0x06, "0600", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" }, { 0x00, "EF02", "21686148-6449-6E6F-744E-656564454649" },
	{ 0x00, "8302", "933AC7E1-2EB4-4F13-B844-0E14E2AEF915" }, { 0x00, "8304", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709" },
	{ 0x00, "8305", "B921B045-1DF0-41C3-AF44-4C6F280D3FAE" }, { 0x00, "8306", "3B8F8425-20E0-4F3B-907F-1A25A76F98E8" },
	{ 0x00, "8310", "4D21B016-B534-45C2-A9FB-5C16E091FD2D" }, { 0x00, "8309", "CA7D7CCB-63ED-4C53-861C-1742536059CC" },
};

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* The first three fields of a GUID are little-endian on disk. */
static int parse_guid(const char *s, unsigned char out[16])
{
	static const unsigned char place[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t n = 0;

	if (strlen(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-')
		return -EINVAL;
	for (; n < 16; n++) {
		if (*s == '-')
			s++;
		if (hex(s[0]) < 0 || hex(s[1]) < 0)
			return -EINVAL;
		out[place[n]] = (unsigned char)(hex(s[0]) << 4 | hex(s[1]));
		s += 2;
	}
	return 0;
}

/* 82, 0x82, 8200, a GUID: as sfdisk takes it in an MBR, and sgdisk after cloud-init has filled it up to four characters. */
static int set_type(bool gpt, const char *text, struct table_part *p, struct err *err)
{
	char code[8];
	char *end;
	unsigned long number;

	if (!text)
		text = "83";
	if (gpt && strlen(text) == 36)
		return parse_guid(text, p->gpt_type) < 0 ? err_set(err, 0, "\"%.40s\" is not a GUID", text) : 0;
	if (text[0] == '0' && (text[1] | 32) == 'x')
		text += 2;
	number = strtoul(text, &end, 16);
	if (*end || end == text || strlen(text) > 4)
		return err_set(err, 0, "\"%.40s\" is not the type of a partition", text);
	if (!gpt) {
		if (number > 0xffff || number == 0 || (number > 0xff && (number & 0xff)))
			return err_set(err, 0, "\"%.40s\" is not the type of an MBR partition", text);
		p->mbr_type = (unsigned char)(number > 0xff ? number >> 8 : number);
		return 0;
	}
	memset(code, '0', 4);
	code[4] = '\0';
	memcpy(code, text, strlen(text));
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcasecmp(code, types[i].code))
			return parse_guid(types[i].guid, p->gpt_type);
	return err_set(err, 0, "the partition type \"%.40s\" is not known here; its GUID can be given", text);
}

int table_plan(const struct storage_disk *d, uint64_t sectors, struct table *t, struct err *err)
{
	static const struct storage_part whole = { 100000, NULL };
	const struct storage_part *parts = d->layout == LAYOUT_WHOLE ? &whole : d->parts;
	unsigned n = d->layout == LAYOUT_WHOLE ? 1 : d->n_parts;
	uint64_t at = TABLE_ALIGN;
	uint64_t end;

	if (sectors < 4 * TABLE_ALIGN)
		return err_set(err, 0, "the disk is smaller than 4 MiB");
	end = (d->gpt ? sectors - GPT_RESERVED_END : sectors) / TABLE_ALIGN * TABLE_ALIGN;
	if (!d->gpt && end > UINT32_MAX)
		return err_set(err, 0, "an MBR cannot describe a disk of more than 2 TiB: use gpt");
	memset(t, 0, sizeof(*t));
	t->gpt = d->gpt;
	t->whole = d->layout == LAYOUT_WHOLE;
	t->n = n;
	for (unsigned i = 0; i < n; i++) {
		struct table_part *p = &t->part[i];
		uint64_t len = (sectors / 100000 * parts[i].millipercent + sectors % 100000 * parts[i].millipercent / 100000) / TABLE_ALIGN * TABLE_ALIGN;
		int r = set_type(d->gpt, parts[i].type, p, err);

		if (r < 0)
			return r;
		/* the last one takes what is left */
		if (i + 1 == n || at + len > end)
			len = at < end ? end - at : 0;
		if (len == 0)
			return err_set(err, 0, "partition %u would have no room", i + 1);
		p->typed = parts[i].type != NULL;
		p->first = at;
		p->sectors = len;
		at += len;
	}
	return 0;
}

static void put32(unsigned char *p, uint64_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static void encode_mbr(const struct table *t, unsigned char out[TABLE_SECTOR])
{
	memset(out, 0, TABLE_SECTOR);
	if (getrandom(out + 440, 4, GRND_NONBLOCK) != 4)
		out[440] = 1;
	for (unsigned i = 0; i < t->n && i < 4; i++) {
		unsigned char *e = out + 446 + 16 * i;

		/* cylinders, heads and sectors: beyond what they can say */
		memcpy(e + 1, "\xfe\xff\xff", 3);
		memcpy(e + 5, "\xfe\xff\xff", 3);
		e[4] = t->part[i].mbr_type;
		put32(e + 8, t->part[i].first);
		put32(e + 12, t->part[i].sectors);
	}
	out[510] = 0x55;
	out[511] = 0xaa;
}

/* A version 4 UUID (RFC 9562) from the kernel's pool. */
static int random_guid(unsigned char out[16], struct err *err)
{
	if (getrandom(out, 16, 0) != 16)
		return err_set(err, errno, "get a random number");
	out[7] = (unsigned char)((out[7] & 0x0f) | 0x40);
	out[8] = (unsigned char)((out[8] & 0x3f) | 0x80);
	return 0;
}

static int encode_gpt(const struct table *t, uint64_t sectors, struct gpt *g, struct err *err)
{
	int r;

	memset(g, 0, sizeof(*g));
	g->sectors = sectors;
	if ((r = random_guid(g->disk_guid, err)) < 0)
		return r;
	for (unsigned i = 0; i < t->n; i++) {
		struct gpt_entry e = { .first = t->part[i].first, .last = t->part[i].first + t->part[i].sectors - 1 };

		memcpy(e.type, t->part[i].gpt_type, 16);
		if ((r = random_guid(e.guid, err)) < 0)
			return r;
		gpt_set(g, i, &e);
	}
	return 0;
}

static bool mbr_matches(const unsigned char *sector, const struct table *t)
{
	unsigned n = 0;

	if (sector[510] != 0x55 || sector[511] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		unsigned type = sector[446 + 16 * i + 4];

		if (type == 0)
			continue;
		if (type == 0xee || sector[446 + 16 * i] & 0x7f)
			return false; /* GPT's, or no table but a boot sector */
		if (n < t->n && t->part[n].typed && t->part[n].mbr_type != type)
			return false;
		n++;
	}
	return t->whole ? n > 0 : n == t->n;
}

static bool gpt_matches(const struct gpt *g, const struct table *t)
{
	struct gpt_entry e;
	unsigned n = 0;

	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (!gpt_get(g, i, &e))
			continue;
		if (n < t->n && t->part[n].typed && memcmp(e.type, t->part[n].gpt_type, 16) != 0)
			return false;
		n++;
	}
	return t->whole ? n > 0 : n == t->n;
}

bool table_matches(int fd, uint64_t sectors, const struct table *t)
{
	unsigned char head[(2 + GPT_TABLE_SECTORS) * TABLE_SECTOR];
	struct gpt g;

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return false;
	if (!t->gpt)
		return mbr_matches(head, t);
	return gpt_decode(&g, head + TABLE_SECTOR, head + 2 * TABLE_SECTOR, sectors, NULL) == 0 && gpt_matches(&g, t);
}

static int write_at(int fd, uint64_t sector, const void *data, size_t n, struct err *err)
{
	ssize_t w = pwrite(fd, data, n, (off_t)(sector * TABLE_SECTOR));

	return w == (ssize_t)n ? 0 : err_set(err, w < 0 ? errno : EIO, "write sector %llu", (unsigned long long)sector);
}

static int flush(int fd, struct err *err)
{
	int r = sys_fsync(fd);

	return r < 0 ? err_set(err, -r, "flush the disk") : 0;
}

static int clear(int fd, uint64_t sector, struct err *err)
{
	static const unsigned char zero[65536];
	int r = 0;

	for (size_t done = 0; done < EDGE && r == 0; done += sizeof(zero))
		r = write_at(fd, sector + done / TABLE_SECTOR, zero, sizeof(zero), err);
	return r;
}

int table_wipe(int fd, uint64_t sectors, struct err *err)
{
	int r = clear(fd, 0, err);

	if (r == 0)
		r = clear(fd, sectors - EDGE / TABLE_SECTOR, err);
	return r == 0 ? flush(fd, err) : r;
}

static int write_gpt(int fd, uint64_t sectors, const struct table *t, struct err *err)
{
	unsigned char header[TABLE_SECTOR];
	struct gpt g;
	int r = encode_gpt(t, sectors, &g, err);

	if (r < 0)
		return r;
	gpt_encode_header(&g, 1, header);
	if ((r = write_at(fd, sectors - 1 - GPT_TABLE_SECTORS, g.entries, sizeof(g.entries), err)) < 0 ||
	    (r = write_at(fd, sectors - 1, header, sizeof(header), err)) < 0)
		return r;
	gpt_encode_header(&g, 0, header);
	if ((r = write_at(fd, 2, g.entries, sizeof(g.entries), err)) < 0 || (r = write_at(fd, 1, header, sizeof(header), err)) < 0)
		return r;
	gpt_encode_mbr(sectors, header);
	return write_at(fd, 0, header, sizeof(header), err);
}

int table_write(int fd, uint64_t sectors, const struct table *t, struct err *err)
{
	unsigned char mbr[TABLE_SECTOR];
	int r = table_wipe(fd, sectors, err);

	/* what lay there before must not come back as a file system of a partition */
	for (unsigned i = 0; i < t->n && r == 0; i++)
		r = clear(fd, t->part[i].first, err);
	if (r < 0)
		return r;
	if (t->gpt) {
		r = write_gpt(fd, sectors, t, err);
	} else {
		encode_mbr(t, mbr);
		r = write_at(fd, 0, mbr, sizeof(mbr), err);
	}
	return r == 0 ? flush(fd, err) : r;
}
