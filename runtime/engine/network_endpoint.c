/* network_endpoint.c - which networks a container is in, with which addresses: its network.json (coracle-engine). The kernel is network_link.c's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "network_int.h"
#include "text.h"

static bool shares(const struct container *c)
{
	return strncmp(c->svc.network_mode, "container:", 10) == 0;
}

bool network_is_own(const struct container *c)
{
	return strcmp(c->svc.network_mode, "host") != 0 && strcmp(c->svc.network_mode, "none") != 0 && !shares(c);
}

struct container *network_owner(const struct container *c)
{
	bool ambiguous;
	struct container *o = NULL;

	/* it may share another's in its turn; a circle ends nowhere */
	for (int hops = 0; shares(c) && hops < 8; hops++) {
		o = container_find(c->svc.network_mode + 10, &ambiguous);
		if (!o)
			return NULL;
		c = o;
	}
	return shares(c) ? NULL : o;
}

struct endpoint *network_endpoint_of(const struct container *c, const struct network *n)
{
	for (size_t i = 0; c->net && i < c->net->count; i++)
		if (c->net->endpoints[i].net == n)
			return &c->net->endpoints[i];
	return NULL;
}

bool network_address_used(const struct net_addr *a, void *network)
{
	const struct network *n = network;

	if (net_addr_equal(a, &n->gateway4) || net_addr_equal(a, &n->gateway6))
		return true;
	for (const struct container *c = engine.containers; c; c = c->next) {
		const struct endpoint *e = network_endpoint_of(c, n);

		if (e && (net_addr_equal(&e->v4, a) || net_addr_equal(&e->v6, a) || net_addr_equal(&e->want4, a) || net_addr_equal(&e->want6, a)))
			return true;
	}
	return false;
}

static struct container_network *get(struct container *c)
{
	struct container_network *net = c->net;

	if (net)
		return net;
	net = calloc(1, sizeof(*net));
	if (!net)
		return NULL;
	arena_init(&net->mem, NETWORK_ARENA_MAX);
	net->endpoints = arena_alloc(&net->mem, NETWORK_ENDPOINTS_MAX * sizeof(*net->endpoints));
	if (!net->endpoints) {
		free(net);
		return NULL;
	}
	c->net = net;
	return net;
}

void network_forget(struct container *c)
{
	if (!c->net)
		return;
	network_detach(c);
	arena_free(&c->net->mem);
	free(c->net);
	c->net = NULL;
}

/* -- the record -------------------------------------------------------------- */

static void add_address(struct buf *b, const char *key, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];

	if (a->family)
		jw_kstr(b, key, net_addr_text(a, text));
}

int network_save_container(struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b;
	char path[512], mac[18];

	buf_init(&b, NETWORK_RECORD_MAX);
	jw_open(&b, '{');
	jw_kint(&b, "version", 1);
	jw_karr(&b, "endpoints");
	for (size_t i = 0; i < c->net->count; i++) {
		const struct endpoint *e = &c->net->endpoints[i];

		jw_open(&b, '{');
		jw_kstr(&b, "network", e->name);
		jw_kstr(&b, "id", e->id);
		add_address(&b, "v4", &e->v4);
		add_address(&b, "v6", &e->v6);
		add_address(&b, "want4", &e->want4);
		add_address(&b, "want6", &e->want6);
		jw_kstr(&b, "mac", net_mac_text(e->mac, mac));
		jw_kstrv(&b, "aliases", e->aliases);
		jw_kint(&b, "index", e->index);
		jw_close(&b, '}');
	}
	jw_close(&b, ']');
	jw_karr(&b, "ports");
	for (size_t i = 0; i < c->net->port_count; i++)
		jw_int(&b, c->net->ports[i].host);
	jw_close(&b, ']');
	jw_close(&b, '}');
	if (buf_error(&b))
		return err_set(err, -buf_error(&b), "network.json of %s", c->svc.container_name);
	return fd_replace_file(AT_FDCWD, engine_container_path(c->id, "network.json", path, sizeof(path)), b.data, b.len, 0600, err);
}

static int take_endpoint(struct container_network *net, yyjson_val *o, struct err *err)
{
	struct endpoint *e = &net->endpoints[net->count];
	const char *name = yyjson_get_str(yyjson_obj_get(o, "network"));
	const char *mac = yyjson_get_str(yyjson_obj_get(o, "mac"));
	const char *id = yyjson_get_str(yyjson_obj_get(o, "id"));

	*e = (struct endpoint){ .index = (unsigned)yyjson_get_uint(yyjson_obj_get(o, "index")) % NETWORK_ENDPOINTS_MAX };
	if (!name || !mac || !id || !net_mac_parse(mac, e->mac) || network_take_address(o, "v4", &e->v4, err) < 0 ||
	    network_take_address(o, "v6", &e->v6, err) < 0 || network_take_address(o, "want4", &e->want4, err) < 0 ||
	    network_take_address(o, "want6", &e->want6, err) < 0)
		return err_set(err, 0, "an endpoint of network.json is not valid");
	text_set(e->id, sizeof(e->id), "%s", id);
	e->name = arena_strdup(&net->mem, name);
	e->aliases = network_take_list(&net->mem, yyjson_obj_get(o, "aliases"));
	e->net = network_by_name(name);
	if (!e->name || !e->aliases)
		return err_set(err, ENOMEM, "endpoint");
	net->count++;
	return 0;
}

