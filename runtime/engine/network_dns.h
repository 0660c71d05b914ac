/* network_dns.h - between the files that answer names: sockets (network_dns.c), records (network_names.c), other servers (network_forward.c). */
#ifndef CORACLE_ENGINE_NETWORK_DNS_H
#define CORACLE_ENGINE_NETWORK_DNS_H

#include <netinet/in.h>
#include "network_int.h"
#include "runtime/net/dns.h"

#define DNS_QUERY_MAX 4096		/* bytes of a query that we read */
#define DNS_FORWARDS_MAX 1024		/* in flight, of all containers */
#define DNS_FORWARDS_EACH 128		/* of one */
#define DNS_CLIENTS_EACH 16		/* TCP connections of one container */
#define DNS_UPSTREAMS 3
#define DNS_TIMEOUT_MS 4000		/* of each server that is asked */

struct dns_client;

struct dns_server {
	struct container *c;
	struct loop_watch udp, tcp;
	struct loop_timer pause;	/* it asks too much: nothing is read until then */
	unsigned allowance;		/* queries until the next pause */
	uint64_t refilled;
	unsigned forwards;
	struct dns_client *clients;
	unsigned client_count;
};

/* Who asked. */
struct dns_peer {
	struct dns_server *server;
	struct dns_client *client;	/* NULL: over UDP */
	struct sockaddr_in from;
};

void dns_reply(const struct dns_peer *p, const uint8_t *message, size_t n);

/* The answer from our records into out; 0: it is not ours to answer. */
size_t dns_answer_local(const struct container *c, const uint8_t *query, const struct dns_query *q, uint8_t *out, size_t size);

/* Asks the next server; the reply comes through dns_reply(). -errno: there is none, or too many are asked already. */
int dns_forward(const struct dns_peer *p, const uint8_t *query, size_t n, const struct dns_query *q);
/* Whoever asked is gone. */
void dns_forward_cancel(const struct dns_server *s, const struct dns_client *client);

#endif
