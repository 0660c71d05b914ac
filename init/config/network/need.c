/* need.c - the network when something has to be fetched during the boot configuration.
 *
 * Runs in coracle-config, before anything is applied. DHCP is busybox's udhcpc, once, with the script that the machine's own clients use; waiting
 * is for its end and for the kernel's events, never for a length of time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../datasource/datasource.h"
#include "boot.h"
#include "fd.h"
#include "path.h"
#include "report.h"
#include "sys.h"

#define CLIENTS_MAX 32
#define SCRIPT "/usr/lib/coracle/dhcp"

/* A client that asks for one device. */
struct client {
	char name[IFNAMSIZ];
	pid_t pid;
	int pidfd;
	bool got;	/* it ended well: there is an address, and its routes */
};

static struct {
	struct network_plan *plan;
	bool asked;
	int result;
	struct err err;
	struct client clients[CLIENTS_MAX];
	size_t n;
} state;

void network_set_plan(struct network_plan *p)
{
	state.plan = p;
}

struct network_plan *network_plan_known(void)
{
	return state.plan;
}

int network_known(struct ctx *ctx, const char *name, const char *bytes, size_t len)
{
	struct network_plan *p = network_read(ctx, name, bytes, len);

	if (!p)
		return -EINVAL;
	if (!state.plan)
		state.plan = p;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void run_child(char *const argv[], const char *interface)
{
	char variable[IFNAMSIZ + 16];
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", variable, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(variable, sizeof(variable), "interface=%s", interface);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	execve(argv[0], argv, environment);
	_exit(127);
}

/* udhcpc that asks three times, a second apart, and again; it ends when it has an address. */
static void start_client(struct ctx *ctx, const char *name)
{
	struct client *c = &state.clients[state.n];
	char *const argv[] = { "/bin/busybox", "udhcpc", "-f", "-q", "-i", c->name, "-s", SCRIPT, "-t", "3", "-T", "1", "-A", "1", "-O", "mtu",
			       "-O", "staticroutes", NULL };

	if (state.n == CLIENTS_MAX)
		return;
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->got = false;
	c->pid = fork();
	if (c->pid == 0)
		run_child(argv, c->name);
	c->pidfd = c->pid < 0 ? -1 : sys_pidfd_open(c->pid, 0);
	if (c->pidfd < 0) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "start udhcpc for %s: %s", name, err_name(c->pid < 0 ? errno : -c->pidfd));
		return;
	}
	state.n++;
}

/* What init does with the network when nothing is configured: every Ethernet device asks. */
static void start_fallback(struct ctx *ctx)
{
	struct netlink nl;
	struct links links;
	int r = netlink_open(&nl);

	if (r == 0)
		r = links_read(ctx, &nl, &links);
	if (r < 0)
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "look for network devices: %s", err_name(-r));
	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (links.v[i].physical)
			start_client(ctx, links.v[i].name);
	netlink_close(&nl);
}

static void start_plan(struct ctx *ctx)
{
	struct applier a = { .ctx = ctx, .plan = state.plan, .nl = { .fd = -1 } };
	struct diags unheard;
	struct ctx quiet = *ctx;

	/* the boot's own step does it again, and tells what is wrong */
	diags_init(&unheard, ctx->arena);
	quiet.diags = &unheard;
	a.ctx = &quiet;
	if (network_apply(&a) == 0)
		for (size_t i = 0; i < a.links.n; i++) {
			const struct network_device *d = a.links.v[i].device;

			if (d && d->dhcp[0].enabled == PLAN_YES && !d->manual && !d->unmanaged)
				start_client(ctx, a.links.v[i].name);
		}
	network_apply_end(&a);
}

static int open_events(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

struct address_search {
	bool four, six;
};

/* One that others can reach, and whose use nothing forbids (duplicate address detection). */
static void look_at_address(const struct nlmsghdr *h, void *arg)
{
	struct address_search *s = arg;
	const struct ifaddrmsg *m = NLMSG_DATA(h);

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ifa_scope != RT_SCOPE_UNIVERSE || m->ifa_index == 1 ||
	    m->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return;
	if (m->ifa_family == AF_INET)
		s->four = true;
	else
		s->six = true;
}

/* Addresses of the kernel's own asking (IPv6) and of the plan count at once; one of DHCP when its client has set the routes too. */
static bool is_reachable(void)
{
	struct ifaddrmsg body = { .ifa_family = AF_UNSPEC };
	struct address_search s = { false, false };
	struct nl_message m;
	struct netlink nl;
	bool got = false;

	for (size_t i = 0; i < state.n; i++)
		got = got || state.clients[i].got;
	if (netlink_open(&nl) < 0)
		return got;
	nl_begin(&m, RTM_GETADDR, 0, &body, sizeof(body));
	netlink_dump(&nl, &m, look_at_address, &s);
	netlink_close(&nl);
	return s.six || (s.four && (state.n == 0 || got));
}

/* Ended ones are taken note of. Returns how many still ask. */
static size_t reap_clients(void)
{
	size_t asking = 0;

	for (size_t i = 0; i < state.n; i++) {
		struct client *c = &state.clients[i];
		int status;

		if (c->pidfd < 0)
			continue;
		if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
			asking++;
			continue;
		}
		c->got = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		fd_close(&c->pidfd);
	}
	return asking;
}

