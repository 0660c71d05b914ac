/* read_v2.c - reads a network-config of version 2, which is netplan's.
 *
 * Runs in coracle-config; nothing here touches the machine. What netplan knows and we do not is said by name, never passed over. */
#include <errno.h>
#include <string.h>

#include "params.h"
#include "read.h"
#include "values.h"

#define NETPLAN "is known to netplan and not supported by Coracle; it is not used"

static int read_match(struct ctx *ctx, const struct node *map, void *out)
{
	static const struct key keys[] = {
		KEY("macaddress", NODE_SCALAR, net_mac, struct network_device, match_mac),
		KEY("name", NODE_SCALAR | NODE_LIST, net_globs, struct network_device, match_names),
		KEY("driver", NODE_SCALAR | NODE_LIST, net_globs, struct network_device, match_drivers),
	};
	static const struct known_key known[] = { { "path", DIAG_ERROR, NULL } };
	static const struct schema schema = {
		.what = "match", .keys = keys, .n_keys = ARRAY_SIZE(keys), .known = known, .n_known = ARRAY_SIZE(known), .known_why = NETPLAN,
		.unknown = DIAG_UNKNOWN,
	};
	struct network_device *d = (struct network_device *)(void *)((char *)out - offsetof(struct network_device, match_mac));

	if (schema_read(ctx, &schema, map, d) > 0)
		return -EINVAL;
	if (d->match_mac.len == 0 && d->match_names.n == 0 && d->match_drivers.n == 0)
		strings_add(ctx, &d->match_names, "*"); /* `match: {}` is every device */
	return 0;
}

static int read_use_domains(struct ctx *ctx, const struct node *value, void *out)
{
	if (!strcmp(value->text, "route")) {
		*(enum plan_choice *)out = PLAN_NO; /* names are not routed to servers: there is one resolver */
		return 0;
	}
	return net_choice(ctx, value, out);
}

/* Clocks are not set from DHCP: false says what is so. */
static int read_use_ntp(struct ctx *ctx, const struct node *value, void *out)
{
	bool use = false;

	(void)out;
	if (value_bool(ctx, value, &use) < 0)
		return -EINVAL;
	if (use)
		diag_at(ctx->diags, DIAG_WARNING, value, "name them with ntp: in user-data", "time servers are not taken from DHCP");
	return 0;
}

static int read_hostname(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	diag_at(ctx->diags, DIAG_WARNING, value, NULL, "no name is sent to the DHCP server; the hostname here is not used");
	return 0;
}

/* udhcpc sends none: only the wish for one is not met. */
static int read_send_hostname(struct ctx *ctx, const struct node *value, void *out)
{
	if (net_choice(ctx, value, out) < 0)
		return -EINVAL;
	if (*(enum plan_choice *)out == PLAN_YES)
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "no name is sent to the DHCP server");
	return 0;
}

static int read_overrides(struct ctx *ctx, const struct node *map, void *out)
{
	static const struct key keys[] = {
		KEY("use-dns", NODE_SCALAR, net_choice, struct plan_dhcp, use_dns),
		KEY("use-routes", NODE_SCALAR, net_choice, struct plan_dhcp, use_routes),
		KEY("use-mtu", NODE_SCALAR, net_choice, struct plan_dhcp, use_mtu),
		KEY("use-hostname", NODE_SCALAR, net_choice, struct plan_dhcp, use_hostname),
		KEY("use-domains", NODE_SCALAR, read_use_domains, struct plan_dhcp, use_domains),
		KEY("use-ntp", NODE_SCALAR, read_use_ntp, struct plan_dhcp, use_dns),
		KEY("send-hostname", NODE_SCALAR, read_send_hostname, struct plan_dhcp, send_hostname),
		KEY("hostname", NODE_SCALAR, read_hostname, struct plan_dhcp, hostname),
		KEY("route-metric", NODE_SCALAR, net_u32, struct plan_dhcp, metric),
	};
	static const struct schema schema = { .what = "dhcp overrides", .keys = keys, .n_keys = ARRAY_SIZE(keys), .unknown = DIAG_UNKNOWN };
	struct plan_dhcp *dhcp = out;

	if (schema_read(ctx, &schema, map, dhcp) > 0)
		return -EINVAL;
	return 0;
}

