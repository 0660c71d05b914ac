/* child.h - running coracle-fetch and reading its answers. */
#ifndef CORACLE_STORE_CHILD_H
#define CORACLE_STORE_CHILD_H

#include <sys/types.h>
#include "lib/err.h"
#include "runtime/image/fetch/fetch.h"

struct child {
	pid_t pid;		/* 0: none */
	int out;		/* its answers */
	int ended;		/* 1: said done; -errno: said error (err has it) */
	size_t len;
	char line[2 * FETCH_LINE_MAX];
};

/* argv[0] is the program. in, dir, copy (-1: none) become its descriptors 0, 3, 4. The
 * child dies with the thread that called this. Returns 0 or -errno. */
int child_start(struct child *c, char *const argv[], int in, int dir, int copy, struct err *err);

/* Reads what is there and calls line() for every answer but error (done included). line() returns 0 or -errno.
 * Returns 1 while the child lives, 0 when it ended well, -errno. */
int child_read(struct child *c, int (*line)(char *text, void *arg, struct err *err), void *arg, struct err *err);

/* Ends and reaps it. Does nothing when there is none. */
void child_kill(struct child *c);

#endif
