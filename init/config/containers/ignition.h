/* ignition.h - what the files of the Ignition reader share. */
#ifndef CORACLE_CONFIG_IGNITION_H
#define CORACLE_CONFIG_IGNITION_H

#include "../config.h"
#include "quadlet.h"

struct ignition {
	struct ctx *ctx;
	struct config *config;
	struct quadlet units;	/* containers of systemd.units */
};

/* storage: files, directories, links. */
int ignition_storage(struct ignition *g, const struct node *storage);
/* The bytes of a data: URL (RFC 2397); NULL after it has reported why. */
const char *ignition_data_url(struct ctx *ctx, const struct node *at, const char *url, size_t *len);
/* systemd: units. */
int ignition_systemd(struct ignition *g, const struct node *systemd);
/* passwd: users, groups. */
int ignition_passwd(struct ignition *g, const struct node *passwd);

/* The value of a key as text, or NULL (then *bad is set when it is there and is no text). */
const char *ignition_text(struct ignition *g, const struct node *map, const char *key, bool *bad);
/* Reports the keys of map that are not in known, which ends with NULL. Returns 0 or -EINVAL. */
int ignition_check_keys(struct ignition *g, const struct node *map, const char *where, const char *const *known);

#endif
