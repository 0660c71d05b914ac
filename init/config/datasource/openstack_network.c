/* openstack_network.c - OpenStack's network_data.json, turned into network configuration version 2 (docs.openstack.org, nova, "network_data.json").
 *
 * Ports are found by their hardware addresses and keep the names that the kernel gave them. */
#include <string.h>

#include "imds.h"
#include "netplan.h"
#include "openstack.h"

#define LIST_MAX 256

struct plan {
	struct ctx *ctx;
	const struct node *links;
	const struct node *networks;
	struct strings dns;
	struct buf out;
};

/* What one link has, from all networks on it. */
struct addresses {
	struct strings fixed;
	struct strings dns;
	bool dhcp4, dhcp6, auto6;
	struct buf routes;
	unsigned n_routes;
};

static const struct item *first_of(const struct node *list)
{
	return list && list->type == NODE_LIST ? list->items : NULL;
}

static const char *kind_of(const struct node *link)
{
	const char *type = imds_text(link, "type");

	return type && !strcmp(type, "bond") ? "bonds" : type && !strcmp(type, "vlan") ? "vlans" : "ethernets";
}

static void add_route(struct plan *p, struct addresses *a, const struct node *at, const char *to, const char *via)
{
	bool first = true;

	if (!to) {
		diag_at(p->ctx->diags, DIAG_ERROR, at, NULL, "a route has no usable destination");
		return;
	}
	buf_puts(&a->routes, a->n_routes++ ? ", {" : "{");
	netplan_text(&a->routes, &first, "to", to);
	netplan_text(&a->routes, &first, "via", via);
	buf_putc(&a->routes, '}');
}

static void add_fixed(struct plan *p, struct addresses *a, const struct node *net)
{
	struct arena *arena = p->ctx->arena;
	const char *address = netplan_address(arena, imds_text(net, "ip_address"), imds_text(net, "netmask"));
	const char *gateway = imds_text(net, "gateway");

	if (!address) {
		diag_at(p->ctx->diags, DIAG_ERROR, net, NULL, "a network has no usable ip_address and netmask");
		return;
	}
	strings_add(p->ctx, &a->fixed, address);
	if (gateway)
		add_route(p, a, net, strchr(gateway, ':') ? "::/0" : "0.0.0.0/0", gateway);
}

static void add_network(struct plan *p, struct addresses *a, const struct node *net)
{
	const char *type = imds_text(net, "type");

	if (!type) {
		diag_at(p->ctx->diags, DIAG_ERROR, net, NULL, "a network has no type");
		return;
	}
	if (!strcmp(type, "ipv4_dhcp"))
		a->dhcp4 = true;
	else if (!strcmp(type, "ipv6_dhcp") || !strcmp(type, "ipv6_dhcpv6-stateful"))
		a->dhcp6 = true;
	else if (!strcmp(type, "ipv6_slaac") || !strcmp(type, "ipv6_dhcpv6-stateless"))
		a->auto6 = true;
	else if (!strcmp(type, "ipv4") || !strcmp(type, "ipv6"))
		add_fixed(p, a, net);
	else
		diag_at(p->ctx->diags, DIAG_ERROR, net, NULL, "%s is not a type of network that Coracle knows", diag_quote(p->ctx->arena, type, strlen(type)));
	for (const struct item *i = first_of(node_get(net, "routes")); i; i = i->next) {
		const char *to = netplan_address(p->ctx->arena, imds_text(i->value, "network"), imds_text(i->value, "netmask"));

		add_route(p, a, i->value, to, imds_text(i->value, "gateway"));
	}
	for (const struct item *i = first_of(node_get(net, "services")); i; i = i->next) {
		const char *kind = imds_text(i->value, "type");
		const char *address = imds_text(i->value, "address");

		if (kind && address && !strcmp(kind, "dns"))
			strings_add(p->ctx, &a->dns, address);
	}
}

static void write_bool(struct buf *b, bool *first, const char *key, bool value)
{
	if (value)
		buf_printf(b, "%s\"%s\": true", *first ? "" : ", ", key);
	*first = *first && !value;
}

static void write_addresses(struct plan *p, const char *id, bool *first)
{
	struct addresses a = { .n_routes = 0 };

	buf_init(&a.routes, NETPLAN_MAX);
	for (const struct item *i = first_of(p->networks); i; i = i->next) {
		const char *link = i->value->type == NODE_MAP ? imds_text(i->value, "link") : NULL;

		if (link && !strcmp(link, id))
			add_network(p, &a, i->value);
	}
	write_bool(&p->out, first, "dhcp4", a.dhcp4);
	write_bool(&p->out, first, "dhcp6", a.dhcp6);
	write_bool(&p->out, first, "accept-ra", a.auto6 || a.dhcp6);
	netplan_list(&p->out, first, "addresses", &a.fixed);
	if (a.n_routes)
		buf_printf(&p->out, "%s\"routes\": [%s]", *first ? "" : ", ", a.routes.data);
	*first = *first && !a.n_routes;
	for (size_t i = 0; i < p->dns.n && (a.fixed.n || a.dns.n); i++)
		strings_add(p->ctx, &a.dns, p->dns.v[i]);
	if (a.dns.n) {
		bool inner = true;

		buf_printf(&p->out, "%s\"nameservers\": {", *first ? "" : ", ");
		netplan_list(&p->out, &inner, "addresses", &a.dns);
		buf_putc(&p->out, '}');
		*first = false;
	}
	buf_free(&a.routes);
}

