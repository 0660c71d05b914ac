/* events.h - what happened: `docker events`, the last EVENTS_KEPT in memory for those who ask for the past.
 *
 * A reader that does not read loses nothing of others: it has a queue with a ceiling, and is cut when that is full. */
#ifndef CORACLE_ENGINE_EVENTS_H
#define CORACLE_ENGINE_EVENTS_H

#include "container.h"

#define EVENTS_KEPT 256

/* extra: "key=value" pairs, NULL at the end (may be NULL itself), beside name, image and the labels. */
void event_container(const struct container *c, const char *action, const char *const *extra);
/* die, with exitCode and execDuration. */
void event_died(const struct container *c);
/* type: "volume", "image", "network". */
void event_add(const char *type, const char *action, const char *id, const char *const *attributes);

#endif
