/* netlink.c - requests to the kernel's routing tables and devices, and its answers.
 *
 * Runs in coracle-config. Every length that comes in is checked against what was received, although it comes from the kernel. */
#include "netlink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cdefs.h"
#include "sys.h"

#define ANSWER_MAX 32768

int netlink_open(struct netlink *n)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int one = 1;

	*n = (struct netlink){ .fd = sys_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) };
	if (n->fd < 0)
		return n->fd;
	if (bind(n->fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int r = -errno;

		netlink_close(n);
		return r;
	}
	/* texts beside the errno, and answers without the request in them; an older kernel goes without */
	setsockopt(n->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(n->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return 0;
}

void netlink_close(struct netlink *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

static void put(struct nl_message *m, const void *data, size_t n)
{
	size_t step = NLMSG_ALIGN(n);

	if (m->full || step > sizeof(m->u.bytes) - m->len) {
		m->full = true;
		return;
	}
	memset(m->u.bytes + m->len, 0, step);
	if (n > 0)
		memcpy(m->u.bytes + m->len, data, n);
	m->len += step;
}

void nl_begin(struct nl_message *m, uint16_t type, uint16_t flags, const void *body, size_t n)
{
	struct nlmsghdr head = { .nlmsg_type = type, .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST) };

	m->len = 0;
	m->full = false;
	put(m, &head, sizeof(head));
	put(m, body, n);
}

void nl_add(struct nl_message *m, unsigned attribute, const void *data, size_t n)
{
	struct rtattr a = { .rta_len = (unsigned short)RTA_LENGTH(n), .rta_type = (unsigned short)attribute };

	if (RTA_SPACE(n) > sizeof(m->u.bytes) - m->len) {
		m->full = true;
		return;
	}
	put(m, &a, sizeof(a));
	put(m, data, n);
}

void nl_add_u32(struct nl_message *m, unsigned attribute, uint32_t value)
{
	nl_add(m, attribute, &value, sizeof(value));
}

void nl_add_number(struct nl_message *m, unsigned attribute, unsigned size, uint32_t value)
{
	uint8_t one = (uint8_t)value;
	uint16_t two = (uint16_t)value;

	nl_add(m, attribute, size == 1 ? (const void *)&one : size == 2 ? (const void *)&two : (const void *)&value, size);
}

void nl_add_text(struct nl_message *m, unsigned attribute, const char *text)
{
	nl_add(m, attribute, text, strlen(text) + 1);
}

size_t nl_nest(struct nl_message *m, unsigned attribute)
{
	size_t at = m->len;

	nl_add(m, attribute | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_end(struct nl_message *m, size_t nest)
{
	struct rtattr a;

	if (m->full)
		return;
	memcpy(&a, m->u.bytes + nest, sizeof(a));
	a.rta_len = (unsigned short)(m->len - nest);
	memcpy(m->u.bytes + nest, &a, sizeof(a));
}

static int send_message(struct netlink *n, struct nl_message *m)
{
	struct iovec iov = { m->u.bytes, m->len };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr h = { .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t r;

	n->why[0] = '\0';
	if (m->full)
		return -EMSGSIZE;
	m->u.head.nlmsg_len = (uint32_t)m->len;
	m->u.head.nlmsg_seq = ++n->seq;
	r = sys_sendmsg(n->fd, &h, 0);
	return r < 0 ? (int)r : 0;
}

/* One datagram of the kernel. Returns its length or -errno. */
static ssize_t receive(struct netlink *n, char *buf, size_t size)
{
	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = { buf, size };
		struct msghdr h = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t len = recvmsg(n->fd, &h, 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			return -EPIPE;
		if (from.nl_pid == 0)
			return h.msg_flags & MSG_TRUNC ? -EMSGSIZE : len;
	}
}

/* NLMSG_ERROR: its errno, and the text behind it. */
static int take_error(struct netlink *n, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	const struct rtattr *text;
	size_t used = NLMSG_ALIGN(sizeof(*h)) + sizeof(*e);

	if (h->nlmsg_len < used)
		return -EBADMSG;
	/* without NLM_F_CAPPED the request itself stands between */
	if (h->nlmsg_flags & NLM_F_ACK_TLVS && e->error) {
		if (!(h->nlmsg_flags & NLM_F_CAPPED))
			used += NLMSG_ALIGN((size_t)e->msg.nlmsg_len) - sizeof(e->msg);
		text = used < h->nlmsg_len ? nl_find((const struct rtattr *)(const void *)((const char *)h + used), h->nlmsg_len - used, NLMSGERR_ATTR_MSG) : NULL;
		if (text)
			snprintf(n->why, sizeof(n->why), "%.*s", (int)RTA_PAYLOAD(text), (const char *)RTA_DATA(text));
	}
	return e->error;
}

/* Walks one datagram. Returns 1 at the end of the answer (*result is set), 0 when more is to come, -errno. */
static int walk(struct netlink *n, const char *buf, size_t len, void (*each)(const struct nlmsghdr *h, void *arg), void *arg, int *result)
{
	while (len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)buf;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len)
			return -EBADMSG;
		if (h->nlmsg_seq == n->seq) {
			if (h->nlmsg_type == NLMSG_ERROR) {
				*result = take_error(n, h);
				return 1;
			}
			if (h->nlmsg_type == NLMSG_DONE) {
				*result = 0;
				return 1;
			}
			if (each)
				each(h, arg);
		}
		if (step >= len)
			break;
		buf += step;
		len -= step;
	}
	return 0;
}

static int answer(struct netlink *n, void (*each)(const struct nlmsghdr *h, void *arg), void *arg)
{
	char buf[ANSWER_MAX] __attribute__((aligned(8)));
	int result = 0;
	int r = 0;

	while (r == 0) {
		ssize_t len = receive(n, buf, sizeof(buf));

		if (len < 0)
			return (int)len;
		r = walk(n, buf, (size_t)len, each, arg, &result);
	}
	return r < 0 ? r : result;
}

int netlink_request(struct netlink *n, struct nl_message *m)
{
	int r;

	m->u.head.nlmsg_flags |= NLM_F_ACK;
	r = send_message(n, m);
	return r < 0 ? r : answer(n, NULL, NULL);
}

int netlink_dump(struct netlink *n, struct nl_message *m, void (*each)(const struct nlmsghdr *h, void *arg), void *arg)
{
	int r;

	m->u.head.nlmsg_flags |= NLM_F_DUMP;
	r = send_message(n, m);
	return r < 0 ? r : answer(n, each, arg);
}

const struct rtattr *nl_find(const struct rtattr *first, size_t n, unsigned attribute)
{
	const char *at = (const char *)first;

	while (n >= sizeof(struct rtattr)) {
		const struct rtattr *a = (const struct rtattr *)(const void *)at;
		size_t step = RTA_ALIGN((size_t)a->rta_len);

		if (a->rta_len < sizeof(*a) || a->rta_len > n)
			return NULL;
		if ((a->rta_type & NLA_TYPE_MASK) == attribute)
			return a;
		if (step >= n)
			return NULL;
		at += step;
		n -= step;
	}
	return NULL;
}

const struct rtattr *nl_find_nested(const struct rtattr *outer, unsigned attribute)
{
	return outer ? nl_find(RTA_DATA(outer), RTA_PAYLOAD(outer), attribute) : NULL;
}

uint32_t nl_number(const struct rtattr *a)
{
	uint16_t two;
	uint32_t four = 0;

	if (!a)
		return 0;
	switch (RTA_PAYLOAD(a)) {
	case 1:
		return *(const uint8_t *)RTA_DATA(a);
	case 2:
		memcpy(&two, RTA_DATA(a), 2);
		return two;
	case 4:
		memcpy(&four, RTA_DATA(a), 4);
		return four;
	default:
		return 0;
	}
}