static int read_addresses(struct ctx *ctx, const struct node *list, void *out)
{
	int r = 0;

	for (const struct item *i = list->items; i; i = i->next) {
		const struct node *n = i->value;

		/* {"192.0.2.1/24": {label: x, lifetime: 0}} */
		if (n->type == NODE_MAP && n->count == 1) {
			diag_at(ctx->diags, DIAG_WARNING, n, NULL, "label and lifetime of an address are known to netplan and not supported by Coracle");
			n = n->items->key;
		}
		if (net_address(ctx, n, out) < 0)
			r = -EINVAL;
	}
	return r;
}

static int read_nameservers(struct ctx *ctx, const struct node *map, void *out)
{
	struct names { struct plan_addresses addresses; struct strings search; } names = { { NULL, 0 }, { NULL, 0 } };
	static const struct key keys[] = {
		KEY("addresses", NODE_SCALAR | NODE_LIST, net_nameservers, struct names, addresses),
		KEY("search", NODE_SCALAR | NODE_LIST, net_search, struct names, search),
	};
	static const struct schema schema = { .what = "nameservers", .keys = keys, .n_keys = ARRAY_SIZE(keys), .unknown = DIAG_UNKNOWN };
	struct network_device *d = (struct network_device *)(void *)((char *)out - offsetof(struct network_device, nameservers));
	unsigned errors = schema_read(ctx, &schema, map, &names);

	d->nameservers = names.addresses;
	d->search = names.search;
	return errors ? -EINVAL : 0;
}

static int read_routes(struct ctx *ctx, const struct node *list, void *out)
{
	int r = 0;

	for (const struct item *i = list->items; i; i = i->next)
		if (net_route(ctx, i->value, &route_schema_v2, out) < 0)
			r = -EINVAL;
	return r;
}

static int read_rules(struct ctx *ctx, const struct node *list, void *out)
{
	int r = 0;

	for (const struct item *i = list->items; i; i = i->next)
		if (net_rule(ctx, i->value, out) < 0)
			r = -EINVAL;
	return r;
}

static int read_gateway(struct ctx *ctx, const struct node *value, int family, void *out)
{
	diag_at(ctx->diags, DIAG_WARNING, value, "routes: [{to: default, via: ...}]", "gateway%c is deprecated; it is taken as the default route",
		family == AF_INET ? '4' : '6');
	return net_gateway(ctx, value, family, PLAN_UNSET, out);
}

static int read_gateway4(struct ctx *ctx, const struct node *value, void *out)
{
	return read_gateway(ctx, value, AF_INET, out);
}

static int read_gateway6(struct ctx *ctx, const struct node *value, void *out)
{
	return read_gateway(ctx, value, AF_INET6, out);
}

/* A list of ipv4 and ipv6; without it ipv6 is on. */
static int read_link_local(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings list;
	bool six = false;

	if (value_strings(ctx, value, &list) < 0)
		return -EINVAL;
	for (size_t i = 0; i < list.n; i++) {
		if (!strcmp(list.v[i], "ipv6"))
			six = true;
		else if (!strcmp(list.v[i], "ipv4"))
			diag_at(ctx->diags, DIAG_WARNING, value, NULL, "link-local IPv4 addresses are not supported by Coracle");
		else
			return diag_at(ctx->diags, DIAG_ERROR, value, "ipv4, ipv6", "%s cannot be link-local", diag_quote(ctx->arena, list.v[i], strlen(list.v[i])));
	}
	*(enum plan_choice *)out = six ? PLAN_YES : PLAN_NO;
	return 0;
}

