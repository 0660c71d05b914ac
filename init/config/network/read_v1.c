/* read_v1.c - reads a network-config of version 1: a list of devices, name servers and routes.
 *
 * Runs in coracle-config; nothing here touches the machine. What an entry means is cloud-init's (net/network_state.py). */
#include <errno.h>
#include <string.h>

#include "params.h"
#include "read.h"
#include "values.h"

/* One entry of `config:` before its type is looked at. */
struct entry {
	struct network_device *d;
	struct plan_mac mac;
	const struct node *subnets, *params;
	const char *vlan_link;
};

struct subnet {
	const char *type;
	const struct node *address, *netmask, *gateway, *routes;
	struct plan_addresses nameservers;
	struct strings search;
	int64_t metric, mtu;
	const char *control;
};

static int read_line(struct ctx *ctx, const struct node *value, void *out)
{
	return value_line(ctx, value, out);
}

static const struct key subnet_keys[] = {
	KEY("type", NODE_SCALAR, read_line, struct subnet, type),
	KEY("address", NODE_SCALAR, net_node, struct subnet, address),
	KEY("netmask", NODE_SCALAR, net_node, struct subnet, netmask),
	KEY("prefix", NODE_SCALAR, net_node, struct subnet, netmask),
	KEY("gateway", NODE_SCALAR, net_node, struct subnet, gateway),
	KEY("routes", NODE_LIST, net_node, struct subnet, routes),
	KEY("dns_nameservers", NODE_SCALAR | NODE_LIST, net_nameservers, struct subnet, nameservers),
	KEY("dns_search", NODE_SCALAR | NODE_LIST, net_search, struct subnet, search),
	KEY("metric", NODE_SCALAR, net_u32, struct subnet, metric),
	KEY("mtu", NODE_SCALAR, net_mtu, struct subnet, mtu),
	KEY("control", NODE_SCALAR, read_line, struct subnet, control),
	KEY("broadcast", NODE_SCALAR, net_accepted, struct subnet, type),
	KEY("ipv4", NODE_SCALAR, net_accepted, struct subnet, type),
	KEY("ipv6", NODE_SCALAR, net_accepted, struct subnet, type),
	KEY("id", NODE_SCALAR, net_accepted, struct subnet, type),
};

static const struct known_key subnet_known[] = {
	{ "scope", DIAG_WARNING, NULL }, { "pointopoint", DIAG_WARNING, NULL },
};

static const struct schema subnet_schema = {
	.what = "a subnet", .keys = subnet_keys, .n_keys = ARRAY_SIZE(subnet_keys), .known = subnet_known, .n_known = ARRAY_SIZE(subnet_known),
	.known_why = "is known to cloud-init and not supported by Coracle; it is not used", .unknown = DIAG_UNKNOWN,
};

/* address may bring its prefix length, as a number or a mask, or netmask: says it. */
static int static_address(struct ctx *ctx, const struct node *at, const struct subnet *s, struct network_device *d)
{
	struct plan_address a;

	if (!s->address)
		return diag_at(ctx->diags, DIAG_ERROR, at, "address: 192.0.2.10/24", "a static subnet needs an address");
	if (plan_parse_prefixed(s->address->text, &a) < 0)
		return diag_at(ctx->diags, DIAG_ERROR, s->address, "such as 192.0.2.10/24", "%s is not an address", net_quote(ctx, s->address));
	if (!strchr(s->address->text, '/')) {
		if (s->netmask && plan_parse_mask(s->netmask->text, a.family, &a.prefix) < 0)
			return diag_at(ctx->diags, DIAG_ERROR, s->netmask, "such as 255.255.255.0, or 24", "%s is not a netmask", net_quote(ctx, s->netmask));
		if (!s->netmask) {
			a.prefix = a.family == AF_INET ? 24 : 64; /* as cloud-init does */
			diag_at(ctx->diags, DIAG_WARNING, s->address, "write address/prefix", "%s has no netmask; /%u is taken", net_quote(ctx, s->address), a.prefix);
		}
	}
	plan_add_address(ctx, &d->addresses, &a);
	/* as cloud-init: the MTU of an IPv4 subnet is the device's, that of an IPv6 subnet is kept apart */
	if (s->mtu != PLAN_UNSET && a.family == AF_INET6)
		d->mtu6 = s->mtu;
	else if (s->mtu != PLAN_UNSET)
		d->mtu = s->mtu;
	return 0;
}

