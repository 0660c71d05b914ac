/* health.h - the healthchecks of running containers: probes by exec, State.Health, health_status events. */
#ifndef CORACLE_ENGINE_HEALTH_H
#define CORACLE_ENGINE_HEALTH_H

#include "buf.h"
#include "container.h"
#include "healthcheck.h"

/* The container runs (started, or taken up again after a start of the engine). */
void health_begin(struct container *c);
/* It runs no more. */
void health_end(struct container *c);

/* The container is removed. */
void health_free(struct container *c);

enum health_status health_status(const struct container *c);
/* "Health":{...} of State; nothing when there is no check. */
void health_write(struct buf *b, const struct container *c);

#endif
