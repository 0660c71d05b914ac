/* exec.h - a further process in a running container.
 *
 * One clone3 straight into the container's control group and pid namespace;
 * the child joins the other namespaces of the container's first process by its
 * pidfd in one setns(2), which a reused pid cannot fool. */
#ifndef CORACLE_OCI_EXEC_H
#define CORACLE_OCI_EXEC_H

#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/spec.h"
#include "runtime/oci/state.h"

struct exec {
	struct state state;
	struct cgroup cgroup;
	struct spec spec;		/* the container's; process replaced by what is to run */
	struct seccomp_program seccomp;
	const char *pid_file, *console_socket, *pidfd_socket;
	int preserve_fds;
	bool own_console;
	bool in_userns;			/* rootless: the runtime is in the container's user namespace already */
	bool sub_cgroup;		/* --cgroup: there and nowhere else */
	int master;			/* own_console: the terminal, -1 */
	int pidfd, root;		/* the container's first process and its root */
	int console, sync[2];
	pid_t pid;
};

/* Starts it; returns when its program is executed. On failure no process is left. */
int exec_start(struct exec *e, struct err *err);

#endif
