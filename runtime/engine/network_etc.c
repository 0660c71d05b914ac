/* network_etc.c - what /etc/hosts and /etc/resolv.conf of a container owe to its networks (coracle-engine). Only writes text. */
#include <string.h>

#include "bundle.h"
#include "engine.h"
#include "network_int.h"
#include "text.h"

bool network_wants_dns(const struct container *c)
{
	for (size_t i = 0; c->net && i < c->net->count; i++)
		if (c->net->endpoints[i].net && !c->net->endpoints[i].net->predefined)
			return true;
	return false;
}

void network_add_hosts(struct buf *b, const struct container *c, const char *hostname)
{
	const char *domain = c->svc.domainname;
	char text[NET_ADDR_TEXT];

	for (size_t i = 0; c->net && i < c->net->count; i++) {
		const struct net_addr *all[] = { &c->net->endpoints[i].v4, &c->net->endpoints[i].v6 };

		for (size_t k = 0; k < ARRAY_SIZE(all); k++)
			if (all[k]->family && domain)
				buf_printf(b, "%s\t%s.%s %s\n", net_addr_text(all[k], text), hostname, domain, hostname);
			else if (all[k]->family)
				buf_printf(b, "%s\t%s\n", net_addr_text(all[k], text), hostname);
	}
}

char *network_gateway_text(const struct container *c, char out[NET_ADDR_TEXT])
{
	out[0] = '\0';
	for (size_t i = 0; c->net && !out[0] && i < c->net->count; i++)
		if (c->net->endpoints[i].net && c->net->endpoints[i].net->driver == NETWORK_BRIDGE)
			net_addr_text(&c->net->endpoints[i].net->gateway4, out);
	if (!out[0] && !network_is_own(c))
		text_set(out, NET_ADDR_TEXT, "127.0.0.1");
	return out;
}

void network_refresh_etc(const struct container *c)
{
	char hostname[256];

	bundle_hostname(c, hostname, sizeof(hostname));
	bundle_write_etc(c, hostname, NULL);
}
