/* orchestrate.h - brings the machine to what containers.json wants.
 *
 * Each wanted service gets a container (an old one with the same configuration and image is used again, one
 * that differs is replaced, as compose does), started when its dependencies allow and its image is there. */
#ifndef CORACLE_ENGINE_ORCHESTRATE_H
#define CORACLE_ENGINE_ORCHESTRATE_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the file (absent: nothing is wanted) and starts what can be started. settled is called once, when every
 * service was started once, has failed, or can never start. A broken file is a problem; the engine goes on without. */
void orchestrate_begin(void (*settled)(void));

/* Something changed (an image came): looks again. */
void orchestrate_step(void);

/* Stops everything in reverse order of dependency, independent ones at once; stopped is called when all is down. */
void orchestrate_stop_all(void (*stopped)(void));

#endif
