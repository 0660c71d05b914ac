/* patch.h - #cloud-config-jsonp: JSON Patch (RFC 6902) on the configuration that the parts before it came to. */
#ifndef CORACLE_CONFIG_PATCH_H
#define CORACLE_CONFIG_PATCH_H

#include "../schema.h"

/* Applies the operations of the text (its header line included), all of them or none. root NULL: an empty mapping.
 * Returns the new tree; root itself after an error, which is reported. The tree that comes in is not changed. */
const struct node *patch_apply(struct ctx *ctx, const struct source *text, const struct node *root);

#endif
