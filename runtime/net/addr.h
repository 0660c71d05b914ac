/* addr.h - IPv4 and IPv6 addresses and subnets of container networks: text, arithmetic, and which address is free.
 *
 * Pure: no system calls, no memory. An address is bytes in network order; family 0 is "none". */
#ifndef CORACLE_NET_ADDR_H
#define CORACLE_NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"

#define NET_ADDR_TEXT 64	/* an address or a subnet as text, with its NUL */

struct net_addr {
	int family;		/* AF_INET, AF_INET6, 0: none */
	uint8_t b[16];
};

struct net_prefix {
	struct net_addr addr;	/* bits beyond len are 0 when it is a subnet */
	unsigned len;
};

bool net_addr_parse(const char *s, struct net_addr *out);
/* "" for none. Returns out (NET_ADDR_TEXT bytes). */
char *net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT]);
bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);
bool net_addr_is_any(const struct net_addr *a);
bool net_addr_is_loopback(const struct net_addr *a);
size_t net_addr_size(const struct net_addr *a);		/* 4, 16 or 0 */

/* ADDRESS/BITS; subnet: bits beyond must be 0. Returns 0 or -EINVAL with the reason. */
int net_prefix_parse(const char *s, bool subnet, struct net_prefix *out, struct err *err);
char *net_prefix_text(const struct net_prefix *p, char out[NET_ADDR_TEXT]);
bool net_prefix_has(const struct net_prefix *p, const struct net_addr *a);
bool net_prefix_overlap(const struct net_prefix *a, const struct net_prefix *b);
/* The n-th address of the subnet. */
struct net_addr net_prefix_at(const struct net_prefix *p, uint64_t n);
/* How many addresses it has, at most 2^32. */
uint64_t net_prefix_count(const struct net_prefix *p);

/* The next free address of range after the one that was given last (NULL: from the beginning); the subnet's own, its broadcast address, and those that used()
 * knows are passed over. Returns 0 or -ENOSPC. */
int net_pool_next(const struct net_prefix *subnet, const struct net_prefix *range, const struct net_addr *last,
	bool (*used)(const struct net_addr *a, void *arg), void *arg, struct net_addr *out);

/* The first of Docker's default pools (172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 ...) that overlaps() does not refuse. -ENOSPC. */
int net_pool_subnet(bool (*overlaps)(const struct net_prefix *p, void *arg), void *arg, struct net_prefix *out);
/* fdXX:XXXX:XXXX:N::/64 of 16 random bytes (RFC 4193). */
void net_pool_ula(const uint8_t random[16], struct net_prefix *out);

/* 02:42 and the IPv4 address, as Docker; with IPv6 only 02:42 and its last four bytes. */
void net_addr_mac(const struct net_addr *a, uint8_t mac[6]);
bool net_mac_parse(const char *s, uint8_t mac[6]);
char *net_mac_text(const uint8_t mac[6], char out[18]);

#endif
