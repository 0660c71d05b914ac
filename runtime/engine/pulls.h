/* pulls.h - pulls from registries, a few at once, each in a child process (coracle-engine).
 *
 * Whoever wants an image joins the pull of that name when there is one already. The child is a fork that runs the
 * store's import with a registry as its source (docs/design/registry.md). */
#ifndef CORACLE_ENGINE_PULLS_H
#define CORACLE_ENGINE_PULLS_H

#include <stdbool.h>
#include <stddef.h>
#include "err.h"

struct pull;

struct pull_listener {
	/* One line of Docker's progress stream without its end; the first one comes when the manifest is there. */
	void (*line)(const char *json, void *arg);
	/* code: 0, or the errno of the failure with its text. The listener is forgotten before this is called. */
	void (*done)(int code, const char *text, void *arg);
	void *arg;
	struct pull *pull;		/* NULL: none */
	struct pull_listener *next;
};

/* Begins to pull name (as people write it), or joins. platform and auth (X-Registry-Auth) may be NULL. line and done are
 * called from the loop, never from here. Returns 0 or -errno (a bad name, no memory, too many). */
int pulls_join(struct pull_listener *l, const char *name, const char *platform, const char *auth, struct err *err);

/* The listener goes; a pull that nobody wants any more is ended. Does nothing when it is in none. */
void pulls_leave(struct pull_listener *l);

/* Is the failure one that may pass: the network, a server's trouble, something killed? */
bool pulls_may_pass(int code);

#endif
