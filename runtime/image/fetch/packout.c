/* packout.c - the written side of a pack: bytes, their digest, files with several names. Runs in coracle-fetch. */
#include "runtime/image/fetch/packint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fd.h"

int pack_flush(struct pack *p, struct err *err)
{
	int r = p->used ? fd_write_full(p->out, p->block, p->used) : 0;

	p->used = 0;
	return r < 0 ? err_set(err, -r, "write the archive") : 0;
}

int pack_write(struct pack *p, const void *data, size_t n, struct err *err)
{
	const unsigned char *from = data;

	if (p->as != PACK_TREE)
		sha256_update(&p->hash, data, n);
	p->bytes += n;
	while (n > 0) {
		size_t part = MIN(n, PACK_BLOCK - p->used);
		int r;

		memcpy(p->block + p->used, from, part);
		p->used += part;
		from += part;
		n -= part;
		if (p->used == PACK_BLOCK && (r = pack_flush(p, err)) < 0)
			return r;
	}
	return 0;
}

int pack_zeros(struct pack *p, uint64_t n, struct err *err)
{
	static const char zeros[8192];
	int r = 0;

	for (; r == 0 && n > 0; n -= MIN(n, sizeof(zeros)))
		r = pack_write(p, zeros, (size_t)MIN(n, (uint64_t)sizeof(zeros)), err);
	return r;
}

int pack_header(struct pack *p, const struct tar_entry *e, const struct buf *pax, struct err *err)
{
	CLEANUP_BUF struct buf b;
	int r;

	buf_init(&b, 32u << 20);
	tar_header(&b, e, pax);
	r = buf_error(&b);
	return r < 0 ? err_set(err, -r, "its attributes") : pack_write(p, b.data, b.len, err);
}

static size_t slot_of(const struct pack *p, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)((ino ^ dev << 32) * 0x9e3779b97f4a7c15ull >> 20) & (p->links_cap - 1);

	while (p->link[i].name && (p->link[i].ino != ino || p->link[i].dev != dev))
		i = (i + 1) & (p->links_cap - 1);
	return i;
}

static int grow(struct pack *p)
{
	struct pack_link *old = p->link;
	size_t cap = p->links_cap;
	struct pack_link *more = calloc(cap ? 2 * cap : 1024, sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->link = more;
	p->links_cap = cap ? 2 * cap : 1024;
	for (size_t i = 0; i < cap; i++)
		if (old[i].name)
			p->link[slot_of(p, old[i].dev, old[i].ino)] = old[i];
	free(old);
	return 0;
}

const char *pack_link_find(struct pack *p, const struct stat *st, const char *name, int *r)
{
	size_t at;

	*r = 0;
	if (2 * p->links >= p->links_cap && (*r = grow(p)) < 0)
		return NULL;
	at = slot_of(p, (uint64_t)st->st_dev, (uint64_t)st->st_ino);
	if (p->link[at].name)
		return p->link[at].name;
	p->link[at] = (struct pack_link){ (uint64_t)st->st_dev, (uint64_t)st->st_ino, strdup(name) };
	if (p->link[at].name)
		p->links++;
	else
		*r = -ENOMEM;
	return NULL;
}
