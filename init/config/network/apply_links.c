/* apply_links.c - bonds, bridges and VLANs are made, members join them, every device gets its settings and is brought up.
 *
 * Runs in coracle-config. Only what is different is changed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_bridge.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "apply.h"
#include "fd.h"
#include "params.h"
#include "sys.h"

static const char *const kinds[] = { [PLAN_BOND] = "bond", [PLAN_BRIDGE] = "bridge", [PLAN_VLAN] = "vlan" };

/* The link of a device that the plan names by its id. */
static struct link *link_of(struct applier *a, const char *id)
{
	const struct network_device *d = id ? plan_find_device(a->plan, id) : NULL;

	for (size_t i = 0; d && i < a->links.n; i++)
		if (a->links.v[i].device == d)
			return &a->links.v[i];
	return NULL;
}

static bool same_targets(const struct plan_param *p, const struct rtattr *have)
{
	size_t n = 0;

	for (; n < p->targets.n; n++) {
		const struct rtattr *one = nl_find_nested(have, (unsigned)n);

		if (!one || RTA_PAYLOAD(one) != 4 || memcmp(RTA_DATA(one), p->targets.v[n].bytes, 4) != 0)
			return false;
	}
	return !nl_find_nested(have, (unsigned)n);
}

static void add_param(struct nl_message *m, const struct plan_param *p)
{
	size_t nest;

	if (p->targets.n == 0) {
		nl_add_number(m, p->key->attribute, p->key->size, p->number);
		return;
	}
	nest = nl_nest(m, p->key->attribute);
	for (size_t i = 0; i < p->targets.n; i++)
		nl_add(m, (unsigned)i, p->targets.v[i].bytes, 4);
	nl_end(m, nest);
}

/* Those that the kernel does not have already; have NULL: all. Returns how many. */
static unsigned add_params(struct nl_message *m, const struct network_device *d, const struct rtattr *have)
{
	unsigned added = 0;

	for (const struct plan_param *p = d->params; p; p = p->next) {
		const struct rtattr *now = nl_find_nested(have, p->key->attribute);

		if (p->port || p->key->kind == PARAM_DEVICE)
			continue;
		if (have && (p->targets.n > 0 ? same_targets(p, now) : now && nl_number(now) == p->number))
			continue;
		add_param(m, p);
		added++;
	}
	return added;
}

static void begin_info(struct nl_message *m, const char *kind, size_t nests[2])
{
	nests[0] = nl_nest(m, IFLA_LINKINFO);
	nl_add_text(m, IFLA_INFO_KIND, kind);
	nests[1] = nl_nest(m, IFLA_INFO_DATA);
}

static void end_info(struct nl_message *m, const size_t nests[2])
{
	nl_end(m, nests[1]);
	nl_end(m, nests[0]);
}

/* Of one that is there already: parameters that differ. */
static void change_params(struct applier *a, struct link *l)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index };
	const struct network_device *d = l->device;
	struct nl_message m;
	size_t nests[2];
	unsigned added;
	int r;

	if (strcmp(l->kind, kinds[d->kind]) != 0) {
		diag_at(a->ctx->diags, DIAG_ERROR, d->at, NULL, "%s is there already, and is no %s", d->id, kinds[d->kind]);
		l->device = NULL;
		return;
	}
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	begin_info(&m, kinds[d->kind], nests);
	added = add_params(&m, d, l->info);
	end_info(&m, nests);
	r = added ? apply_request(a, &m) : 0;
	if (r < 0)
		apply_failed(a, d->at, r, "set the parameters of %s", d->id);
}

static int create(struct applier *a, const struct network_device *d, int lower)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_message m;
	size_t nests[2];

	nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	nl_add_text(&m, IFLA_IFNAME, d->id);
	if (lower)
		nl_add_u32(&m, IFLA_LINK, (uint32_t)lower);
	if (d->mac.len > 0)
		nl_add(&m, IFLA_ADDRESS, d->mac.bytes, d->mac.len);
	begin_info(&m, kinds[d->kind], nests);
	if (d->kind == PLAN_VLAN)
		nl_add_number(&m, IFLA_VLAN_ID, 2, (uint32_t)d->vlan_id);
	else
		add_params(&m, d, NULL);
	end_info(&m, nests);
	return apply_request(a, &m);
}

static bool make(struct applier *a, const struct network_device *d, int lower)
{
	struct link *bigger;
	struct link one;
	int r = create(a, d, lower);

	if (r == 0)
		r = links_read_one(a->ctx, &a->nl, d->id, &one);
	if (r < 0) {
		apply_failed(a, d->at, r, "make the %s %s", kinds[d->kind], d->id);
		return false;
	}
	one.device = d;
	bigger = arena_alloc(a->ctx->arena, (a->links.n + 1) * sizeof(*bigger));
	memcpy(bigger, a->links.v, a->links.n * sizeof(*bigger));
	bigger[a->links.n++] = one;
	a->links.v = bigger;
	return true;
}

