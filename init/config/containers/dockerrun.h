/* dockerrun.h - the words of `docker run` and `podman run`, as keys of a Compose service. Pure. */
#ifndef CORACLE_CONFIG_DOCKERRUN_H
#define CORACLE_CONFIG_DOCKERRUN_H

#include "quadlet.h"

/* True for docker or podman, with or without a folder before it. */
bool dockerrun_is_client(const char *word);

/* words[0] is the client, words[1] is run. Fills service (a mapping); at: whose place the keys have. Returns 0, or -EINVAL after
 * it has reported everything that is not done. */
int dockerrun_read(struct quadlet *q, const struct node *at, const struct strings *words, struct node *service);

#endif
