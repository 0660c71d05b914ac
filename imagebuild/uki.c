/* uki.c - a Unified Kernel Image: an EFI stub with kernel, initramfs, command
 * line and os-release added as PE sections. One file to sign, to boot, to update.
 *
 * Debian 12 has no ukify, and objcopy needs every address by hand; the format
 * asks for no more than a section table (PE/COFF specification, sections 3.3 and 4). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdefs.h"
#include "image.h"

#define INPUT_MAX ((size_t)256 << 20)
#define SECTION_HEADER 40
#define PAGE 4096u
/* IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ */
#define SECTION_FLAGS 0x40000040u

struct part {
	const char *option;
	const char *section;		/* at most 8 bytes */
	unsigned char *data;
	size_t len;
};

struct pe {
	unsigned char *data;
	size_t len;
	size_t coff;			/* offset of the COFF header */
	size_t optional;		/* offset of the optional header */
	size_t table;			/* offset of the section table */
	unsigned sections;
	uint32_t file_align;
	uint32_t headers_len;		/* SizeOfHeaders */
	uint32_t next_va;		/* first free address, page aligned */
};

static uint32_t align_up(uint32_t v, uint32_t to)
{
	return (v + to - 1) / to * to;
}

/* Every offset is checked against the file: a stub may come from anywhere. */
static int pe_parse(struct pe *pe, struct err *err)
{
	const unsigned char *d = pe->data;
	uint32_t at;

	if (pe->len < 64 || d[0] != 'M' || d[1] != 'Z')
		return err_set(err, 0, "the stub is not a PE file");
	at = image_le32(d + 0x3c);
	if (at > pe->len || pe->len - at < 24 + 112 || memcmp(d + at, "PE\0\0", 4) != 0)
		return err_set(err, 0, "the stub has no PE header");
	pe->coff = at + 4;
	pe->optional = pe->coff + 20;
	pe->sections = d[pe->coff + 2] | (unsigned)d[pe->coff + 3] << 8;
	pe->table = pe->optional + (d[pe->coff + 16] | (unsigned)d[pe->coff + 17] << 8);
	if (d[pe->optional] != 0x0b || d[pe->optional + 1] != 0x02)
		return err_set(err, 0, "the stub is not PE32+");
	pe->file_align = image_le32(d + pe->optional + 36);
	pe->headers_len = image_le32(d + pe->optional + 60);
	if (pe->headers_len > pe->len || pe->table + (size_t)pe->sections * SECTION_HEADER > pe->headers_len)
		return err_set(err, 0, "the stub's section table is outside its headers");
	if (pe->file_align < 512 || pe->file_align > 65536 || (pe->file_align & (pe->file_align - 1)))
		return err_set(err, 0, "the stub's file alignment is %u", pe->file_align);
	for (unsigned i = 0; i < pe->sections; i++) {
		const unsigned char *s = d + pe->table + (size_t)i * SECTION_HEADER;
		uint32_t end = image_le32(s + 12) + MAX(image_le32(s + 8), image_le32(s + 16));

		if (end > 0x40000000)
			return err_set(err, 0, "the stub's section %u ends at %#x", i, end);
		pe->next_va = MAX(pe->next_va, align_up(end, PAGE));
	}
	return 0;
}

/* The checksum of the Windows loader: 16-bit ones' complement sum plus length,
 * the checksum field counting as zero. Firmware ignores it, signing tools warn. */
static uint32_t pe_checksum(const unsigned char *d, size_t len, size_t field)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2) {
		if (i == field || i == field + 2)
			continue;
		sum += d[i] | (i + 1 < len ? (uint32_t)d[i + 1] << 8 : 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (sum & 0xffff) + (uint32_t)len;
}

static int pe_add(struct pe *pe, const struct part *part, unsigned char *out, size_t *out_len, struct err *err)
{
	size_t header = pe->table + (size_t)pe->sections * SECTION_HEADER;
	uint32_t raw = align_up((uint32_t)part->len, pe->file_align);
	unsigned char *s = out + header;

	if (header + SECTION_HEADER > pe->headers_len)
		return err_set(err, ENOSPC, "no room for section %s in the stub's headers", part->section);
	memset(s, 0, SECTION_HEADER);
	memcpy(s, part->section, strlen(part->section));
	image_put32(s + 8, (uint32_t)part->len);
	image_put32(s + 12, pe->next_va);
	image_put32(s + 16, raw);
	image_put32(s + 20, (uint32_t)*out_len);
	image_put32(s + 36, SECTION_FLAGS);
	memcpy(out + *out_len, part->data, part->len);
	*out_len += raw;
	pe->next_va = align_up(pe->next_va + (uint32_t)part->len, PAGE);
	pe->sections++;
	return 0;
}

static int assemble(struct pe *pe, const struct part *parts, size_t count, const char *path, struct err *err)
{
	CLEANUP_FREE unsigned char *out = NULL;
	size_t room = pe->len + 65536;
	size_t len = align_up((uint32_t)pe->len, pe->file_align);
	size_t checksum = pe->optional + 64;
	uint32_t data_len = image_le32(pe->data + pe->optional + 8);

	for (size_t i = 0; i < count; i++)
		room += parts[i].len + 65536;
	out = calloc(1, room);
	if (!out)
		return err_set(err, ENOMEM, "%s", path);
	memcpy(out, pe->data, pe->len);
	for (size_t i = 0; i < count; i++) {
		int r = pe_add(pe, &parts[i], out, &len, err);

		if (r < 0)
			return r;
		data_len += align_up((uint32_t)parts[i].len, pe->file_align);
	}
	out[pe->coff + 2] = (unsigned char)pe->sections;
	out[pe->coff + 3] = (unsigned char)(pe->sections >> 8);
	image_put32(out + pe->optional + 8, data_len);
	image_put32(out + pe->optional + 56, pe->next_va);
	image_put32(out + checksum, 0);
	image_put32(out + checksum, pe_checksum(out, len, checksum));
	return image_write(path, out, len, err);
}

int image_uki(int argc, char **argv, struct err *err)
{
	/* the kernel last: it is the largest, and the stub reads the small ones first */
	struct part parts[] = {
		{ .option = "--osrel", .section = ".osrel" },
		{ .option = "--cmdline", .section = ".cmdline" },
		{ .option = "--initrd", .section = ".initrd" },
		{ .option = "--linux", .section = ".linux" },
	};
	struct pe pe = { 0 };
	int r = 0;

	if (argc < 1 || argc % 2 != 1)
		return err_set(err, 0, "needs OUT and pairs of option and file");
	for (int i = 1; i < argc && r == 0; i += 2) {
		size_t k = 0;

		if (!strcmp(argv[i], "--stub")) {
			r = image_read(argv[i + 1], INPUT_MAX, &pe.data, &pe.len, err);
			continue;
		}
		while (k < ARRAY_SIZE(parts) && strcmp(parts[k].option, argv[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(parts))
			r = err_set(err, 0, "unknown option %s", argv[i]);
		else
			r = image_read(argv[i + 1], INPUT_MAX, &parts[k].data, &parts[k].len, err);
	}
	for (size_t k = 0; k < ARRAY_SIZE(parts) && r == 0; k++)
		if (!parts[k].data)
			r = err_set(err, 0, "%s is missing", parts[k].option);
	if (r == 0 && !pe.data)
		r = err_set(err, 0, "--stub is missing");
	if (r == 0)
		r = pe_parse(&pe, err);
	if (r == 0)
		r = assemble(&pe, parts, ARRAY_SIZE(parts), argv[0], err);
	for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
		free(parts[k].data);
	free(pe.data);
	return r;
}
