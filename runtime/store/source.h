/* source.h - what is imported, as named members with their bytes: an archive where
 * it lies, an archive that had to be extracted, or a layout directory. */
#ifndef CORACLE_STORE_SOURCE_H
#define CORACLE_STORE_SOURCE_H

#include <stdint.h>
#include "lib/err.h"
#include "runtime/image/image.h"

struct store;

struct source_member {
	char *name;
	char *link;			/* other member's name, else NULL */
	int64_t offset;			/* in the archive; -1: staged */
	uint64_t staged;		/* number of the staged file */
	uint64_t size;
	char digest[IMAGE_DIGEST_SIZE];	/* of staged members, else "" */
};

struct source {
	int fd;				/* archive or layout directory; the caller's */
	int is_directory;
	int stage;			/* directory of staged members; the caller's */
	struct source_member *member;
	size_t members, cap;
	struct source_member scratch;	/* of a directory: the last one found */
	void (*progress)(uint64_t bytes, void *arg);
	void *arg;
};

/* fd: a directory, a file or a pipe. Archives are indexed by coracle-fetch. Returns 0 or -errno. */
int source_open(struct source *src, struct store *s, int fd, int stage, struct err *err);
void source_close(struct source *src);
/* NULL when there is none. Links are followed. Valid until the next call. */
const struct source_member *source_find(struct source *src, const char *name);
/* A descriptor to read the member from at *offset; the caller closes it. */
int source_member_fd(struct source *src, const struct source_member *m, int64_t *offset, struct err *err);
/* The bytes, at most max; the caller frees *out. digest (may be NULL) is verified. */
int source_read(struct source *src, const char *name, size_t max, const char *digest, char **out, size_t *n, struct err *err);

#endif
