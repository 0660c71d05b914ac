/* tree.h - writes a layer's files below one directory.
 *
 * Paths come from strangers. Each is normalised, refused when it would leave the
 * layer, and resolved with openat2(2) RESOLVE_BENEATH, so that a symbolic link that the
 * layer itself made cannot lead out either; relative links inside are followed, as every
 * other unpacker does. Later entries replace earlier ones.
 *
 * What overlayfs needs is told, not done, where it needs a capability that this process
 * gave up: on_mark. Runs in coracle-fetch (and in the fuzzer). */
#ifndef CORACLE_FETCH_TREE_H
#define CORACLE_FETCH_TREE_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "lib/err.h"

#define TREE_CACHE 16		/* directories kept open */

enum tree_mark {
	TREE_IMPLICIT,		/* directory without an entry of its own */
	TREE_OPAQUE,		/* directory that hides what is below it */
};

struct tree_meta {
	mode_t mode;		/* permissions and special bits */
	uint64_t uid, gid;
	struct timespec mtime;
	uint64_t major, minor;	/* devices */
};

struct tree_dir {		/* a directory to finish at the end */
	uint32_t path;		/* offset in names */
	uint32_t mode;
	struct timespec mtime;
	int implicit;
};

struct tree {
	int root;
	int owners;		/* give files their owners and make devices: needs root */
	void (*on_mark)(enum tree_mark mark, const char *path);
	struct {
		char *path;
		int fd;
		unsigned used;
	} cache[TREE_CACHE];
	unsigned clock;
	struct tree_dir *dir;
	size_t dirs, dirs_cap;
	char *names;
	size_t names_len, names_cap;
	size_t marks;
	uint64_t entries;
};

/* rootfd stays the caller's. */
void tree_init(struct tree *t, int rootfd, int owners, void (*on_mark)(enum tree_mark, const char *));
void tree_free(struct tree *t);
/* Before the first entry: the root, too, may get no entry of its own. */
int tree_begin(struct tree *t, struct err *err);

/* Cuts "./", "//" and a trailing "/" away; "" is the root. Refuses "..", absolute names, empty ones and
 * components or names that are too long. Returns 0 or -EBADMSG, text without the name. */
int tree_normalise(const char *name, char out[PATH_MAX], struct err *err);

/* All paths below are normalised. They return 0 or -errno; a path that leaves the layer is -EBADMSG. */
int tree_directory(struct tree *t, const char *path, const struct tree_meta *m, struct err *err);
/* An empty file, open for writing, or -errno. The caller writes it, calls tree_file_done() and closes it. */
int tree_file(struct tree *t, const char *path, const struct tree_meta *m, struct err *err);
int tree_file_done(struct tree *t, int fd, const struct tree_meta *m, struct err *err);
int tree_symlink(struct tree *t, const char *path, const char *target, const struct tree_meta *m, struct err *err);
/* A character or block device, fifo or socket; m->mode has the type. */
int tree_node(struct tree *t, const char *path, const struct tree_meta *m, struct err *err);
/* A further name of a file of this layer; neither side goes through a symbolic link. */
int tree_link(struct tree *t, const char *path, const char *target, struct err *err);
/* path's last component begins with ".wh.". */
int tree_whiteout(struct tree *t, const char *path, struct err *err);
/* The directory opened for fsetxattr(2), or -errno. */
int tree_open_directory(struct tree *t, const char *path);
/* Gives directories their final modes and times and tells the implicit ones. */
int tree_finish(struct tree *t, struct err *err);

#endif
