/* api_network.c - GET /networks and what containers' replies say of networks and ports (coracle-engine). */
#include "apiint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_shared.h"
#include "engine.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "network_int.h"
#include "text.h"

static void add_pool(struct buf *b, const struct net_prefix *subnet, const struct net_prefix *range, const struct net_addr *gateway)
{
	char text[NET_ADDR_TEXT];

	if (!subnet->addr.family)
		return;
	jw_open(b, '{');
	jw_kstr(b, "Subnet", net_prefix_text(subnet, text));
	if (range->addr.family)
		jw_kstr(b, "IPRange", net_prefix_text(range, text));
	if (gateway->family)
		jw_kstr(b, "Gateway", net_addr_text(gateway, text));
	jw_close(b, '}');
}

static void add_cidr(struct buf *b, const char *key, const struct net_addr *a, unsigned len)
{
	struct net_prefix p = { *a, len };
	char text[NET_ADDR_TEXT];

	jw_kstr(b, key, a->family ? net_prefix_text(&p, text) : "");
}

static void add_containers(struct buf *b, const struct network *n)
{
	jw_kobj(b, "Containers");
	for (const struct container *c = engine.containers; c; c = c->next) {
		const struct endpoint *e = network_endpoint_of(c, n);
		char mac[18];

		if (!e || !c->net->live)
			continue;
		jw_kobj(b, c->id);
		jw_kstr(b, "Name", c->svc.container_name);
		jw_kstr(b, "EndpointID", e->id);
		jw_kstr(b, "MacAddress", net_mac_text(e->mac, mac));
		add_cidr(b, "IPv4Address", &e->v4, n->subnet4.len);
		add_cidr(b, "IPv6Address", &e->v6, n->subnet6.len);
		jw_close(b, '}');
	}
	jw_close(b, '}');
}

static void add_network(struct buf *b, const struct network *n, bool whole)
{
	char time[GOTIME_MAX];

	jw_open(b, '{');
	jw_kstr(b, "Name", n->name);
	jw_kstr(b, "Id", n->id);
	jw_kstr(b, "Created", gotime_format(n->created_ns, time));
	jw_kstr(b, "Scope", "local");
	jw_kstr(b, "Driver", network_driver_name(n->driver));
	jw_kbool(b, "EnableIPv4", true);
	jw_kbool(b, "EnableIPv6", n->ipv6);
	jw_kobj(b, "IPAM");
	jw_kstr(b, "Driver", "default");
	jw_kraw(b, "Options", "null");
	jw_karr(b, "Config");
	add_pool(b, &n->subnet4, &n->range4, &n->gateway4);
	add_pool(b, &n->subnet6, &n->range6, &n->gateway6);
	jw_close(b, ']');
	jw_close(b, '}');
	jw_kbool(b, "Internal", n->internal);
	jw_kbool(b, "Attachable", n->attachable);
	jw_kbool(b, "Ingress", false);
	jw_kraw(b, "ConfigFrom", "{\"Network\":\"\"}");
	jw_kbool(b, "ConfigOnly", false);
	if (whole)
		add_containers(b, n);
	else
		jw_kraw(b, "Containers", "{}");
	jw_kmap(b, "Options", n->options);
	jw_kmap(b, "Labels", n->labels);
	jw_close(b, '}');
}

/* -- filters -------------------------------------------------------------------- */

static bool match_name(const char *want, const void *arg)
{
	return filters_regex(want, ((const struct network *)arg)->name);
}

static bool match_id(const char *want, const void *arg)
{
	return strncmp(((const struct network *)arg)->id, want, strlen(want)) == 0;
}

static bool match_driver(const char *want, const void *arg)
{
	return strcmp(network_driver_name(((const struct network *)arg)->driver), want) == 0;
}

static bool match_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct network *)arg)->labels);
}

static bool match_type(const char *want, const void *arg)
{
	return strcmp(want, ((const struct network *)arg)->predefined ? "builtin" : "custom") == 0;
}

static bool match_scope(const char *want, const void *arg)
{
	(void)arg;
	return strcmp(want, "local") == 0;
}

static bool match_dangling(const char *want, const void *arg)
{
	const struct network *n = arg;
	bool yes = strcmp(want, "true") == 0 || strcmp(want, "1") == 0;

	return yes == (!n->predefined && !network_in_use(n));
}

