/* values.h - readers of what stands in a network-config: addresses, routes, rules, lists of names. Used by read_v1.c and read_v2.c.
 *
 * All are value_reader (schema.h): 0, or -EINVAL after they have reported why. */
#ifndef CORACLE_CONFIG_NETWORK_VALUES_H
#define CORACLE_CONFIG_NETWORK_VALUES_H

#include "plan.h"

int net_choice(struct ctx *ctx, const struct node *value, void *out);		/* enum plan_choice */
int net_mac(struct ctx *ctx, const struct node *value, void *out);		/* struct plan_mac */
int net_mtu(struct ctx *ctx, const struct node *value, void *out);		/* int64_t */
int net_u32(struct ctx *ctx, const struct node *value, void *out);		/* int64_t, 0 to 2^32-1 */
int net_table(struct ctx *ctx, const struct node *value, void *out);		/* int64_t: a number, or main, local, default */
int net_vlan_id(struct ctx *ctx, const struct node *value, void *out);		/* int64_t, 0 to 4094 */
int net_globs(struct ctx *ctx, const struct node *value, void *out);		/* struct strings: one or several patterns */
int net_name(struct ctx *ctx, const struct node *value, void *out);		/* const char *: a name for a device */
int net_ids(struct ctx *ctx, const struct node *value, void *out);		/* struct strings: ids, no text twice */
int net_nameservers(struct ctx *ctx, const struct node *value, void *out);	/* struct plan_addresses: a list, or text with blanks or commas */
int net_search(struct ctx *ctx, const struct node *value, void *out);		/* struct strings: domains, a list or text with blanks */
int net_accepted(struct ctx *ctx, const struct node *value, void *out);		/* what it says is what we do anyway */

/* An address of a device: address/prefix. Adds to *out (struct plan_addresses). */
int net_address(struct ctx *ctx, const struct node *value, struct plan_addresses *out);

/* A route as it is written, before its texts are put together. */
struct route_text {
	const struct node *to, *netmask, *via, *from;
	int64_t metric, table, mtu;
	const char *type, *scope;
	bool on_link;
};
extern const struct schema route_schema_v2, route_schema_v1;
int net_route(struct ctx *ctx, const struct node *map, const struct schema *schema, struct plan_route **list);
int net_rule(struct ctx *ctx, const struct node *map, struct plan_rule **list);
int net_node(struct ctx *ctx, const struct node *value, void *out);		/* const struct node * */
/* A gateway: adds the default route of its family, metric may be PLAN_UNSET. */
int net_gateway(struct ctx *ctx, const struct node *value, int family, int64_t metric, struct plan_route **list);

/* "The address", quoted. */
const char *net_quote(struct ctx *ctx, const struct node *value);

#endif
