/* input.h - the standard input of a container: a FIFO, or its terminal.
 *
 * stdin_once: the container sees the end when the engine closes its side; a copy of that is with init (c.ID12.in.w), so that a
 * restart of the engine is no end. Without it nobody ever sees the end. */
#ifndef CORACLE_ENGINE_INPUT_H
#define CORACLE_ENGINE_INPUT_H

#include "container.h"

/* Makes the FIFO before `create`; *flags: how the child is to open it. *hold keeps it open meanwhile: the caller closes it after. */
int input_make(struct container *c, const char *path, int *flags, int *hold, struct err *err);
/* After an engine's start. */
void input_adopt(struct container *c);

/* Returns how many bytes were taken; when fewer, attach_pull(c) is called once there is room. -ENOTCONN: nothing to write to yet. */
ssize_t input_write(struct container *c, const char *data, size_t n);
/* The container's program sees the end (stdin_once). */
void input_end(struct container *c);
/* The run is over. */
void input_close(struct container *c);

/* api_attach.c: who gives input to this container should try again. */
void attach_pull(struct container *c);

#endif
