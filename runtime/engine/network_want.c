/* network_want.c - the networks of the boot configuration, as containers.json names them (coracle-engine). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "network_int.h"
#include "report.h"
#include "text.h"

static bool same_prefix(const struct net_prefix *wanted, const struct net_prefix *is)
{
	return !wanted->addr.family || (wanted->len == is->len && net_addr_equal(&wanted->addr, &is->addr));
}

static bool same_strings(char *const *a, char *const *b)
{
	if (strv_len(a) != strv_len(b))
		return false;
	for (; a && *a; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return true;
}

static bool is_as_wanted(const struct network *n, const struct network_wish *w)
{
	return strcmp(network_driver_name(n->driver), w->driver && *w->driver ? w->driver : "bridge") == 0 && n->internal == w->internal &&
	       n->ipv6 == (w->ipv6 || w->subnet6.addr.family) && same_prefix(&w->subnet4, &n->subnet4) && same_prefix(&w->subnet6, &n->subnet6) &&
	       (!w->gateway4.family || net_addr_equal(&w->gateway4, &n->gateway4)) && same_strings(w->options, n->options) &&
	       same_strings(w->labels, n->labels);
}

/* Keys: name; driver, internal, attachable, ipv6, subnets, options, labels where they were asked for. */
static int take_wish(struct arena *mem, yyjson_val *v, struct network_wish *w, struct err *err)
{
	yyjson_val *subnets = yyjson_obj_get(v, "subnets"), *s;
	size_t i, max;

	*w = (struct network_wish){ .name = yyjson_get_str(yyjson_obj_get(v, "name")), .driver = yyjson_get_str(yyjson_obj_get(v, "driver")) };
	if (!w->name)
		return err_set(err, 0, "a network has no name");
	w->from_boot = true;
	w->internal = yyjson_get_bool(yyjson_obj_get(v, "internal"));
	w->attachable = yyjson_get_bool(yyjson_obj_get(v, "attachable"));
	w->ipv6 = yyjson_get_bool(yyjson_obj_get(v, "ipv6"));
	w->options = network_take_map(mem, yyjson_obj_get(v, "options"));
	w->labels = network_take_map(mem, yyjson_obj_get(v, "labels"));
	yyjson_arr_foreach(subnets, i, max, s)
		if (network_take_pool(s, "subnet", "ip_range", "gateway", w, err) < 0)
			return err_wrap(err, -EINVAL, "network %s", w->name);
	return w->options && w->labels ? 0 : err_set(err, ENOMEM, "network %s", w->name);
}

static int provide(const struct network_wish *w, struct err *err)
{
	struct network *n = network_by_name(w->name);

	if (n && (n->predefined || is_as_wanted(n, w)))
		return 0;
	if (n && network_in_use(n))
		return err_set(err, 0, "its configuration has changed, but containers are in it; it stays as it is");
	return n && network_remove(n, err) < 0 ? -EIO : network_create(w, &n, err);
}

void network_provide(const char *json)
{
	yyjson_doc *doc = json ? yyjson_read(json, strlen(json), 0) : NULL;
	size_t i, max;
	yyjson_val *v;

	yyjson_arr_foreach(yyjson_doc_get_root(doc), i, max, v) {
		struct network_wish w = { .name = NULL };
		struct err err = ERR_INIT;
		struct arena mem;

		arena_init(&mem, NETWORK_ARENA_MAX);
		if (take_wish(&mem, v, &w, &err) < 0 || provide(&w, &err) < 0)
			report_problem("engine", "network %s: %s", w.name ? w.name : "?", err.text);
		arena_free(&mem);
	}
	yyjson_doc_free(doc);
}

/* A subnet with its range and gateway, of the family that it has. */
int network_take_pool(yyjson_val *o, const char *subnet, const char *range, const char *gateway, struct network_wish *w, struct err *err)
{
	struct net_prefix p, r;
	struct net_addr g;
	bool six;

	if (network_take_prefix(o, subnet, true, &p, err) < 0 || network_take_prefix(o, range, true, &r, err) < 0 ||
	    network_take_address(o, gateway, &g, err) < 0)
		return -EINVAL;
	if (!p.addr.family)
		return r.addr.family || g.family ? err_set(err, 0, "a range or a gateway needs its subnet") : 0;
	six = p.addr.family == AF_INET6;
	if ((six ? w->subnet6 : w->subnet4).addr.family)
		return err_set(err, 0, "one subnet of IPv4 and one of IPv6 are supported");
	*(six ? &w->subnet6 : &w->subnet4) = p;
	*(six ? &w->range6 : &w->range4) = r;
	*(six ? &w->gateway6 : &w->gateway4) = g;
	return 0;
}