static int apply_type(struct ctx *ctx, const struct node *at, const struct subnet *s, struct network_device *d)
{
	static const struct { const char *name; bool four, six, stateless, slaac; } types[] = {
		{ "dhcp", true, false, false, false }, { "dhcp4", true, false, false, false }, { "dhcp6", false, true, false, false },
		{ "ipv6_dhcpv6-stateful", false, true, false, false }, { "ipv6_dhcpv6-stateless", false, true, true, false },
		{ "ipv6_slaac", false, false, false, true }, { "manual", false, false, false, false },
	};

	if (!s->type)
		return diag_at(ctx->diags, DIAG_ERROR, at, "type: static, or type: dhcp", "a subnet needs a type");
	if (!strcmp(s->type, "static") || !strcmp(s->type, "static4") || !strcmp(s->type, "static6"))
		return static_address(ctx, at, s, d);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(s->type, types[i].name)) {
			if (types[i].four)
				d->dhcp[0].enabled = PLAN_YES;
			if (types[i].six)
				network_set_dhcp6(d, types[i].stateless);
			if (types[i].slaac && d->accept_ra == PLAN_DEFAULT)
				d->accept_ra = PLAN_YES;
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, node_get(at, "type"), "static, dhcp, dhcp6, ipv6_slaac, ipv6_dhcpv6-stateless, ipv6_dhcpv6-stateful, manual",
		       "%s is not a type of subnet", diag_quote(ctx->arena, s->type, strlen(s->type)));
}

static void read_subnet(struct ctx *ctx, const struct node *map, struct network_device *d)
{
	struct subnet s = { .metric = PLAN_UNSET, .mtu = PLAN_UNSET };

	if (map->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, map, "such as {type: dhcp}", "a subnet is a mapping, not %s", node_describe(map));
		return;
	}
	if (schema_read(ctx, &subnet_schema, map, &s) > 0 || apply_type(ctx, map, &s, d) < 0)
		return;
	if (s.control && !strcmp(s.control, "manual"))
		d->manual = true;
	else if (s.control && strcmp(s.control, "auto") != 0)
		diag_at(ctx->diags, DIAG_ERROR, node_get(map, "control"), "auto or manual", "%s is not a way to control a subnet",
			diag_quote(ctx->arena, s.control, strlen(s.control)));
	if (s.gateway)
		net_gateway(ctx, s.gateway, 0, s.metric, &d->routes);
	for (const struct item *i = s.routes ? s.routes->items : NULL; i; i = i->next)
		net_route(ctx, i->value, &route_schema_v1, &d->routes);
	for (size_t i = 0; i < s.nameservers.n; i++)
		plan_add_address(ctx, &d->nameservers, &s.nameservers.v[i]);
	for (size_t i = 0; i < s.search.n; i++)
		strings_add(ctx, &d->search, s.search.v[i]);
}

static int read_vlan_link(struct ctx *ctx, const struct node *value, void *out)
{
	return value_line(ctx, value, &(*(struct network_device **)out)->link);
}

static int read_vlan_id(struct ctx *ctx, const struct node *value, void *out)
{
	return net_vlan_id(ctx, value, &(*(struct network_device **)out)->vlan_id);
}

static int read_members(struct ctx *ctx, const struct node *value, void *out)
{
	return net_ids(ctx, value, &(*(struct network_device **)out)->members);
}

static int read_mtu(struct ctx *ctx, const struct node *value, void *out)
{
	return net_mtu(ctx, value, &(*(struct network_device **)out)->mtu);
}

static int read_accept_ra(struct ctx *ctx, const struct node *value, void *out)
{
	return net_choice(ctx, value, &(*(struct network_device **)out)->accept_ra);
}

static int read_wake(struct ctx *ctx, const struct node *value, void *out)
{
	return net_choice(ctx, value, &(*(struct network_device **)out)->wake_on_lan);
}