/* VLANs whose link is there. Returns true when one was made: another may be possible now. */
static bool make_vlans(struct applier *a)
{
	bool made = false;

	for (const struct network_device *d = a->plan->devices; d; d = d->next) {
		struct link *lower = d->kind == PLAN_VLAN && !link_of(a, d->id) ? link_of(a, d->link) : NULL;

		if (lower && !links_find(&a->links, d->id))
			made = make(a, d, lower->index) || made;
	}
	return made;
}

void apply_make_devices(struct applier *a)
{
	for (const struct network_device *d = a->plan->devices; d; d = d->next) {
		struct link *l = link_of(a, d->id);

		if (d->kind == PLAN_ETHERNET)
			continue;
		if (l)
			change_params(a, l);
		else if (d->kind != PLAN_VLAN)
			make(a, d, 0);
	}
	while (make_vlans(a))
		continue;
}

static int set_flags(struct applier *a, struct link *l, bool up)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP };
	struct nl_message m;
	int r;

	if (!(l->flags & IFF_UP) == !up)
		return 0;
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	r = apply_request(a, &m);
	if (r == 0)
		l->flags = up ? l->flags | IFF_UP : l->flags & ~(unsigned)IFF_UP;
	return r;
}

static int set_master(struct applier *a, struct link *l, const struct link *master)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index };
	struct nl_message m;
	int r = 0;

	/* a bond takes only what is down */
	if (master->device->kind == PLAN_BOND)
		r = set_flags(a, l, false);
	if (r < 0)
		return r;
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	nl_add_u32(&m, IFLA_MASTER, (uint32_t)master->index);
	r = apply_request(a, &m);
	if (r == 0)
		l->master = master->index;
	return r;
}

/* path-cost and port-priority of one member. */
static void set_port(struct applier *a, struct link *l, const struct link *master)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index };
	struct link now;
	struct nl_message m;
	size_t nests[2];
	unsigned added = 0;
	int r = master->device->params ? links_read_one(a->ctx, &a->nl, l->name, &now) : -ENOENT;

	if (r < 0)
		return;
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	nests[0] = nl_nest(&m, IFLA_LINKINFO);
	nl_add_text(&m, IFLA_INFO_SLAVE_KIND, "bridge");
	nests[1] = nl_nest(&m, IFLA_INFO_SLAVE_DATA);
	for (const struct plan_param *p = master->device->params; p; p = p->next) {
		const struct rtattr *have = nl_find_nested(now.port, p->key->attribute);

		if (!p->port || strcmp(p->port, l->device->id) != 0 || (have && nl_number(have) == p->number))
			continue;
		nl_add_number(&m, p->key->attribute, p->key->size, p->number);
		added++;
	}
	end_info(&m, nests);
	r = added ? apply_request(a, &m) : 0;
	if (r < 0)
		apply_failed(a, master->device->at, r, "set the parameters of %s in %s", l->name, master->name);
}

static void set_primary(struct applier *a, struct link *bond)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = bond->index };
	const struct plan_param *p = bond->device->params;
	struct nl_message m;
	struct link *l;
	size_t nests[2];
	int r;

	while (p && p->key->kind != PARAM_DEVICE)
		p = p->next;
	l = p ? link_of(a, p->text) : NULL;
	if (!l || nl_number(nl_find_nested(bond->info, p->key->attribute)) == (uint32_t)l->index)
		return;
	nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
	begin_info(&m, "bond", nests);
	nl_add_u32(&m, p->key->attribute, (uint32_t)l->index);
	end_info(&m, nests);
	r = apply_request(a, &m);
	if (r < 0)
		apply_failed(a, bond->device->at, r, "make %s the primary of %s", l->name, bond->name);
}

void apply_join_members(struct applier *a)
{
	for (size_t i = 0; i < a->links.n; i++) {
		struct link *l = &a->links.v[i];
		struct link *master = l->device && l->device->master ? link_of(a, l->device->master->id) : NULL;
		int r = master && l->master != master->index ? set_master(a, l, master) : 0;

		if (r < 0)
			apply_failed(a, l->device->master->at, r, "make %s a member of %s", l->name, master->name);
		else if (master && master->device->kind == PLAN_BRIDGE)
			set_port(a, l, master);
	}
	for (size_t i = 0; i < a->links.n; i++)
		if (a->links.v[i].device && a->links.v[i].device->kind == PLAN_BOND)
			set_primary(a, &a->links.v[i]);
}

