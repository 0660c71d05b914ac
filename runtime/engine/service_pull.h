/* service_pull.h - the images of containers.json that have to be pulled, by each service's policy (coracle-engine).
 *
 * The boot goes on for others meanwhile. What may pass (no network yet, a clock that is not set, a server's trouble) is tried
 * again for ever, with longer and longer pauses; what will not (no such image, no right, damaged) is told once. */
#ifndef CORACLE_ENGINE_SERVICE_PULL_H
#define CORACLE_ENGINE_SERVICE_PULL_H

#include <stdbool.h>
#include "service.h"

enum service_image {
	SERVICE_IMAGE_USE,		/* what the store has */
	SERVICE_IMAGE_COMING,		/* ask again at the next orchestrate_step(), which is called when something has changed */
	SERVICE_IMAGE_NONE,		/* it is not there and will not come: *why */
};

/* have: the store has the image. runs: a container of it runs, so that it is not looked for a newer one. */
enum service_image service_pull(const struct service *svc, bool have, bool runs, const char **why);

/* Has a pull of it failed, so that nobody should wait for it? */
bool service_pull_delayed(const struct service *svc);

#endif
