/* path.h - names inside trees that we do not trust.
 *
 * Everything below a container's or an image's root, and below a directory that
 * boot configuration names, is opened with openat2(2) and RESOLVE_IN_ROOT:
 * symbolic links, ".." and absolute paths stay inside. RESOLVE_NO_MAGICLINKS is always added. */
#ifndef CORACLE_PATH_H
#define CORACLE_PATH_H

#include <sys/types.h>
#include "err.h"

/* Opens path inside the tree of rootfd. flags: as open(2), O_CLOEXEC is added.
 * Returns a descriptor or -errno. */
int path_open_in(int rootfd, const char *path, int flags, mode_t mode);

/* Makes the directories of path (all of them) inside the tree, each with mode
 * and owned by the caller; existing ones are left alone; what a dangling link
 * leads to is made inside the tree. Returns an O_PATH descriptor of the last one, or -errno. */
int path_mkdirs_in(int rootfd, const char *path, mode_t mode);

/* The same for everything but the last component; *base points at it within path. Returns the directory's descriptor. */
int path_open_parent_in(int rootfd, const char *path, mode_t mode, const char **base);

/* mkdir -p of a trusted path of our own (/run/coracle/x). Returns 0 or -errno. */
int path_mkdirs(const char *path, mode_t mode);

/* Removes a tree below dirfd without following symbolic links or crossing into other file systems. Returns 0 or -errno of the first failure. */
int path_remove_tree(int dirfd, const char *name);

/* Writes "/proc/self/fd/N" into buf (at least 32 bytes) and returns it. */
const char *path_of_fd(int fd, char *buf, size_t size);

/* True when s is a legal single component: not empty, ".", "..", without '/' and control characters, at most 255 bytes. */
int path_component_ok(const char *s);

#endif
