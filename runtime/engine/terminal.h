/* terminal.h - terminals of containers with tty: a socket per start, over which coracle-runtime hands
 * over the master side (runtime-spec, --console-socket). */
#ifndef CORACLE_ENGINE_TERMINAL_H
#define CORACLE_ENGINE_TERMINAL_H

#include "container.h"

/* RUN/tty-ID12.sock */
char *terminal_path(const struct container *c, char *out, size_t size);

/* Listens there; the terminal that comes becomes the source of the container's log. Gives up after 30 s. */
int terminal_expect(struct container *c, struct err *err);

#endif
