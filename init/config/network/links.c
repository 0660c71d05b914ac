/* links.c - asks the kernel for its network devices.
 *
 * Runs in coracle-config. */
#include "links.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

/* Hardware behind it, of Ethernet. */
static bool is_physical(const struct link *l)
{
	char path[64];

	if (l->type != ARPHRD_ETHER || l->flags & IFF_LOOPBACK || l->kind[0])
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", l->name);
	return access(path, F_OK) == 0;
}

struct reader {
	struct ctx *ctx;
	struct links *links;
};

static void copy_mac(struct plan_mac *to, const struct rtattr *a)
{
	size_t n = a ? RTA_PAYLOAD(a) : 0;

	if (n > 0 && n <= PLAN_MAC_MAX) {
		to->len = (uint8_t)n;
		memcpy(to->bytes, RTA_DATA(a), n);
	}
}

static void copy_text(char *to, size_t size, const struct rtattr *a)
{
	if (a)
		snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(a), (const char *)RTA_DATA(a));
}

static const struct rtattr *copy_nested(struct ctx *ctx, const struct rtattr *a)
{
	struct rtattr *copy = a ? arena_alloc(ctx->arena, a->rta_len) : NULL;

	if (copy)
		memcpy(copy, a, a->rta_len);
	return copy;
}

static bool fill(struct ctx *ctx, const struct nlmsghdr *h, struct link *l)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const struct rtattr *first;
	const struct rtattr *info;
	size_t n;

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	n = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	first = (const struct rtattr *)(const void *)((const char *)m + NLMSG_ALIGN(sizeof(*m)));
	*l = (struct link){ .index = m->ifi_index, .flags = m->ifi_flags, .type = m->ifi_type };
	copy_text(l->name, sizeof(l->name), nl_find(first, n, IFLA_IFNAME));
	memcpy(l->first_name, l->name, sizeof(l->name));
	l->mtu = nl_number(nl_find(first, n, IFLA_MTU));
	l->master = (int)nl_number(nl_find(first, n, IFLA_MASTER));
	l->lower = (int)nl_number(nl_find(first, n, IFLA_LINK));
	copy_mac(&l->mac, nl_find(first, n, IFLA_ADDRESS));
	copy_mac(&l->permanent, nl_find(first, n, IFLA_PERM_ADDRESS));
	info = nl_find(first, n, IFLA_LINKINFO);
	copy_text(l->kind, sizeof(l->kind), nl_find_nested(info, IFLA_INFO_KIND));
	l->info = copy_nested(ctx, nl_find_nested(info, IFLA_INFO_DATA));
	l->port = copy_nested(ctx, nl_find_nested(info, IFLA_INFO_SLAVE_DATA));
	l->physical = is_physical(l);
	return true;
}

static void add_link(const struct nlmsghdr *h, void *arg)
{
	struct reader *r = arg;
	struct links *l = r->links;
	struct link one;

	if (l->n == LINKS_MAX || !fill(r->ctx, h, &one))
		return;
	if (l->n == 0 || (l->n >= 8 && (l->n & (l->n - 1)) == 0)) {
		struct link *bigger = arena_alloc(r->ctx->arena, (l->n ? l->n * 2 : 8) * sizeof(*bigger));

		if (l->n)
			memcpy(bigger, l->v, l->n * sizeof(*bigger));
		l->v = bigger;
	}
	l->v[l->n++] = one;
}

int links_read(struct ctx *ctx, struct netlink *n, struct links *out)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct reader r = { ctx, out };
	struct nl_message m;

	*out = (struct links){ NULL, 0 };
	nl_begin(&m, RTM_GETLINK, 0, &body, sizeof(body));
	return netlink_dump(n, &m, add_link, &r);
}

int links_read_one(struct ctx *ctx, struct netlink *n, const char *name, struct link *out)
{
	struct links all;
	struct link *l;
	int r = links_read(ctx, n, &all);

	if (r < 0)
		return r;
	l = links_find(&all, name);
	if (!l)
		return -ENODEV;
	*out = *l;
	return 0;
}

struct link *links_find(const struct links *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].name, name))
			return &l->v[i];
	return NULL;
}

struct link *links_find_index(const struct links *l, int index)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].index == index)
			return &l->v[i];
	return NULL;
}

/* What was made by software takes its address from something else, or belongs to a container. */
static bool is_made(const struct link *l)
{
	static const char *const kinds[] = { "bond", "bridge", "vlan", "veth", "macvlan", "macvtap", "ipvlan", "tun", "vxlan", "vrf", "wireguard", "ifb" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(l->kind, kinds[i]))
			return true;
	return false;
}

static bool any_name(const struct link *l, const struct strings *globs)
{
	for (size_t i = 0; i < globs->n; i++) {
		const char *g = globs->v[i];

		if (!strcmp(g, l->name))
			return true;
		/* a pattern never means what this run or a container made */
		if (strpbrk(g, "*?[") && !is_made(l) && fnmatch(g, l->name, 0) == 0)
			return true;
	}
	return false;
}

/* What the kernel calls it (udev's ID_NET_DRIVER too), or "". */
static void ask_driver(const char *name, char out[32])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq q = { .ifr_data = (char *)&info };
	CLEANUP_FD int fd = sys_socket(AF_INET, SOCK_DGRAM, 0);

	out[0] = '\0';
	memcpy(q.ifr_name, name, sizeof(q.ifr_name));
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &q) == 0)
		snprintf(out, 32, "%.31s", info.driver);
}

/* The driver of the hardware, as sysfs has it, or "". */
static void read_driver(const char *name, char out[256])
{
	char path[64];
	char target[256];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", name);
	n = readlink(path, target, sizeof(target) - 1);
	target[MAX(n, 0)] = '\0';
	base = strrchr(target, '/');
	snprintf(out, 256, "%s", base ? base + 1 : target);
}

/* Both names count where they differ. A pattern never means what was made by software, as with names. */
static bool any_driver(const struct link *l, const struct strings *globs)
{
	char asked[32];
	char hardware[256];

	ask_driver(l->name, asked);
	read_driver(l->name, hardware);
	for (size_t i = 0; i < globs->n; i++) {
		const char *g = globs->v[i];

		if (!strcmp(g, asked) || (!is_made(l) && asked[0] && fnmatch(g, asked, 0) == 0))
			return true;
		if (!is_made(l) && hardware[0] && fnmatch(g, hardware, 0) == 0)
			return true;
	}
	return false;
}

bool link_matches(const struct link *l, const struct network_device *d)
{
	if (l->flags & IFF_LOOPBACK)
		return false;
	if (d->match_mac.len == 0 && d->match_names.n == 0 && d->match_drivers.n == 0)
		return !strcmp(l->name, d->id);
	if (d->match_mac.len > 0) {
		bool exact = d->match_names.n > 0 || d->match_drivers.n > 0;
		const struct plan_mac *m = l->permanent.len > 0 ? &l->permanent : &l->mac;

		/* a bond and its VLANs have their member's address */
		if (!plan_same_mac(m, &d->match_mac) || (!exact && is_made(l) && strcmp(l->kind, "veth") != 0))
			return false;
	}
	if (d->match_names.n > 0 && !any_name(l, &d->match_names))
		return false;
	return d->match_drivers.n == 0 || any_driver(l, &d->match_drivers);
}
