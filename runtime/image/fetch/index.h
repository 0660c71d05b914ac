/* index.h - the members of an outer archive (OCI archive, docker-archive). */
#ifndef CORACLE_FETCH_INDEX_H
#define CORACLE_FETCH_INDEX_H

#include "lib/err.h"
#include "runtime/image/fetch/stream.h"

/* Lists a plain tar on fd by offsets, skipping content. Returns 0 or -errno, 1 when it is compressed or no tar. */
int index_list(int fd, struct err *err);
/* Writes every member to a numbered file in dirfd. */
int index_extract(struct stream *in, int dirfd, struct err *err);

#endif
