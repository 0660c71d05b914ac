/* packint.h - what pack.c, packfile.c and packout.c share. */
#ifndef CORACLE_FETCH_PACKINT_H
#define CORACLE_FETCH_PACKINT_H

#include <limits.h>
#include <sys/stat.h>
#include "lib/buf.h"
#include "lib/sha256.h"
#include "runtime/image/fetch/pack.h"
#include "runtime/image/tarhead.h"

#define PACK_BLOCK (256u << 10)

struct pack_link {		/* a file with several names that is out already */
	uint64_t dev, ino;
	char *name;		/* NULL: a free slot */
};

struct pack {
	int root, out;
	enum pack_as as;
	struct sha256 hash;
	uint64_t bytes;
	unsigned char *block;	/* PACK_BLOCK of output */
	size_t used;
	struct pack_link *link;	/* open addressing; links_cap a power of two */
	size_t links, links_cap;
};

/* packout.c */
int pack_write(struct pack *p, const void *data, size_t n, struct err *err);
int pack_zeros(struct pack *p, uint64_t n, struct err *err);
int pack_flush(struct pack *p, struct err *err);
int pack_header(struct pack *p, const struct tar_entry *e, const struct buf *pax, struct err *err);
/* The name under which the file is out already, NULL: it is not and is remembered under name. */
const char *pack_link_find(struct pack *p, const struct stat *st, const char *name, int *r);

/* packfile.c: one entry; path below the root, fd opened for reading. */
int pack_file(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err);
/* Extended attributes of fd that a layer keeps, as pax records. */
int pack_xattrs(int fd, struct buf *pax, struct err *err);
int pack_is_opaque(int fd);
/* -EOPNOTSUPP when overlayfs keeps there what a layer cannot say (redirects, metadata-only copies). */
int pack_check_overlay(int fd, struct err *err);
struct tar_entry pack_entry(const char *path, const struct stat *st, enum tar_type type);
/* Opens path below the root through no link; flags as open(2). */
int pack_open(struct pack *p, const char *path, int flags);

#endif
