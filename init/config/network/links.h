/* links.h - the network devices that the kernel has, and which of them a device of the plan means. */
#ifndef CORACLE_CONFIG_NETWORK_LINKS_H
#define CORACLE_CONFIG_NETWORK_LINKS_H

#include "netlink.h"
#include "plan.h"

#define LINKS_MAX 4096

struct link {
	int index;
	char name[IFNAMSIZ];
	char first_name[IFNAMSIZ];	/* before this run renamed it */
	char kind[16];			/* "bond", "bridge", "vlan", "veth", ... ""; of a hardware device */
	bool physical;			/* Ethernet with hardware behind it: what is configured by DHCP when nothing is said (init/pid1/net.c has the same rule) */
	unsigned flags;			/* IFF_UP ... */
	unsigned type;			/* ARPHRD_ETHER ... */
	int master;			/* its index, 0: none */
	int lower;			/* of a VLAN: the index of its link */
	uint32_t mtu;
	struct plan_mac mac, permanent;
	const struct rtattr *info;	/* IFLA_INFO_DATA, copied; NULL: none */
	const struct rtattr *port;	/* IFLA_INFO_SLAVE_DATA */
	const struct network_device *device;	/* of the plan */
};

struct links {
	struct link *v;
	size_t n;
};

/* All devices. Returns 0 or -errno. */
int links_read(struct ctx *ctx, struct netlink *n, struct links *out);
/* One device that was made or changed just now, by its name; *out is filled. */
int links_read_one(struct ctx *ctx, struct netlink *n, const char *name, struct link *out);
struct link *links_find(const struct links *l, const char *name);
struct link *links_find_index(const struct links *l, int index);
/* Is it what this device of the plan (PLAN_ETHERNET) means? */
bool link_matches(const struct link *l, const struct network_device *d);

#endif
