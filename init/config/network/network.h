/* network.h - the network of the machine: what a configuration says about it, and the network when something has to be fetched.
 *
 * Everybody's entry to init/config/network. The order of precedence is cloud-init's: network-config= on the kernel command line, ip= there, the
 * datasource's network-config, and without all of them DHCP on every Ethernet device (docs/design/network.md). Used by coracle-config only. */
#ifndef CORACLE_CONFIG_NETWORK_H
#define CORACLE_CONFIG_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include "../schema.h"
#include "err.h"

struct network_plan;
struct network_device;
struct run;

#define NETWORK_NEED_MS 30000	/* as long as network_need waits for an address */

/* ---- reading */

/* Reads a network-config, version 1 or 2, with or without the outer `network:`. All mistakes are reported; what has none is in the plan.
 * The bytes have a NUL behind them and live as long as ctx's problems. Returns NULL when it holds no network configuration at all. */
struct network_plan *network_read(struct ctx *ctx, const char *name, const char *bytes, size_t len);

/* True when the document is a network-config and not user-data: it has no #header, and its top keys are `network`, or `version` with
 * `config` or `ethernets` and the like. */
bool network_looks_like(const char *bytes, size_t len);

/* What the kernel command line says: network-config=BASE64 (gzip inside is taken too), network-config=disabled, ip= in the kernel's and in dracut's forms, with
 * dracut's nameserver=, rd.route=, vlan=, bond=, bridge=. Returns NULL when it says nothing about the network. */
struct network_plan *network_from_cmdline(struct ctx *ctx, const char *cmdline);

/* OpenStack's network_data.json (root is the parsed document) as a network-config, in the arena; *len is its length. NULL: nothing in it
 * (what is wrong was reported). Meant for seed->network_config. */
const char *network_from_openstack(struct ctx *ctx, const struct node *root, size_t *len);

/* ---- building one, for clouds that say in their own words which addresses there are

 *	struct network_plan *p = network_plan_new(ctx);
 *	struct network_device *d = network_add_ethernet(ctx, p, "eth0", "02:00:00:00:00:01");
 *	network_add_address(ctx, d, "192.0.2.10", "255.255.255.0");
 *	network_add_route(ctx, d, "0.0.0.0/0", "192.0.2.1");
 *	network_add_nameserver(ctx, d, "192.0.2.1");
 *	seed->network_config = network_text(ctx, p, &seed->network_config_len);
 *
 * Each returns 0 or -EINVAL when a text is not what it has to be; nothing is reported, nothing is added then. */
struct network_plan *network_plan_new(struct ctx *ctx);
/* name may be NULL when mac is given (the device keeps its name), mac may be NULL when name is. Returns NULL when one is malformed. */
struct network_device *network_add_ethernet(struct ctx *ctx, struct network_plan *p, const char *name, const char *mac);
/* address/prefix, or address and a netmask or a prefix length as mask (else NULL). */
int network_add_address(struct ctx *ctx, struct network_device *d, const char *address, const char *mask);
/* to: "default" or address/prefix; via: NULL for a route on the link. */
int network_add_route(struct ctx *ctx, struct network_device *d, const char *to, const char *via);
int network_add_nameserver(struct ctx *ctx, struct network_device *d, const char *address);
void network_set_dhcp(struct network_device *d, bool dhcp4, bool dhcp6);
/* The plan as a network-config of version 2, in the arena: what `coracle-config network --plan` prints, and what network_read reads back. */
const char *network_text(struct ctx *ctx, const struct network_plan *p, size_t *len);

/* ---- the network when something has to be fetched */

/* What a datasource knows about the network before it fetches: network_need brings this one up then, where the kernel command line does not
 * say otherwise. Without a call it is DHCP on every Ethernet device. Returns 0, or -EINVAL when it holds nothing (reported). */
int network_known(struct ctx *ctx, const char *name, const char *bytes, size_t len);

/* For ctx->need_network. Brings the network up at once and waits, by the kernel's events, until there is an address that others can reach, at
 * most NETWORK_NEED_MS; after one second the console says what is waited for. The second call returns what the first one did. Returns 0, -ETIMEDOUT or
 * another -errno with a text: which device, and why. */
int network_need(struct ctx *ctx, struct err *err);

#endif
