/* apply_routes.c - addresses, routes and rules.
 *
 * Runs in coracle-config. What is there already is answered with EEXIST and is no change. */
#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>

#include "apply.h"

static size_t length_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

static void add_address(struct applier *a, const struct link *l, const struct plan_address *ip)
{
	struct ifaddrmsg body = { .ifa_family = ip->family, .ifa_prefixlen = ip->prefix, .ifa_index = (uint32_t)l->index };
	size_t n = length_of(ip->family);
	struct nl_message m;
	int r;

	nl_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	nl_add(&m, IFA_LOCAL, ip->bytes, n);
	nl_add(&m, IFA_ADDRESS, ip->bytes, n);
	if (ip->family == AF_INET && ip->prefix < 31) {
		struct plan_address broadcast = *ip;

		for (unsigned i = ip->prefix; i < 32; i++)
			broadcast.bytes[i / 8] = (uint8_t)(broadcast.bytes[i / 8] | 0x80u >> i % 8);
		nl_add(&m, IFA_BROADCAST, broadcast.bytes, 4);
	}
	r = apply_request(a, &m);
	if (r < 0 && r != -EEXIST)
		apply_failed(a, l->device->at, r, "give %s the address %s", l->name, plan_ip_text(a->ctx->arena, ip, true));
}

void apply_add_addresses(struct applier *a)
{
	for (size_t i = 0; i < a->links.n; i++) {
		const struct link *l = &a->links.v[i];

		if (!l->device || l->device->manual || l->device->unmanaged)
			continue;
		for (size_t k = 0; k < l->device->addresses.n; k++)
			add_address(a, l, &l->device->addresses.v[k]);
	}
}

static bool needs_device(const struct plan_route *r)
{
	return r->type != RTN_BLACKHOLE && r->type != RTN_UNREACHABLE && r->type != RTN_PROHIBIT && r->type != RTN_THROW;
}

static void build_route(struct nl_message *m, const struct link *l, const struct plan_route *r)
{
	int scope = r->scope >= 0 ? r->scope : r->type == RTN_LOCAL ? RT_SCOPE_HOST : !r->via.family && needs_device(r) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	struct rtmsg body = {
		.rtm_family = r->to.family, .rtm_dst_len = r->to.prefix, .rtm_protocol = RTPROT_STATIC, .rtm_type = (unsigned char)r->type,
		.rtm_table = RT_TABLE_UNSPEC, .rtm_scope = (unsigned char)(r->to.family == AF_INET ? scope : RT_SCOPE_UNIVERSE),
		.rtm_flags = r->on_link ? RTNH_F_ONLINK : 0,
	};
	size_t n = length_of(r->to.family);

	/* a second one to the same place by another way stays behind the first; the same one is EEXIST */
	nl_begin(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &body, sizeof(body));
	if (r->to.prefix > 0)
		nl_add(m, RTA_DST, r->to.bytes, n);
	if (r->via.family)
		nl_add(m, RTA_GATEWAY, r->via.bytes, n);
	if (r->from.family)
		nl_add(m, RTA_PREFSRC, r->from.bytes, n);
	if (l && needs_device(r))
		nl_add_u32(m, RTA_OIF, (uint32_t)l->index);
	if (r->metric != PLAN_UNSET)
		nl_add_u32(m, RTA_PRIORITY, (uint32_t)r->metric);
	nl_add_u32(m, RTA_TABLE, r->table != PLAN_UNSET ? (uint32_t)r->table : RT_TABLE_MAIN);
	if (r->mtu != PLAN_UNSET) {
		size_t nest = nl_nest(m, RTA_METRICS);

		nl_add_u32(m, RTAX_MTU, (uint32_t)r->mtu);
		nl_end(m, nest);
	}
}

/* later: the gateway may be reached when DHCP has given an address. */
static void add_route(struct applier *a, const struct link *l, const struct plan_route *r, bool later)
{
	struct nl_message m;
	const char *via = r->via.family ? plan_ip_text(a->ctx->arena, &r->via, false) : NULL;
	int e;

	build_route(&m, l, r);
	e = apply_request(a, &m);
	if (e == 0 || e == -EEXIST)
		return;
	if (later && (e == -ENETUNREACH || e == -EHOSTUNREACH || e == -EINVAL)) {
		a->routes_later = true;
		return;
	}
	apply_failed(a, r->at, e, "the route to %s%s%s%s%s", r->to.prefix ? plan_ip_text(a->ctx->arena, &r->to, true) : "default", via ? " via " : "",
		     via ? via : "", l ? " on " : "", l ? l->name : "");
}

