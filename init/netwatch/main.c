/* main.c - coracle-netwatch: has network cards that appear while the machine runs configured.
 *
 * A process of its own, supervised by init, started after the engine: it sleeps in one read of the kernel's events, and starts `coracle-config network
 * --device NAME` for each Ethernet card that is new. It never touches a device itself, and does not care for what containers make. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define CARDS_MAX 256
#define CONFIG "/usr/lib/coracle/coracle-config"

static int cards[CARDS_MAX];	/* indices of cards that were seen; 0: free */

static int *slot_of(int index)
{
	for (int i = 0; i < CARDS_MAX; i++)
		if (cards[i] == index)
			return &cards[i];
	return NULL;
}

static int exists(const char *before, const char *name, const char *after)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%.15s%s", before, name, after);
	return access(path, F_OK) == 0;
}

/* Type 1 is Ethernet; what has no device behind it was made by software. init has the same rule (init/pid1/net.c). */
static int is_card(const char *name)
{
	char path[96];
	char type[16];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/type", name);
	return exists("/sys/class/net/", name, "/device") && fd_read_small(AT_FDCWD, path, type, sizeof(type)) > 0 && !strcmp(type, "1");
}

static void configure(const char *name)
{
	char *const argv[] = { CONFIG, "network", "--device", (char *)name, NULL };
	char *const environment[] = { "PATH=/usr/bin", NULL };
	int status = 0;
	pid_t pid;
	int r = posix_spawn(&pid, argv[0], NULL, NULL, argv, environment);

	report_note("netwatch", "the network card %s has appeared", name);
	if (r != 0)
		report_problem("netwatch", "configure %s: start " CONFIG ": %s", name, err_name(r));
	else if (waitpid(pid, &status, 0) == pid && status != 0)
		report_problem("netwatch", "configure %s: see what " CONFIG " network --device %s says", name, name);
}

static void appeared(int index, const char *name)
{
	int *slot = slot_of(index) ? NULL : slot_of(0);

	if (!slot || !is_card(name))
		return;
	*slot = index;
	configure(name);
}

/* Cards from before: init has a client for each, or the configuration one of its own. One that came between init's look and now has neither. */
static void look_at_present(void)
{
	DIR *d = opendir("/sys/class/net");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int index = is_card(e->d_name) ? (int)if_nametoindex(e->d_name) : 0;
		int *slot = index ? slot_of(0) : NULL;

		if (!slot)
			continue;
		*slot = index;
		if (!exists("/sys/fs/cgroup/system/dhcp@", e->d_name, "") && !exists("/run/coracle/network/no-dhcp.", e->d_name, "") &&
		    access("/run/coracle/network", F_OK) == 0)
			configure(e->d_name);
	}
	if (d)
		closedir(d);
}

static void take_message(const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	char name[IFNAMSIZ];
	int *slot;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	if (h->nlmsg_type == RTM_NEWLINK && if_indextoname((unsigned)m->ifi_index, name))
		appeared(m->ifi_index, name);
	else if (h->nlmsg_type == RTM_DELLINK && (slot = slot_of(m->ifi_index)))
		*slot = 0;
}

static void take_messages(const char *bytes, size_t n)
{
	while (n >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)bytes;
		size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

		if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > n)
			return;
		take_message(h);
		if (step >= n)
			return;
		bytes += step;
		n -= step;
	}
}

/* Some events were lost: all cards are looked at. */
static void look_again(void)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_name; i++)
		appeared((int)i->if_index, i->if_name);
	if_freenameindex(all);
}

int main(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	CLEANUP_FD int fd = sys_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	char buf[8192] __attribute__((aligned(8)));

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		report_problem("netwatch", "listen to the kernel's network events: %s", err_name(fd < 0 ? -fd : errno));
		return 1;
	}
	/* the socket is there first, so nothing comes unseen in between */
	look_at_present();
	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = { buf, sizeof(buf) };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &m, 0);

		if (n > 0 && from.nl_pid == 0)
			take_messages(buf, (size_t)n);
		else if (n < 0 && errno == ENOBUFS)
			look_again();
		else if (n < 0 && errno != EINTR)
			return 1;
	}
}
