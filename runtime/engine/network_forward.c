/* network_forward.c - names that are not ours: asked of the machine's servers, or of those that the container names (coracle-engine).
 *
 * From the machine's network, one socket with a random port per query. A TCP query is asked over TCP, so that a long answer comes whole.
 * Everything in flight is counted, and ends after DNS_TIMEOUT_MS per server. */
#include "network_dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "sys.h"
#include "text.h"

struct forward {
	struct forward *next;
	struct dns_peer peer;
	struct dns_query q;
	struct loop_watch watch;
	struct loop_timer timer;
	unsigned tried;			/* servers */
	uint8_t *query;			/* two bytes of length, and the message with an id of ours */
	size_t query_size;
	uint8_t *in;			/* over TCP: what has come */
	size_t have;
	bool sent;
};

static struct forward *forwards;
static unsigned total;

static void end(struct forward *f)
{
	struct forward **p = &forwards;

	while (*p && *p != f)
		p = &(*p)->next;
	if (*p)
		*p = f->next;
	total--;
	f->peer.server->forwards--;
	loop_remove(&f->watch);
	loop_timer_cancel(&f->timer);
	fd_close(&f->watch.fd);
	free(f->query);
	free(f->in);
	free(f);
}

void dns_forward_cancel(const struct dns_server *s, const struct dns_client *client)
{
	for (struct forward *f = forwards, *next; f; f = next) {
		next = f->next;
		if (f->peer.server == s && (!client || f->peer.client == client))
			end(f);
	}
}

/* The n-th server: the container's own, else the machine's. */
static bool server_of(const struct container *c, unsigned n, struct net_addr *out)
{
	char text[8192], *save = NULL, address[NET_ADDR_TEXT];
	unsigned at = 0;

	if (n >= DNS_UPSTREAMS)
		return false;
	if (c->svc.dns && c->svc.dns[0])
		return strv_len(c->svc.dns) > n && net_addr_parse(c->svc.dns[n], out);
	if (fd_read_small(AT_FDCWD, "/etc/resolv.conf", text, sizeof(text)) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "nameserver %63s", address) == 1 && net_addr_parse(address, out) && at++ == n)
			return true;
	return false;
}

static void on_ready(uint32_t events, void *arg);

