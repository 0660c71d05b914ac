/* plan.c - puts a network plan together; the small builder that datasources use.
 *
 * Runs in coracle-config. Only memory is touched. */
#include "plan.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct network_plan *network_plan_new(struct ctx *ctx)
{
	struct network_plan *p = ARENA_NEW(ctx->arena, struct network_plan);

	p->source = "network-config";
	return p;
}

struct network_device *plan_add_device(struct ctx *ctx, struct network_plan *p, enum plan_kind kind, const char *id)
{
	struct network_device *d = ARENA_NEW(ctx->arena, struct network_device);
	struct network_device **at = &p->devices;

	*d = (struct network_device){ .kind = kind, .id = id, .vlan_id = PLAN_UNSET, .mtu = PLAN_UNSET, .mtu6 = PLAN_UNSET };
	d->dhcp[0].metric = d->dhcp[1].metric = PLAN_UNSET;
	while (*at)
		at = &(*at)->next;
	*at = d;
	p->n_devices++;
	return d;
}

struct network_device *plan_find_device(const struct network_plan *p, const char *id)
{
	struct network_device *d = p->devices;

	while (d && strcmp(d->id, id) != 0)
		d = d->next;
	return d;
}

const char *plan_device_name(const struct network_device *d)
{
	bool matched = d->match_mac.len > 0 || d->match_names.n > 0 || d->match_drivers.n > 0;

	if (d->set_name)
		return d->set_name;
	return d->kind == PLAN_ETHERNET && matched ? NULL : d->id;
}

void plan_add_address(struct ctx *ctx, struct plan_addresses *to, const struct plan_address *a)
{
	/* the capacity is the power of two at or above n, from 4 */
	if (to->n == 0 || (to->n >= 4 && (to->n & (to->n - 1)) == 0)) {
		struct plan_address *bigger = arena_alloc(ctx->arena, (to->n ? to->n * 2 : 4) * sizeof(*bigger));

		if (to->n)
			memcpy(bigger, to->v, to->n * sizeof(*bigger));
		to->v = bigger;
	}
	to->v[to->n++] = *a;
}

struct plan_route *plan_add_route(struct ctx *ctx, struct plan_route **list)
{
	struct plan_route *r = ARENA_NEW(ctx->arena, struct plan_route);

	*r = (struct plan_route){ .metric = PLAN_UNSET, .table = PLAN_UNSET, .mtu = PLAN_UNSET, .type = RTN_UNICAST, .scope = -1 };
	while (*list)
		list = &(*list)->next;
	*list = r;
	return r;
}

struct plan_rule *plan_add_rule(struct ctx *ctx, struct plan_rule **list)
{
	struct plan_rule *r = ARENA_NEW(ctx->arena, struct plan_rule);

	*r = (struct plan_rule){ .table = PLAN_UNSET, .priority = PLAN_UNSET, .mark = PLAN_UNSET, .tos = PLAN_UNSET };
	while (*list)
		list = &(*list)->next;
	*list = r;
	return r;
}

bool plan_has_addresses(const struct network_device *d)
{
	return d->addresses.n > 0 || plan_wants_dhcp(d);
}

bool plan_wants_dhcp(const struct network_device *d)
{
	return d->dhcp[0].enabled == PLAN_YES || d->dhcp[1].enabled == PLAN_YES;
}

struct network_device *network_add_ethernet(struct ctx *ctx, struct network_plan *p, const char *name, const char *mac)
{
	struct plan_mac m = { .len = 0 };
	struct network_device *d;

	if ((!name && !mac) || (name && !plan_name_ok(name)) || (mac && plan_parse_mac(mac, &m) < 0))
		return NULL;
	d = plan_add_device(ctx, p, PLAN_ETHERNET, name ? arena_strndup(ctx->arena, name, strlen(name)) : plan_mac_text(ctx->arena, &m));
	d->match_mac = m;
	if (name && mac)
		d->set_name = d->id;
	return d;
}

int network_add_address(struct ctx *ctx, struct network_device *d, const char *address, const char *mask)
{
	struct plan_address a;

	if (plan_parse_prefixed(address, &a) < 0 || (mask && plan_parse_mask(mask, a.family, &a.prefix) < 0))
		return -EINVAL;
	plan_add_address(ctx, &d->addresses, &a);
	return 0;
}

int network_add_route(struct ctx *ctx, struct network_device *d, const char *to, const char *via)
{
	struct plan_address gateway = { .family = AF_UNSPEC };
	struct plan_address net = { .family = AF_INET };
	struct plan_route *r;

	if (via && plan_parse_ip(via, strlen(via), &gateway) < 0)
		return -EINVAL;
	if (!strcmp(to, "default"))
		net.family = via ? gateway.family : AF_INET;
	else if (plan_parse_prefixed(to, &net) < 0)
		return -EINVAL;
	if (via && net.family != gateway.family)
		return -EINVAL;
	r = plan_add_route(ctx, &d->routes);
	r->to = plan_network_of(&net);
	r->via = gateway;
	return 0;
}

int network_add_nameserver(struct ctx *ctx, struct network_device *d, const char *address)
{
	struct plan_address a;

	if (plan_parse_ip(address, strlen(address), &a) < 0)
		return -EINVAL;
	plan_add_address(ctx, &d->nameservers, &a);
	return 0;
}

void network_set_dhcp6(struct network_device *d, bool stateless)
{
	struct plan_dhcp *six = &d->dhcp[1];

	six->stateless = stateless && (six->enabled != PLAN_YES || six->stateless);
	six->enabled = PLAN_YES;
	if (stateless && d->accept_ra == PLAN_DEFAULT)
		d->accept_ra = PLAN_YES;
}

void network_set_dhcp(struct network_device *d, bool dhcp4, bool dhcp6)
{
	d->dhcp[0].enabled = dhcp4 ? PLAN_YES : PLAN_NO;
	d->dhcp[1].enabled = dhcp6 ? PLAN_YES : PLAN_NO;
}
