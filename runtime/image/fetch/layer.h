/* layer.h - a tar stream becomes a layer directory.
 *
 * The tar format is libarchive's business; every path and every file is tree.h's. */
#ifndef CORACLE_FETCH_LAYER_H
#define CORACLE_FETCH_LAYER_H

#include "lib/err.h"
#include "runtime/image/fetch/stream.h"
#include "runtime/image/fetch/tree.h"

/* Reads the whole tar from in and writes it with t; tree_finish() is included. Returns 0 or -errno; the text names the entry. */
int layer_unpack(struct stream *in, struct tree *t, struct err *err);

/* 1: keep this extended attribute, 0: leave it away with a warning, -1: leave it away in silence. */
int layer_xattr_wanted(const char *name);

#endif
