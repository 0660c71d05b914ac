/* network_dns.c - 127.0.0.11:53 inside containers' networks: UDP and TCP (coracle-engine).
 *
 * Both sockets belong to the engine's loop. A container that floods them is read more slowly, others are not: a round takes a few
 * messages of each, and who has used up its allowance is not read for a while. */
#include "network_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"

#define ROUND 32			/* messages of one container before the others have their turn */
#define ALLOWANCE 2000			/* queries of a second */
#define PAUSE_MS 100
#define CLIENT_IDLE_MS 10000

struct dns_client {
	struct dns_client *next;
	struct dns_server *server;
	struct loop_watch watch;
	struct loop_timer idle;
	bool inside;			/* take_queries() is at work */
	bool waiting;			/* for a server's answer: nothing more is read meanwhile */
	size_t have;			/* bytes of in */
	uint8_t in[2 + DNS_QUERY_MAX];
};

static uint8_t answer[DNS_MESSAGE_MAX];

static void drop_client(struct dns_client *k)
{
	struct dns_client **p = &k->server->clients;

	while (*p && *p != k)
		p = &(*p)->next;
	if (*p)
		*p = k->next;
	k->server->client_count--;
	dns_forward_cancel(k->server, k);
	loop_remove(&k->watch);
	loop_timer_cancel(&k->idle);
	close(k->watch.fd);
	free(k);
}

static void on_idle(void *arg)
{
	drop_client(arg);
}

static bool take_queries(struct dns_client *k);

