/* api_shared.h - pieces of replies that several endpoints have. */
#ifndef CORACLE_ENGINE_API_SHARED_H
#define CORACLE_ENGINE_API_SHARED_H

#include "apiint.h"
#include "runtime/store/store.h"

/* "Up 3 minutes", "Exited (0) 2 hours ago": exactly Docker's. */
char *api_status_text(const struct container *c, char *out, size_t size);

/* "Networks":{...} and "Mounts":[...] */
void api_networks(struct buf *b, const struct container *c);
void api_mounts(struct buf *b, const struct container *c);

/* "SizeRw" and "SizeRootFs". */
void api_sizes(struct buf *b, const struct container *c);

/* The command as one line. */
char *api_command(const struct container *c, struct arena *mem);

#endif