static int read_identifier(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	if (strcmp(value->text, "mac") != 0)
		diag_at(ctx->diags, DIAG_WARNING, value, "mac", "dhcp-identifier can only be mac here; it is that");
	return 0;
}

static int read_activation(struct ctx *ctx, const struct node *value, void *out)
{
	if (strcmp(value->text, "manual") != 0 && strcmp(value->text, "off") != 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "manual or off", "%s is not an activation mode", net_quote(ctx, value));
	*(bool *)out = true;
	return 0;
}

static int read_params(struct ctx *ctx, const struct node *map, void *out)
{
	struct network_device *d = (struct network_device *)(void *)((char *)out - offsetof(struct network_device, params));
	unsigned errors = params_read(ctx, map, d);

	/* netplan: with parameters a bridge has the spanning tree, unless they say otherwise */
	if (d->kind == PLAN_BRIDGE && !node_get(map, "stp"))
		params_set(ctx, d, "stp", "true");
	return errors ? -EINVAL : 0;
}

/* true, false, or of our own: stateless. netplan has no word for version 1's ipv6_dhcpv6-stateless. */
static int read_dhcp6(struct ctx *ctx, const struct node *value, void *out)
{
	struct plan_dhcp *d = out;

	d->stateless = value->type == NODE_SCALAR && !strcmp(value->text, "stateless");
	if (!d->stateless)
		return net_choice(ctx, value, &d->enabled);
	d->enabled = PLAN_YES;
	return 0;
}

#define DEVICE_KEYS \
	KEY("dhcp4", NODE_SCALAR, net_choice, struct network_device, dhcp[0].enabled), \
	KEY("dhcp6", NODE_SCALAR, read_dhcp6, struct network_device, dhcp[1]), \
	KEY("dhcp4-overrides", NODE_MAP, read_overrides, struct network_device, dhcp[0]), \
	KEY("dhcp6-overrides", NODE_MAP, read_overrides, struct network_device, dhcp[1]), \
	KEY("dhcp-identifier", NODE_SCALAR, read_identifier, struct network_device, dhcp[0]), \
	KEY("accept-ra", NODE_SCALAR, net_choice, struct network_device, accept_ra), \
	KEY("ipv6-privacy", NODE_SCALAR, net_choice, struct network_device, ipv6_privacy), \
	KEY("link-local", NODE_LIST, read_link_local, struct network_device, link_local6), \
	KEY("addresses", NODE_LIST, read_addresses, struct network_device, addresses), \
	KEY("gateway4", NODE_SCALAR, read_gateway4, struct network_device, routes), \
	KEY("gateway6", NODE_SCALAR, read_gateway6, struct network_device, routes), \
	KEY("nameservers", NODE_MAP, read_nameservers, struct network_device, nameservers), \
	KEY("routes", NODE_LIST, read_routes, struct network_device, routes), \
	KEY("routing-policy", NODE_LIST, read_rules, struct network_device, rules), \
	KEY("mtu", NODE_SCALAR, net_mtu, struct network_device, mtu), \
	KEY("ipv6-mtu", NODE_SCALAR, net_mtu, struct network_device, mtu6), \
	KEY("macaddress", NODE_SCALAR, net_mac, struct network_device, mac), \
	KEY("optional", NODE_SCALAR, value_bool, struct network_device, optional), \
	KEY("activation-mode", NODE_SCALAR, read_activation, struct network_device, unmanaged), \
	KEY("optional-addresses", NODE_LIST, net_accepted, struct network_device, optional), \
	KEY("critical", NODE_SCALAR, net_accepted, struct network_device, optional), \
	KEY("renderer", NODE_SCALAR, net_accepted, struct network_device, optional)

static const struct key ethernet_keys[] = {
	DEVICE_KEYS,
	KEY("match", NODE_MAP, read_match, struct network_device, match_mac),
	KEY("set-name", NODE_SCALAR, net_name, struct network_device, set_name),
	KEY("wakeonlan", NODE_SCALAR, net_choice, struct network_device, wake_on_lan),
};

