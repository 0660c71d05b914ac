/* network_create.c - making and removing networks: names, subnets, gateways (coracle-engine). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine.h"
#include "network_int.h"
#include "path.h"
#include "report.h"
#include "runtime/net/link.h"
#include "text.h"

char **network_take_map(struct arena *mem, yyjson_val *obj)
{
	char **out = arena_strv(mem, yyjson_obj_size(obj));
	size_t i, max, n = 0;
	yyjson_val *key, *v;

	yyjson_obj_foreach(obj, i, max, key, v)
		if (out && yyjson_is_str(v))
			out[n++] = arena_printf(mem, "%s=%s", yyjson_get_str(key), yyjson_get_str(v));
	return out;
}

char **network_take_list(struct arena *mem, yyjson_val *arr)
{
	char **out = arena_strv(mem, yyjson_arr_size(arr));
	size_t i, max, n = 0;
	yyjson_val *v;

	yyjson_arr_foreach(arr, i, max, v)
		if (out && yyjson_is_str(v))
			out[n++] = arena_strdup(mem, yyjson_get_str(v));
	return out;
}

int network_take_prefix(yyjson_val *o, const char *key, bool subnet, struct net_prefix *out, struct err *err)
{
	const char *s = yyjson_get_str(yyjson_obj_get(o, key));

	*out = (struct net_prefix){ .len = 0 };
	return s && *s ? net_prefix_parse(s, subnet, out, err) : 0;
}

int network_take_address(yyjson_val *o, const char *key, struct net_addr *out, struct err *err)
{
	const char *s = yyjson_get_str(yyjson_obj_get(o, key));
	char text[NET_ADDR_TEXT];

	*out = (struct net_addr){ 0 };
	if (!s || !*s)
		return 0;
	text_set(text, sizeof(text), "%.*s", (int)strcspn(s, "/"), s);
	return net_addr_parse(text, out) ? 0 : err_set(err, 0, "invalid IP address: %.64s", s);
}

struct overlap {
	const struct net_prefix *with;
	bool found;
};

static void on_route(const struct net_prefix *to, void *arg)
{
	struct overlap *o = arg;

	o->found = o->found || net_prefix_overlap(o->with, to);
}

static struct network *overlapping(const struct net_prefix *p)
{
	for (struct network *n = networks; n; n = n->next)
		if ((n->subnet4.addr.family && net_prefix_overlap(p, &n->subnet4)) || (n->subnet6.addr.family && net_prefix_overlap(p, &n->subnet6)))
			return n;
	return NULL;
}

static bool is_taken(const struct net_prefix *p, void *arg)
{
	struct overlap o = { p, false };

	if (overlapping(p))
		return true;
	link_each_route(arg, on_route, &o);
	return o.found;
}

static int choose_subnet(struct network *n, struct err *err)
{
	struct net_prefix free_one;	/* not in the list while others are compared with it */
	struct netlink nl;
	int r = netlink_open(&nl);

	if (r < 0)
		return err_set(err, -r, "netlink");
	r = net_pool_subnet(is_taken, &nl, &free_one);
	netlink_close(&nl);
	if (r < 0)
		return err_set(err, 0, "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network");
	n->subnet4 = free_one;
	return 0;
}

static int settle_gateway(const struct net_prefix *subnet, const struct net_prefix *range, struct net_addr *gateway, struct err *err)
{
	char text[NET_ADDR_TEXT], other[NET_ADDR_TEXT];

	if (!subnet->addr.family)
		return 0;
	if (range->addr.family && !net_prefix_has(subnet, &range->addr))
		return err_set(err, 0, "invalid IP range %s: it is not in %s", net_prefix_text(range, text), net_prefix_text(subnet, other));
	if (!gateway->family)
		*gateway = net_prefix_at(subnet, 1);
	if (net_prefix_has(subnet, gateway))
		return 0;
	return err_set(err, 0, "no matching subnet for gateway %s", net_addr_text(gateway, text));
}

int network_settle(struct network *n, struct err *err)
{
	bool fresh = false;
	uint8_t random[16];
	int r = 0;

	if (n->driver == NETWORK_HOST || n->driver == NETWORK_NONE)
		return 0;
	if (!n->subnet4.addr.family) {
		r = choose_subnet(n, err);
		fresh = true;
	}
	if (r == 0 && n->ipv6 && !n->subnet6.addr.family) {
		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return err_set(err, EIO, "random bytes");
		net_pool_ula(random, &n->subnet6);
		fresh = true;
	}
	r = r < 0 ? r : settle_gateway(&n->subnet4, &n->range4, &n->gateway4, err);
	r = r < 0 ? r : settle_gateway(&n->subnet6, &n->range6, &n->gateway6, err);
	return r < 0 || !fresh ? r : network_save(n, err);
}

static char **copy_strings(struct arena *mem, char *const *v)
{
	char **out = arena_strv(mem, strv_len(v));

	for (size_t i = 0; out && v && v[i]; i++)
		out[i] = arena_strdup(mem, v[i]);
	return out;
}

