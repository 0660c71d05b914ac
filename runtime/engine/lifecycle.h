/* lifecycle.h - starting, stopping, killing and removing containers, and what follows from their ends.
 *
 * Everything is asynchronous: a call begins it, container_fire() (container.h)
 * tells how it went. The order of a start: mount the root, write the bundle, make the pipes, `coracle-runtime
 * create`, have init watch the first process, `coracle-runtime start`. */
#ifndef CORACLE_ENGINE_LIFECYCLE_H
#define CORACLE_ENGINE_LIFECYCLE_H

#include "container.h"

/* by_hand: asked for by a person or the boot configuration: sets the back-off and the count of restarts back.
 * Returns 0 (EVENT_STARTED follows), -EALREADY when it runs, or -errno: it failed at once and c->error says why. */
int lifecycle_start(struct container *c, bool by_hand);

/* Stop signal, grace, SIGKILL. grace_ms -1: for ever, LIFECYCLE_DEFAULT_GRACE: its own. by_hand cancels
 * restarts. EVENT_DOWN follows; -EALREADY when nothing runs. */
#define LIFECYCLE_DEFAULT_GRACE (-2)
int lifecycle_stop(struct container *c, int64_t grace_ms, int signal, bool by_hand);

/* Stops (when it runs) and starts again: EVENT_STARTED follows. */
int lifecycle_restart(struct container *c, int64_t grace_ms);

/* Sends one signal. Returns 0, -ESRCH when it does not run, -errno. */
int lifecycle_kill(struct container *c, int signal);

/* Removes it when it is down; force kills it first. EVENT_REMOVED follows. -EBUSY: runs. */
int lifecycle_remove(struct container *c, bool force);

/* A process ended: from init, or from our own reaping. Unknown pids are ignored. */
void lifecycle_exited(pid_t pid, int status);

/* The link to init is new: all pids are watched again. */
void lifecycle_watch_again(void);

/* After a start of the engine: takes up a container that may be running. */
void lifecycle_adopt(struct container *c);

/* False: nothing is between down and up. */
bool lifecycle_busy(void);

/* Unmounts all that is down (shutdown). */
void lifecycle_unmount_all(void);

#endif
