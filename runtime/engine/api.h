/* api.h - the Docker Engine API over HTTP on a unix socket.
 *
 * libmicrohttpd speaks HTTP inside our loop (its epoll descriptor is a watch of ours). A handler answers at
 * once, or suspends the request and answers when a container event comes. */
#ifndef CORACLE_ENGINE_API_H
#define CORACLE_ENGINE_API_H

#include "err.h"

#define API_CONNECTIONS_MAX 128
#define API_BODY_MAX (1u << 20)
#define API_REPLY_MAX (16u << 20)

/* Listens on path (mode 0660, replaced when it is there). Returns 0 or -errno. */
int api_open(const char *path, struct err *err);
void api_close(void);

#endif
