/* variables.h - instance data: what templates and `query` know about this machine, and /run/cloud-init/instance-data.json. */
#ifndef CORACLE_CONFIG_VARIABLES_H
#define CORACLE_CONFIG_VARIABLES_H

#include "../schema.h"

struct seed;

/* v1, ds, sys_info of this machine, as cloud-init names them (cloudinit/sources, _get_standardized_metadata). */
const struct node *variables_of_seed(struct ctx *ctx, const struct seed *seed, const char *instance_id, int rootfd);

/* The same with plausible texts, for looking at a configuration elsewhere. */
const struct node *variables_guess(struct ctx *ctx);

#endif
