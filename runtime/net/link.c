/* link.c - requests of rtnetlink for container networks (coracle-engine). Each is answered by the kernel at once. */
#include "link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

static int fail(struct netlink *nl, int r, struct err *err, const char *what, const char *name)
{
	if (r >= 0)
		return 0;
	return err_set(err, -r, "%s %s%s%s", what, name, nl->why[0] ? ": " : "", nl->why);
}

static void begin_link(struct nl_message *m, uint16_t type, uint16_t flags, unsigned index, unsigned up)
{
	struct ifinfomsg i = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index, .ifi_flags = up, .ifi_change = up };

	nl_begin(m, type, flags, &i, sizeof(i));
}

static void add_kind(struct nl_message *m, const char *kind)
{
	nl_add(m, IFLA_INFO_KIND, kind, strlen(kind));
}

int link_bridge(struct netlink *nl, const char *name, const struct net_prefix *v4, const struct net_prefix *v6, unsigned mtu, struct err *err)
{
	const struct net_prefix *all[] = { v4, v6 };
	unsigned index = if_nametoindex(name);
	struct nl_message m;
	size_t info;
	int r = 0;

	if (!index) {
		begin_link(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP);
		nl_add_text(&m, IFLA_IFNAME, name);
		if (mtu)
			nl_add_u32(&m, IFLA_MTU, mtu);
		info = nl_nest(&m, IFLA_LINKINFO);
		add_kind(&m, "bridge");
		nl_end(&m, info);
		r = fail(nl, netlink_request(nl, &m), err, "make bridge", name);
		index = if_nametoindex(name);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(all); i++)
		if (all[i]->addr.family)
			r = link_add_address(nl, index, all[i], err);
	return r;
}

/* The end inside is born there, so that its name is never the machine's business. */
static void add_inside(struct nl_message *m, const struct link_pair *p)
{
	uint32_t fd = (uint32_t)p->netns;

	nl_add_text(m, IFLA_IFNAME, p->inside);
	nl_add_u32(m, IFLA_NET_NS_FD, fd);
	if (p->mtu)
		nl_add_u32(m, IFLA_MTU, p->mtu);
}

int link_veth(struct netlink *nl, const struct link_pair *p, struct err *err)
{
	struct ifinfomsg peer = { .ifi_family = AF_UNSPEC };
	size_t info, data, inner;
	struct nl_message m;
	int r;

	begin_link(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_UP);
	nl_add_text(&m, IFLA_IFNAME, p->name);
	nl_add_u32(&m, IFLA_MASTER, p->bridge);
	if (p->mtu)
		nl_add_u32(&m, IFLA_MTU, p->mtu);
	info = nl_nest(&m, IFLA_LINKINFO);
	add_kind(&m, "veth");
	data = nl_nest(&m, IFLA_INFO_DATA);
	inner = nl_nest(&m, VETH_INFO_PEER);
	if (!m.full) {
		memcpy(m.u.bytes + m.len, &peer, sizeof(peer));
		m.len += NLMSG_ALIGN(sizeof(peer));
	}
	add_inside(&m, p);
	nl_add(&m, IFLA_ADDRESS, p->mac, sizeof(p->mac));
	nl_end(&m, inner);
	nl_end(&m, data);
	nl_end(&m, info);
	r = netlink_request(nl, &m);
	if (r == 0) {
		/* hairpin: with bridge-nf-call-iptables what is translated back to its sender never leaves the bridge, and must go out where it came in */
		struct ifinfomsg port = { .ifi_family = AF_BRIDGE, .ifi_index = (int)if_nametoindex(p->name) };

		nl_begin(&m, RTM_SETLINK, 0, &port, sizeof(port));
		info = nl_nest(&m, IFLA_PROTINFO);
		nl_add_number(&m, IFLA_BRPORT_MODE, 1, 1);
		nl_add_number(&m, IFLA_BRPORT_ISOLATED, 1, p->isolated);
		nl_end(&m, info);
		r = netlink_request(nl, &m);
	}
	return fail(nl, r, err, "make pair", p->name);
}

static int mode_number(const char *kind, const char *mode, uint32_t *out)
{
	static const struct {
		const char *kind, *mode;
		uint32_t value;
	} known[] = {
		{ "macvlan", "bridge", MACVLAN_MODE_BRIDGE }, { "macvlan", "private", MACVLAN_MODE_PRIVATE }, { "macvlan", "vepa", MACVLAN_MODE_VEPA },
		{ "macvlan", "passthru", MACVLAN_MODE_PASSTHRU }, { "ipvlan", "l2", IPVLAN_MODE_L2 }, { "ipvlan", "l3", IPVLAN_MODE_L3 },
		{ "ipvlan", "l3s", IPVLAN_MODE_L3S },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].kind, kind) == 0 && (!mode || strcmp(known[i].mode, mode) == 0)) {
			*out = known[i].value;
			return 0;
		}
	return -EINVAL;
}