/* What a client does not take at once it does not get: an answer fits into an empty socket. */
static void send_tcp(struct dns_client *k, const uint8_t *message, size_t n)
{
	uint8_t head[2] = { (uint8_t)(n >> 8), (uint8_t)n };
	struct iovec iov[2] = { { head, 2 }, { (void *)(uintptr_t)message, n } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	k->waiting = false;
	loop_timer_set(&k->idle, sendmsg(k->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n + 2 && (k->inside || take_queries(k)) ? CLIENT_IDLE_MS : 0);
}

void dns_reply(const struct dns_peer *p, const uint8_t *message, size_t n)
{
	if (p->client)
		send_tcp(p->client, message, n);
	else
		sendto(p->server->udp.fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&p->from, sizeof(p->from));
}

static void refuse(const struct dns_peer *p, const uint8_t *query, const struct dns_query *q, enum dns_rcode rcode)
{
	size_t n = dns_write_answer(query, q, rcode, NULL, 0, 0, answer, sizeof(answer));

	dns_reply(p, answer, n);
}

/* Returns -EINPROGRESS when the answer comes later. */
static int handle(const struct dns_peer *p, const uint8_t *query, size_t n)
{
	struct dns_query q;
	int r = dns_read_query(query, n, &q);
	size_t len;

	if (r == -DNS_FORMERR || r == -DNS_NOTIMP) {
		dns_reply(p, answer, dns_write_refusal(query, (enum dns_rcode)-r, answer));
		return 0;
	}
	if (r < 0)
		return 0;
	len = dns_answer_local(p->server->c, query, &q, answer, p->client ? sizeof(answer) : q.udp_max);
	if (len) {
		dns_reply(p, answer, len);
		return 0;
	}
	r = dns_forward(p, query, n, &q);
	if (r == 0)
		return -EINPROGRESS;
	refuse(p, query, &q, r == -EBUSY ? DNS_REFUSED : DNS_SERVFAIL);
	return 0;
}

/* -- UDP ------------------------------------------------------------------------ */

static void on_pause_over(void *arg)
{
	struct dns_server *s = arg;

	loop_add(&s->udp, EPOLLIN);
}

/* False: it has to wait now. */
static bool allowed(struct dns_server *s)
{
	uint64_t now = loop_now();

	if (now - s->refilled >= 1000) {
		s->refilled = now;
		s->allowance = ALLOWANCE;
	}
	if (s->allowance > 0) {
		s->allowance--;
		return true;
	}
	loop_remove(&s->udp);
	loop_timer_set(&s->pause, PAUSE_MS);
	return false;
}

static void on_udp(uint32_t events, void *arg)
{
	struct dns_server *s = arg;
	uint8_t query[DNS_QUERY_MAX];

	(void)events;
	for (int i = 0; i < ROUND && allowed(s); i++) {
		struct dns_peer p = { .server = s };
		socklen_t size = sizeof(p.from);
		ssize_t n = recvfrom(s->udp.fd, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&p.from, &size);

		if (n < 0)
			return;
		handle(&p, query, (size_t)n);
	}
}

/* -- TCP ------------------------------------------------------------------------ */

/* Whole queries that lie in the buffer, until one has to wait. Returns false when the client is to go. */
static bool take_queries(struct dns_client *k)
{
	bool good = true;

	k->inside = true;
	while (good && !k->waiting && k->have >= 2) {
		struct dns_peer p = { .server = k->server, .client = k };
		size_t n = (size_t)(k->in[0] << 8 | k->in[1]);

		good = n >= DNS_HEADER && n <= DNS_QUERY_MAX;
		if (!good || k->have < n + 2)
			break;
		k->waiting = true;
		k->waiting = handle(&p, k->in + 2, n) == -EINPROGRESS;
		k->have -= n + 2;
		memmove(k->in, k->in + n + 2, k->have);
	}
	k->inside = false;
	return good;
}

static void on_client(uint32_t events, void *arg)
{
	struct dns_client *k = arg;
	ssize_t n;

	if (k->waiting && k->have == sizeof(k->in)) {
		drop_client(k);
		return;
	}
	(void)events;
	n = recv(k->watch.fd, k->in + k->have, sizeof(k->in) - k->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop_client(k);
		return;
	}
	k->have += (size_t)n;
	if (!take_queries(k))
		drop_client(k);
}

static void on_connection(uint32_t events, void *arg)
{
	struct dns_server *s = arg;
	int fd = accept4(s->tcp.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct dns_client *k;

	(void)events;
	if (fd < 0)
		return;
	k = s->client_count < DNS_CLIENTS_EACH ? calloc(1, sizeof(*k)) : NULL;
	if (!k) {
		close(fd);
		return;
	}
	k->server = s;
	k->watch = (struct loop_watch){ .fd = fd, .ready = on_client, .arg = k };
	k->idle = (struct loop_timer){ .fire = on_idle, .arg = k };
	k->next = s->clients;
	s->clients = k;
	s->client_count++;
	if (loop_add(&k->watch, EPOLLIN) < 0)
		drop_client(k);
	else
		loop_timer_set(&k->idle, CLIENT_IDLE_MS);
}

/* -- the sockets ------------------------------------------------------------------ */

static int listen_inside(int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f00000b) };
	CLEANUP_FD int fd = sys_socket(AF_INET, type | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
		return -errno;
	return fd_take(&fd);
}

int network_dns_start(struct container *c, struct err *err)
{
	struct dns_server *s;
	int udp, tcp;

	network_dns_stop(c);
	s = calloc(1, sizeof(*s));
	udp = listen_inside(SOCK_DGRAM);
	tcp = listen_inside(SOCK_STREAM);
	if (!s || udp < 0 || tcp < 0) {
		free(s);
		fd_close(&udp);
		fd_close(&tcp);
		return err_set(err, udp < 0 ? -udp : tcp < 0 ? -tcp : ENOMEM, "name server at 127.0.0.11 of %s", c->svc.container_name);
	}
	s->c = c;
	s->udp = (struct loop_watch){ .fd = udp, .ready = on_udp, .arg = s };
	s->tcp = (struct loop_watch){ .fd = tcp, .ready = on_connection, .arg = s };
	s->pause = (struct loop_timer){ .fire = on_pause_over, .arg = s };
	c->net->dns = s;
	if (loop_add(&s->udp, EPOLLIN) < 0 || loop_add(&s->tcp, EPOLLIN) < 0) {
		network_dns_stop(c);
		return err_set(err, EIO, "name server of %s", c->svc.container_name);
	}
	return 0;
}

void network_dns_stop(struct container *c)
{
	struct dns_server *s = c->net ? c->net->dns : NULL;

	if (!s)
		return;
	while (s->clients)
		drop_client(s->clients);
	dns_forward_cancel(s, NULL);
	loop_remove(&s->udp);
	loop_remove(&s->tcp);
	loop_timer_cancel(&s->pause);
	close(s->udp.fd);
	close(s->tcp.fd);
	free(s);
	c->net->dns = NULL;
}
