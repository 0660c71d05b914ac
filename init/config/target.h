/* target.h - the tree that a configuration is applied to: the machine's root, or any directory.
 *
 * Every path stays inside the tree (path_open_in). Files appear complete, by
 * rename; a file that already is what it shall be is not written again. */
#ifndef CORACLE_CONFIG_TARGET_H
#define CORACLE_CONFIG_TARGET_H

#include <stdbool.h>
#include <sys/types.h>
#include "err.h"

struct target {
	int rootfd;
	const char *root;	/* "/" or the directory, for messages */
	bool machine;		/* the running machine: host name, commands and console too */
};

int target_open(struct target *t, const char *root, bool machine, struct err *err);
void target_close(struct target *t);

struct target_file {
	const char *path;	/* absolute within the tree */
	const void *data;
	size_t len;
	mode_t mode;
	bool owned;		/* set uid and gid */
	uid_t uid;
	gid_t gid;
	bool append;		/* keep what is there; nothing happens when it ends in data already */
	bool sync;		/* on the disk when target_write() returns */
	struct target_syncs *syncs;	/* or, where this is not NULL, when target_sync() of it does */
};

/* The file systems of many files, each synced once for all of them: two fsyncs a file are most of the time of a long list. */
#define TARGET_SYNCS_MAX 8
struct target_syncs {
	dev_t dev[TARGET_SYNCS_MAX];
	int fd[TARGET_SYNCS_MAX];
	unsigned count;		/* 0 at first */
};

/* Returns 0, or -errno of the first that failed with a text; s is empty again. */
int target_sync(struct target_syncs *s, struct err *err);

/* Writes the file; missing directories are made 0755. A symbolic link in the
 * last place is replaced, not followed. Returns 0 or -errno. *owner_failed
 * (may be NULL) is set when only the owner could not be set. */
int target_write(const struct target *t, const struct target_file *f, bool *owner_failed, struct err *err);

/* A small file of our own, mode as given. */
int target_put(const struct target *t, const char *path, const char *text, mode_t mode, struct err *err);
int target_unlink(const struct target *t, const char *path);
int target_symlink(const struct target *t, const char *value, const char *path, struct err *err);
bool target_exists(const struct target *t, const char *path);

/* Reads a file of the tree into the heap (caller frees). 0 or -errno. */
int target_read(const struct target *t, const char *path, size_t max, char **out, size_t *len);

/* Resolves names (or numbers) by the tree's own /etc/passwd and /etc/group.
 * group NULL: the user's. Returns 0 or -errno with a text. */
int target_owner(const struct target *t, const char *user, const char *group, uid_t *uid, gid_t *gid, struct err *err);

#endif
