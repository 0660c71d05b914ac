/* netdev.c - rtnetlink(7) for linux.netDevices. Runs in coracle-runtime; makes
 * no devices and no routes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/netdev.h"

#define ADDRESSES_MAX 64
#define REPLY_MAX 65536
#define IFLA_NEW_IFINDEX_ 49	/* Linux 5.13; older headers lack it */

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	} u;
	char attributes[512];
};

struct address {
	struct ifaddrmsg head;
	uint32_t flags;
	unsigned char local[16], peer[16], broadcast[4];
	size_t local_n, peer_n, broadcast_n;
};

struct addresses {
	unsigned index;		/* of the device */
	struct address list[ADDRESSES_MAX];
	size_t n;
	bool too_many;
};

static void begin(struct request *q, int type, int flags, size_t body)
{
	memset(q, 0, sizeof *q);
	q->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
	q->head.nlmsg_type = (uint16_t)type;
	q->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
}

static void attribute(struct request *q, int type, const void *data, size_t n)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), data, n);
	q->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

static int open_route(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* Sends q and hands each message of the answer to fn, up to the acknowledgement. Returns 0 or the kernel's -errno. */
static int ask(int fd, struct request *q, void (*fn)(struct nlmsghdr *, void *), void *arg)
{
	static union { char text[REPLY_MAX]; struct nlmsghdr align; } reply;

	if (send(fd, q, q->head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t got = recv(fd, reply.text, sizeof reply.text, 0);
		size_t n = (size_t)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EPROTO;
		for (struct nlmsghdr *m = &reply.align; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return 0;
			if (m->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(m))->error;
			if (fn)
				fn(m, arg);
		}
	}
}

static void link_index(struct nlmsghdr *m, void *arg)
{
	if (m->nlmsg_type == RTM_NEWLINK)
		*(int *)arg = ((struct ifinfomsg *)NLMSG_DATA(m))->ifi_index;
}

/* Index of the device with this name or, without one, with this index; -ENODEV. */
static int find(int fd, const char *name, int by_index)
{
	struct request q;
	int index = -ENODEV, r;

	begin(&q, RTM_GETLINK, NLM_F_ACK, sizeof q.u.link);
	q.u.link.ifi_index = by_index;
	if (name)
		attribute(&q, IFLA_IFNAME, name, strlen(name) + 1);
	r = ask(fd, &q, link_index, &index);
	return r < 0 ? r : index;
}

static void copy(const struct rtattr *a, unsigned char *out, size_t size, size_t *n)
{
	*n = RTA_PAYLOAD(a) <= size ? RTA_PAYLOAD(a) : 0;
	memcpy(out, RTA_DATA(a), *n);
}

static void collect(struct nlmsghdr *m, void *arg)
{
	struct addresses *all = arg;
	struct address a = { .head = *(struct ifaddrmsg *)NLMSG_DATA(m) };
	struct rtattr *t = IFA_RTA((struct ifaddrmsg *)NLMSG_DATA(m));
	size_t n = IFA_PAYLOAD(m);

	if (m->nlmsg_type != RTM_NEWADDR || a.head.ifa_index != all->index)
		return;
	a.flags = a.head.ifa_flags;
	for (; RTA_OK(t, n); t = RTA_NEXT(t, n)) {
		if (t->rta_type == IFA_FLAGS)
			memcpy(&a.flags, RTA_DATA(t), sizeof a.flags);
		else if (t->rta_type == IFA_LOCAL)
			copy(t, a.local, sizeof a.local, &a.local_n);
		else if (t->rta_type == IFA_ADDRESS)
			copy(t, a.peer, sizeof a.peer, &a.peer_n);
		else if (t->rta_type == IFA_BROADCAST)
			copy(t, a.broadcast, sizeof a.broadcast, &a.broadcast_n);
	}
	if (!(a.flags & IFA_F_PERMANENT) || a.head.ifa_scope != RT_SCOPE_UNIVERSE)
		return;
	if (all->n == ADDRESSES_MAX) {
		all->too_many = true;
		return;
	}
	all->list[all->n++] = a;
}

static int addresses_of(int fd, int index, struct addresses *all)
{
	struct request q;
	int r;

	all->n = 0;
	all->too_many = false;
	all->index = (unsigned)index;
	begin(&q, RTM_GETADDR, NLM_F_DUMP, sizeof q.u.address);
	r = ask(fd, &q, collect, all);
	return r < 0 ? r : all->too_many ? -E2BIG : 0;
}

/* The device's index in the container: the same one where it is free. Names that end in %d are the kernel's to complete. */
static int move(int host, int inside, int netns, int index, const char *to)
{
	struct request q;
	uint32_t fd = (uint32_t)netns;
	int there = index, r;

	while ((r = find(inside, NULL, there)) >= 0)
		there++;
	if (r != -ENODEV)
		return r;
	begin(&q, RTM_NEWLINK, NLM_F_ACK, sizeof q.u.link);
	q.u.link.ifi_index = index;
	attribute(&q, IFLA_NET_NS_FD, &fd, sizeof fd);
	attribute(&q, IFLA_IFNAME, to, strlen(to) + 1);
	if (there != index)
		attribute(&q, IFLA_NEW_IFINDEX_, &there, sizeof there);
	r = ask(host, &q, NULL, NULL);
	return r < 0 ? r : there;
}

static int give_address(int fd, int index, const struct address *a)
{
	/* what a user may set; the rest is the kernel's own state of the address */
	uint32_t flags = a->flags & (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN);
	struct request q;

	begin(&q, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sizeof q.u.address);
	q.u.address = a->head;
	q.u.address.ifa_index = (unsigned)index;
	q.u.address.ifa_flags = 0;
	if (a->local_n)
		attribute(&q, IFA_LOCAL, a->local, a->local_n);
	if (a->peer_n)
		attribute(&q, IFA_ADDRESS, a->peer, a->peer_n);
	if (a->broadcast_n)
		attribute(&q, IFA_BROADCAST, a->broadcast, a->broadcast_n);
	if (flags)
		attribute(&q, IFA_FLAGS, &flags, sizeof flags);
	return ask(fd, &q, NULL, NULL);
}

static int set_up(int fd, int index)
{
	struct request q;

	begin(&q, RTM_NEWLINK, NLM_F_ACK, sizeof q.u.link);
	q.u.link.ifi_index = index;
	q.u.link.ifi_flags = q.u.link.ifi_change = IFF_UP;
	return ask(fd, &q, NULL, NULL);
}

static int move_one(int host, int inside, int netns, const char *from, const char *to, struct err *err)
{
	static struct addresses all;
	int index = find(host, from, 0), r;

	if (index < 0)
		return err_set(err, -index, "linux.netDevices: find %s", from);
	/* the kernel would keep the old name silently where the new one is taken */
	if (!strchr(to, '%') && find(inside, to, 0) >= 0)
		return err_set(err, EEXIST, "linux.netDevices: move %s: the container has a device %s", from, to);
	if ((r = addresses_of(host, index, &all)) < 0)
		return err_set(err, -r, "linux.netDevices: addresses of %s", from);
	if ((r = move(host, inside, netns, index, to)) < 0)
		return err_set(err, -r, "linux.netDevices: move %s into the container as %s", from, to);
	index = r;
	for (size_t i = 0; i < all.n; i++)
		if ((r = give_address(inside, index, &all.list[i])) < 0)
			return err_set(err, -r, "linux.netDevices: give %s its addresses back", to);
	r = set_up(inside, index);
	return r < 0 ? err_set(err, -r, "linux.netDevices: set %s up", to) : 0;
}

int netdev_move_all(const struct spec *s, int netns, struct err *err)
{
	CLEANUP_FD int host = open_route();
	CLEANUP_FD int own = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
	CLEANUP_FD int inside = -1;
	int r = host < 0 ? host : own < 0 ? own : sys_setns(netns, CLONE_NEWNET);

	if (r < 0)
		return err_set(err, -r, "linux.netDevices: enter the network namespace");
	inside = open_route();
	r = sys_setns(own, CLONE_NEWNET);
	if (r < 0 || inside < 0)
		return err_set(err, r < 0 ? -r : -inside, "linux.netDevices: open a netlink socket");
	for (size_t i = 0; i < s->net_devices_n; i++)
		if ((r = move_one(host, inside, netns, s->net_devices[i].key, s->net_devices[i].value, err)) < 0)
			return r;
	return 0;
}
