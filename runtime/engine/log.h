/* log.h - from a container's pipes to its json-file log and the console.
 *
 * The engine owns both ends of the pipes and leaves copies with init (fd
 * names c.ID12.out.r and so on), so that neither the container nor its output notices a restart of
 * the engine. Files: ID-json.log, rotated to ID-json.log.1 ... when
 * max_size is reached. A full disk drops lines (counted, reported once), it never stops a container. */
#ifndef CORACLE_ENGINE_LOG_H
#define CORACLE_ENGINE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "logformat.h"

struct log;

/* Called when something was written (ended false) or the run is over (true). */
struct log_follower {
	void (*poke)(bool ended, void *arg);
	void *arg;
	struct log_follower *next;
	bool added;
};

/* path: ROOT/containers/ID/ID-json.log. Opens the file on the first line. NULL: no memory. */
struct log *log_new(const char *path, const char *id, const char *name, int64_t max_size, int max_files);

/* Makes the two pipes; w[0] and w[1] stay the log's. Copies go to init's fd store. */
int log_make_pipes(struct log *l, int w[2], struct err *err);

/* Takes descriptors that came back from init: stream 0 or 1, r is read, w (-1: none) is kept. */
int log_adopt(struct log *l, int stream, int r, int w);

/* A terminal instead of pipes: what it prints is stdout. Owns fd. */
int log_adopt_terminal(struct log *l, int fd, struct err *err);

/* All writers are gone: reads what is left, ends a line without end, closes the pipes
 * and takes them out of the fd store. The log can be used for a next run. */
void log_end_run(struct log *l);

void log_free(struct log *l);

void log_follow(struct log *l, struct log_follower *f);
void log_unfollow(struct log *l, struct log_follower *f);

#endif
