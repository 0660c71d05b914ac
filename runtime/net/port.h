/* port.h - published ports as text: [ADDRESS:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL], ADDRESS in brackets when it is IPv6.
 *
 * Pure. What containers.json and the records carry, and what the API's PortBindings are turned into. */
#ifndef CORACLE_NET_PORT_H
#define CORACLE_NET_PORT_H

#include <stdint.h>
#include "addr.h"

#define NET_PORTS_MAX 4096	/* published by one container, ranges counted out */

enum net_protocol { NET_TCP = 6, NET_UDP = 17, NET_SCTP = 132 };

struct net_publish {
	struct net_addr ip;		/* family 0: every address, IPv4 and IPv6 */
	enum net_protocol protocol;
	uint16_t host, host_end;	/* 0: any free one; host_end beyond host: the first free one of those, or a range as long as the container's */
	uint16_t port, port_end;
};

/* Returns 0 or -EINVAL with the reason. */
int net_publish_parse(const char *s, struct net_publish *out, struct err *err);
const char *net_protocol_name(enum net_protocol p);

#endif
