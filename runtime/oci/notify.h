/* notify.h - SCMP_ACT_NOTIFY: the listener of a container's filter for the
 * agent at linux.seccomp.listenerPath (config-linux.md, "containerProcessState").
 *
 * The container's process names its descriptor by SYNC_LISTENER and waits for
 * SYNC_GO; the runtime takes it with pidfd_getfd(2), or gets it along where that is not allowed, and sends it on. */
#ifndef CORACLE_OCI_NOTIFY_H
#define CORACLE_OCI_NOTIFY_H

#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

struct notify {
	const char *id, *bundle;
	const char *status;	/* state.status: "creating" for the first process (as runc), else "running" */
	pid_t init;		/* state.pid */
	pid_t pid;		/* whose listener it is */
};

/* fd: the number as SYNC_LISTENER brought it; passed: the listener itself, or -1: then it is taken. Closes it. Sends the state and the listener to the agent, then SYNC_GO to sync. */
int notify_serve(const struct spec *s, const struct notify *n, int sync, const char *fd, int passed, struct err *err);

#endif
