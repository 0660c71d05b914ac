/* link.h - bridges, pairs and addresses in the kernel, through rtnetlink.
 *
 * Every function sends requests on a socket of lib/netlink.h, whose network namespace is the one it acts in. Returns 0 or -errno with
 * the reason. Names are at most 15 bytes. */
#ifndef CORACLE_NET_LINK_H
#define CORACLE_NET_LINK_H

#include <sys/types.h>
#include "addr.h"
#include "netlink.h"

/* Makes the bridge when it is not there, gives it its addresses (family 0: none), sets it up. mtu 0: the kernel's. */
int link_bridge(struct netlink *nl, const char *name, const struct net_prefix *v4, const struct net_prefix *v6, unsigned mtu, struct err *err);

struct link_pair {
	const char *name;		/* on the machine */
	const char *inside;		/* eth0 */
	int netns;			/* descriptor of the namespace that the other end is born in */
	unsigned bridge;		/* index */
	unsigned mtu;			/* 0: the kernel's */
	bool isolated;			/* talks to the bridge only, not to other ports */
	uint8_t mac[6];
};
int link_veth(struct netlink *nl, const struct link_pair *p, struct err *err);

/* macvlan or ipvlan on parent, born in the namespace as `inside`. mode: of the driver, NULL: bridge or l2. */
int link_vlan(struct netlink *nl, const char *kind, unsigned parent, const char *mode, const struct link_pair *p, struct err *err);

int link_delete(struct netlink *nl, const char *name);	/* -ENODEV: is not there */
int link_set_up(struct netlink *nl, unsigned index, bool linklocal, struct err *err);	/* linklocal: it may have an address of IPv6 by itself */
int link_add_address(struct netlink *nl, unsigned index, const struct net_prefix *a, struct err *err);
/* via family 0: the device itself. */
int link_add_default_route(struct netlink *nl, unsigned index, const struct net_addr *via, int family, struct err *err);

/* Calls each for every route's destination of the machine. */
int link_each_route(struct netlink *nl, void (*each)(const struct net_prefix *to, void *arg), void *arg);

#endif
