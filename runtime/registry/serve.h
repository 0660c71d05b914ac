/* serve.h - a slot of coracle-registry: requests from its control socket, one after another. */
#ifndef CORACLE_REGISTRY_SERVE_H
#define CORACLE_REGISTRY_SERVE_H

#include "runtime/registry/get.h"

struct slot {
	const struct settings *settings;
	int control;
	struct http_conn http;
};

/* Serves until the control socket ends. */
void slot_run(struct slot *s);

#endif
