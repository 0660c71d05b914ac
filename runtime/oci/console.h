/* console.h - process.terminal: a pseudo terminal of the container's own devpts.
 *
 * The container's process opens it and sends the master to --console-socket
 * (SCM_RIGHTS, as runc does: the message is the master's name), or to the
 * runtime itself, which then carries bytes to and from its own terminal. */
#ifndef CORACLE_OCI_CONSOLE_H
#define CORACLE_OCI_CONSOLE_H

#include "lib/err.h"

/* Connects to the socket of --console-socket. Returns the descriptor or -errno. */
int console_connect(const char *path, struct err *err);

/* Sends a descriptor with a text (SCM_RIGHTS). */
int console_send(int sock, int fd, const char *text, struct err *err);

/* In the container's process: opens /dev/pts/ptmx below rootfd, makes the slave
 * descriptors 0-2 and the controlling terminal, sends the master to sock. height/width 0: unset.
 * bind_console: also show it as /dev/console. uid owns the slave. */
int console_setup(int rootfd, int sock, unsigned height, unsigned width, unsigned uid, int bind_console, struct err *err);

/* In the runtime: receives the master from sock. Returns it or -errno. */
int console_receive(int sock, struct err *err);
/* Carries bytes between the runtime's 0/1 and the master, and signals to pidfd's process (the caller has them
 * all blocked), until the container's side is closed or the process has ended and all it wrote was passed on.
 * Restores the terminal's modes. */
int console_relay(int master, int pidfd, struct err *err);

#endif
