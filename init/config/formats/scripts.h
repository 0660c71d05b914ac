/* scripts.h - scripts and boothooks of user-data and vendor-data, and whether the vendor is listened to. */
#ifndef CORACLE_CONFIG_SCRIPTS_H
#define CORACLE_CONFIG_SCRIPTS_H

#include "../config.h"
#include "parts.h"

/* Adds a part to c->scripts: without its carriage returns when the first line ends in one, and (a boothook) without its header. What cannot
 * be run, because it has no #! line, is reported and left out. */
void script_add_part(struct ctx *ctx, struct config *c, enum config_script_kind kind, const struct part *part);

/* `vendor_data`: the mapping, or NULL. True unless it says no. */
bool vendor_is_enabled(const struct node *settings);
/* Reader of vendor_data and vendor_data2: struct config_vendor. */
int read_vendor_data(struct ctx *ctx, const struct node *value, void *out);

#endif