static int check_wish(const struct network_wish *w, struct err *err)
{
	const struct net_prefix *subnets[] = { &w->subnet4, &w->subnet6 };
	char text[NET_ADDR_TEXT];
	size_t count = 0;

	if (!path_component_ok(w->name) || strpbrk(w->name, " \t:"))
		return err_set(err, 0, "invalid network name: \"%.100s\"", w->name);
	if (network_by_name(w->name))
		return err_set(err, EEXIST, "network with name %s already exists", w->name);
	for (const struct network *n = networks; n; n = n->next)
		count++;
	if (count >= NETWORKS_MAX)
		return err_set(err, 0, "there are %d networks already: remove some", NETWORKS_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(subnets); i++)
		if (subnets[i]->addr.family && overlapping(subnets[i]))
			return err_set(err, EADDRINUSE, "invalid pool request: Pool overlaps with other one on this address space: %s (network %s)",
				       net_prefix_text(subnets[i], text), overlapping(subnets[i])->name);
	return 0;
}

static int take_driver(struct network *n, const char *driver, struct err *err)
{
	const char *wanted;

	if (!driver || !*driver || strcmp(driver, "default") == 0 || strcmp(driver, "bridge") == 0)
		n->driver = NETWORK_BRIDGE;
	else if (strcmp(driver, "macvlan") == 0)
		n->driver = NETWORK_MACVLAN;
	else if (strcmp(driver, "ipvlan") == 0)
		n->driver = NETWORK_IPVLAN;
	else if (strcmp(driver, "host") == 0 || strcmp(driver, "null") == 0)
		return err_set(err, EPERM, "only one instance of \"%s\" network is allowed", driver);
	else
		return err_set(err, ENOENT, "could not find plugin %.64s in v1 plugin registry: plugin not found", driver);
	wanted = network_option(n, n->driver == NETWORK_BRIDGE ? "com.docker.network.bridge.name" : "parent");
	if (n->driver != NETWORK_BRIDGE && !wanted)
		return err_set(err, 0, "%s needs the device of the machine that it is on: option parent=eth0", driver);
	if (wanted && (!path_component_ok(wanted) || strlen(wanted) >= IFNAMSIZ))
		return err_set(err, 0, "\"%.64s\" cannot be the name of a device", wanted);
	text_set(n->bridge, sizeof(n->bridge), wanted ? "%.15s" : "br-%.12s", wanted ? wanted : n->id);
	for (const struct network *o = networks; o; o = o->next)
		if (n->driver == NETWORK_BRIDGE && o->driver == NETWORK_BRIDGE && strcmp(o->bridge, n->bridge) == 0)
			return err_set(err, EADDRINUSE, "the bridge %s is network %s's", n->bridge, o->name);
	return 0;
}

int network_create(const struct network_wish *w, struct network **out, struct err *err)
{
	struct network *n;
	int r = check_wish(w, err);

	if (r < 0)
		return r;
	n = network_new();
	if (!n)
		return err_set(err, ENOMEM, "network %s", w->name);
	network_random_id(n->id);
	n->name = arena_strdup(&n->mem, w->name);
	n->options = copy_strings(&n->mem, w->options);
	n->labels = copy_strings(&n->mem, w->labels);
	n->created_ns = wall_now();
	n->ipv6 = w->ipv6 || w->subnet6.addr.family;
	n->internal = w->internal;
	n->attachable = w->attachable;
	n->from_boot = w->from_boot;
	n->subnet4 = w->subnet4;
	n->subnet6 = w->subnet6;
	n->range4 = w->range4;
	n->range6 = w->range6;
	n->gateway4 = w->gateway4;
	n->gateway6 = w->gateway6;
	r = n->name && n->options && n->labels ? take_driver(n, w->driver, err) : err_set(err, ENOMEM, "network %s", w->name);
	r = r < 0 ? r : network_settle(n, err);
	r = r < 0 ? r : network_save(n, err);
	if (r < 0) {
		network_free(n);
		return r;
	}
	network_enlist(n);
	*out = n;
	return 0;
}

bool network_in_use(const struct network *n)
{
	for (const struct container *c = engine.containers; c; c = c->next)
		if (c->net && c->net->live && network_endpoint_of(c, n))
			return true;
	return false;
}

int network_remove(struct network *n, struct err *err)
{
	struct network **p = &networks;

	if (n->predefined)
		return err_set(err, EPERM, "%s is a pre-defined network and cannot be removed", n->name);
	if (network_in_use(n))
		return err_set(err, EBUSY, "error while removing network: network %s id %s has active endpoints", n->name, n->id);
	network_unlink(n);
	network_bridge_down(n);
	for (struct container *c = engine.containers; c; c = c->next)
		for (size_t i = 0; c->net && i < c->net->count; i++)
			if (c->net->endpoints[i].net == n)
				c->net->endpoints[i].net = NULL;
	while (*p && *p != n)
		p = &(*p)->next;
	if (*p)
		*p = n->next;
	network_free(n);
	network_rules_later();
	return 0;
}
