/* client.h - a registry as a source for the store: starts coracle-registry and its coracle-http, and talks to them.
 *
 * Runs in the process that pulls (a fork of the engine, or a command). Blocks. One pull, one of these. */
#ifndef CORACLE_REGISTRY_CLIENT_H
#define CORACLE_REGISTRY_CLIENT_H

#include "runtime/image/image.h"
#include "runtime/store/store.h"

struct registry;

struct registry_options {
	const char *registry, *http;	/* the programs' paths; NULL: beside this one, else /usr/lib/coracle */
	const char *settings;		/* JSON as runtime/registry/registry.h says: settings_make() */
	const struct image_ref *ref;	/* what is pulled: a digest goes before a tag */
	int parallel;			/* layers at once, 1 to REGISTRY_SLOTS_MAX */
};

/* Starts the programs. *remote is valid until registry_close(). Returns 0 or -errno. */
int registry_open(struct registry **out, const struct registry_options *opt, const struct store_remote **remote, struct err *err);
/* Ends them. */
void registry_close(struct registry *r);
/* Digest of the index or manifest that the reference led to, "" before. */
const char *registry_digest(const struct registry *r);

#endif
