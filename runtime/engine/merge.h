/* merge.h - a service and its image's configuration become what the container is (compose's rules). Pure. */
#ifndef CORACLE_ENGINE_MERGE_H
#define CORACLE_ENGINE_MERGE_H

#include "service.h"

struct store_image;

/* Copies svc into *out (memory of mem) and fills in what it leaves to the image: an entrypoint of the service
 * clears the image's command; environments and labels are joined, the service's wins; the image's VOLUMEs that
 * nothing is mounted on become anonymous volumes. img NULL: only copies. exposed: the image's ports. */
int merge_service(struct arena *mem, const struct service *svc, const struct store_image *img,
	struct service *out, char ***exposed, struct err *err);

/* base and over joined: NAME=VALUE of over replaces the one of base. NULL: no memory. */
char **merge_pairs(struct arena *mem, const char *const *base, char *const *over);

#endif
