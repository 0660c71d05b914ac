/* container.h - making one container: the plan, the runtime's side, the
 * container's side.
 *
 * One clone3 with all new namespaces makes the container's first process. It
 * builds its own root, while the runtime writes the state beside it; they meet
 * once (SYNC_READY), or twice where a user namespace has to be mapped, or hooks
 * run outside. Then it waits on start.sock, or for `run` executes at once. */
#ifndef CORACLE_OCI_CONTAINER_H
#define CORACLE_OCI_CONTAINER_H

#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/intelrdt.h"
#include "runtime/oci/rootfs.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/spec.h"
#include "runtime/oci/undo.h"

struct container_options {
	const char *root;		/* --root */
	const char *id;
	const char *bundle;		/* --bundle, "." when not given */
	const char *pid_file;		/* NULL: none */
	const char *console_socket;	/* NULL: none */
	const char *pidfd_socket;	/* NULL: none */
	bool no_pivot, no_new_keyring;
	int preserve_fds;		/* descriptors 3.. passed on */
	int listen_fds;			/* of them by socket activation */
	bool systemd;			/* --systemd-cgroup */
	bool run;			/* execute without waiting for start */
	bool own_console;		/* terminal without a console socket: we relay it */
};

struct container {
	struct container_options opt;
	struct spec spec;
	struct cgroup cgroup;
	struct seccomp_program seccomp;
	struct rootfs rootfs;
	struct undo undo;
	struct rdt rdt;
	char *bundle, *root_path;	/* absolute */
	char created[40];
	int state_dir;			/* --root/ID */
	int sync[2];			/* 0: ours, 1: the first process's */
	int start;			/* listening start.sock, -1 for run */
	int console;			/* connection to the console socket, -1 */
	int notify;			/* run: the container's NOTIFY_SOCKET, -1 */
	int master;			/* own_console: the received terminal, -1 */
	int ns_fd[NS_COUNT];		/* namespaces to join, -1 */
	pid_t pid;
	bool hooks_due;			/* poststop hooks are to run when this fails */
};

/* Reads the bundle and makes the container up to "created", or with opt.run up
 * to its execve. On failure nothing is left. c must be zeroed but for opt. */
int container_create(struct container *c, struct err *err);

/* A user namespace to map; the first process waits before it goes on. */
bool container_maps_users(const struct container *c);
bool container_waits(const struct container *c);

/* The container's first process; never returns. */
_Noreturn void container_init(struct container *c);

/* namespaces.c: what cannot be had without a namespace of its own. */
int namespaces_check(const struct container *c, struct err *err);
/* Opens what is to be joined; flags for clone3. */
int namespaces_open(struct container *c, uint64_t *clone_flags, struct err *err);
/* Joined namespaces, in the first process (before or after its user namespace, as they need). */
int namespaces_join(const struct container *c, struct err *err);
/* The user namespace to join, before clone3 and with no way back. */
int namespaces_join_user(const struct container *c, struct err *err);
/* A pid namespace to join and time offsets take effect for children: around clone3, in the runtime. saved: to return to. */
int namespaces_before_clone(const struct container *c, int saved[NS_COUNT], uint64_t *clone_flags, struct err *err);
void namespaces_after_clone(int saved[NS_COUNT]);

#endif