/* A file below /proc/sys/net/ipv6/conf, when it does not say that already. A kernel without IPv6 has none: then nothing is asked of it. */
static void set_ipv6(struct applier *a, const struct link *l, const char *name, const char *value)
{
	char path[96];
	char now[32];
	int r;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", l->name, name);
	if (fd_read_small(AT_FDCWD, path, now, sizeof(now)) < 0 || !strcmp(now, value))
		return;
	r = fd_write_small(AT_FDCWD, path, value);
	if (r < 0)
		diag_at(a->ctx->diags, DIAG_ERROR, l->device->at, NULL, "set %s to %s: %s", path, value, err_name(-r));
	else
		a->changes++;
}

static void set_sysctls(struct applier *a, const struct link *l)
{
	const struct network_device *d = l->device;

	/* 2 and not 1: this machine forwards for its containers, and then 1 means no */
	if (d->accept_ra != PLAN_DEFAULT)
		set_ipv6(a, l, "accept_ra", d->accept_ra == PLAN_YES ? "2" : "0");
	else if (!d->master && (d->dhcp[1].enabled == PLAN_YES || plan_has_addresses(d)))
		set_ipv6(a, l, "accept_ra", "2");
	if (d->link_local6 == PLAN_NO)
		set_ipv6(a, l, "addr_gen_mode", "1");
	if (d->ipv6_privacy != PLAN_DEFAULT)
		set_ipv6(a, l, "use_tempaddr", d->ipv6_privacy == PLAN_YES ? "2" : "0");
}

static void wake_on_lan(struct applier *a, const struct link *l)
{
	CLEANUP_FD int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);
	struct ethtool_wolinfo wol = { .cmd = ETHTOOL_GWOL };
	uint32_t want = l->device->wake_on_lan == PLAN_YES ? WAKE_MAGIC : 0;
	struct ifreq q = { .ifr_data = (char *)&wol };

	memcpy(q.ifr_name, l->name, sizeof(l->name));
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &q) < 0) {
		if (want)
			diag_at(a->ctx->diags, DIAG_WARNING, l->device->at, NULL, "%s cannot wake the machine: %s", l->name, err_name(errno));
		return;
	}
	if (wol.wolopts == want)
		return;
	wol = (struct ethtool_wolinfo){ .cmd = ETHTOOL_SWOL, .wolopts = want };
	if (ioctl(fd, SIOCETHTOOL, &q) < 0)
		diag_at(a->ctx->diags, DIAG_WARNING, l->device->at, NULL, "set wake on LAN of %s: %s", l->name, err_name(errno));
	else
		a->changes++;
}

static void set_one(struct applier *a, struct link *l)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = l->index };
	const struct network_device *d = l->device;
	struct nl_message m;
	int r;

	if (d->mac.len > 0 && !plan_same_mac(&d->mac, &l->mac)) {
		nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
		nl_add(&m, IFLA_ADDRESS, d->mac.bytes, d->mac.len);
		r = apply_request(a, &m);
		if (r < 0)
			apply_failed(a, d->at, r, "give %s its hardware address", l->name);
	}
	if (d->mtu != PLAN_UNSET && l->mtu != d->mtu) {
		nl_begin(&m, RTM_NEWLINK, 0, &body, sizeof(body));
		nl_add_u32(&m, IFLA_MTU, (uint32_t)d->mtu);
		r = apply_request(a, &m);
		if (r < 0)
			apply_failed(a, d->at, r, "set the MTU of %s to %lld", l->name, (long long)d->mtu);
	}
	set_sysctls(a, l);
	if (d->wake_on_lan != PLAN_DEFAULT)
		wake_on_lan(a, l);
	if (d->manual || d->unmanaged)
		return;
	r = set_flags(a, l, true);
	if (r < 0)
		apply_failed(a, d->at, r, "bring %s up", l->name);
	/* IPv6's own MTU is known when the device is up */
	if (d->mtu6 != PLAN_UNSET) {
		char text[24];

		snprintf(text, sizeof(text), "%lld", (long long)d->mtu6);
		set_ipv6(a, l, "mtu", text);
	}
}

/* Below before above: a VLAN's MTU is at most that of its link. */
void apply_set_devices(struct applier *a)
{
	static const enum plan_kind order[] = { PLAN_ETHERNET, PLAN_BOND, PLAN_VLAN, PLAN_BRIDGE };

	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = 0; i < a->links.n; i++)
			if (a->links.v[i].device && a->links.v[i].device->kind == order[k])
				set_one(a, &a->links.v[i]);
}
