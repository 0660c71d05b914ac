/* notify.h - the engine's side of the service protocols (docs/design/interfaces.md, "init <-> services").
 *
 * Nothing happens without NOTIFY_SOCKET. */
#ifndef CORACLE_ENGINE_NOTIFY_H
#define CORACLE_ENGINE_NOTIFY_H

#include "cdefs.h"

/* Reads NOTIFY_SOCKET, LISTEN_FDS and LISTEN_FDNAMES and takes them out of the environment. */
void notify_init(void);

/* "READY=1", "STATUS=..." */
void notify_send(const char *fmt, ...) PRINTF_LIKE(1, 2);
void notify_store_fd(const char *name, int fd);
void notify_remove_fd(const char *name);

/* A descriptor that came back from the fd store; the caller owns it. -1: none of that name (left). */
int notify_take_fd(const char *name);

/* Closes and removes what came back and nobody took. */
void notify_drop_rest(void);

#endif