void api_network_list(struct request *r)
{
	static const char *const known[] = { "name", "id", "driver", "label", "type", "scope", "dangling", NULL };
	struct err err = ERR_INIT;
	struct filters f;
	struct buf b;

	if (filters_parse(&r->mem, api_query(r, "filters"), known, &f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	for (const struct network *n = networks; n; n = n->next)
		if (filters_any(&f, "name", match_name, n) && filters_any(&f, "id", match_id, n) && filters_any(&f, "driver", match_driver, n) &&
		    filters_all(&f, "label", match_label, n) && filters_any(&f, "type", match_type, n) && filters_any(&f, "scope", match_scope, n) &&
		    filters_any(&f, "dangling", match_dangling, n))
			add_network(&b, n, false);
	jw_close(&b, ']');
	api_json(r, 200, &b);
}

struct network *api_network_named(struct request *r, const char *what)
{
	bool ambiguous;
	struct network *n = network_find(what, &ambiguous);

	if (!n && ambiguous)
		api_error(r, 400, "network %s is ambiguous (matches more than one id)", what);
	else if (!n)
		api_error(r, 404, "network %s not found", what);
	return n;
}

void api_network_inspect(struct request *r)
{
	struct network *n = api_network_named(r, r->arg);
	struct buf b;

	if (!n)
		return;
	buf_init(&b, API_REPLY_MAX);
	add_network(&b, n, true);
	api_json(r, 200, &b);
}

/* -- pieces of containers' replies ------------------------------------------------ */

static void add_address(struct buf *b, const char *key, const struct net_addr *a, bool shown)
{
	char text[NET_ADDR_TEXT];

	jw_kstr(b, key, shown ? net_addr_text(a, text) : "");
}

/* Addresses of an endpoint; those of a container that does not run are not told, as Docker. */
void api_endpoint_fields(struct buf *b, const struct endpoint *e, bool live)
{
	static const struct network nothing;
	const struct network *n = e && e->net ? e->net : &nothing;
	static const struct endpoint none;
	char mac[18];

	live = live && e && e->net;
	e = e ? e : &none;
	jw_kstr(b, "EndpointID", live ? e->id : "");
	add_address(b, "Gateway", &n->gateway4, live && !n->internal);
	add_address(b, "IPAddress", &e->v4, live);
	jw_kint(b, "IPPrefixLen", live && e->v4.family ? n->subnet4.len : 0);
	add_address(b, "IPv6Gateway", &n->gateway6, live && !n->internal);
	add_address(b, "GlobalIPv6Address", &e->v6, live);
	jw_kint(b, "GlobalIPv6PrefixLen", live && e->v6.family ? n->subnet6.len : 0);
	jw_kstr(b, "MacAddress", live ? net_mac_text(e->mac, mac) : "");
}

static void add_names(struct buf *b, const struct container *c, const struct endpoint *e)
{
	char id[CONTAINER_SHORT_LEN + 1];

	text_set(id, sizeof(id), "%.12s", c->id);
	if (!e || !e->net || e->net->predefined) {
		jw_kraw(b, "DNSNames", "null");
		return;
	}
	jw_karr(b, "DNSNames");
	jw_str(b, c->svc.container_name);
	for (char **a = e->aliases; a && *a; a++)
		if (strcmp(*a, c->svc.container_name) != 0)
			jw_str(b, *a);
	jw_str(b, id);
	if (c->svc.hostname && strcmp(c->svc.hostname, c->svc.container_name) != 0)
		jw_str(b, c->svc.hostname);
	jw_close(b, ']');
}

static void add_endpoint(struct buf *b, const struct container *c, const char *name, const struct network *n, const struct endpoint *e)
{
	char text[NET_ADDR_TEXT];

	jw_kobj(b, name);
	if (e && (e->want4.family || e->want6.family)) {
		jw_kobj(b, "IPAMConfig");
		if (e->want4.family)
			jw_kstr(b, "IPv4Address", net_addr_text(&e->want4, text));
		if (e->want6.family)
			jw_kstr(b, "IPv6Address", net_addr_text(&e->want6, text));
		jw_close(b, '}');
	} else {
		jw_kraw(b, "IPAMConfig", "null");
	}
	jw_kraw(b, "Links", "null");
	jw_kstrv(b, "Aliases", e && e->aliases && e->aliases[0] ? e->aliases : NULL);
	jw_kstr(b, "NetworkID", n ? n->id : "");
	api_endpoint_fields(b, e, c->net && c->net->live);
	jw_kraw(b, "DriverOpts", "null");
	add_names(b, c, e);
	jw_close(b, '}');
}

void api_networks(struct buf *b, const struct container *c)
{
	jw_kobj(b, "Networks");
	for (size_t i = 0; c->net && i < c->net->count; i++)
		add_endpoint(b, c, c->net->endpoints[i].name, c->net->endpoints[i].net, &c->net->endpoints[i]);
	if ((!c->net || !c->net->count) && strncmp(c->svc.network_mode, "container:", 10) != 0)
		add_endpoint(b, c, c->svc.network_mode, network_by_name(c->svc.network_mode), NULL);
	jw_close(b, '}');
}

/* -- ports ------------------------------------------------------------------------ */

static const char *const any[] = { "0.0.0.0", "::" };

static bool is_published(const struct container *c, const char *exposed)
{
	char text[32];

	for (size_t i = 0; c->net && c->net->live && i < c->net->port_count; i++) {
		text_set(text, sizeof(text), "%u/%s", c->net->ports[i].port, net_protocol_name(c->net->ports[i].protocol));
		if (strcmp(text, exposed) == 0)
			return true;
	}
	return false;
}

static void add_binding(struct buf *b, const char *ip, uint16_t host)
{
	char text[8];

	text_set(text, sizeof(text), "%u", host);
	jw_open(b, '{');
	jw_kstr(b, "HostIp", ip);
	jw_kstr(b, "HostPort", text);
	jw_close(b, '}');
}

/* {"80/tcp": [{HostIp, HostPort}...], "81/tcp": null} */
void api_port_map(struct buf *b, const struct container *c)
{
	size_t count = c->net && c->net->live ? c->net->port_count : 0;
	char key[32], ip[NET_ADDR_TEXT];

	jw_kobj(b, "Ports");
	for (size_t i = 0; i < count; i++) {
		const struct published *p = &c->net->ports[i];
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen = seen || (c->net->ports[k].port == p->port && c->net->ports[k].protocol == p->protocol);
		if (seen)
			continue;
		text_set(key, sizeof(key), "%u/%s", p->port, net_protocol_name(p->protocol));
		jw_karr(b, key);
		for (size_t k = i; k < count; k++) {
			const struct published *o = &c->net->ports[k];

			if (o->port != p->port || o->protocol != p->protocol)
				continue;
			for (size_t a = 0; !o->ip.family && a < ARRAY_SIZE(any); a++)
				add_binding(b, any[a], o->host);
			if (o->ip.family)
				add_binding(b, net_addr_text(&o->ip, ip), o->host);
		}
		jw_close(b, ']');
	}
	for (char **e = c->exposed; e && *e && network_is_own(c) && c->status == CONTAINER_RUNNING; e++)
		if (!is_published(c, *e))
			jw_kraw(b, *e, "null");
	jw_close(b, '}');
}

static void add_row(struct buf *b, const char *ip, unsigned private, unsigned public, const char *type)
{
	jw_open(b, '{');
	if (ip)
		jw_kstr(b, "IP", ip);
	jw_kint(b, "PrivatePort", private);
	if (public)
		jw_kint(b, "PublicPort", public);
	jw_kstr(b, "Type", type);
	jw_close(b, '}');
}

/* The rows of `docker ps`. */
void api_port_rows(struct buf *b, const struct container *c)
{
	size_t count = c->net && c->net->live ? c->net->port_count : 0;
	char ip[NET_ADDR_TEXT];

	jw_karr(b, "Ports");
	for (size_t i = 0; i < count; i++) {
		const struct published *p = &c->net->ports[i];

		for (size_t a = 0; !p->ip.family && a < ARRAY_SIZE(any); a++)
			add_row(b, any[a], p->port, p->host, net_protocol_name(p->protocol));
		if (p->ip.family)
			add_row(b, net_addr_text(&p->ip, ip), p->port, p->host, net_protocol_name(p->protocol));
	}
	for (char **e = c->exposed; e && *e && network_is_own(c) && c->status == CONTAINER_RUNNING; e++) {
		const char *slash = strchr(*e, '/');

		if (!is_published(c, *e))
			add_row(b, NULL, (unsigned)strtoul(*e, NULL, 10), 0, slash ? slash + 1 : "tcp");
	}
	jw_close(b, ']');
}
