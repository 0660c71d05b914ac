/* network_port.c - ports of the machine that containers publish: choosing and holding them (coracle-engine).
 *
 * A port is held by a socket that is bound and never listens: no other program can take it, and one that has it is noticed here. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "network_int.h"
#include "report.h"
#include "sys.h"

#define EPHEMERAL_LOW 49153
#define EPHEMERAL_HIGH 65535

static size_t count_of(const struct net_publish *p)
{
	return (size_t)(p->port_end - p->port) + 1;
}

static void expand(const struct net_publish *p, struct published *out)
{
	bool paired = p->host && p->host_end - p->host == p->port_end - p->port;

	for (size_t i = 0; i < count_of(p); i++) {
		struct published *o = &out[i];

		*o = (struct published){ .ip = p->ip, .protocol = p->protocol, .port = (uint16_t)(p->port + i), .fd = { -1, -1 } };
		if (net_addr_is_any(&o->ip) && o->ip.family == AF_INET6)
			o->ip.family = 0;
		o->low = p->host;
		o->high = p->host_end;
		o->fixed = paired;
		if (paired)
			o->low = o->high = o->host = (uint16_t)(p->host + i);
	}
}

int network_read_ports(struct container *c, struct err *err)
{
	char **specs = network_docker_ports(c, &c->net->mem);
	size_t total = 0;

	c->net->port_count = 0;
	if (!specs)
		return err_set(err, ENOMEM, "ports of %s", c->svc.container_name);
	for (char **s = specs; *s; s++) {
		struct net_publish p;

		if (net_publish_parse(*s, &p, err) < 0)
			return -EINVAL;
		total += count_of(&p);
	}
	if (total > NET_PORTS_MAX)
		return err_set(err, E2BIG, "%s publishes %zu ports: at most %d", c->svc.container_name, total, NET_PORTS_MAX);
	c->net->ports = arena_alloc(&c->net->mem, (total + 1) * sizeof(*c->net->ports));
	if (!c->net->ports)
		return err_set(err, ENOMEM, "ports of %s", c->svc.container_name);
	for (char **s = specs; *s; s++) {
		struct net_publish p;

		if (net_publish_parse(*s, &p, err) < 0)
			return -EINVAL;
		expand(&p, c->net->ports + c->net->port_count);
		c->net->port_count += count_of(&p);
	}
	return 0;
}

static bool overlap(const struct published *a, const struct published *b)
{
	bool any = !a->ip.family || !b->ip.family || net_addr_is_any(&a->ip) || net_addr_is_any(&b->ip);

	return a->protocol == b->protocol && a->host == b->host && (any || net_addr_equal(&a->ip, &b->ip));
}

static bool is_ours(const struct published *p)
{
	for (const struct container *c = engine.containers; c; c = c->next)
		for (size_t i = 0; c->net && i < c->net->port_count; i++)
			if (&c->net->ports[i] != p && (c->net->ports[i].fd[0] >= 0 || c->net->ports[i].fd[1] >= 0) && overlap(&c->net->ports[i], p))
				return true;
	return false;
}

/* A socket of one family that has the port; -errno. */
static int bind_port(int family, const struct published *p, uint16_t port)
{
	int type = p->protocol == NET_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	CLEANUP_FD int fd = sys_socket(family, type, p->protocol == NET_SCTP ? IPPROTO_SCTP : 0);
	int one = 1, small = 1;

	if (fd < 0)
		return fd;
	if (p->ip.family == AF_INET)
		memcpy(&four.sin_addr, p->ip.b, 4);
	if (p->ip.family == AF_INET6)
		memcpy(&six.sin6_addr, p->ip.b, 16);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	/* connections of the container's last run that wait for their end do not count; nobody can listen beside it all the same */
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	else
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (bind(fd, family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six, family == AF_INET ? sizeof(four) : sizeof(six)) < 0)
		return -errno;
	/* SO_REUSEADDR lets others that have it too bind beside a socket that does not listen: not any more */
	one = 0;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd_take(&fd);
}

static void release(struct published *p)
{
	fd_close(&p->fd[0]);
	fd_close(&p->fd[1]);
}

static int hold(struct published *p)
{
	static const int families[] = { AF_INET, AF_INET6 };

	if (is_ours(p))
		return -EADDRINUSE;
	for (int i = 0; i < 2; i++) {
		if (p->ip.family && p->ip.family != families[i])
			continue;
		p->fd[i] = bind_port(families[i], p, p->host);
		if (p->fd[i] == -EAFNOSUPPORT && !p->ip.family) {
			p->fd[i] = -1;
			continue;
		}
		if (p->fd[i] < 0) {
			int r = p->fd[i];

			p->fd[i] = -1;
			release(p);
			return r;
		}
	}
	return 0;
}

static void ephemeral_range(unsigned *low, unsigned *high)
{
	char text[64];

	*low = EPHEMERAL_LOW;
	*high = EPHEMERAL_HIGH;
	if (fd_read_small(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) > 0 &&
	    (sscanf(text, "%u %u", low, high) != 2 || *low > *high || *high > 65535)) {
		*low = EPHEMERAL_LOW;
		*high = EPHEMERAL_HIGH;
	}
}

static int choose(struct published *p)
{
	static unsigned next;
	unsigned low = p->low, high = p->high;
	uint16_t before = p->host;

	if (!low)
		ephemeral_range(&low, &high);
	if (before && hold(p) == 0)
		return 0;
	if (next < low || next > high || p->low)
		next = low;
	for (unsigned tried = 0; tried <= high - low; tried++) {
		p->host = (uint16_t)next;
		next = next >= high ? low : next + 1;
		if (hold(p) == 0)
			return 0;
	}
	p->host = before;
	return -EADDRINUSE;
}

static int refuse(struct published *p, int r, struct err *err)
{
	char text[NET_ADDR_TEXT] = "0.0.0.0";

	if (p->ip.family)
		net_addr_text(&p->ip, text);
	if (r == -EADDRINUSE && !p->fixed)
		return err_set(err, 0, "all ports are allocated");
	if (r == -EADDRINUSE)
		return err_set(err, 0, "Bind for %s%s%s:%u failed: port is already allocated", p->ip.family == AF_INET6 ? "[" : "", text,
			       p->ip.family == AF_INET6 ? "]" : "", p->host);
	return err_set(err, 0, "failed to bind host port %s:%u/%s: %s", text, p->host, net_protocol_name(p->protocol), err_name(-r));
}

/* Two descriptors for each; the limit that programs begin with is for programs without them. */
static void raise_limit(void)
{
	static bool done;
	struct rlimit l;

	if (done || getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	done = true;
	l.rlim_cur = MIN(l.rlim_max, (rlim_t)65536);
	setrlimit(RLIMIT_NOFILE, &l);
}

int network_reserve_ports(struct container *c, struct err *err)
{
	for (size_t i = 0; i < c->net->port_count; i++) {
		struct published *p = &c->net->ports[i];
		int r;

		raise_limit();
		if (p->fd[0] >= 0 || p->fd[1] >= 0)
			continue;
		r = p->fixed ? hold(p) : choose(p);
		if (r < 0) {
			refuse(p, r, err);
			network_release_ports(c);
			return r;
		}
	}
	return 0;
}

void network_release_ports(struct container *c)
{
	for (size_t i = 0; c->net && i < c->net->port_count; i++) {
		release(&c->net->ports[i]);
		if (!c->net->ports[i].fixed)
			c->net->ports[i].host = 0;
	}
}
