/* logread.h - reading a container's json-file log back: tail, since, until, follow, over rotated files.
 *
 * A reader holds its own descriptors, so that rotation and removal under its hands do no harm. */
#ifndef CORACLE_ENGINE_LOGREAD_H
#define CORACLE_ENGINE_LOGREAD_H

#include <stdbool.h>
#include <stdint.h>
#include "buf.h"
#include "err.h"

#define LOGREAD_FILES_MAX 16

struct logread_options {
	bool out, err;		/* streams */
	bool timestamps;
	bool raw;		/* no frames (a terminal's output) */
	int64_t since_ns, until_ns;	/* 0: none */
	int64_t tail;		/* records from the end, -1: all */
};

struct logread {
	struct logread_options opt;
	char path[512];
	int fd[LOGREAD_FILES_MAX];	/* oldest first; the last is the current file */
	int count, at;
	struct buf pending;	/* bytes read, not yet taken apart */
	struct buf text;
	bool done;		/* until was passed */
};

int logread_open(struct logread *r, const char *path, int max_files, const struct logread_options *opt, struct err *err);
void logread_close(struct logread *r);

/* Adds frames (or raw text) to out until it holds about want bytes. Returns 1: there may be more at
 * once, 0: nothing more for now, -1: nothing more ever (until was passed). */
int logread_next(struct logread *r, struct buf *out, size_t want);

#endif
