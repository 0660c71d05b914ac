/* ruleset.c - the rules of the table `inet coracle`, and why each is there (coracle-engine). Pure.
 *
 * Chains never change, so that their hooks stay registered; the rules are always all written: empty the table, add them, in one
 * transaction. Connections that conntrack knows keep their translation whatever the rules are. Sources: moby libnetwork's bridge driver
 * (DOCKER, DOCKER-ISOLATION), and what its user-space proxy was there for. */
#include "ruleset.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <sys/socket.h>

#include "nft.h"

static const struct net_prefix loopback4 = { { AF_INET, { 127 } }, 8 };
static const struct net_prefix loopback6 = { { AF_INET6, { [15] = 1 } }, 128 };

static void add_chains(struct nft *n)
{
	nft_add_table(n);
	nft_add_chain(n, "early", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW);
	nft_add_chain(n, "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST);
	nft_add_chain(n, "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST);
	nft_add_chain(n, "forward", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER);
	nft_add_chain(n, "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC);
	nft_add_chain(n, "ports", NULL, 0, 0);
	nft_add_chain(n, "isolate", NULL, 0, 0);
}

/* Our bridges have route_localnet: no container may speak to the machine's loopback addresses. What comes back for them carries the bridge's
 * address until conntrack has seen it, which is later than this. */
static void add_early(struct nft *n, const struct ruleset_network *nets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		nft_rule(n, "early");
		nft_match_iif(n, nets[i].bridge, true);
		nft_match_prefix(n, NFT_SIDE_DESTINATION, &loopback4);
		nft_verdict(n, NF_DROP);
		nft_rule_end(n);
	}
}

static void add_port(struct nft *n, const struct ruleset_port *p)
{
	nft_rule(n, "ports");
	if (p->ip.family) {
		struct net_prefix one = { p->ip, (unsigned)(8 * net_addr_size(&p->ip)) };

		nft_match_prefix(n, NFT_SIDE_DESTINATION, &one);
	} else {
		nft_match_family(n, p->to.family);
	}
	nft_match_protocol(n, (uint8_t)p->protocol);
	nft_match_port(n, NFT_SIDE_DESTINATION, p->host);
	nft_dnat(n, &p->to, p->port);
	nft_rule_end(n);
}

/* Translation comes before the kernel looks whether an address may come from there: a neighbour that sends to 127.0.0.1 would reach what is
 * published on that address only. */
static void add_ports(struct nft *n, const struct ruleset_port *ports, size_t count)
{
	static const char *const from[] = { "prerouting", "output" };

	if (count == 0)
		return;
	nft_rule(n, "prerouting");
	nft_match_iif(n, "lo", false);
	nft_match_prefix(n, NFT_SIDE_DESTINATION, &loopback4);
	nft_verdict(n, NFT_RETURN);
	nft_rule_end(n);
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		nft_rule(n, from[i]);
		nft_match_local(n);
		nft_jump(n, "ports");
		nft_rule_end(n);
	}
	for (size_t i = 0; i < count; i++)
		add_port(n, &ports[i]);
}

static void add_between(struct nft *n, const char *chain, const char *in, bool in_equal, const char *out, bool out_equal)
{
	nft_rule(n, chain);
	if (in)
		nft_match_iif(n, in, in_equal);
	if (out)
		nft_match_oif(n, out, out_equal);
}

/* Two stages, as DOCKER-ISOLATION: what leaves one bridge by another device is looked at again, and dropped where that is a bridge of ours. */
static void add_isolation(struct nft *n, const struct ruleset_network *nets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add_between(n, "forward", nets[i].bridge, true, nets[i].bridge, false);
		if (nets[i].internal)
			nft_verdict(n, NF_DROP);
		else
			nft_jump(n, "isolate");
		nft_rule_end(n);
		add_between(n, "isolate", NULL, false, nets[i].bridge, true);
		nft_verdict(n, NF_DROP);
		nft_rule_end(n);
	}
}

static void add_entrance(struct nft *n, const struct ruleset_network *net)
{
	if (net->internal) {
		add_between(n, "forward", net->bridge, false, net->bridge, true);
		nft_verdict(n, NF_DROP);
		nft_rule_end(n);
	}
	add_between(n, "forward", NULL, false, net->bridge, true);
	nft_match_ct_dnat(n);
	nft_verdict(n, NF_ACCEPT);
	nft_rule_end(n);
	if (net->icc) {
		add_between(n, "forward", net->bridge, true, net->bridge, true);
		nft_verdict(n, NF_ACCEPT);
		nft_rule_end(n);
	}
	/* not published */
	add_between(n, "forward", NULL, false, net->bridge, true);
	nft_verdict(n, NF_DROP);
	nft_rule_end(n);
}

static void add_forward(struct nft *n, const struct ruleset_network *nets, size_t count, bool closed)
{
	nft_rule(n, "forward");
	nft_match_ct_state(n, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_verdict(n, NF_ACCEPT);
	nft_rule_end(n);
	add_isolation(n, nets, count);
	for (size_t i = 0; i < count; i++)
		add_entrance(n, &nets[i]);
	for (size_t i = 0; i < count; i++) {
		add_between(n, "forward", nets[i].bridge, true, NULL, false);
		nft_verdict(n, NF_ACCEPT);
		nft_rule_end(n);
	}
	if (closed) {
		nft_rule(n, "forward");
		nft_verdict(n, NF_DROP);
		nft_rule_end(n);
	}
}

static void masquerade_to(struct nft *n, const char *bridge, bool equal, const struct net_prefix *from, bool translated)
{
	nft_rule(n, "postrouting");
	nft_match_oif(n, bridge, equal);
	nft_match_prefix(n, NFT_SIDE_SOURCE, from);
	if (translated)
		nft_match_ct_dnat(n);
	nft_masquerade(n);
	nft_rule_end(n);
}

/* Out of the network; from the machine's own loopback address into it; and hairpin: who asked by the machine's address must get the answer
 * from there. */
static void add_postrouting(struct nft *n, const struct ruleset_network *net)
{
	const struct net_prefix *subnets[] = { &net->v4, &net->v6 };

	for (size_t i = 0; i < ARRAY_SIZE(subnets); i++) {
		if (!subnets[i]->addr.family)
			continue;
		masquerade_to(n, net->bridge, true, subnets[i], true);
		masquerade_to(n, net->bridge, true, i == 0 ? &loopback4 : &loopback6, false);
		if (net->masquerade && !net->internal)
			masquerade_to(n, net->bridge, false, subnets[i], false);
	}
}

void ruleset_build(struct buf *b, const struct ruleset_network *nets, size_t net_count, const struct ruleset_port *ports, size_t port_count,
	bool closed)
{
	struct nft n;

	nft_begin(&n, b, RULESET_TABLE);
	add_chains(&n);
	nft_flush_table(&n);
	add_early(&n, nets, net_count);
	add_ports(&n, ports, port_count);
	add_forward(&n, nets, net_count, closed);
	for (size_t i = 0; i < net_count; i++)
		add_postrouting(&n, &nets[i]);
	nft_end(&n);
}

void ruleset_build_removal(struct buf *b)
{
	struct nft n;

	nft_begin(&n, b, RULESET_TABLE);
	nft_add_table(&n);
	nft_delete_table(&n);
	nft_end(&n);
}
