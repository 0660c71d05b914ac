/* openstack.c - OpenStack's network_data.json becomes a network-config.
 *
 * Runs in coracle-config; pure. Links, networks and services as nova writes them; cloud-init's sources/helpers/openstack.py says what they mean. Clouds add
 * keys of their own: what is not known is none of our business, what cannot be done is said. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "params.h"
#include "read.h"

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n && n->type == NODE_SCALAR && !node_is_null(n) && strlen(n->text) == n->len ? n->text : NULL;
}

static const struct item *items_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	return n && n->type == NODE_LIST ? n->items : NULL;
}

struct openstack {
	struct ctx *ctx;
	struct network_plan *plan;
	unsigned bonds;
};

/* A link as it is called in the JSON, and the device that it became. */
static struct network_device *find(const struct openstack *o, const char *id)
{
	return id ? plan_find_device(o->plan, id) : NULL;
}

static void set_common(struct openstack *o, const struct node *link, struct network_device *d)
{
	const char *mac = text_of(link, "ethernet_mac_address");
	const char *vlan_mac = text_of(link, "vlan_mac_address");
	const char *mtu = text_of(link, "mtu");
	uint64_t n;

	if (d->kind == PLAN_VLAN && vlan_mac)
		mac = vlan_mac;
	if (mac && plan_parse_mac(mac, d->kind == PLAN_ETHERNET ? &d->match_mac : &d->mac) < 0)
		diag_at(o->ctx->diags, DIAG_ERROR, node_get(link, "ethernet_mac_address"), NULL, "%s is not a hardware address", diag_quote(o->ctx->arena, mac, strlen(mac)));
	if (mtu && scalar_uint(mtu, 65536, &n) == 0 && n >= 68)
		d->mtu = (int64_t)n;
}

static void read_bond(struct openstack *o, const struct node *link, struct network_device *d)
{
	static const struct { const char *json, *name; } keys[] = {
		{ "bond_mode", "mode" }, { "bond_miimon", "mii-monitor-interval" }, { "bond_xmit_hash_policy", "transmit-hash-policy" },
		{ "bond_primary", "primary" }, { "bond_lacp_rate", "lacp-rate" },
	};

	for (const struct item *i = items_of(link, "bond_links"); i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			strings_add(o->ctx, &d->members, i->value->text);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = text_of(link, keys[i].json);

		if (value && params_set(o->ctx, d, keys[i].name, value) < 0)
			diag_at(o->ctx->diags, DIAG_ERROR, node_get(link, keys[i].json), NULL, "%s cannot be %s", keys[i].json,
				diag_quote(o->ctx->arena, value, strlen(value)));
	}
}

static void read_link(struct openstack *o, const struct node *link)
{
	const char *id = text_of(link, "id");
	const char *type = text_of(link, "type");
	const char *vlan_id = text_of(link, "vlan_id");
	struct network_device *d;
	uint64_t n;

	if (!id || o->plan->n_devices >= PLAN_DEVICES_MAX) {
		diag_at(o->ctx->diags, DIAG_ERROR, link, NULL, "network_data.json: this link has no id, or there are too many");
		return;
	}
	d = plan_add_device(o->ctx, o->plan, PLAN_ETHERNET, id);
	d->at = link;
	if (type && !strcmp(type, "bond")) {
		d->kind = PLAN_BOND;
		read_bond(o, link, d);
	} else if (type && !strcmp(type, "vlan")) {
		d->kind = PLAN_VLAN;
		d->link = text_of(link, "vlan_link");
		if (vlan_id && scalar_uint(vlan_id, 4094, &n) == 0)
			d->vlan_id = (int64_t)n;
	} /* any other type says how the host made it (phy, ovs, tap, hw_veb ...): for the guest each is a card */
	set_common(o, link, d);
	if (d->kind == PLAN_ETHERNET && d->match_mac.len == 0)
		diag_at(o->ctx->diags, DIAG_ERROR, link, NULL, "network_data.json: the link %s has no ethernet_mac_address; it is not used",
			diag_quote(o->ctx->arena, id, strlen(id)));
}

static void add_routes(struct openstack *o, const struct node *network, struct network_device *d)
{
	for (const struct item *i = items_of(network, "routes"); i; i = i->next) {
		const char *to = text_of(i->value, "network");
		const char *mask = text_of(i->value, "netmask");
		const char *via = text_of(i->value, "gateway");
		struct plan_address net;

		if (!to || !via || plan_parse_prefixed(to, &net) < 0 || (mask && plan_parse_mask(mask, net.family, &net.prefix) < 0) ||
		    network_add_route(o->ctx, d, plan_ip_text(o->ctx->arena, &net, true), via) < 0)
			diag_at(o->ctx->diags, DIAG_ERROR, i->value, NULL, "network_data.json: this route cannot be used");
	}
}

