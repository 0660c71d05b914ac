/* graph.h - in which order services start and stop. Pure: indexes in, verdicts out. */
#ifndef CORACLE_ENGINE_GRAPH_H
#define CORACLE_ENGINE_GRAPH_H

#include <stddef.h>
#include "err.h"
#include "service.h"

/* Fills order (n entries) with the indexes of v so that every service comes after those it depends on;
 * ties keep the order of the file. level (may be NULL): 0 for services without dependencies, else one more than
 * the highest dependency. A dependency that does not exist is an error when required and nothing otherwise;
 * a circle is an error that names it. Returns 0 or -EINVAL/-ENOENT/-ENOMEM. */
int graph_order(const struct service *v, size_t n, size_t *order, int *level, struct err *err);

/* How a dependency stands at this moment. */
enum graph_state {
	GRAPH_PENDING,		/* not started yet, or still running when its end is waited for */
	GRAPH_RUNNING,		/* started */
	GRAPH_DONE,		/* ended with 0 and stays down */
	GRAPH_ENDED_BADLY,	/* ended with another code and stays down */
	GRAPH_NOT_STARTED,	/* could not be started */
};

enum graph_verdict { GRAPH_WAIT, GRAPH_GO, GRAPH_NEVER };

/* May a service with this dependency start? Healthy counts as started while there are no healthchecks. */
enum graph_verdict graph_verdict(const struct service_depend *d, enum graph_state state);

#endif
