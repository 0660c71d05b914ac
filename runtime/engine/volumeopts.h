/* volumeopts.h - the local driver's options type, o and device: checking them, mounting by them. */
#ifndef CORACLE_ENGINE_VOLUMEOPTS_H
#define CORACLE_ENGINE_VOLUMEOPTS_H

#include "err.h"

/* options: k=v. Returns 0 or -EINVAL with Docker's words. Pure. */
int volumeopts_check(char *const *options, struct err *err);
/* Mounts on path; may wait for a server. A name in o=addr= must have been resolved: it is an address. */
int volumeopts_mount(char *const *options, const char *path, struct err *err);

#endif
