/* ruleset.h - what the kernel's packet filter is told: walls between networks, the way out, published ports.
 *
 * Pure: structures in, one nf_tables transaction out. */
#ifndef CORACLE_NET_RULESET_H
#define CORACLE_NET_RULESET_H

#include "buf.h"
#include "port.h"

#define RULESET_TABLE "coracle"
#define RULESET_MAX (16u << 20)		/* bytes of one transaction */

struct ruleset_network {
	const char *bridge;
	struct net_prefix v4, v6;	/* family 0: none */
	bool internal;			/* nothing goes in or out */
	bool masquerade;
	bool icc;			/* containers may talk to each other */
};

struct ruleset_port {
	struct net_addr ip;		/* of the machine; family 0: any */
	enum net_protocol protocol;
	uint16_t host;
	struct net_addr to;		/* of the container */
	uint16_t port;
};

/* Adds to b the transaction that makes the table be exactly this. closed: what is forwarded and is none of ours is dropped. */
void ruleset_build(struct buf *b, const struct ruleset_network *nets, size_t net_count, const struct ruleset_port *ports, size_t port_count,
	bool closed);
/* The one that removes it. */
void ruleset_build_removal(struct buf *b);

#endif