static void wait_for_event(int events, int64_t ms)
{
	struct pollfd p[CLIENTS_MAX + 1] = { { .fd = events, .events = POLLIN } };
	char drain[4096];

	for (size_t i = 0; i < state.n; i++)
		p[i + 1] = (struct pollfd){ .fd = state.clients[i].pidfd, .events = POLLIN };
	if (poll(p, state.n + 1, (int)MIN(MAX(ms, 0), 60000)) > 0)
		while (events >= 0 && recv(events, drain, sizeof(drain), MSG_DONTWAIT) > 0)
			continue;
}

static const char *client_names(struct ctx *ctx)
{
	const char *names = "";

	for (size_t i = 0; i < state.n; i++)
		names = arena_printf(ctx->arena, "%s%s%s", names, i ? ", " : "", state.clients[i].name);
	return names;
}

/* On the console too, at the level that `quiet` lets through; it is no problem yet, so it is not kept as one. */
static void say_waiting(const char *names)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "<3>coracle: config: something has to be fetched: waiting for an address%s%s, at most %d s\n", *names ? " on " : "",
			 names, NETWORK_NEED_MS / 1000);

	report_kernel(line, MIN((size_t)n, sizeof(line) - 1));
}

static int wait_until_reachable(struct ctx *ctx, int events, struct err *err)
{
	int64_t start = now_ms();
	bool said = false;

	for (;;) {
		int64_t passed = now_ms() - start;

		reap_clients();
		if (is_reachable())
			return 0;
		if (passed >= NETWORK_NEED_MS)
			break;
		if (!said && passed >= 1000) {
			said = true;
			say_waiting(client_names(ctx));
		}
		wait_for_event(events, said ? NETWORK_NEED_MS - passed : 1000 - passed);
	}
	if (state.n == 0)
		return err_set(err, ETIMEDOUT, "the network: %s", state.plan ? "no address of its configuration can be used" : "there is no Ethernet device");
	return err_set(err, ETIMEDOUT, "the network: nobody gave an address to %s by DHCP within %d s", client_names(ctx), NETWORK_NEED_MS / 1000);
}

/* Those that got nothing are not to disturb the machine's own clients. What one got stays until the machine's client has its answer. */
static void end_clients(void)
{
	for (size_t i = 0; i < state.n; i++) {
		struct client *c = &state.clients[i];
		char path[96];
		int fd;

		if (c->pidfd >= 0) {
			kill(c->pid, SIGTERM);
			waitpid(c->pid, NULL, 0);
			fd_close(&c->pidfd);
		}
		snprintf(path, sizeof(path), NETWORK_DIR "/asked.%s.4", c->name);
		fd = c->got ? sys_openat(AT_FDCWD, path, O_WRONLY | O_CREAT, 0644) : -1;
		fd_close(&fd);
	}
}

int network_need(struct ctx *ctx, struct err *err)
{
	CLEANUP_FD int events = -1;

	if (state.asked) {
		if (state.result < 0)
			*err = state.err;
		return state.result;
	}
	state.asked = true;
	/* before anything is asked for, so that no address comes in between */
	events = open_events();
	path_mkdirs(NETWORK_DIR, 0755);
	if (!state.plan)
		state.plan = network_plan_of_cmdline(ctx);
	if (state.plan && !state.plan->disabled)
		start_plan(ctx);
	else if (!state.plan)
		start_fallback(ctx);
	state.result = wait_until_reachable(ctx, events, &state.err);
	end_clients();
	if (state.result < 0)
		*err = state.err;
	return state.result;
}

void network_forget_asked(const struct network_plan *p)
{
	for (size_t i = 0; i < state.n; i++) {
		const struct client *c = &state.clients[i];
		char *const argv[] = { SCRIPT, "deconfig", NULL };
		bool wanted = false;
		char path[96];
		pid_t pid;

		for (const struct network_device *d = p->devices; d; d = d->next)
			wanted = wanted || (plan_device_name(d) && !strcmp(plan_device_name(d), c->name) && d->dhcp[0].enabled == PLAN_YES);
		if (wanted || !c->got)
			continue;
		snprintf(path, sizeof(path), NETWORK_DIR "/asked.%s.4", c->name);
		unlink(path);
		pid = fork();
		if (pid == 0)
			run_child(argv, c->name);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}
