/* copyup.h - a new volume gets what the image has at its place (docker-api: copy-up at create, only into an empty volume). */
#ifndef CORACLE_ENGINE_COPYUP_H
#define CORACLE_ENGINE_COPYUP_H

#include "container.h"

/* True when a named or anonymous volume of c is empty and the image has a directory with something in it there. The
 * root must be mounted. */
bool copyup_needed(const struct container *c);

/* Copies, in a child process: owners, modes, times, links, devices and extended attributes (those that the
 * volume's file system does not know are left away). Returns 0 or -errno; a half copy is removed. */
int copyup_run(const struct container *c, struct err *err);

/* The tree below the directory src into the existing directory dst. */
int copyup_tree(int src, int dst, struct err *err);

#endif
