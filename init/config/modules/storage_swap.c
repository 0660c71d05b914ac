/* storage_swap.c - the swap file: how large, where, and its first page.
 *
 * Runs in coracle-config. The file is made once and found again on later boots. A file of that name that is no swap area is never written over. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../run.h"
#include "fd.h"
#include "path.h"
#include "storage.h"
#include "storage_probe.h"
#include "sys.h"

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)
#define PAGE 4096u

static uint64_t root_of(uint64_t n)
{
	uint64_t r = 0;

	/* rounded to the nearest, as Python's round(math.sqrt(n)) */
	while ((2 * r + 1) * (2 * r + 1) <= 4 * n)
		r++;
	return r;
}

uint64_t storage_swap_size(uint64_t memory, uint64_t available, uint64_t max)
{
	uint64_t wanted = memory < 4 * GIB ? memory : memory < 16 * GIB ? 4 * GIB : root_of(memory / GIB) * GIB;

	if (max == 0)
		max = MIN(available / 4, memory * 2);
	else
		max = MIN(max, available / 10 * 9);
	return MIN(wanted, max);
}

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* include/linux/swap.h, union swap_header: 1024 bytes for a boot sector, then version, last page, bad pages, UUID, label. */
int storage_mkswap(int fd, uint64_t size, const char *label, struct err *err)
{
	unsigned char page[PAGE] = { 0 };
	uint64_t pages = size / PAGE;
	int r;

	if (pages < 10 || pages > UINT32_MAX)
		return err_set(err, 0, "a swap area of %llu bytes", (unsigned long long)size);
	put32(page + 1024, 1);
	put32(page + 1028, (uint32_t)(pages - 1));
	if (getrandom(page + 1036, 16, GRND_NONBLOCK) != 16)
		memset(page + 1036, 0, 16); /* a UUID is only a name */
	page[1036 + 6] = (unsigned char)((page[1036 + 6] & 0x0f) | 0x40);
	page[1036 + 8] = (unsigned char)((page[1036 + 8] & 0x3f) | 0x80);
	if (label)
		memcpy(page + 1052, label, MIN(strlen(label), (size_t)16));
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page))
		return err_set(err, errno, "write the swap header");
	r = sys_fsync(fd);
	return r < 0 ? err_set(err, -r, "flush the swap header") : 0;
}

static uint64_t memory_total(void)
{
	char text[4096];
	const char *p;

	if (fd_read_small(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0 || !(p = strstr(text, "MemTotal:")))
		return 0;
	return strtoull(p + 9, NULL, 10) * 1024;
}

static int wanted_size(const struct storage_swap *s, int dirfd, uint64_t *size, struct err *err)
{
	struct statvfs v;
	char self[32];

	*size = s->size;
	if (!s->automatic)
		return 0;
	if (statvfs(path_of_fd(dirfd, self, sizeof(self)), &v) < 0)
		return err_set(err, errno, "ask for the free space");
	*size = storage_swap_size(memory_total(), (uint64_t)v.f_frsize * v.f_bfree, s->max);
	return 0;
}

static int fill(int dirfd, const char *base, uint64_t size, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(dirfd, base, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int r = 0;

	if (fd < 0)
		return err_set(err, -fd, "make it");
	size -= size % MIB; /* cloud-init counts in MiB */
	if (fallocate(fd, 0, 0, (off_t)size) < 0)
		r = err_set(err, errno, "allocate %llu MiB", (unsigned long long)(size / MIB));
	else
		r = storage_mkswap(fd, size, NULL, err);
	if (r < 0)
		sys_unlinkat(dirfd, base, 0);
	return r;
}

static int make(struct run *r, const char *path, struct err *err)
{
	const char *base;
	CLEANUP_FD int dirfd = path_open_parent_in(r->target.rootfd, path, 0755, &base);
	CLEANUP_FD int old = dirfd < 0 ? -1 : sys_openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct statfs fs;
	struct probe p;
	uint64_t size;
	int e;

	if (dirfd < 0)
		return err_set(err, -dirfd, "its directory");
	if (old >= 0)
		return probe_device(old, &p) == 1 && !strcmp(p.type, "swap") ? 0 : err_set(err, 0, "a file of that name is there, and it is no swap area");
	if (fstatfs(dirfd, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return err_set(err, 0, "it would lie in memory: this machine has no data disk");
	if ((e = wanted_size(&r->config.storage.swap, dirfd, &size, err)) < 0)
		return e;
	return size < MIB ? err_set(err, 0, "there is no room for it") : fill(dirfd, base, size, err);
}

const char *storage_swap_file(struct run *r)
{
	const struct storage_swap *s = &r->config.storage.swap;
	const char *path = s->path ? s->path : "/swap.img";
	struct err err = ERR_INIT;

	if (!s->at || (!s->automatic && s->size == 0))
		return NULL;
	if (!r->target.machine)
		return path;
	/* the root is never written: what people put there lies on the data disk */
	if (!strchr(path + 1, '/'))
		path = arena_printf(&r->arena, "/var%s", path);
	if (make(r, path, &err) == 0)
		return path;
	diag_at(&r->diags, DIAG_ERROR, s->at, NULL, "the swap file %s is left out: %s", path, err.text);
	return NULL;
}
