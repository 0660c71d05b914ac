/* notify.c - the socket of the service notification protocol (sd_notify(3)).
 *
 * Runs in PID 1. The kernel says who sent a datagram (SCM_CREDENTIALS), and that process must be in the cgroup of a
 * service. Descriptors arrive with FDSTORE=1; all others are closed. A bounded number of datagrams is read per turn. */
#include "init/pid1/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "report.h"

#define PER_TURN 32
#define FDS_PER_MESSAGE 253	/* SCM_MAX_FD */

static int sock = -1;

void notify_open(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = NOTIFY_PATH };
	int on = 1;

	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(NOTIFY_PATH);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(sock, (struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(NOTIFY_PATH, 0666) < 0 ||
	    loop_add(sock, WATCH_NOTIFY, 0, EPOLLIN) < 0)
		report_problem("init", "open " NOTIFY_PATH ": %s; services cannot say that they are ready", err_name(errno));
}

struct ancillary {
	struct ucred cred;
	int n;
	int fds[FDS_PER_MESSAGE];
};

/* musl's CMSG_NXTHDR mixes signs in its own text. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
static struct cmsghdr *next_control(struct msghdr *msg, struct cmsghdr *c)
{
	return CMSG_NXTHDR(msg, c);
}
#pragma GCC diagnostic pop

static void take_ancillary(struct msghdr *msg, struct ancillary *a)
{
	memset(&a->cred, 0, sizeof(a->cred));
	a->n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = next_control(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(a->cred)))
			memcpy(&a->cred, CMSG_DATA(c), sizeof(a->cred));
		if (c->cmsg_type == SCM_RIGHTS) {
			a->n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(a->fds, CMSG_DATA(c), (size_t)a->n * sizeof(int));
		}
	}
}

static int sender_unit(const struct ancillary *a)
{
	const struct pidtab_entry *e;

	if (a->cred.pid <= 0)
		return -1;
	e = pidtab_find(a->cred.pid);
	if (e && e->unit >= 0)
		return e->unit;
	return cgroup_unit_of(a->cred.pid);
}

static void store(int unit, const struct notify_message *m, struct ancillary *a)
{
	int taken = m->seen & NOTIFY_FDSTORE && init_services[unit].flags & SERVICE_STORES;
	int r = 0;

	if (m->seen & NOTIFY_FDSTOREREMOVE)
		fdstore_remove(unit, m->fdname);
	for (int i = 0; taken && i < a->n; i++) {
		int added = fdstore_add(unit, m->fdname, a->fds[i]);

		a->fds[i] = -1;
		r = added < 0 ? added : r;
	}
	if (r < 0)
		report_problem("init", "keep a descriptor %s of %s: %s", m->fdname, init_units[unit].name, err_name(-r));
}

/* MAINPID= may name only a process of the service itself. */
static void set_main_pid(int unit, pid_t pid)
{
	pid_t old = init_sup.run[unit].pid;
	struct pidtab_entry *e = pidtab_find(old);

	if (old == 0 || old == pid || cgroup_unit_of(pid) != unit)
		return;
	if (e)
		pidtab_forget_unit(e);
	pidtab_set_unit(pid, unit);
	init_event(&(struct sup_event){ .type = SUP_EV_MAIN_PID, .unit = unit, .pid = pid });
}

static void on_message(const char *text, size_t n, struct ancillary *a)
{
	struct notify_message m;
	int unit = sender_unit(a);
	int r;

	if (unit < 0)
		return;
	if ((r = notify_parse(text, n, &m)) < 0) {
		report_problem("init", "%s sent a notification that is malformed", init_units[unit].name);
		return;
	}
	store(unit, &m, a);
	if (m.seen & NOTIFY_MAINPID)
		set_main_pid(unit, m.main_pid);
	if (m.seen & NOTIFY_READY)
		init_event(&(struct sup_event){ .type = SUP_EV_READY, .unit = unit });
}

void notify_on_readable(void)
{
	char text[NOTIFY_TEXT_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
	} control;
	struct ancillary a;

	for (int i = 0; i < PER_TURN; i++) {
		struct iovec iov = { text, sizeof(text) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0)
			return;
		take_ancillary(&msg, &a);
		if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
			on_message(text, (size_t)n, &a);
		for (int k = 0; k < a.n; k++)
			if (a.fds[k] >= 0)
				close(a.fds[k]);
	}
}
