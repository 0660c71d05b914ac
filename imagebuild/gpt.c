/* gpt.c - a disk image: protective MBR, GPT, one partition for each file given.
 *
 * Written sparse, partitions aligned to 1 MiB. GUIDs come from a hash of the
 * label, so that two builds give the same bytes. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "gpt.h"
#include "image.h"
#include "sha256.h"
#include "sys.h"

#define ALIGN_SECTORS 2048u	/* 1 MiB */
#define COPY_LEN ((size_t)1 << 20)

static void guid_of(const char *label, unsigned char out[16])
{
	unsigned char sum[SHA256_LEN];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, "coracle disk ", 13);
	sha256_update(&s, label, strlen(label));
	sha256_final(&s, sum);
	memcpy(out, sum, 16);
	out[7] = (unsigned char)((out[7] & 0x0f) | 0x80);	/* RFC 9562, version 8: made by a scheme of our own */
	out[8] = (unsigned char)((out[8] & 0x3f) | 0x80);
}

/* Copies a file to an offset; runs of zeros stay holes. */
static int copy_at(int out, uint64_t sector, const char *path, struct err *err)
{
	CLEANUP_FREE unsigned char *block = malloc(COPY_LEN);
	CLEANUP_FREE unsigned char *zero = calloc(1, COPY_LEN);
	CLEANUP_FD int in = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	off_t at = (off_t)(sector * GPT_SECTOR);

	if (in < 0)
		return err_set(err, -in, "open %s", path);
	if (!block || !zero)
		return err_set(err, ENOMEM, "copy %s", path);
	for (;;) {
		ssize_t n = fd_read_full(in, block, COPY_LEN);

		if (n < 0)
			return err_set(err, (int)-n, "read %s", path);
		if (n == 0)
			return 0;
		if (memcmp(block, zero, (size_t)n) != 0 && pwrite(out, block, (size_t)n, at) != n)
			return err_set(err, errno, "write the partition of %s", path);
		at += n;
	}
}

/* TYPE:LABEL:FILE; adds entry i after *next, moves *next behind it. */
static int add_partition(struct gpt *g, unsigned i, char *arg, uint64_t *next, const char **file, struct err *err)
{
	struct gpt_entry e = { 0 };
	char *label = strchr(arg, ':');
	char *path = label ? strchr(label + 1, ':') : NULL;
	struct stat st;

	if (!path)
		return err_set(err, 0, "'%s' is not TYPE:LABEL:FILE", arg);
	*label++ = '\0';
	*path++ = '\0';
	if (!strcmp(arg, "esp"))
		memcpy(e.type, gpt_type_esp, 16);
	else if (!strcmp(arg, "data"))
		memcpy(e.type, gpt_type_linux, 16);
	else
		return err_set(err, 0, "partition type '%s' is neither esp nor data", arg);
	if (strlen(label) >= sizeof(e.name))
		return err_set(err, ENAMETOOLONG, "label %s", label);
	if (stat(path, &st) < 0)
		return err_set(err, errno, "%s", path);
	if (st.st_size <= 0)
		return err_set(err, 0, "%s is empty", path);
	memcpy(e.name, label, strlen(label) + 1);
	guid_of(label, e.guid);
	e.first = *next;
	e.last = e.first + ((uint64_t)st.st_size + GPT_SECTOR - 1) / GPT_SECTOR - 1;
	*next = (e.last + ALIGN_SECTORS) / ALIGN_SECTORS * ALIGN_SECTORS;
	gpt_set(g, i, &e);
	*file = path;
	return 0;
}

static int write_tables(int fd, const struct gpt *g, struct err *err)
{
	unsigned char sector[GPT_SECTOR];
	uint64_t end = g->sectors - 1;

	gpt_encode_mbr(g->sectors, sector);
	if (pwrite(fd, sector, GPT_SECTOR, 0) != GPT_SECTOR)
		return err_set(err, errno, "write the MBR");
	for (int backup = 0; backup < 2; backup++) {
		uint64_t header = backup ? end : 1;
		uint64_t table = backup ? end - GPT_TABLE_SECTORS : 2;

		gpt_encode_header(g, backup, sector);
		if (pwrite(fd, g->entries, sizeof(g->entries), (off_t)(table * GPT_SECTOR)) != (ssize_t)sizeof(g->entries) ||
		    pwrite(fd, sector, GPT_SECTOR, (off_t)(header * GPT_SECTOR)) != GPT_SECTOR)
			return err_set(err, errno, "write the GPT");
	}
	return 0;
}

static int write_disk(const char *path, const struct gpt *g, const char *const *files, unsigned count, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	int r;

	if (fd < 0)
		return err_set(err, -fd, "create %s", path);
	if (ftruncate(fd, (off_t)(g->sectors * GPT_SECTOR)) < 0)
		return err_set(err, errno, "size %s", path);
	r = write_tables(fd, g, err);
	for (unsigned i = 0; i < count && r == 0; i++) {
		struct gpt_entry e;

		gpt_get(g, i, &e);
		r = copy_at(fd, e.first, files[i], err);
	}
	return r;
}

int image_gpt(int argc, char **argv, struct err *err)
{
	struct gpt *g = calloc(1, sizeof(*g));
	const char *files[GPT_ENTRIES];
	uint64_t next = ALIGN_SECTORS;
	uint64_t spare = 0;
	unsigned count = 0;
	int r = 0;

	if (!g)
		return err_set(err, ENOMEM, "gpt");
	if (argc < 2)
		r = err_set(err, 0, "needs OUT and at least one TYPE:LABEL:FILE");
	for (int i = 1; i < argc && r == 0; i++) {
		if (!strcmp(argv[i], "--spare") && i + 1 < argc) {
			spare = strtoull(argv[++i], NULL, 10) * ALIGN_SECTORS;
			continue;
		}
		if (count == GPT_ENTRIES)
			r = err_set(err, E2BIG, "more than %u partitions", GPT_ENTRIES);
		else
			r = add_partition(g, count, argv[i], &next, &files[count], err);
		count++;
	}
	if (r == 0) {
		g->sectors = next + spare + ALIGN_SECTORS; /* the last MiB holds the backup table */
		guid_of("disk", g->disk_guid);
		r = write_disk(argv[0], g, files, count, err);
	}
	free(g);
	return r;
}