static bool same_net(const struct rtattr *have, unsigned have_len, const struct plan_address *net)
{
	size_t n = length_of(net->family);

	if (!net->family || net->prefix == 0)
		return have_len == 0;
	return have && have_len == net->prefix && RTA_PAYLOAD(have) == n && !memcmp(RTA_DATA(have), net->bytes, n);
}

struct rule_search {
	const struct plan_rule *rule;
	int family;
	bool found;
};

static uint32_t or_zero(int64_t value)
{
	return value == PLAN_UNSET ? 0 : (uint32_t)value;
}

static void compare_rule(const struct nlmsghdr *h, void *arg)
{
	struct rule_search *s = arg;
	const struct plan_rule *r = s->rule;
	const struct fib_rule_hdr *f = NLMSG_DATA(h);
	const struct rtattr *first;
	size_t n;

	if (h->nlmsg_type != RTM_NEWRULE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*f)))
		return;
	n = h->nlmsg_len - NLMSG_LENGTH(sizeof(*f));
	first = (const struct rtattr *)(const void *)((const char *)f + NLMSG_ALIGN(sizeof(*f)));
	if (f->family != s->family || f->action != FR_ACT_TO_TBL || f->tos != or_zero(r->tos) ||
	    nl_number(nl_find(first, n, FRA_TABLE)) != (r->table == PLAN_UNSET ? RT_TABLE_MAIN : (uint32_t)r->table) ||
	    nl_number(nl_find(first, n, FRA_FWMARK)) != or_zero(r->mark) ||
	    (r->priority != PLAN_UNSET && nl_number(nl_find(first, n, FRA_PRIORITY)) != (uint32_t)r->priority))
		return;
	if (same_net(nl_find(first, n, FRA_SRC), f->src_len, &r->from) && same_net(nl_find(first, n, FRA_DST), f->dst_len, &r->to))
		s->found = true;
}

/* Without a priority the kernel finds a new one each time, so it would take the same rule twice. */
static bool has_rule(struct applier *a, const struct plan_rule *r, int family)
{
	struct fib_rule_hdr body = { .family = (uint8_t)family };
	struct rule_search s = { r, family, false };
	struct nl_message m;

	nl_begin(&m, RTM_GETRULE, 0, &body, sizeof(body));
	netlink_dump(&a->nl, &m, compare_rule, &s);
	return s.found;
}

static void add_rule(struct applier *a, const struct plan_rule *r)
{
	const struct plan_address *one = r->from.family ? &r->from : &r->to;
	struct fib_rule_hdr body = {
		.family = one->family, .action = FR_ACT_TO_TBL, .src_len = r->from.family ? r->from.prefix : 0,
		.dst_len = r->to.family ? r->to.prefix : 0, .tos = (uint8_t)or_zero(r->tos),
	};
	size_t n = length_of(one->family);
	uint8_t protocol = RTPROT_STATIC;
	struct nl_message m;
	int e;

	if (has_rule(a, r, one->family))
		return;
	nl_begin(&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	if (body.src_len)
		nl_add(&m, FRA_SRC, r->from.bytes, n);
	if (body.dst_len)
		nl_add(&m, FRA_DST, r->to.bytes, n);
	nl_add_u32(&m, FRA_TABLE, r->table != PLAN_UNSET ? (uint32_t)r->table : RT_TABLE_MAIN);
	if (r->priority != PLAN_UNSET)
		nl_add_u32(&m, FRA_PRIORITY, (uint32_t)r->priority);
	if (r->mark != PLAN_UNSET)
		nl_add_u32(&m, FRA_FWMARK, (uint32_t)r->mark);
	nl_add(&m, FRA_PROTOCOL, &protocol, 1);
	e = apply_request(a, &m);
	if (e < 0)
		apply_failed(a, r->at, e, "the rule for %s", plan_ip_text(a->ctx->arena, one, true));
}

void apply_add_routes(struct applier *a)
{
	bool any_dhcp = false;

	for (size_t i = 0; i < a->links.n; i++) {
		const struct link *l = &a->links.v[i];
		const struct network_device *d = l->device;

		if (!d || d->manual || d->unmanaged)
			continue;
		any_dhcp = any_dhcp || plan_wants_dhcp(d);
		for (const struct plan_route *r = d->routes; r; r = r->next)
			add_route(a, l, r, plan_wants_dhcp(d));
		for (const struct plan_rule *r = d->rules; r; r = r->next)
			add_rule(a, r);
	}
	for (const struct plan_route *r = a->plan->routes; r; r = r->next)
		add_route(a, NULL, r, any_dhcp);
}
