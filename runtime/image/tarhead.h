/* tarhead.h - headers of tar entries: ustar, with pax records (POSIX.1-2001) where a field is too small. Pure functions.
 *
 * The same entry gives the same bytes on any machine, so that layers made of equal trees are equal. */
#ifndef CORACLE_IMAGE_TARHEAD_H
#define CORACLE_IMAGE_TARHEAD_H

#include <stdint.h>
#include <sys/types.h>
#include "lib/buf.h"

#define TAR_BLOCK 512
#define TAR_END (2 * TAR_BLOCK)		/* zero bytes at the end of an archive */

enum tar_type {
	TAR_FILE = '0', TAR_LINK = '1', TAR_SYMLINK = '2', TAR_CHAR = '3', TAR_BLOCKDEV = '4', TAR_DIRECTORY = '5', TAR_FIFO = '6',
};

struct tar_entry {
	const char *name;	/* without a leading "/"; directories get their "/" here */
	const char *link;	/* target of links, else NULL */
	enum tar_type type;
	mode_t mode;		/* permissions and special bits */
	uint64_t uid, gid;
	uint64_t size;		/* of TAR_FILE */
	int64_t mtime;		/* seconds */
	unsigned major, minor;
};

/* A pax record "LEN KEY=VALUE\n" more; value may hold any bytes. */
void tar_record(struct buf *pax, const char *key, const void *value, size_t n);
/* Adds the header blocks of e to out. pax: further records (extended attributes) or NULL. Ask buf_error(out) at the end. */
void tar_header(struct buf *out, const struct tar_entry *e, const struct buf *pax);
/* Zero bytes that must follow size bytes of content. */
size_t tar_padding(uint64_t size);

#endif
