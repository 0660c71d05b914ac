/* routes.c - reads routes and rules, of both versions.
 *
 * Runs in coracle-config; nothing here touches the machine. */
#include "values.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "../scalar.h"

static int read_text(struct ctx *ctx, const struct node *value, void *out)
{
	return value_line(ctx, value, out);
}

static const struct key keys_v2[] = {
	KEY("to", NODE_SCALAR, net_node, struct route_text, to),
	KEY("via", NODE_SCALAR, net_node, struct route_text, via),
	KEY("from", NODE_SCALAR, net_node, struct route_text, from),
	KEY("metric", NODE_SCALAR, net_u32, struct route_text, metric),
	KEY("table", NODE_SCALAR, net_table, struct route_text, table),
	KEY("mtu", NODE_SCALAR, net_mtu, struct route_text, mtu),
	KEY("type", NODE_SCALAR, read_text, struct route_text, type),
	KEY("scope", NODE_SCALAR, read_text, struct route_text, scope),
	KEY("on-link", NODE_SCALAR, value_bool, struct route_text, on_link),
};

static const struct known_key known_v2[] = {
	{ "congestion-window", DIAG_WARNING, NULL }, { "advertised-receive-window", DIAG_WARNING, NULL }, { "advertised-mss", DIAG_WARNING, NULL },
};

static const struct key keys_v1[] = {
	KEY("network", NODE_SCALAR, net_node, struct route_text, to),
	KEY("destination", NODE_SCALAR, net_node, struct route_text, to),
	KEY("address", NODE_SCALAR, net_node, struct route_text, to),
	KEY("to", NODE_SCALAR, net_node, struct route_text, to),
	KEY("netmask", NODE_SCALAR, net_node, struct route_text, netmask),
	KEY("prefix", NODE_SCALAR, net_node, struct route_text, netmask),
	KEY("gateway", NODE_SCALAR, net_node, struct route_text, via),
	KEY("via", NODE_SCALAR, net_node, struct route_text, via),
	KEY("metric", NODE_SCALAR, net_u32, struct route_text, metric),
	KEY("mtu", NODE_SCALAR, net_mtu, struct route_text, mtu),
	KEY("type", NODE_SCALAR, net_accepted, struct route_text, type),	/* `route` of the whole entry */
	KEY("id", NODE_SCALAR, net_accepted, struct route_text, type),
};

const struct schema route_schema_v2 = {
	.what = "a route", .keys = keys_v2, .n_keys = ARRAY_SIZE(keys_v2), .known = known_v2, .n_known = ARRAY_SIZE(known_v2),
	.known_why = "is known to netplan and not supported by Coracle; it is not used", .unknown = DIAG_UNKNOWN,
};
const struct schema route_schema_v1 = {
	.what = "a route", .keys = keys_v1, .n_keys = ARRAY_SIZE(keys_v1), .unknown = DIAG_UNKNOWN,
};

/* One of these words, or -1. */
static int word(const char *s, const char *const *names, const int *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, names[i]))
			return values[i];
	return -1;
}

static int read_kind(struct ctx *ctx, const struct node *map, const struct route_text *t, struct plan_route *r)
{
	static const char *const types[] = { "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw" };
	static const int type_values[] = { RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST, RTN_BLACKHOLE, RTN_UNREACHABLE,
					   RTN_PROHIBIT, RTN_THROW };
	static const char *const scopes[] = { "global", "link", "host", "site" };
	static const int scope_values[] = { RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_SITE };

	if (t->type && (r->type = word(t->type, types, type_values, ARRAY_SIZE(types))) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, node_get(map, "type"), "unicast, local, blackhole, unreachable, prohibit, throw ...",
			       "%s is not a type of route", diag_quote(ctx->arena, t->type, strlen(t->type)));
	if (t->scope && (r->scope = word(t->scope, scopes, scope_values, ARRAY_SIZE(scopes))) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, node_get(map, "scope"), "global, link or host", "%s is not a scope",
			       diag_quote(ctx->arena, t->scope, strlen(t->scope)));
	return 0;
}

static int read_via(struct ctx *ctx, const struct node *value, struct plan_address *out)
{
	if (plan_parse_ip(value->text, value->len, out) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "an IPv4 or IPv6 address", "%s is not the address of a gateway", net_quote(ctx, value));
	return 0;
}

/* "default" and 0.0.0.0/0 are the same; version 1 writes the mask apart. family: what a default route is of. */
static int read_to(struct ctx *ctx, const struct route_text *t, int family, struct plan_address *out)
{
	const struct node *to = t->to;
	struct plan_address a = { .family = (uint8_t)family };

	if (strcmp(to->text, "default") != 0 && plan_parse_prefixed(to->text, &a) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, to, "such as 198.51.100.0/24, or default", "%s is not a destination", net_quote(ctx, to));
	if (t->netmask && plan_parse_mask(t->netmask->text, a.family, &a.prefix) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, t->netmask, "such as 255.255.255.0, or 24", "%s is not a netmask", net_quote(ctx, t->netmask));
	*out = plan_network_of(&a);
	return 0;
}

