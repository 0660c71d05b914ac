/* netlink.h - a small encoder and reader of rtnetlink (rtnetlink(7)): one request at a time, each with its answer.
 *
 * Runs in coracle-config. Messages are built in a fixed buffer; one that does not fit is refused, never cut. */
#ifndef CORACLE_CONFIG_NETWORK_NETLINK_H
#define CORACLE_CONFIG_NETWORK_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MESSAGE_MAX 4096

struct netlink {
	int fd;
	uint32_t seq;
	char why[96];		/* what the kernel said beside the errno of the last request, or "" */
};

int netlink_open(struct netlink *n);	/* 0 or -errno */
void netlink_close(struct netlink *n);

struct nl_message {
	union {
		struct nlmsghdr head;
		char bytes[NETLINK_MESSAGE_MAX];
	} u;
	size_t len;
	bool full;		/* something did not fit */
};

/* body: struct ifinfomsg, ifaddrmsg, rtmsg, fib_rule_hdr. NLM_F_REQUEST is added to flags. */
void nl_begin(struct nl_message *m, uint16_t type, uint16_t flags, const void *body, size_t n);
void nl_add(struct nl_message *m, unsigned attribute, const void *data, size_t n);
void nl_add_u32(struct nl_message *m, unsigned attribute, uint32_t value);
void nl_add_number(struct nl_message *m, unsigned attribute, unsigned size, uint32_t value);	/* size 1, 2 or 4 */
void nl_add_text(struct nl_message *m, unsigned attribute, const char *text);
size_t nl_nest(struct nl_message *m, unsigned attribute);	/* for nl_end */
void nl_end(struct nl_message *m, size_t nest);

/* Sends it and waits for the kernel's answer: 0 or -errno, n->why has more. */
int netlink_request(struct netlink *n, struct nl_message *m);

/* Calls each for every message of a dump. Returns 0 or -errno. */
int netlink_dump(struct netlink *n, struct nl_message *m, void (*each)(const struct nlmsghdr *h, void *arg), void *arg);

/* The attribute among n bytes of attributes, or NULL. */
const struct rtattr *nl_find(const struct rtattr *first, size_t n, unsigned attribute);
const struct rtattr *nl_find_nested(const struct rtattr *outer, unsigned attribute);
/* Of 1, 2 or 4 bytes; 0 when it is NULL or of another size. */
uint32_t nl_number(const struct rtattr *a);

#endif
