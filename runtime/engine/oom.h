/* oom.h - notices that the kernel killed processes of a container for want of memory: OOMKilled, event oom.
 *
 * With control groups of version 2 at once (inotify on memory.events), with version 1 when the container ends. */
#ifndef CORACLE_ENGINE_OOM_H
#define CORACLE_ENGINE_OOM_H

#include "container.h"

void oom_begin(struct container *c);	/* it runs */
void oom_look(struct container *c);	/* looks now; before its control group goes */
void oom_end(struct container *c);

#endif