static void add_services(struct openstack *o, const struct node *map, struct plan_addresses *to)
{
	for (const struct item *i = items_of(map, "services"); i; i = i->next) {
		const char *type = text_of(i->value, "type");
		const char *address = text_of(i->value, "address");
		struct plan_address ip;

		if (!type || strcmp(type, "dns") != 0)
			continue;
		if (address && plan_parse_ip(address, strlen(address), &ip) == 0)
			plan_add_address(o->ctx, to, &ip);
		else
			diag_at(o->ctx->diags, DIAG_ERROR, i->value, NULL, "network_data.json: this name server cannot be used");
	}
	for (const struct item *i = items_of(map, "dns_nameservers"); i; i = i->next) {
		struct plan_address ip;

		if (i->value->type == NODE_SCALAR && plan_parse_ip(i->value->text, i->value->len, &ip) == 0)
			plan_add_address(o->ctx, to, &ip);
	}
}

static void read_network(struct openstack *o, const struct node *network)
{
	const char *link = text_of(network, "link");
	const char *type = text_of(network, "type");
	const char *address = text_of(network, "ip_address");
	struct network_device *d = find(o, link);

	if (!d || !type) {
		diag_at(o->ctx->diags, DIAG_ERROR, network, NULL, "network_data.json: this network has no type, or no link that is there");
		return;
	}
	if (!strcmp(type, "ipv4_dhcp") || !strcmp(type, "dhcp4"))
		d->dhcp[0].enabled = PLAN_YES;
	else if (!strcmp(type, "ipv6_dhcp") || !strcmp(type, "dhcp6") || !strcmp(type, "ipv6_dhcpv6-stateful"))
		network_set_dhcp6(d, false);
	else if (!strcmp(type, "ipv6_slaac"))
		d->accept_ra = PLAN_YES;
	else if (!strcmp(type, "ipv6_dhcpv6-stateless"))
		network_set_dhcp6(d, true);
	else if (!strcmp(type, "ipv4") || !strcmp(type, "ipv6") || !strcmp(type, "static")) {
		if (!address || network_add_address(o->ctx, d, address, text_of(network, "netmask")) < 0)
			diag_at(o->ctx->diags, DIAG_ERROR, network, NULL, "network_data.json: the address of this network cannot be used");
		if (text_of(network, "gateway") && network_add_route(o->ctx, d, "default", text_of(network, "gateway")) < 0)
			diag_at(o->ctx->diags, DIAG_ERROR, network, NULL, "network_data.json: the gateway of this network cannot be used");
	} else {
		diag_at(o->ctx->diags, DIAG_ERROR, node_get(network, "type"), NULL, "network_data.json: %s is not a type of network",
			diag_quote(o->ctx->arena, type, strlen(type)));
	}
	add_routes(o, network, d);
	add_services(o, network, &d->nameservers);
}

/* Devices get names of ours: the ids are long and the host's. Ethernet keeps the name that the kernel gives. */
static void rename_made(struct openstack *o)
{
	for (struct network_device *d = o->plan->devices; d; d = d->next) {
		const char *old = d->id;

		if (d->kind == PLAN_BOND)
			d->id = arena_printf(o->ctx->arena, "bond%u", o->bonds++);
		else if (d->kind == PLAN_VLAN)
			d->id = d->vlan_id == PLAN_UNSET ? old : arena_printf(o->ctx->arena, "vlan%lld", (long long)d->vlan_id);
		else
			continue;
		for (struct network_device *i = o->plan->devices; i; i = i->next) {
			if (i->link && !strcmp(i->link, old))
				i->link = d->id;
			for (size_t k = 0; k < i->members.n; k++)
				if (!strcmp(i->members.v[k], old))
					i->members.v[k] = d->id;
		}
	}
}

const char *network_from_openstack(struct ctx *ctx, const struct node *root, size_t *len)
{
	struct openstack o = { .ctx = ctx, .plan = network_plan_new(ctx) };

	if (root->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, root, NULL, "network_data.json is an object, not %s", node_describe(root));
		return NULL;
	}
	for (const struct item *i = items_of(root, "links"); i; i = i->next)
		read_link(&o, i->value);
	for (const struct item *i = items_of(root, "networks"); i; i = i->next)
		read_network(&o, i->value);
	add_services(&o, root, &o.plan->nameservers);
	if (!o.plan->devices)
		return NULL;
	rename_made(&o);
	plan_check(ctx, o.plan);
	return network_text(ctx, o.plan, len);
}