#define COMMON_KEYS \
	KEY("type", NODE_SCALAR, net_accepted, struct entry, d), \
	KEY("name", NODE_SCALAR, net_accepted, struct entry, d), \
	KEY("id", NODE_SCALAR, net_accepted, struct entry, d), \
	KEY("mac_address", NODE_SCALAR, net_mac, struct entry, mac), \
	KEY("mtu", NODE_SCALAR, read_mtu, struct entry, d), \
	KEY("accept-ra", NODE_SCALAR, read_accept_ra, struct entry, d), \
	KEY("wakeonlan", NODE_SCALAR, read_wake, struct entry, d), \
	KEY("keep_configuration", NODE_SCALAR, net_accepted, struct entry, d), \
	KEY("subnets", NODE_LIST, net_node, struct entry, subnets)

static const struct key physical_keys[] = { COMMON_KEYS };
static const struct key bond_keys[] = {
	COMMON_KEYS,
	KEY("bond_interfaces", NODE_SCALAR | NODE_LIST, read_members, struct entry, d),
	KEY("params", NODE_MAP, net_node, struct entry, params),
};
static const struct key bridge_keys[] = {
	COMMON_KEYS,
	KEY("bridge_interfaces", NODE_SCALAR | NODE_LIST, read_members, struct entry, d),
	KEY("params", NODE_MAP, net_node, struct entry, params),
};
static const struct key vlan_keys[] = {
	COMMON_KEYS,
	KEY("vlan_link", NODE_SCALAR, read_vlan_link, struct entry, d),
	KEY("vlan_id", NODE_SCALAR, read_vlan_id, struct entry, d),
};

#define V1_SCHEMA(text, table) { .what = (text), .keys = (table), .n_keys = ARRAY_SIZE(table), .unknown = DIAG_UNKNOWN, .fold_dashes = true }

static const struct schema schemas[] = {
	[PLAN_ETHERNET] = V1_SCHEMA("a physical device", physical_keys),
	[PLAN_BOND] = V1_SCHEMA("a bond", bond_keys),
	[PLAN_BRIDGE] = V1_SCHEMA("a bridge", bridge_keys),
	[PLAN_VLAN] = V1_SCHEMA("a VLAN", vlan_keys),
};

static void check_kind(struct ctx *ctx, const struct node *map, const struct network_device *d)
{
	if (d->kind == PLAN_VLAN && d->vlan_id == PLAN_UNSET)
		diag_at(ctx->diags, DIAG_ERROR, map, "vlan_id: 100", "the VLAN %s has no vlan_id", d->id);
	if (d->kind == PLAN_VLAN && !d->link)
		diag_at(ctx->diags, DIAG_ERROR, map, "vlan_link: eth0", "the VLAN %s has no vlan_link", d->id);
}

static void read_device(struct ctx *ctx, const struct node *map, enum plan_kind kind, struct network_plan *p)
{
	struct entry e = { .mac = { .len = 0 } };
	struct network_plan nowhere = { .devices = NULL };
	const struct node *name = node_get(map, "name");
	const char *id = "";

	if (!name)
		diag_at(ctx->diags, DIAG_ERROR, map, "name: eth0", "%s needs a name", schemas[kind].what);
	/* all that is wrong is told; without a name it does not come into the plan */
	if (!name || net_name(ctx, name, &id) < 0)
		p = &nowhere;
	if (p->n_devices >= PLAN_DEVICES_MAX) {
		diag_at(ctx->diags, DIAG_ERROR, map, NULL, "more than %d network devices", PLAN_DEVICES_MAX);
		return;
	}
	e.d = plan_add_device(ctx, p, kind, id);
	e.d->at = name ? name : map;
	/* what is wrong was said and is left out; the rest of the device is done */
	schema_read(ctx, &schemas[kind], map, &e);
	if (kind == PLAN_ETHERNET && e.mac.len > 0) {
		e.d->match_mac = e.mac;
		e.d->set_name = id;
	} else {
		e.d->mac = e.mac;
	}
	if (e.params && kind == PLAN_BOND)
		params_read_old(ctx, e.params, e.d);
	else if (e.params && kind == PLAN_BRIDGE)
		params_read_old(ctx, e.params, e.d);
	for (const struct item *i = e.subnets ? e.subnets->items : NULL; i; i = i->next)
		read_subnet(ctx, i->value, e.d);
	check_kind(ctx, map, e.d);
}