int link_vlan(struct netlink *nl, const char *kind, unsigned parent, const char *mode, const struct link_pair *p, struct err *err)
{
	bool mac = strcmp(kind, "macvlan") == 0;
	struct nl_message m;
	size_t info, data;
	uint32_t number;

	if (mode_number(kind, mode, &number) < 0)
		return err_set(err, 0, "%s has no mode %s", kind, mode);
	begin_link(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
	nl_add_u32(&m, IFLA_LINK, parent);
	add_inside(&m, p);
	if (mac)
		nl_add(&m, IFLA_ADDRESS, p->mac, sizeof(p->mac));
	info = nl_nest(&m, IFLA_LINKINFO);
	add_kind(&m, kind);
	data = nl_nest(&m, IFLA_INFO_DATA);
	if (mac)
		nl_add_u32(&m, IFLA_MACVLAN_MODE, number);
	else
		nl_add_number(&m, IFLA_IPVLAN_MODE, 2, number);
	nl_end(&m, data);
	nl_end(&m, info);
	return fail(nl, netlink_request(nl, &m), err, "make", kind);
}

int link_delete(struct netlink *nl, const char *name)
{
	struct nl_message m;

	begin_link(&m, RTM_DELLINK, 0, 0, 0);
	nl_add_text(&m, IFLA_IFNAME, name);
	return netlink_request(nl, &m);
}

int link_set_up(struct netlink *nl, unsigned index, bool linklocal, struct err *err)
{
	struct nl_message m;
	size_t spec, inner;

	if (!linklocal) {
		begin_link(&m, RTM_SETLINK, 0, index, 0);
		spec = nl_nest(&m, IFLA_AF_SPEC);
		inner = nl_nest(&m, AF_INET6);
		nl_add_number(&m, IFLA_INET6_ADDR_GEN_MODE, 1, IN6_ADDR_GEN_MODE_NONE);
		nl_end(&m, inner);
		nl_end(&m, spec);
		netlink_request(nl, &m);	/* a kernel without IPv6 has no such thing, and no need of it */
	}
	begin_link(&m, RTM_SETLINK, 0, index, IFF_UP);
	return fail(nl, netlink_request(nl, &m), err, "set up", "device");
}

int link_add_address(struct netlink *nl, unsigned index, const struct net_prefix *a, struct err *err)
{
	struct ifaddrmsg body = { .ifa_family = (uint8_t)a->addr.family, .ifa_prefixlen = (uint8_t)a->len, .ifa_index = index };
	char text[NET_ADDR_TEXT];
	struct nl_message m;
	int r;

	if (a->addr.family == AF_INET6)
		body.ifa_flags = IFA_F_NODAD;	/* we gave it, so it is nobody else's, and of use at once */
	nl_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	nl_add(&m, IFA_LOCAL, a->addr.b, net_addr_size(&a->addr));
	nl_add(&m, IFA_ADDRESS, a->addr.b, net_addr_size(&a->addr));
	if (a->addr.family == AF_INET && a->len < 31) {
		struct net_prefix p = *a;
		struct net_addr last = net_prefix_at(&p, net_prefix_count(&p) - 1);

		nl_add(&m, IFA_BROADCAST, last.b, 4);
	}
	r = netlink_request(nl, &m);
	return fail(nl, r == -EEXIST ? 0 : r, err, "address", net_prefix_text(a, text));
}

int link_add_default_route(struct netlink *nl, unsigned index, const struct net_addr *via, int family, struct err *err)
{
	struct rtmsg body = { .rtm_family = (uint8_t)family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST,
			      .rtm_scope = via->family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK };
	char text[NET_ADDR_TEXT];
	struct nl_message m;

	nl_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof(body));
	if (via->family)
		nl_add(&m, RTA_GATEWAY, via->b, net_addr_size(via));
	nl_add_u32(&m, RTA_OIF, index);
	return fail(nl, netlink_request(nl, &m), err, "default route by", net_addr_text(via, text));
}

struct route_walk {
	void (*each)(const struct net_prefix *to, void *arg);
	void *arg;
};

static void on_route(const struct nlmsghdr *h, void *arg)
{
	struct route_walk *w = arg;
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct rtattr *to;
	struct net_prefix p = { 0 };

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_SPACE(sizeof(*r)) || r->rtm_type != RTN_UNICAST || r->rtm_dst_len == 0)
		return;
	to = nl_find(RTM_RTA(r), h->nlmsg_len - NLMSG_SPACE(sizeof(*r)), RTA_DST);
	p.addr.family = r->rtm_family;
	p.len = r->rtm_dst_len;
	if (!to || RTA_PAYLOAD(to) != net_addr_size(&p.addr) || p.len > 8 * net_addr_size(&p.addr))
		return;
	memcpy(p.addr.b, RTA_DATA(to), RTA_PAYLOAD(to));
	w->each(&p, w->arg);
}

int link_each_route(struct netlink *nl, void (*each)(const struct net_prefix *to, void *arg), void *arg)
{
	struct rtmsg body = { .rtm_family = AF_INET };
	struct route_walk w = { each, arg };
	struct nl_message m;

	nl_begin(&m, RTM_GETROUTE, 0, &body, sizeof(body));
	return netlink_dump(nl, &m, on_route, &w);
}
