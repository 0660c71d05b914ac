/* apply.h - makes the network of this namespace what a plan says. Used inside init/config/network, and by its tests.
 *
 * Adds and changes, never takes away what the plan does not name: at boot nothing else is there. Carried out a second time it changes nothing. */
#ifndef CORACLE_CONFIG_NETWORK_APPLY_H
#define CORACLE_CONFIG_NETWORK_APPLY_H

#include "links.h"

struct applier {
	struct ctx *ctx;
	struct netlink nl;
	struct links links;
	const struct network_plan *plan;
	bool quiet_missing;	/* devices that are not there are no problem */
	/* filled */
	unsigned changes;	/* what the kernel was told to change */
	bool routes_later;	/* some route has to wait for an address from DHCP */
};

/* Carries the plan out; problems go to ctx->diags. quiet_missing, and plan and ctx, are given by the caller. Returns 0, or -errno when there is no netlink
 * (reported). a->links is the state after it, each with its device of the plan. */
int network_apply(struct applier *a);
void network_apply_end(struct applier *a);

/* ---- apply_links.c: steps of it. Each reports what goes wrong and goes on. */
void apply_make_devices(struct applier *a);	/* bonds, bridges, VLANs */
void apply_join_members(struct applier *a);
void apply_set_devices(struct applier *a);	/* hardware address, MTU, IPv6, wake on LAN, up */

/* ---- apply_routes.c */
void apply_add_addresses(struct applier *a);
void apply_add_routes(struct applier *a);	/* rules too */

/* An error of the step at the device's place, with what the kernel said. r: -errno. */
void apply_failed(struct applier *a, const struct node *at, int r, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Sends a request that changes something and counts it. */
int apply_request(struct applier *a, struct nl_message *m);

#endif