struct names {
	struct plan_addresses address;
	struct strings search;
	const char *interface;
};

static void read_nameserver(struct ctx *ctx, const struct node *map, struct network_plan *p)
{
	static const struct key keys[] = {
		KEY("type", NODE_SCALAR, net_accepted, struct names, interface),
		KEY("id", NODE_SCALAR, net_accepted, struct names, interface),
		KEY("name", NODE_SCALAR, net_accepted, struct names, interface),
		KEY("address", NODE_SCALAR | NODE_LIST, net_nameservers, struct names, address),
		KEY("search", NODE_SCALAR | NODE_LIST, net_search, struct names, search),
		KEY("interface", NODE_SCALAR, read_line, struct names, interface),
	};
	static const struct schema schema = { .what = "a nameserver", .keys = keys, .n_keys = ARRAY_SIZE(keys), .unknown = DIAG_UNKNOWN };
	struct names n = { .interface = NULL };
	struct network_device *d = NULL;

	schema_read(ctx, &schema, map, &n);
	if (n.interface) {
		d = plan_find_device(p, n.interface);
		if (!d)
			diag_at(ctx->diags, DIAG_ERROR, node_get(map, "interface"), "it must stand above", "there is no device %s here",
				diag_quote(ctx->arena, n.interface, strlen(n.interface)));
	}
	for (size_t i = 0; i < n.address.n; i++)
		plan_add_address(ctx, d ? &d->nameservers : &p->nameservers, &n.address.v[i]);
	for (size_t i = 0; i < n.search.n; i++)
		strings_add(ctx, d ? &d->search : &p->search, n.search.v[i]);
}

static void read_entry(struct ctx *ctx, const struct node *map, struct network_plan *p)
{
	static const struct { const char *name; enum plan_kind kind; } kinds[] = {
		{ "physical", PLAN_ETHERNET }, { "infiniband", PLAN_ETHERNET }, { "bond", PLAN_BOND }, { "bridge", PLAN_BRIDGE }, { "vlan", PLAN_VLAN },
	};
	const struct node *type = node_get(map, "type");

	if (map->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, map, "such as {type: physical, name: eth0}", "an entry of config is a mapping, not %s", node_describe(map));
		return;
	}
	if (!type || type->type != NODE_SCALAR) {
		diag_at(ctx->diags, DIAG_ERROR, type ? type : map, "physical, bond, bridge, vlan, nameserver or route", "an entry of config needs a type");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(type->text, kinds[i].name)) {
			read_device(ctx, map, kinds[i].kind, p);
			return;
		}
	if (!strcmp(type->text, "nameserver"))
		read_nameserver(ctx, map, p);
	else if (!strcmp(type->text, "route"))
		net_route(ctx, map, &route_schema_v1, &p->routes);
	else if (strcmp(type->text, "loopback") != 0) /* it is there anyway */
		diag_at(ctx->diags, DIAG_ERROR, type, "physical, bond, bridge, vlan, nameserver or route", "%s is not a type of entry", net_quote(ctx, type));
}

static int read_config(struct ctx *ctx, const struct node *list, void *out)
{
	for (const struct item *i = list->items; i; i = i->next)
		read_entry(ctx, i->value, *(struct network_plan **)out);
	return 0;
}

void network_read_v1(struct ctx *ctx, const struct node *map, struct network_plan *p)
{
	struct top { struct network_plan *plan; } top = { p };
	static const struct key keys[] = {
		KEY("version", NODE_SCALAR, net_accepted, struct top, plan),
		KEY("config", NODE_LIST, read_config, struct top, plan),
	};
	static const struct schema schema = { .what = "network-config version 1", .keys = keys, .n_keys = ARRAY_SIZE(keys), .unknown = DIAG_UNKNOWN };

	schema_read(ctx, &schema, map, &top);
	if (!node_get(map, "config"))
		diag_at(ctx->diags, DIAG_ERROR, map, "config: [{type: physical, name: eth0, subnets: [{type: dhcp}]}]", "a network-config of version 1 has a list `config`");
}
