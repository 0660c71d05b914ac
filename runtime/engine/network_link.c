/* network_link.c - devices of containers: into the namespace, out of the machine (coracle-engine). Requests to the kernel only, each answered at once. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "network_int.h"
#include "report.h"
#include "runtime/net/link.h"
#include "sys.h"
#include "text.h"

/* Of the machine's end: the container's id and the number of the network in it. */
static char *host_name(const struct container *c, const struct endpoint *e, char out[IFNAMSIZ])
{
	text_set(out, IFNAMSIZ, "v%.10s%x", c->id, e->index);
	return out;
}

static unsigned mtu_of(const struct network *n)
{
	const char *s = network_option(n, "com.docker.network.driver.mtu");

	return s ? (unsigned)strtoul(s, NULL, 10) : 0;
}

static int open_netns(pid_t pid)
{
	char path[48];

	text_set(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return sys_openat(AT_FDCWD, path, O_RDONLY, 0);
}

int network_inside(const struct container *c, int (*call)(struct container *c, void *arg, struct err *err), void *arg, struct err *err)
{
	static int own = -1;
	CLEANUP_FD int inside = open_netns(c->pid);
	int r;

	if (own < 0)
		own = open_netns(getpid());
	if (inside < 0 || own < 0)
		return err_set(err, inside < 0 ? -inside : -own, "open the network of %s", c->svc.container_name);
	r = sys_setns(inside, CLONE_NEWNET);
	if (r < 0)
		return err_set(err, -r, "enter the network of %s", c->svc.container_name);
	r = call((struct container *)(uintptr_t)c, arg, err);
	if (sys_setns(own, CLONE_NEWNET) < 0)
		abort();	/* the engine must not go on in a container's network: another one starts in the machine's */
	return r;
}

/* -- the machine's side ------------------------------------------------------- */

/* Routers ignore what other routers announce, unless they are told not to: eth0 keeps its address. */
static void keep_router_advertisements(void)
{
	struct if_nameindex *all = if_nameindex();
	char path[96], value[8];

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		text_set(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", i->if_name);
		if (fd_read_small(AT_FDCWD, path, value, sizeof(value)) > 0 && strcmp(value, "1") == 0)
			fd_write_small(AT_FDCWD, path, "2");
	}
	if_freenameindex(all);
}

/* Who made the machine a router answers for what it carries: what is none of ours is dropped then (network_rules.c). */
static void forward_on(const struct network *n)
{
	char path[512];
	int r = network_sysctl("1", "ipv4/ip_forward");

	if (r > 0) {
		CLEANUP_FD int fd = -1;

		text_set(path, sizeof(path), "%s/router", engine.opt.run);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0)
			report_note("engine", "make %s: %s", path, err_name(errno));
	}
	if (r < 0)
		report_problem("engine", "net.ipv4.ip_forward: %s", err_name(-r));
	if (!n->ipv6)
		return;
	r = fd_read_small(AT_FDCWD, "/proc/sys/net/ipv6/conf/all/forwarding", path, sizeof(path)) > 0 && strcmp(path, "0") == 0;
	if (r)
		keep_router_advertisements();
	network_sysctl("1", "ipv6/conf/all/forwarding");
}

int network_bridge_up(struct network *n, struct err *err)
{
	struct net_prefix v4 = { n->gateway4, n->subnet4.len }, v6 = { n->gateway6, n->subnet6.len };
	struct netlink nl;
	int r;

	if (n->driver != NETWORK_BRIDGE || n->up)
		return 0;
	r = netlink_open(&nl);
	if (r < 0)
		return err_set(err, -r, "netlink");
	r = link_bridge(&nl, n->bridge, &v4, &v6, mtu_of(n), err);
	netlink_close(&nl);
	if (r < 0)
		return err_wrap(err, r, "network %s", n->name);
	if (!n->internal)
		forward_on(n);
	network_sysctl("1", "ipv4/conf/%s/route_localnet", n->bridge);
	n->up = true;
	return 0;
}

void network_bridge_down(struct network *n)
{
	struct netlink nl;

	if (n->driver != NETWORK_BRIDGE || !if_nametoindex(n->bridge) || netlink_open(&nl) < 0)
		return;
	link_delete(&nl, n->bridge);
	netlink_close(&nl);
	n->up = false;
}

/* -- inside -------------------------------------------------------------------- */

/* The network whose gateway is the container's: the first in order of their numbers that has one. */
static bool gives_route(const struct container *c, const struct endpoint *e)
{
	if (e->net->internal)
		return false;
	for (size_t i = 0; i < c->net->count; i++) {
		const struct endpoint *o = &c->net->endpoints[i];

		if (o->net && !o->net->internal && o->attached && o->index < e->index)
			return false;
	}
	return true;
}

static int set_up_inside(struct container *c, void *arg, struct err *err)
{
	struct endpoint *e = arg;
	struct net_prefix v4 = { e->v4, e->net->subnet4.len }, v6 = { e->v6, e->net->subnet6.len };
	char name[IFNAMSIZ];
	struct netlink nl;
	unsigned index;
	int r = netlink_open(&nl);

	if (r < 0)
		return err_set(err, -r, "netlink");
	text_set(name, sizeof(name), "eth%u", e->index);
	index = if_nametoindex(name);
	r = link_set_up(&nl, 1, true, err);	/* lo */
	r = r < 0 ? r : link_set_up(&nl, index, e->v6.family != 0, err);
	if (r == 0 && e->v4.family)
		r = link_add_address(&nl, index, &v4, err);
	if (r == 0 && e->v6.family)
		r = link_add_address(&nl, index, &v6, err);
	if (r == 0 && gives_route(c, e)) {
		struct net_addr none = { 0 };
		bool l3 = e->net->driver == NETWORK_IPVLAN && network_option(e->net, "ipvlan_mode") && strcmp(network_option(e->net, "ipvlan_mode"), "l2") != 0;

		if (e->v4.family)
			r = link_add_default_route(&nl, index, l3 ? &none : &e->net->gateway4, AF_INET, err);
		if (r == 0 && e->v6.family)
			r = link_add_default_route(&nl, index, l3 ? &none : &e->net->gateway6, AF_INET6, err);
	}
	netlink_close(&nl);
	return r;
}