/* Absent: it was never started. */
int network_load_container(struct container *c, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	yyjson_val *list, *v;
	yyjson_doc *doc;
	char path[512];
	size_t n, i, max;
	int r = fd_read_file(AT_FDCWD, engine_container_path(c->id, "network.json", path, sizeof(path)), NETWORK_RECORD_MAX, &text, &n, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, -r, "read %s", path);
	if (!get(c))
		return err_set(err, ENOMEM, "network");
	doc = yyjson_read(text, n, 0);
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "endpoints");
	r = 0;
	yyjson_arr_foreach(list, i, max, v)
		if (r == 0 && c->net->count < NETWORK_ENDPOINTS_MAX)
			r = take_endpoint(c->net, v, err);
	if (r == 0 && network_read_ports(c, err) == 0) {
		list = yyjson_obj_get(yyjson_doc_get_root(doc), "ports");
		for (i = 0; i < c->net->port_count && i < yyjson_arr_size(list); i++)
			if (!c->net->ports[i].host)
				c->net->ports[i].host = (uint16_t)yyjson_get_uint(yyjson_arr_get(list, i));
	}
	yyjson_doc_free(doc);
	return r;
}

/* -- endpoints ---------------------------------------------------------------- */

static unsigned free_index(const struct container_network *net)
{
	unsigned index = 0;

	for (size_t i = 0; i < net->count; i++)
		if (net->endpoints[i].index == index) {
			index++;
			i = (size_t)-1;
		}
	return index;
}

/* What was asked of it: aliases, ipv4_address, ipv6_address, mac_address. */
static int take_wishes(struct container_network *net, struct endpoint *e, const char *json, struct err *err)
{
	yyjson_doc *doc = json ? yyjson_read(json, strlen(json), 0) : NULL;
	yyjson_val *o = yyjson_doc_get_root(doc);
	const char *mac = yyjson_get_str(yyjson_obj_get(o, "mac_address"));
	int r = network_take_address(o, "ipv4_address", &e->want4, err);

	r = r < 0 ? r : network_take_address(o, "ipv6_address", &e->want6, err);
	if (r == 0 && mac && *mac && !net_mac_parse(mac, e->mac))
		r = err_set(err, 0, "invalid MAC address: %.64s", mac);
	e->aliases = network_take_list(&net->mem, yyjson_obj_get(o, "aliases"));
	yyjson_doc_free(doc);
	return r < 0 ? r : e->aliases ? 0 : err_set(err, ENOMEM, "aliases");
}

int network_add_endpoint(struct container *c, struct network *n, const char *json, struct endpoint **out, struct err *err)
{
	struct container_network *net = get(c);
	struct endpoint e = { .net = n };
	int r;

	if (!net || !(e.name = arena_strdup(&net->mem, n->name)))
		return err_set(err, ENOMEM, "network of %s", c->svc.container_name);
	if (network_endpoint_of(c, n))
		return err_set(err, EEXIST, "endpoint with name %s already exists in network %s", c->svc.container_name, n->name);
	if (net->count == NETWORK_ENDPOINTS_MAX)
		return err_set(err, E2BIG, "%s is in %d networks already", c->svc.container_name, NETWORK_ENDPOINTS_MAX);
	if (n->driver == NETWORK_HOST || n->driver == NETWORK_NONE)
		return err_set(err, 0, "container cannot be connected to the network %s beside others", n->name);
	r = take_wishes(net, &e, json, err);
	if (r < 0)
		return r;
	if (n->predefined && (e.want4.family || e.want6.family))
		return err_set(err, 0, "user specified IP address is supported on user defined networks only");
	network_random_id(e.id);
	e.index = free_index(net);
	net->endpoints[net->count] = e;
	*out = &net->endpoints[net->count++];
	return 0;
}

void network_drop_endpoint(struct container *c, struct endpoint *e)
{
	size_t i = (size_t)(e - c->net->endpoints);

	memmove(e, e + 1, (c->net->count - i - 1) * sizeof(*e));
	c->net->count--;
}

