/* inspect.h - pieces of an inspect reply that give back what create took (createbody.h): the one must be able to read the other. */
#ifndef CORACLE_ENGINE_INSPECT_H
#define CORACLE_ENGINE_INSPECT_H

#include "arena.h"
#include "buf.h"
#include "service.h"

void inspect_mounts(struct buf *b, struct arena *mem, const struct service *s);	/* Binds, Mounts, Tmpfs */
void inspect_networking(struct buf *b, const struct service *s);	/* NetworkMode, PortBindings, PublishAllPorts, Links */
void inspect_blkio(struct buf *b, const struct service *s);
void inspect_healthcheck(struct buf *b, const struct service *s);
void inspect_extra_hosts(struct buf *b, const struct service *s);

#endif
