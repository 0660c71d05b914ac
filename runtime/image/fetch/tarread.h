/* tarread.h - libarchive, opened for tar on a stream. */
#ifndef CORACLE_FETCH_TARREAD_H
#define CORACLE_FETCH_TARREAD_H

#include <archive.h>
#include <archive_entry.h>
#include "lib/err.h"
#include "runtime/image/fetch/stream.h"

/* tar (all its dialects) and nothing else. Returns 0 or -errno. */
int tarread_open(struct archive **out, struct stream *in, struct err *err);
/* 1: an entry, 0: the end, -errno. */
int tarread_next(struct archive *a, struct archive_entry *entry, struct err *err);
/* Turns libarchive's complaint into ours. */
int tarread_error(struct archive *a, struct err *err, const char *what);

#endif
