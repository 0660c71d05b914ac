/* runner.h - one step of a container's way each: the calls of coracle-runtime and the files around them.
 *
 * done is called from the loop with the status of coracle-runtime. c->child is set meanwhile. */
#ifndef CORACLE_ENGINE_RUNNER_H
#define CORACLE_ENGINE_RUNNER_H

#include "container.h"

/* Mounts the root, writes the bundle, makes the pipes, runs `create`. */
int runner_create(struct container *c, void (*done)(int status, void *arg), struct err *err);
int runner_start(struct container *c, void (*done)(int status, void *arg), struct err *err);
int runner_delete(struct container *c, void (*done)(int status, void *arg), struct err *err);

/* Fills pid and pid_ticks from the pid file. */
int runner_read_pid(struct container *c);

/* Start time of a process in clock ticks since boot, 0 when there is none. */
uint64_t runner_pid_ticks(pid_t pid);

/* Why coracle-runtime failed, from its log. */
void runner_failure(const struct container *c, const char *verb, int status, char *out, size_t size);

/* Pipes or terminal that came back from init's fd store. */
void runner_adopt_pipes(struct container *c);

/* coracle-runtime knows it (an engine died in the middle of something). */
bool runner_has_leftovers(const struct container *c);

void runner_unmount(struct container *c);

#endif