static const struct key group_keys[] = {
	DEVICE_KEYS,
	KEY("interfaces", NODE_SCALAR | NODE_LIST, net_ids, struct network_device, members),
	KEY("parameters", NODE_MAP, read_params, struct network_device, params),
};

static const struct key vlan_keys[] = {
	DEVICE_KEYS,
	KEY("id", NODE_SCALAR, net_vlan_id, struct network_device, vlan_id),
	KEY("link", NODE_SCALAR, value_line, struct network_device, link),
};

static const struct known_key device_known[] = {
	{ "ipv6-address-generation", DIAG_WARNING, NULL }, { "ipv6-address-token", DIAG_WARNING, NULL }, { "emit-lldp", DIAG_WARNING, NULL },
	{ "ignore-carrier", DIAG_WARNING, NULL }, { "neigh-suppress", DIAG_WARNING, NULL }, { "auth", DIAG_ERROR, NULL },
	{ "openvswitch", DIAG_ERROR, NULL }, { "infiniband-mode", DIAG_WARNING, NULL }, { "virtual-function-count", DIAG_WARNING, NULL },
	{ "embedded-switch-mode", DIAG_WARNING, NULL }, { "delay-virtual-functions-rebind", DIAG_WARNING, NULL }, { "networkmanager", DIAG_WARNING, NULL },
	{ "receive-checksum-offload", DIAG_WARNING, NULL }, { "transmit-checksum-offload", DIAG_WARNING, NULL },
	{ "tcp-segmentation-offload", DIAG_WARNING, NULL }, { "tcp6-segmentation-offload", DIAG_WARNING, NULL },
	{ "generic-segmentation-offload", DIAG_WARNING, NULL }, { "generic-receive-offload", DIAG_WARNING, NULL },
	{ "large-receive-offload", DIAG_WARNING, NULL }, { "regulatory-domain", DIAG_WARNING, NULL }, { "ra-overrides", DIAG_WARNING, NULL },
};

#define DEVICE_SCHEMA(text, table) { .what = (text), .keys = (table), .n_keys = ARRAY_SIZE(table), .known = device_known, \
	.n_known = ARRAY_SIZE(device_known), .known_why = NETPLAN, .unknown = DIAG_UNKNOWN }

static const struct schema schemas[] = {
	[PLAN_ETHERNET] = DEVICE_SCHEMA("an Ethernet device", ethernet_keys),
	[PLAN_BOND] = DEVICE_SCHEMA("a bond", group_keys),
	[PLAN_BRIDGE] = DEVICE_SCHEMA("a bridge", group_keys),
	[PLAN_VLAN] = DEVICE_SCHEMA("a VLAN", vlan_keys),
};

static void check_vlan(struct ctx *ctx, const struct node *key, const struct network_device *d)
{
	if (d->vlan_id == PLAN_UNSET)
		diag_at(ctx->diags, DIAG_ERROR, key, "id: 100", "the VLAN %s has no id", d->id);
	if (!d->link)
		diag_at(ctx->diags, DIAG_ERROR, key, "link: eth0", "the VLAN %s has no link", d->id);
}

static void read_device(struct ctx *ctx, struct network_plan *p, enum plan_kind kind, const struct item *item)
{
	const char *name = NULL;
	const struct node *key = item->key;
	struct network_device *d;

	if (strlen(key->text) != key->len || key->len == 0) {
		diag_at(ctx->diags, DIAG_ERROR, key, NULL, "%s cannot be the id of a device", net_quote(ctx, key));
		return;
	}
	if (item->value->type != NODE_MAP && !node_is_null(item->value)) {
		diag_at(ctx->diags, DIAG_ERROR, item->value, NULL, "%s must be a mapping, not %s", net_quote(ctx, key), node_describe(item->value));
		return;
	}
	if (p->n_devices >= PLAN_DEVICES_MAX) {
		diag_at(ctx->diags, DIAG_ERROR, key, NULL, "more than %d network devices", PLAN_DEVICES_MAX);
		return;
	}
	d = plan_add_device(ctx, p, kind, key->text);
	d->at = key;
	/* what is wrong in it was said, and is left out; the rest of the device is done */
	if (item->value->type == NODE_MAP)
		schema_read(ctx, &schemas[kind], item->value, d);
	if (plan_device_name(d) == d->id)
		net_name(ctx, key, &name); /* plan_check leaves out what has no possible name */
	if (kind == PLAN_VLAN)
		check_vlan(ctx, key, d);
}