static int drop_inside(struct container *c, void *arg, struct err *err)
{
	const struct endpoint *e = arg;
	char name[IFNAMSIZ];
	struct netlink nl;

	(void)c;
	if (netlink_open(&nl) < 0)
		return err_set(err, EIO, "netlink");
	text_set(name, sizeof(name), "eth%u", e->index);
	link_delete(&nl, name);
	netlink_close(&nl);
	return 0;
}

static int make_device(struct netlink *nl, const struct container *c, const struct endpoint *e, int netns, struct err *err)
{
	char host[IFNAMSIZ], inside[IFNAMSIZ];
	struct link_pair p = { .name = host_name(c, e, host), .inside = inside, .netns = netns, .mtu = mtu_of(e->net) };
	unsigned parent = if_nametoindex(e->net->bridge);

	memcpy(p.mac, e->mac, sizeof(p.mac));
	text_set(inside, sizeof(inside), "eth%u", e->index);
	p.isolated = !network_option_is(e->net, "com.docker.network.bridge.enable_icc", true);
	p.bridge = parent;
	if (!parent)
		return err_set(err, ENODEV, "network %s: device %s", e->net->name, e->net->bridge);
	if (e->net->driver == NETWORK_BRIDGE) {
		if (if_nametoindex(p.name))
			link_delete(nl, p.name);	/* of a run that ended while no engine looked */
		return link_veth(nl, &p, err);
	}
	if (e->net->driver == NETWORK_MACVLAN)
		return link_vlan(nl, "macvlan", parent, network_option(e->net, "macvlan_mode"), &p, err);
	return link_vlan(nl, "ipvlan", parent, network_option(e->net, "ipvlan_mode"), &p, err);
}

int network_attach_one(struct container *c, struct endpoint *e, struct err *err)
{
	CLEANUP_FD int netns = open_netns(c->pid);
	struct netlink nl;
	int r;

	if (netns < 0)
		return err_set(err, -netns, "open the network of %s", c->svc.container_name);
	if (!e->net)
		return err_set(err, 0, "network %s not found", e->name);
	r = network_bridge_up(e->net, err);
	if (r < 0)
		return r;
	r = netlink_open(&nl);
	if (r < 0)
		return err_set(err, -r, "netlink");
	r = make_device(&nl, c, e, netns, err);
	netlink_close(&nl);
	r = r < 0 ? r : network_inside(c, set_up_inside, e, err);
	e->attached = r == 0;
	return r < 0 ? err_wrap(err, r, "network %s", e->net->name) : 0;
}

static void delete_device(const struct container *c, const struct endpoint *e)
{
	char name[IFNAMSIZ];
	struct netlink nl;

	if (netlink_open(&nl) < 0)
		return;
	if (if_nametoindex(host_name(c, e, name)))
		link_delete(&nl, name);
	netlink_close(&nl);
}

void network_detach_one(struct container *c, struct endpoint *e)
{
	struct err err = ERR_INIT;

	if (!e->attached)
		return;
	if (!e->net || e->net->driver == NETWORK_BRIDGE)
		delete_device(c, e);
	else if (c->pid > 0)
		network_inside(c, drop_inside, e, &err);
	e->attached = false;
}

static int start_dns(struct container *c, void *arg, struct err *err)
{
	(void)arg;
	return network_dns_start(c, err);
}

int network_attach(struct container *c, struct err *err)
{
	int r = 0;

	if (!c->net)
		return 0;
	for (size_t i = 0; r == 0 && i < c->net->count; i++)
		r = network_attach_one(c, &c->net->endpoints[i], err);
	c->net->live = true;
	if (r == 0 && network_wants_dns(c))
		r = network_inside(c, start_dns, NULL, err);
	r = r < 0 ? r : network_rules_apply(err);
	return r;
}

void network_detach(struct container *c)
{
	bool was;

	if (!c->net)
		return;
	was = c->net->live;
	network_dns_stop(c);
	network_release_ports(c);
	c->net->live = false;
	/* the namespace may be held by others: then nobody else would remove the pair */
	for (size_t i = 0; i < c->net->count; i++)
		if (c->net->endpoints[i].attached) {
			if (!c->net->endpoints[i].net || c->net->endpoints[i].net->driver == NETWORK_BRIDGE)
				delete_device(c, &c->net->endpoints[i]);
			c->net->endpoints[i].attached = false;
		}
	if (was)
		network_rules_later();
}

void network_adopt(struct container *c)
{
	struct err err = ERR_INIT;

	if (!c->net || c->pid <= 0)
		return;
	c->net->live = true;
	for (size_t i = 0; i < c->net->count; i++) {
		struct endpoint *e = &c->net->endpoints[i];

		e->attached = true;
		if (e->net && network_bridge_up(e->net, &err) < 0)
			report_problem("engine", "%s: %s", c->svc.container_name, err.text);
	}
	if (network_reserve_ports(c, &err) < 0)
		report_note("engine", "%s: %s; it stays published", c->svc.container_name, err.text);
	if (network_wants_dns(c) && network_inside(c, start_dns, NULL, &err) < 0)
		report_problem("engine", "%s: names are not answered: %s", c->svc.container_name, err.text);
	network_rules_later();
}