int net_route(struct ctx *ctx, const struct node *map, const struct schema *schema, struct plan_route **list)
{
	struct route_text t = { .metric = PLAN_UNSET, .table = PLAN_UNSET, .mtu = PLAN_UNSET };
	struct plan_route r = { .at = map, .metric = PLAN_UNSET, .table = PLAN_UNSET, .mtu = PLAN_UNSET, .type = RTN_UNICAST, .scope = -1 };
	struct plan_route *kept;

	if (map->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, map, "such as {to: default, via: 192.0.2.1}", "a route is a mapping, not %s", node_describe(map));
	if (schema_read(ctx, schema, map, &t) > 0)
		return -EINVAL;
	if (!t.to)
		return diag_at(ctx->diags, DIAG_ERROR, map, "such as to: default", "this route does not say where it leads to");
	if (read_kind(ctx, map, &t, &r) < 0 || (t.via && read_via(ctx, t.via, &r.via) < 0) || (t.from && read_via(ctx, t.from, &r.from) < 0))
		return -EINVAL;
	if (read_to(ctx, &t, r.via.family ? r.via.family : r.from.family ? r.from.family : AF_INET, &r.to) < 0)
		return -EINVAL;
	if ((r.via.family && r.via.family != r.to.family) || (r.from.family && r.from.family != r.to.family))
		return diag_at(ctx->diags, DIAG_ERROR, map, NULL, "this route mixes IPv4 and IPv6");
	if (!r.via.family && r.type == RTN_UNICAST && schema == &route_schema_v1)
		return diag_at(ctx->diags, DIAG_ERROR, map, "gateway: 192.0.2.1", "this route has no gateway");
	/* netplan: a unicast route without a gateway needs scope: link, else it is an error there */
	if (!r.via.family && r.type == RTN_UNICAST && r.scope < 0 && r.to.prefix == 0)
		diag_at(ctx->diags, DIAG_WARNING, map, "add via: or scope: link", "this default route has no gateway: everything is looked for on the link itself");
	r.metric = t.metric;
	r.table = t.table;
	r.mtu = t.mtu;
	r.on_link = t.on_link;
	kept = plan_add_route(ctx, list);
	r.next = NULL;
	*kept = r;
	return 0;
}

int net_gateway(struct ctx *ctx, const struct node *value, int family, int64_t metric, struct plan_route **list)
{
	struct plan_address via;
	struct plan_route *r;

	if (read_via(ctx, value, &via) < 0)
		return -EINVAL;
	if (family && via.family != family)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not an %s address", net_quote(ctx, value), family == AF_INET ? "IPv4" : "IPv6");
	r = plan_add_route(ctx, list);
	r->at = value;
	r->to = (struct plan_address){ .family = via.family };
	r->via = via;
	r->metric = metric;
	return 0;
}

struct rule_text {
	const struct node *from, *to;
	int64_t table, priority, mark, tos;
};

static const struct key rule_keys[] = {
	KEY("from", NODE_SCALAR, net_node, struct rule_text, from),
	KEY("to", NODE_SCALAR, net_node, struct rule_text, to),
	KEY("table", NODE_SCALAR, net_table, struct rule_text, table),
	KEY("priority", NODE_SCALAR, net_u32, struct rule_text, priority),
	KEY("mark", NODE_SCALAR, net_u32, struct rule_text, mark),
	KEY("type-of-service", NODE_SCALAR, net_u32, struct rule_text, tos),
};

static const struct schema rule_schema = { .what = "a rule", .keys = rule_keys, .n_keys = ARRAY_SIZE(rule_keys), .unknown = DIAG_UNKNOWN };

static int read_net(struct ctx *ctx, const struct node *value, struct plan_address *out)
{
	if (!value || !strcmp(value->text, "all"))
		return 0;
	if (plan_parse_prefixed(value->text, out) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "such as 192.0.2.0/24", "%s is not an address or network", net_quote(ctx, value));
	*out = plan_network_of(out);
	return 0;
}

int net_rule(struct ctx *ctx, const struct node *map, struct plan_rule **list)
{
	struct rule_text t = { .table = PLAN_UNSET, .priority = PLAN_UNSET, .mark = PLAN_UNSET, .tos = PLAN_UNSET };
	struct plan_address from = { .family = AF_UNSPEC };
	struct plan_address to = { .family = AF_UNSPEC };
	struct plan_rule *r;

	if (map->type != NODE_MAP)
		return diag_at(ctx->diags, DIAG_ERROR, map, "such as {from: 192.0.2.0/24, table: 100}", "a rule is a mapping, not %s", node_describe(map));
	if (schema_read(ctx, &rule_schema, map, &t) > 0 || read_net(ctx, t.from, &from) < 0 || read_net(ctx, t.to, &to) < 0)
		return -EINVAL;
	if (!from.family && !to.family)
		return diag_at(ctx->diags, DIAG_ERROR, map, NULL, "a rule needs from or to");
	if (from.family && to.family && from.family != to.family)
		return diag_at(ctx->diags, DIAG_ERROR, map, NULL, "this rule mixes IPv4 and IPv6");
	if (t.tos > 255)
		return diag_at(ctx->diags, DIAG_ERROR, map, "0 to 255", "the type-of-service of this rule is too large");
	r = plan_add_rule(ctx, list);
	r->at = map;
	r->from = from;
	r->to = to;
	r->table = t.table;
	r->priority = t.priority;
	r->mark = t.mark;
	r->tos = t.tos;
	return 0;
}
