/* treeint.h - what tree.c and treefile.c share. */
#ifndef CORACLE_FETCH_TREEINT_H
#define CORACLE_FETCH_TREEINT_H

#include "runtime/image/fetch/tree.h"

/* The directory path[0..len), made where it is missing, from the cache (which owns the descriptor).
 * strict: no symbolic link on the way, and -ENOENT instead of making it. */
int tree_dirfd(struct tree *t, const char *path, size_t len, int strict, struct err *err);
/* The directory that path lies in; *base is the last component. */
int tree_parent(struct tree *t, const char *path, const char **base, struct err *err);
/* Removes what is there, of any type; the cache and every descriptor from it are gone afterwards. */
int tree_remove(struct tree *t, int parent, const char *base, struct err *err);
void tree_cache_clear(struct tree *t);
int tree_mark(struct tree *t, enum tree_mark mark, const char *path, struct err *err);

#endif
