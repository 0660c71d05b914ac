/* cmdline.h - configuration on the kernel's command line: cc:...end_cc, cloud-config-url=. It is the lowest layer, as in cloud-init, where it
 * stands above the image's own configuration and below vendor-data. */
#ifndef CORACLE_CONFIG_CMDLINE_H
#define CORACLE_CONFIG_CMDLINE_H

#include "parts.h"

/* The tree, or NULL: nothing there, or wrong (reported). cmdline may be NULL; fetch NULL: URLs are not followed. */
const struct node *cmdline_config(struct ctx *ctx, const char *cmdline, part_fetcher *fetch, void *arg);

#endif
