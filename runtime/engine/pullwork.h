/* pullwork.h - one pull: what is wanted, and the work in the child (coracle-engine). */
#ifndef CORACLE_ENGINE_PULLWORK_H
#define CORACLE_ENGINE_PULLWORK_H

#include <stdbool.h>
#include "err.h"
#include "runtime/image/image.h"

#define PULL_LINE_MAX 2048u	/* bytes of a line that the child writes, with its end */

struct pull_work {
	struct image_ref ref;
	struct image_platform platform;
	char *auth;		/* X-Registry-Auth, or NULL */
};

/* platform and auth may be NULL. Returns 0, -EINVAL, -ENOMEM. */
int pull_work_init(struct pull_work *w, const char *name, const char *platform, const char *auth, struct err *err);
void pull_work_free(struct pull_work *w);
bool pull_work_same(const struct pull_work *a, const struct pull_work *b);

/* In the child. Writes lines: "J" and a JSON object of Docker's progress stream, "N" and a note, and at the end "D", or
 * "E" with an errno and a text. */
void pull_work_run(const struct pull_work *w, int out);

#endif
