/* network_docker.c - what Docker's create and connect say of networks and ports, in our own words (coracle-engine). Only reads JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "jw.h"
#include "network_int.h"
#include "text.h"

/* EndpointSettings as service.networks has it: aliases, ipv4_address, ipv6_address, mac_address. Freed by the caller. */
char *network_docker_wishes(yyjson_val *v)
{
	yyjson_val *ipam = yyjson_obj_get(v, "IPAMConfig"), *aliases = yyjson_obj_get(v, "Aliases");
	const char *four = yyjson_get_str(yyjson_obj_get(ipam, "IPv4Address")), *six = yyjson_get_str(yyjson_obj_get(ipam, "IPv6Address"));
	const char *mac = yyjson_get_str(yyjson_obj_get(v, "MacAddress"));
	CLEANUP_BUF struct buf b = { 0 };
	size_t i, max;
	yyjson_val *a;

	buf_init(&b, NETWORK_RECORD_MAX);
	jw_open(&b, '{');
	jw_karr(&b, "aliases");
	yyjson_arr_foreach(aliases, i, max, a)
		if (yyjson_is_str(a))
			jw_str(&b, yyjson_get_str(a));
	jw_close(&b, ']');
	if (four && *four)
		jw_kstr(&b, "ipv4_address", four);
	if (six && *six)
		jw_kstr(&b, "ipv6_address", six);
	if (mac && *mac)
		jw_kstr(&b, "mac_address", mac);
	jw_close(&b, '}');
	return buf_take(&b);
}

/* {NETWORK: wishes} of EndpointsConfig, NULL when there is none. Freed by the caller. */
char *network_docker_networks(const struct container *c)
{
	yyjson_doc *doc = c->svc.networking ? yyjson_read(c->svc.networking, strlen(c->svc.networking), 0) : NULL;
	yyjson_val *endpoints = yyjson_obj_get(yyjson_doc_get_root(doc), "EndpointsConfig"), *key, *v;
	CLEANUP_BUF struct buf b = { 0 };
	size_t i, max;

	buf_init(&b, NETWORK_RECORD_MAX);
	jw_open(&b, '{');
	yyjson_obj_foreach(endpoints, i, max, key, v) {
		CLEANUP_FREE char *json = network_docker_wishes(v);

		jw_kraw(&b, yyjson_get_str(key), json ? json : "{}");
	}
	jw_close(&b, '}');
	i = yyjson_obj_size(endpoints);
	yyjson_doc_free(doc);
	return i ? buf_take(&b) : NULL;
}

static char *one_port(struct arena *mem, const char *port, yyjson_val *binding)
{
	const char *ip = yyjson_get_str(yyjson_obj_get(binding, "HostIp")), *host = yyjson_get_str(yyjson_obj_get(binding, "HostPort"));
	bool six = ip && strchr(ip, ':');

	if (host && strcmp(host, "0") == 0)
		host = "";
	return arena_printf(mem, "%s%s%s%s%s%s%s", six ? "[" : "", ip ? ip : "", six ? "]" : "", ip && *ip ? ":" : "", host ? host : "",
			    (host && *host) || (ip && *ip) ? ":" : "", port);
}

static bool is_bound(yyjson_val *bindings, const char *port)
{
	return yyjson_arr_size(yyjson_obj_get(bindings, port)) > 0;
}

char **network_docker_ports(const struct container *c, struct arena *mem)
{
	yyjson_doc *doc = c->svc.networking ? yyjson_read(c->svc.networking, strlen(c->svc.networking), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc), *bindings = yyjson_obj_get(root, "PortBindings"), *key, *v, *b;
	size_t most = strv_len(c->svc.ports) + strv_len(c->exposed), n = 0, i, k, max, kmax;
	char **out;

	yyjson_obj_foreach(bindings, i, max, key, v)
		most += yyjson_arr_size(v);
	out = arena_strv(mem, most);
	for (char **p = c->svc.ports; out && p && *p; p++)
		out[n++] = *p;
	yyjson_obj_foreach(bindings, i, max, key, v)
		yyjson_arr_foreach(v, k, kmax, b)
			if (out)
				out[n++] = one_port(mem, yyjson_get_str(key), b);
	if (yyjson_get_bool(yyjson_obj_get(root, "PublishAllPorts")))
		for (char **e = c->exposed; out && e && *e; e++)
			if (!is_bound(bindings, *e))
				out[n++] = arena_strdup(mem, *e);
	yyjson_doc_free(doc);
	return out;
}
