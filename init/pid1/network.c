/* network.c - the target `network`: reached when an interface other than loopback has an address that others can reach.
 *
 * Runs in PID 1. The kernel says it over netlink, so it does not matter who gave the address: DHCP, the configuration or a person. The socket is
 * opened first and asked then, so that no address comes between the two; it is closed when the target is reached. */
#include "init/pid1/init.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define LOOPBACK 1		/* its index in every network namespace */
#define READS_PER_TURN 16

static int sock = -1;

const struct state_section network_state[] = { STATE_ONE("ntwk", sock), STATE_END };

static int network_unit(void)
{
	int unit = unit_find("network");

	return unit >= 0 && units.sup[unit].type == SUP_TARGET && init_sup.run[unit].state != SUP_DONE ? unit : -1;
}

static void stop(void)
{
	if (sock >= 0)
		close(sock);
	sock = -1;
}

/* All addresses that there are. */
static int ask(void)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
	} q = { { .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP }, { .ifa_family = AF_UNSPEC } };

	return send(sock, &q, sizeof(q), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void network_watch(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int r;

	if (sock >= 0 || network_unit() < 0)
		return;
	sock = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
	r = sock < 0 ? sock : bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : loop_add(sock, WATCH_NETWORK, 0, EPOLLIN);
	if (r == 0)
		r = ask();
	if (r < 0) {
		report_problem("init", "watch for addresses: %s; the target network is never reached", err_name(-r));
		stop();
	}
}

void network_restored(void)
{
	if (sock >= 0 && (!recover_keep(sock) || loop_add(sock, WATCH_NETWORK, 0, EPOLLIN) < 0))
		sock = -1;
	network_watch();
}

/* One that is being tried (duplicate address detection) comes again when it may be used. */
static int is_global(const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);

	return h->nlmsg_type == RTM_NEWADDR && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*m)) && m->ifa_scope == RT_SCOPE_UNIVERSE &&
	       m->ifa_index != LOOPBACK && !(m->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

static int has_global(const char *bytes, size_t n)
{
	while (n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)bytes;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return 0;
		if (is_global(h))
			return 1;
		if (step >= n)
			return 0;
		bytes += step;
		n -= step;
	}
	return 0;
}

void network_on_readable(void)
{
	char buf[4096] __attribute__((aligned(8)));

	for (int i = 0; i < READS_PER_TURN && sock >= 0; i++) {
		struct sockaddr_nl from;
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = recvmsg(sock, &m, MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS && ask() == 0) /* too many at once: some were lost */
			continue;
		if (n <= 0)
			return;
		/* anybody may send to the socket; what counts comes from the kernel */
		if (from.nl_pid != 0 || !has_global(buf, (size_t)n))
			continue;
		stop();
		if (network_unit() >= 0)
			init_event(&(struct sup_event){ .type = SUP_EV_REACHED, .unit = network_unit() });
	}
}
