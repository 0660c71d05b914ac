/* child.h - programs that the engine runs, and who tells that they ended.
 *
 * Without an init that reaps for us (an ordinary host) the engine is a child subreaper and
 * containers' first processes are its children too. SIGCHLD comes through the loop (child_reap). */
#ifndef CORACLE_ENGINE_CHILD_H
#define CORACLE_ENGINE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include "err.h"

struct child {
	pid_t pid;
	void (*done)(int status, void *arg);	/* status as wait(2) */
	void *arg;
	struct child *next;
};

/* Starts argv[0] with stdin from /dev/null and the given stdout and stderr (-1: ours).
 * done is called once from the loop. *out (may be NULL) is valid until then. Returns 0 or -errno. */
int child_spawn(char *const argv[], int out_fd, int err_fd, void (*done)(int status, void *arg), void *arg,
	struct child **out, struct err *err);

/* The same with stdin from input, opened for reading and writing: of a FIFO nobody ever sees the end. NULL: /dev/null. */
int child_spawn_with(const char *input, char *const argv[], int out_fd, int err_fd, void (*done)(int status, void *arg), void *arg,
	struct child **out, struct err *err);

/* The same for a fork of this process: returns 0 in the child (which must _exit()), its pid in the parent, -errno. */
pid_t child_fork(void (*done)(int status, void *arg), void *arg, struct err *err);

/* Forgets the callback (the child goes on). */
void child_abandon(struct child *c);

/* Reaps all that ended; other tells of processes that are no child_spawn() of ours. */
void child_reap(void (*other)(pid_t pid, int status));

#endif
