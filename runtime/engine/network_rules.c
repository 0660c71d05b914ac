/* network_rules.c - from what is live to the kernel's rules and switches (coracle-engine). */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "netlink.h"
#include "network_int.h"
#include "report.h"
#include "runtime/net/ruleset.h"
#include "sha256.h"
#include "text.h"

static struct loop_timer timer;
static char applied[SHA256_HEX_LEN + 1];	/* of the set that the kernel has; "": none of ours */

/* Returns 1 when it was something else, 0 when it was that already, -errno. */
int network_sysctl(const char *value, const char *fmt, ...)
{
	char path[160] = "/proc/sys/net/", now[32];
	size_t n = strlen(path);
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - n, fmt, ap);
	va_end(ap);
	if (fd_read_small(AT_FDCWD, path, now, sizeof(now)) >= 0 && strcmp(now, value) == 0)
		return 0;
	r = fd_write_small(AT_FDCWD, path, value);
	return r < 0 ? r : 1;
}

static size_t add_networks(struct ruleset_network *out)
{
	size_t n = 0;

	for (const struct network *net = networks; net; net = net->next) {
		if (net->driver != NETWORK_BRIDGE || !net->up)
			continue;
		out[n++] = (struct ruleset_network){
			.bridge = net->bridge, .v4 = net->subnet4, .v6 = net->subnet6, .internal = net->internal,
			.masquerade = network_option_is(net, "com.docker.network.bridge.enable_ip_masquerade", true),
			.icc = network_option_is(net, "com.docker.network.bridge.enable_icc", true),
		};
	}
	return n;
}

/* Where a published port of one family goes: the first network that is not cut off. */
static const struct net_addr *target(const struct container *c, int family)
{
	for (size_t i = 0; i < c->net->count; i++) {
		const struct endpoint *e = &c->net->endpoints[i];

		if (e->net && e->net->driver == NETWORK_BRIDGE && !e->net->internal && (family == AF_INET ? e->v4 : e->v6).family)
			return family == AF_INET ? &e->v4 : &e->v6;
	}
	return NULL;
}

static size_t add_ports(const struct container *c, struct ruleset_port *out)
{
	static const int families[] = { AF_INET, AF_INET6 };
	size_t n = 0;

	for (size_t i = 0; i < c->net->port_count; i++) {
		const struct published *p = &c->net->ports[i];

		for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
			const struct net_addr *to = target(c, families[f]);

			if (!to || !p->host || (p->ip.family && p->ip.family != families[f]))
				continue;
			out[n] = (struct ruleset_port){ .protocol = p->protocol, .host = p->host, .to = *to, .port = p->port };
			if (!net_addr_is_any(&p->ip))
				out[n].ip = p->ip;
			n++;
		}
	}
	return n;
}

static int send_rules(const struct buf *b, struct err *err)
{
	struct netlink nl;
	int r = netlink_open_protocol(&nl, NETLINK_NETFILTER);

	if (r < 0)
		return err_set(err, -r, "nf_tables");
	r = netlink_batch(&nl, b->data, b->len);
	if (r < 0)
		err_set(err, -r, "rules of networks%s%s", nl.why[0] ? ": " : "", nl.why);
	netlink_close(&nl);
	return r;
}

static bool is_router(void)
{
	char path[512];

	text_set(path, sizeof(path), "%s/router", engine.opt.run);
	return access(path, F_OK) == 0;
}

int network_rules_apply(struct err *err)
{
	CLEANUP_FREE struct ruleset_network *nets = calloc(NETWORKS_MAX + 3, sizeof(*nets));
	CLEANUP_FREE struct ruleset_port *ports = NULL;
	size_t net_count, port_count = 0, most = 0;
	char now[SHA256_HEX_LEN + 1] = "";
	CLEANUP_BUF struct buf b;
	int r;

	loop_timer_cancel(&timer);
	buf_init(&b, RULESET_MAX);
	for (const struct container *c = engine.containers; c; c = c->next)
		most += c->net && c->net->live ? 2 * c->net->port_count : 0;
	ports = calloc(most + 1, sizeof(*ports));
	if (!nets || !ports)
		return err_set(err, ENOMEM, "rules of networks");
	net_count = add_networks(nets);
	for (const struct container *c = engine.containers; c; c = c->next)
		if (c->net && c->net->live)
			port_count += add_ports(c, ports + port_count);
	if (net_count > 0)
		ruleset_build(&b, nets, net_count, ports, port_count, is_router());
	else if (applied[0])
		ruleset_build_removal(&b);
	if (buf_error(&b))
		return err_set(err, -buf_error(&b), "rules of networks");
	if (net_count > 0)
		sha256_hex(b.data, b.len, now);
	if (strcmp(now, applied) == 0)
		return 0;
	r = send_rules(&b, err);
	if (r == 0)
		text_set(applied, sizeof(applied), "%s", now);
	return r;
}

static void on_timer(void *arg)
{
	struct err err = ERR_INIT;

	(void)arg;
	if (network_rules_apply(&err) < 0)
		report_problem("engine", "%s", err.text);
}

void network_rules_later(void)
{
	timer.fire = on_timer;
	loop_timer_set(&timer, 0);
}
