/* pack.h - a directory becomes a tar stream: the layer of a commit, the tree of an export. */
#ifndef CORACLE_FETCH_PACK_H
#define CORACLE_FETCH_PACK_H

#include <stdint.h>
#include "lib/err.h"
#include "runtime/image/image.h"

enum pack_as {
	PACK_TREE,	/* as it is */
	PACK_LAYER,	/* a layer of its own: names that a layer cannot hold (".wh.x") are refused */
	PACK_UPPER,	/* overlayfs' upper directory: its whiteouts and opaque directories become a layer's */
};

/* Writes the tree below rootfd (which is not left by any link, and whose mounts are left away) to out, sorted by name. Files that
 * change meanwhile have the length they had when they were opened. Returns 0 or -errno; the text names the entry. */
int pack_tree(int rootfd, enum pack_as as, int out, char digest[IMAGE_DIGEST_SIZE], uint64_t *bytes, struct err *err);

#endif