static int connect_to(struct forward *f, const struct net_addr *to)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(53) };
	int type = f->peer.client ? SOCK_STREAM : SOCK_DGRAM;

	memcpy(&four.sin_addr, to->b, 4);
	memcpy(&six.sin6_addr, to->b, 16);
	f->watch.fd = sys_socket(to->family, type | SOCK_NONBLOCK, 0);
	if (f->watch.fd < 0)
		return f->watch.fd;
	if (connect(f->watch.fd, to->family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six,
		    to->family == AF_INET ? sizeof(four) : sizeof(six)) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

/* Asks the next server that can be asked. -errno: there is none. */
static int ask_next(struct forward *f)
{
	struct net_addr to;

	while (server_of(f->peer.server->c, f->tried, &to)) {
		f->tried++;
		loop_remove(&f->watch);
		fd_close(&f->watch.fd);
		f->have = 0;
		f->sent = false;
		if (getrandom(f->query + 2, 2, 0) != 2 || connect_to(f, &to) < 0)
			continue;
		f->watch.ready = on_ready;
		f->watch.arg = f;
		if (!f->peer.client && send(f->watch.fd, f->query + 2, f->query_size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			continue;
		f->sent = !f->peer.client;
		if (loop_add(&f->watch, f->peer.client ? EPOLLOUT : EPOLLIN) < 0)
			continue;
		loop_timer_set(&f->timer, DNS_TIMEOUT_MS);
		return 0;
	}
	return -ENOENT;
}

static void fail_over(struct forward *f)
{
	static uint8_t out[DNS_QUERY_MAX];
	struct dns_peer peer = f->peer;
	size_t n;

	if (ask_next(f) == 0)
		return;
	f->query[2] = (uint8_t)(f->q.id >> 8);
	f->query[3] = (uint8_t)f->q.id;
	n = dns_write_answer(f->query + 2, &f->q, DNS_SERVFAIL, NULL, 0, 0, out, sizeof(out));
	end(f);
	dns_reply(&peer, out, n);
}

static void on_timeout(void *arg)
{
	fail_over(arg);
}

static void pass_on(struct forward *f, uint8_t *message, size_t n)
{
	uint16_t id = (uint16_t)(f->query[2] << 8 | f->query[3]);
	struct dns_peer peer = f->peer;

	if (!dns_is_answer(message, n, id, f->query + 2, &f->q))
		return;		/* not to us: the right one may come yet */
	message[0] = (uint8_t)(f->q.id >> 8);
	message[1] = (uint8_t)f->q.id;
	if (!peer.client)
		n = dns_cut(message, n, &f->q, f->q.udp_max);
	if (!peer.client) {
		dns_reply(&peer, message, n);
		end(f);
	} else {
		f->in = NULL;
		end(f);
		dns_reply(&peer, message, n);
		free(message - 2);
	}
}

static void on_stream(struct forward *f)
{
	ssize_t n;

	if (!f->sent) {
		n = send(f->watch.fd, f->query, f->query_size + 2, MSG_DONTWAIT | MSG_NOSIGNAL);
		f->sent = n == (ssize_t)f->query_size + 2;
		if (!f->sent || loop_change(&f->watch, EPOLLIN) < 0)
			fail_over(f);
		return;
	}
	if (!f->in)
		f->in = malloc(DNS_MESSAGE_MAX + 2);
	n = f->in ? recv(f->watch.fd, f->in + f->have, DNS_MESSAGE_MAX + 2 - f->have, MSG_DONTWAIT) : 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail_over(f);
		return;
	}
	f->have += (size_t)n;
	if (f->have >= 2 && f->have >= 2 + (size_t)(f->in[0] << 8 | f->in[1]))
		pass_on(f, f->in + 2, (size_t)(f->in[0] << 8 | f->in[1]));
}

static void on_ready(uint32_t events, void *arg)
{
	static uint8_t in[DNS_MESSAGE_MAX];
	struct forward *f = arg;
	ssize_t n;

	(void)events;
	if (f->peer.client) {
		on_stream(f);
		return;
	}
	n = recv(f->watch.fd, in, sizeof(in), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		fail_over(f);
	else
		pass_on(f, in, (size_t)n);
}

/* A container that is cut off has nobody to ask, as dockerd since CVE-2024-29018: names are a way out too. */
static bool may_leave(const struct container *c)
{
	for (size_t i = 0; i < c->net->count; i++)
		if (c->net->endpoints[i].net && !c->net->endpoints[i].net->internal)
			return true;
	return false;
}

int dns_forward(const struct dns_peer *p, const uint8_t *query, size_t n, const struct dns_query *q)
{
	struct forward *f;

	if (!may_leave(p->server->c))
		return -ENETUNREACH;
	if (total >= DNS_FORWARDS_MAX || p->server->forwards >= DNS_FORWARDS_EACH)
		return -EBUSY;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->query = malloc(n + 2);
	if (!f->query) {
		free(f);
		return -ENOMEM;
	}
	f->peer = *p;
	f->q = *q;
	f->query_size = n;
	f->query[0] = (uint8_t)(n >> 8);
	f->query[1] = (uint8_t)n;
	memcpy(f->query + 2, query, n);
	f->watch.fd = -1;
	f->timer = (struct loop_timer){ .fire = on_timeout, .arg = f };
	f->next = forwards;
	forwards = f;
	total++;
	p->server->forwards++;
	if (ask_next(f) == 0)
		return 0;
	end(f);
	return -ENOENT;
}
