/* read.h - what the files that read a network-config share. Used inside init/config/network. */
#ifndef CORACLE_CONFIG_NETWORK_READ_H
#define CORACLE_CONFIG_NETWORK_READ_H

#include "plan.h"

/* map: the mapping with `version`. Mistakes are reported; what has none is added to p. */
void network_read_v1(struct ctx *ctx, const struct node *map, struct network_plan *p);
void network_read_v2(struct ctx *ctx, const struct node *map, struct network_plan *p);
/* The same from a parsed document; NULL as network_read. */
struct network_plan *network_read_node(struct ctx *ctx, const struct node *root);

#endif
