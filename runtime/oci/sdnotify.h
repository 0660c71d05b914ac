/* sdnotify.h - NOTIFY_SOCKET, as runc has it: the container's program says READY=1 to the service manager of the host.
 *
 * The program gets a socket of ours, as /run/notify/notify.sock; `start` (or `run`) waits at it, and passes READY on in
 * its own name with the pid that the manager is to watch. Nothing of this happens without NOTIFY_SOCKET. */
#ifndef CORACLE_OCI_SDNOTIFY_H
#define CORACLE_OCI_SDNOTIFY_H

#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

/* create, run: adds the mount and the variable to the container's configuration. root, id: where its state will be. */
int sdnotify_plan(struct spec *s, const char *root, const char *id, struct err *err);
/* The directory that is mounted, in the container's state directory. */
int sdnotify_prepare(int state_dir, struct err *err);
/* Makes the socket, before the program runs. *fd: -1 where there is nothing to pass on. */
int sdnotify_listen(int state_dir, int *fd, struct err *err);
/* Reads one message, does not block. True when it was READY: the manager knows, and there is nothing more to do. */
bool sdnotify_pass(int fd, pid_t watch);
/* Until READY, or the end of the process. pidfd: -errno when there is none. */
void sdnotify_wait(int fd, int pidfd, pid_t watch);

#endif
