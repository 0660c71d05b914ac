/* sync.h - messages between the runtime and the container's first process.
 *
 * A SOCK_SEQPACKET pair; one letter, then text. The other side's end is seen
 * as SYNC_EOF, so a runtime that dies takes a half-made container with it, and
 * a container's process that is killed is noticed. */
#ifndef CORACLE_OCI_SYNC_H
#define CORACLE_OCI_SYNC_H

#include "lib/err.h"

enum sync_message {
	SYNC_EOF = 0,
	SYNC_ERROR = 'E',	/* child: failed, the text says why */
	SYNC_HOOK_FAILED = 'F',	/* child: a startContainer hook failed, the text says how; the container is to be destroyed */
	SYNC_HOOKS = 'H',	/* child: namespaces and mounts are there; run prestart and createRuntime hooks */
	SYNC_READY = 'R',	/* child: created */
	SYNC_GO = 'G',		/* runtime: go on (user namespace mapped, hooks done, start, listener taken) */
	SYNC_LISTENER = 'L',	/* child: has a seccomp listener, its number in the text (notify.h) */
};

int sync_send(int fd, enum sync_message m, const char *text);
/* Returns the message; SYNC_EOF with err->code ECONNRESET: the other side has not read what was sent, or never accepted us. For SYNC_ERROR and SYNC_LISTENER err has its text. -errno on failure. */
int sync_receive(int fd, struct err *err);
/* The same; *passed: the descriptor that came along, or -1. */
int sync_receive_fd(int fd, int *passed, struct err *err);
/* Connects a socket of this type to one of the file system, or to an abstract one ("@name"). Returns it or -errno. */
int sync_connect(const char *path, int type);
/* Sends n bytes with a descriptor: to a socket of ours, or the first byte's company on a stream. Returns the bytes sent or -errno. */
int sync_send_fd(int sock, const void *data, size_t n, int fd);
/* Sends what err holds. */
void sync_send_error(int fd, const struct err *err);

#endif
