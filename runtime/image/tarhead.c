/* tarhead.c - writing tar headers. Runs in the engine's children and in coracle-fetch; pure functions, no system calls. */
#include "runtime/image/tarhead.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OCTAL_7 02000000u	/* more does not fit into seven octal digits */
#define OCTAL_11 (1ull << 33)

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};

size_t tar_padding(uint64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

void tar_record(struct buf *pax, const char *key, const void *value, size_t n)
{
	size_t body = 1 + strlen(key) + 1 + n + 1, len = body, digits = 0;
	char text[32];

	/* the length counts its own digits */
	while (digits != (size_t)snprintf(text, sizeof(text), "%zu", len)) {
		digits = strlen(text);
		len = body + digits;
	}
	buf_printf(pax, "%zu %s=", len, key);
	buf_add(pax, value, n);
	buf_putc(pax, '\n');
}

static void number_record(struct buf *pax, const char *key, int64_t value)
{
	char text[32];

	tar_record(pax, key, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

static void octal(char *field, size_t size, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)value);
	memcpy(field, text, size);
}

static void put_text(char *field, size_t size, const char *s)
{
	size_t n = strlen(s);

	memcpy(field, s, n < size ? n : size);
}

static void block(struct buf *out, const struct tar_entry *e, const char *name, char type, uint64_t size)
{
	struct ustar h;
	unsigned sum = 0;

	memset(&h, 0, sizeof(h));
	put_text(h.name, sizeof(h.name), name);
	octal(h.mode, sizeof(h.mode), e->mode & 07777);
	octal(h.uid, sizeof(h.uid), e->uid > OCTAL_7 - 1 ? 0 : e->uid);
	octal(h.gid, sizeof(h.gid), e->gid > OCTAL_7 - 1 ? 0 : e->gid);
	octal(h.size, sizeof(h.size), size >= OCTAL_11 ? 0 : size);
	octal(h.mtime, sizeof(h.mtime), e->mtime < 0 || (uint64_t)e->mtime >= OCTAL_11 ? 0 : (uint64_t)e->mtime);
	memset(h.sum, ' ', sizeof(h.sum));
	h.type = type;
	if (e->link && type != 'x')
		put_text(h.link, sizeof(h.link), e->link);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	octal(h.major, sizeof(h.major), e->major & 07777777);
	octal(h.minor, sizeof(h.minor), e->minor & 07777777);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	buf_add(out, &h, sizeof(h));
}

void tar_header(struct buf *out, const struct tar_entry *e, const struct buf *pax)
{
	CLEANUP_BUF struct buf records, name;
	char zeros[TAR_BLOCK] = "";

	buf_init(&records, 16u << 20);
	buf_init(&name, 8192);
	buf_puts(&name, e->name);
	if (e->type == TAR_DIRECTORY)
		buf_putc(&name, '/');
	if (name.len > 100)
		tar_record(&records, "path", name.data, name.len);
	if (e->link && strlen(e->link) > 100)
		tar_record(&records, "linkpath", e->link, strlen(e->link));
	if (e->uid >= OCTAL_7)
		number_record(&records, "uid", (int64_t)e->uid);
	if (e->gid >= OCTAL_7)
		number_record(&records, "gid", (int64_t)e->gid);
	if (e->size >= OCTAL_11)
		number_record(&records, "size", (int64_t)e->size);
	if (e->mtime < 0 || (uint64_t)e->mtime >= OCTAL_11)
		number_record(&records, "mtime", e->mtime);
	if (pax)
		buf_add(&records, pax->data, pax->len);
	if (buf_error(&records) || buf_error(&name) || (pax && buf_error(pax)))
		out->error = -EFBIG;
	if (records.len) {
		struct tar_entry x = { .mode = 0644, .mtime = e->mtime };

		block(out, &x, "PaxHeaders/entry", 'x', records.len);
		buf_add(out, records.data, records.len);
		buf_add(out, zeros, tar_padding(records.len));
	}
	block(out, e, name.data, (char)e->type, e->type == TAR_FILE ? e->size : 0);
}
