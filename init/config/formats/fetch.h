/* fetch.h - brings what #include and cloud-config-url name, within limits that hold for all of it together. */
#ifndef CORACLE_CONFIG_FETCH_H
#define CORACLE_CONFIG_FETCH_H

#include <stdint.h>
#include "../target.h"
#include "parts.h"

#define FETCH_TOTAL_MS 60000u			/* of all addresses together */
#define FETCH_TOTAL_MAX ((size_t)8 << 20)	/* bytes, the same */

struct fetch {
	const struct target *target;	/* where copies of #include-once are kept */
	const char *instance_id;
	uint64_t end_ms;		/* CLOCK_MONOTONIC, 0: nothing fetched yet */
	size_t bytes;
};

/* A part_fetcher; arg is a struct fetch. once: the copy below instances/ID/data/urlcache, if there is one; else what was fetched is kept there. */
int fetch_part(struct ctx *ctx, void *arg, const char *url, bool once, struct source *out, struct err *err);

#endif