/* The networks that the service names, at its first start. */
static int first_endpoints(struct container *c, struct err *err)
{
	CLEANUP_FREE char *docker = network_docker_networks(c);
	const char *named = docker ? docker : c->svc.networks;
	yyjson_doc *doc = named ? yyjson_read(named, strlen(named), 0) : NULL;
	const char *mode = strcmp(c->svc.network_mode, "default") == 0 ? "bridge" : c->svc.network_mode;
	size_t i, max, count = yyjson_obj_size(yyjson_doc_get_root(doc));
	yyjson_val *key, *v;
	struct endpoint *e;
	bool ambiguous;
	int r = 0;

	yyjson_obj_foreach(yyjson_doc_get_root(doc), i, max, key, v) {
		const char *name = strcmp(yyjson_get_str(key), "default") == 0 ? mode : yyjson_get_str(key);
		struct network *n = network_find(name, &ambiguous);
		char *json = yyjson_is_obj(v) ? yyjson_val_write(v, 0, NULL) : NULL;

		r = r < 0 ? r : n ? network_add_endpoint(c, n, json, &e, err) : err_set(err, 0, "network %s not found", name);
		free(json);
	}
	yyjson_doc_free(doc);
	if (r == 0 && count == 0) {
		struct network *n = network_find(mode, &ambiguous);

		r = n ? network_add_endpoint(c, n, NULL, &e, err) : err_set(err, 0, "network %s not found", mode);
	}
	return r < 0 ? r : network_read_ports(c, err);
}

/* One address: what was asked for, what it had, or a free one. */
static int take_address(struct network *n, const struct net_prefix *subnet, const struct net_prefix *range, struct net_addr *last,
	const struct net_addr *want, struct net_addr *have, bool *changed, struct err *err)
{
	struct net_addr now = *have;
	char text[NET_ADDR_TEXT], other[NET_ADDR_TEXT];

	if (!subnet->addr.family)
		return want->family ? err_set(err, 0, "no configured subnet or ip range contain the IP address %s", net_addr_text(want, text)) : 0;
	if (want->family && !net_prefix_has(subnet, want))
		return err_set(err, 0, "no configured subnet contains IP address %s", net_addr_text(want, text));
	if (now.family && net_prefix_has(subnet, &now) && (!want->family || net_addr_equal(want, &now)))
		return 0;
	*have = (struct net_addr){ 0 };
	*changed = true;
	if (want->family) {
		struct net_addr w = *want;

		((struct net_addr *)(uintptr_t)want)->family = 0;	/* its own wish is not somebody else's address */
		if (network_address_used(&w, n)) {
			((struct net_addr *)(uintptr_t)want)->family = w.family;
			return err_set(err, 0, "Address already in use: %s", net_addr_text(&w, text));
		}
		((struct net_addr *)(uintptr_t)want)->family = w.family;
		*have = w;
		return 0;
	}
	if (net_pool_next(subnet, range, last, network_address_used, n, have) < 0)
		return err_set(err, 0, "no available IPv4 addresses on this network's address pools: %s (%s)", n->name, net_prefix_text(subnet, other));
	*last = *have;
	return 0;
}

static int settle_endpoint(struct container *c, struct endpoint *e, bool *changed, struct err *err)
{
	static const uint8_t none[6];
	struct network *n = e->net;
	int r;

	(void)c;
	if (!n) {
		e->net = n = network_by_name(e->name);
		*changed = true;
	}
	if (!n)
		return err_set(err, 0, "network %s not found", e->name);
	r = network_settle(n, err);
	r = r < 0 ? r : take_address(n, &n->subnet4, &n->range4, &n->last4, &e->want4, &e->v4, changed, err);
	r = r < 0 ? r : take_address(n, &n->subnet6, &n->range6, &n->last6, &e->want6, &e->v6, changed, err);
	if (r == 0 && memcmp(e->mac, none, 6) == 0)
		net_addr_mac(e->v4.family ? &e->v4 : &e->v6, e->mac);
	return r;
}

int network_prepare(struct container *c, struct err *err)
{
	bool changed = !c->net || !c->net->count;
	int r = 0;

	if (strncmp(c->svc.network_mode, "container:", 10) == 0) {
		const struct container *o = network_owner(c);

		if (!o)
			return err_set(err, 0, "No such container: %s", c->svc.network_mode + 10);
		if (o->pid <= 0 || o->status != CONTAINER_RUNNING)
			return err_set(err, 0, "cannot join network of a non running container: %s", o->id);
		return 0;
	}
	if (!network_is_own(c))
		return 0;
	if (changed) {
		r = first_endpoints(c, err);
		if (r < 0) {
			network_forget(c);
			return r;
		}
	}
	for (size_t i = 0; r == 0 && i < c->net->count; i++)
		r = settle_endpoint(c, &c->net->endpoints[i], &changed, err);
	if (r == 0 && network_reserve_ports(c, err) < 0)
		r = err_wrap(err, -EADDRINUSE, "driver failed programming external connectivity on endpoint %s (%s)", c->svc.container_name,
			     c->net->count ? c->net->endpoints[0].id : "");
	for (size_t i = 0; r == 0 && i < c->net->port_count; i++)
		changed = changed || !c->net->ports[i].fixed;
	if (r == 0 && changed)
		r = network_save_container(c, err);
	if (r < 0)
		network_release_ports(c);
	return r;
}