static int read_section(struct ctx *ctx, const struct node *map, enum plan_kind kind, void *out)
{
	struct network_plan *p = *(struct network_plan **)out;

	for (const struct item *i = map->items; i; i = i->next)
		read_device(ctx, p, kind, i);
	return 0;
}

static int read_ethernets(struct ctx *ctx, const struct node *map, void *out)
{
	return read_section(ctx, map, PLAN_ETHERNET, out);
}

static int read_bonds(struct ctx *ctx, const struct node *map, void *out)
{
	return read_section(ctx, map, PLAN_BOND, out);
}

static int read_bridges(struct ctx *ctx, const struct node *map, void *out)
{
	return read_section(ctx, map, PLAN_BRIDGE, out);
}

static int read_vlans(struct ctx *ctx, const struct node *map, void *out)
{
	return read_section(ctx, map, PLAN_VLAN, out);
}

/* Coracle's own, for what version 1 can say and version 2 cannot: names and routes of no particular device. */
static int read_global_names(struct ctx *ctx, const struct node *map, void *out)
{
	struct network_plan *p = *(struct network_plan **)out;
	struct network_device all = { .id = "" };

	if (read_nameservers(ctx, map, &all.nameservers) < 0)
		return -EINVAL;
	p->nameservers = all.nameservers;
	p->search = all.search;
	return 0;
}

static int read_global_routes(struct ctx *ctx, const struct node *list, void *out)
{
	return read_routes(ctx, list, &(*(struct network_plan **)out)->routes);
}

void network_read_v2(struct ctx *ctx, const struct node *map, struct network_plan *p)
{
	struct top { struct network_plan *plan; } top = { p };
	static const struct key keys[] = {
		KEY("version", NODE_SCALAR, net_accepted, struct top, plan),
		KEY("renderer", NODE_SCALAR, net_accepted, struct top, plan),
		KEY("ethernets", NODE_MAP, read_ethernets, struct top, plan),
		KEY("bonds", NODE_MAP, read_bonds, struct top, plan),
		KEY("bridges", NODE_MAP, read_bridges, struct top, plan),
		KEY("vlans", NODE_MAP, read_vlans, struct top, plan),
		KEY("x-nameservers", NODE_MAP, read_global_names, struct top, plan),
		KEY("x-routes", NODE_LIST, read_global_routes, struct top, plan),
	};
	static const struct known_key known[] = {
		{ "wifis", DIAG_ERROR, NULL }, { "modems", DIAG_ERROR, NULL }, { "tunnels", DIAG_ERROR, NULL }, { "vrfs", DIAG_ERROR, NULL },
		{ "dummy-devices", DIAG_ERROR, NULL }, { "virtual-ethernets", DIAG_ERROR, NULL }, { "nm-devices", DIAG_ERROR, NULL },
		{ "openvswitch", DIAG_ERROR, NULL }, { "sriov", DIAG_ERROR, NULL },
	};
	static const struct schema schema = {
		.what = "network-config version 2", .keys = keys, .n_keys = ARRAY_SIZE(keys), .known = known, .n_known = ARRAY_SIZE(known),
		.known_why = NETPLAN, .unknown = DIAG_UNKNOWN,
	};

	schema_read(ctx, &schema, map, &top);
}