static void write_bond(struct plan *p, const struct node *link, bool *first)
{
	struct strings members = { NULL, 0 };
	bool inner = true;

	for (const struct item *i = first_of(node_get(link, "bond_links")); i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			strings_add(p->ctx, &members, netplan_id(p->ctx->arena, i->value->text));
	netplan_list(&p->out, first, "interfaces", &members);
	buf_printf(&p->out, "%s\"parameters\": {", *first ? "" : ", ");
	netplan_text(&p->out, &inner, "mode", imds_text(link, "bond_mode"));
	netplan_text(&p->out, &inner, "mii-monitor-interval", imds_text(link, "bond_miimon"));
	netplan_text(&p->out, &inner, "transmit-hash-policy", imds_text(link, "bond_xmit_hash_policy"));
	buf_putc(&p->out, '}');
	*first = false;
}

static void write_link(struct plan *p, const struct node *link, const char *id)
{
	const char *kind = kind_of(link);
	const char *mac = imds_text(link, "ethernet_mac_address");
	const char *parent = imds_text(link, "vlan_link");
	bool first = true;

	buf_putc(&p->out, '{');
	if (!strcmp(kind, "ethernets") && mac) {
		bool inner = true;

		buf_puts(&p->out, "\"match\": {");
		netplan_text(&p->out, &inner, "macaddress", mac);
		buf_putc(&p->out, '}');
		first = false;
	} else if (!strcmp(kind, "bonds")) {
		netplan_text(&p->out, &first, "macaddress", mac);
		write_bond(p, link, &first);
	} else if (!strcmp(kind, "vlans")) {
		netplan_text(&p->out, &first, "id", imds_text(link, "vlan_id"));
		netplan_text(&p->out, &first, "link", parent ? netplan_id(p->ctx->arena, parent) : NULL);
		netplan_text(&p->out, &first, "macaddress", imds_text(link, "vlan_mac_address"));
	}
	netplan_text(&p->out, &first, "mtu", imds_text(link, "mtu"));
	write_addresses(p, id, &first);
	buf_putc(&p->out, '}');
}

static bool write_kind(struct plan *p, const char *kind, bool first)
{
	bool any = false;

	for (const struct item *i = first_of(p->links); i; i = i->next) {
		const char *id = i->value->type == NODE_MAP ? imds_text(i->value, "id") : NULL;

		if (!id) {
			if (!strcmp(kind, "ethernets"))
				diag_at(p->ctx->diags, DIAG_ERROR, i->value, NULL, "a link has no id");
			continue;
		}
		if (strcmp(kind_of(i->value), kind) != 0)
			continue;
		if (any)
			buf_puts(&p->out, ", ");
		else
			buf_printf(&p->out, "%s\"%s\": {", first ? "" : ", ", kind);
		any = true;
		buf_json_string(&p->out, netplan_id(p->ctx->arena, id), strlen(id));
		buf_puts(&p->out, ": ");
		write_link(p, i->value, id);
	}
	if (any)
		buf_putc(&p->out, '}');
	return any;
}

const char *openstack_network(struct ctx *ctx, const struct node *root, size_t *len)
{
	static const char *const kinds[] = { "ethernets", "bonds", "vlans" };
	struct plan p = { .ctx = ctx, .links = node_get(root, "links"), .networks = node_get(root, "networks") };
	const char *text = NULL;
	bool any = false;

	for (const struct item *i = first_of(node_get(root, "services")); i; i = i->next) {
		const char *kind = imds_text(i->value, "type");
		const char *address = imds_text(i->value, "address");

		if (kind && address && !strcmp(kind, "dns"))
			strings_add(ctx, &p.dns, address);
	}
	buf_init(&p.out, NETPLAN_MAX);
	buf_puts(&p.out, "{\"version\": 2, ");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		any = write_kind(&p, kinds[i], !any) || any;
	buf_puts(&p.out, "}");
	if (buf_error(&p.out))
		diag_at(ctx->diags, DIAG_ERROR, root, NULL, "network_data.json describes more than fits into 256 KiB; it is not used");
	else if (any) {
		*len = p.out.len;
		text = arena_strndup(ctx->arena, p.out.data, p.out.len);
	}
	buf_free(&p.out);
	return text;
}
