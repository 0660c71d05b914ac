/* dns.h - DNS messages (RFC 1035, 6891): reading a query, writing an answer, checking what a server sent.
 *
 * Pure. Nothing of a packet is believed: every length is checked, names are at most 255 bytes, compression is not followed where none is legal. */
#ifndef CORACLE_NET_DNS_H
#define CORACLE_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "addr.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_MAX 512			/* where the client says nothing else */
#define DNS_EDNS_MAX 4096		/* most that is sent over UDP whatever it says */
#define DNS_NAME_MAX 256		/* as text, with its NUL */
#define DNS_HEADER 12

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_AAAA = 28, DNS_OPT = 41 };
enum dns_rcode { DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED };

struct dns_query {
	uint16_t id, type, class;
	char name[DNS_NAME_MAX];	/* lower case, without the last dot; "" is the root */
	size_t question;		/* bytes of header and question */
	size_t udp_max;			/* what the client takes over UDP */
};

/* Returns 0, or -rcode of the refusal to send (-DNS_FORMERR, -DNS_NOTIMP), or -255: send nothing. */
int dns_read_query(const uint8_t *p, size_t n, struct dns_query *q);

struct dns_record {
	struct net_addr addr;		/* A or AAAA */
	const char *name;		/* PTR */
};

/* An answer to query (whose bytes are given again) into out; at most size bytes, what does not fit is left out with TC. Returns its length. */
size_t dns_write_answer(const uint8_t *query, const struct dns_query *q, enum dns_rcode rcode, const struct dns_record *records, size_t count,
	uint32_t ttl, uint8_t *out, size_t size);
/* The refusal of what cannot be read: header only. n at least DNS_HEADER. */
size_t dns_write_refusal(const uint8_t *query, enum dns_rcode rcode, uint8_t out[DNS_HEADER]);

/* True when p is a server's answer with that id to that question (bytes of the query that was sent, behind its id). */
bool dns_is_answer(const uint8_t *p, size_t n, uint16_t id, const uint8_t *query, const struct dns_query *q);
/* Cuts an answer that is too long for the client to its question, with TC. Returns the new length. */
size_t dns_cut(uint8_t *p, size_t n, const struct dns_query *q, size_t limit);

/* 4.3.2.1.in-addr.arpa or the nibbles of ip6.arpa. */
bool dns_reverse_parse(const char *name, struct net_addr *out);

#endif
