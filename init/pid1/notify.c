/* notify.c - the socket of the service notification protocol (sd_notify(3)).
 *
 * Runs in PID 1. The kernel says who sent a datagram (SCM_CREDENTIALS), and that process must be in the cgroup of a
 * service. Descriptors arrive with FDSTORE=1; all others are closed, after everything that the message and those before it asked for has been done:
 * for BARRIER=1 that is the answer. A bounded number of datagrams is read per turn. */
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
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define PER_TURN 32
#define FDS_PER_MESSAGE 253	/* SCM_MAX_FD */

static int sock = -1;

/* What services say about themselves; those that say nothing have no row. */
SPARSE static struct word {
	int unit;
	int error;			/* ERRNO= */
	int reloading;
	int complained;			/* of a message that is malformed */
	char status[NOTIFY_STATUS_MAX];
	int64_t asked;			/* to reload, at this time, and it has not said RELOADING=1 since then; 0: not */
} words[SUP_UNITS_MAX];
static int words_n;

const struct state_section notify_state[] = { STATE_ONE("ntfy", sock), STATE_TABLE("word", words, &words_n), STATE_END };

void notify_restored(void)
{
	if (!recover_keep(sock))
		notify_open();
	else
		loop_add(sock, WATCH_NOTIFY, 0, EPOLLIN);
}

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

static struct word *find_word(int unit)
{
	for (int i = 0; i < words_n; i++)
		if (words[i].unit == unit)
			return &words[i];
	return NULL;
}

static struct word *need_word(int unit)
{
	static struct word spare; /* never needed: there is room for every unit */
	struct word *w = find_word(unit);

	if (w)
		return w;
	w = words_n < SUP_UNITS_MAX ? &words[words_n++] : &spare;
	memset(w, 0, sizeof(*w));
	w->unit = unit;
	return w;
}

const char *notify_status(int unit)
{
	const struct word *w = find_word(unit);

	return w ? w->status : "";
}

int notify_reloading(int unit)
{
	const struct word *w = find_word(unit);

	return w && w->reloading && init_sup.run[unit].state == SUP_RUNNING;
}

int notify_reload(int unit)
{
	const struct sup_run *r = &init_sup.run[unit];
	struct word *w;

	if (!units.service[unit].reload_signal || r->state != SUP_RUNNING)
		return -EINVAL;
	w = need_word(unit);
	w->asked = loop_now();
	w->reloading = 1;
	return sys_kill(r->pid, units.service[unit].reload_signal);
}

int notify_error(int unit)
{
	const struct word *w = find_word(unit);

	return w ? w->error : 0;
}

void notify_forget(int unit)
{
	struct word *w = find_word(unit);

	if (!w)
		return;
	w->error = w->reloading = 0;
	w->asked = 0;
	memset(w->status, 0, sizeof(w->status));
}

static void store(int unit, const struct notify_message *m, struct ancillary *a)
{
	int taken = m->seen & NOTIFY_FDSTORE && units.service[unit].fdstore_max > 0;
	int r = 0;

	if (m->seen & NOTIFY_FDSTOREREMOVE)
		fdstore_remove(unit, m->fdname);
	for (int i = 0; taken && i < a->n; i++) {
		int added = fdstore_add(unit, m->fdname, a->fds[i], !(m->seen & NOTIFY_NO_POLL));

		a->fds[i] = -1;
		r = added < 0 ? added : r;
	}
	if (r < 0)
		report_problem("init", "keep a descriptor %s of %s: %s", m->fdname, unit_name(unit), err_name(-r));
}

void notify_replay_main_pid(int unit, pid_t pid)
{
	pid_t old = init_sup.run[unit].pid;
	struct pidtab_entry *e = pidtab_find(old);

	if (old == 0 || old == pid)
		return;
	if (e)
		pidtab_forget_unit(e);
	pidtab_set_unit(pid, unit);
	init_event(&(struct sup_event){ .type = SUP_EV_MAIN_PID, .unit = unit, .pid = pid });
}

/* The texts for people. */
static void keep_words(int unit, const struct notify_message *m)
{
	struct word *w;

	if (!(m->seen & (NOTIFY_STATUS | NOTIFY_ERRNO | NOTIFY_RELOADING)) && !m->bad[0] && !(m->seen & NOTIFY_READY && find_word(unit)))
		return;
	w = need_word(unit);
	if (m->seen & NOTIFY_STATUS)
		memcpy(w->status, m->status, sizeof(w->status));
	if (m->seen & NOTIFY_ERRNO)
		w->error = m->error;
	/* what it says of an earlier reload is no answer to this one */
	if (m->seen & NOTIFY_RELOADING) {
		w->reloading = 1;
		w->asked = m->monotonic_ms >= w->asked ? 0 : w->asked;
	}
	if (m->seen & NOTIFY_READY && !w->asked)
		w->reloading = 0;
	if (m->bad[0] && !w->complained)
		report_problem("init", "%s notified init of a %s that is malformed; it is ignored, as all later ones", unit_name(unit), m->bad);
	w->complained |= m->bad[0] != '\0';
}

static void tell(int unit, enum sup_event_type type, int64_t number)
{
	init_event(&(struct sup_event){ .type = type, .unit = unit, .number = number });
}

/* In an order in which one message may say it all: times before they begin to count, readiness before what only a ready service does. */
static void tell_supervisor(int unit, const struct notify_message *m)
{
	/* It may name only a process of the service itself. */
	if (m->seen & NOTIFY_MAINPID && cgroup_unit_of(m->main_pid) == unit) {
		recover_note(RECOVER_MAIN_PID, unit, m->main_pid, 0);
		notify_replay_main_pid(unit, m->main_pid);
	}
	if (m->seen & NOTIFY_WATCHDOG_USEC)
		tell(unit, SUP_EV_WATCHDOG_MS, m->watchdog_ms);
	if (m->seen & NOTIFY_READY) {
		recover_note(RECOVER_READY, unit, 0, 0);
		tell(unit, SUP_EV_READY, 0);
	}
	if (m->seen & NOTIFY_STOPPING)
		tell(unit, SUP_EV_STOPPING, 0);
	if (m->seen & NOTIFY_EXTEND)
		tell(unit, SUP_EV_EXTEND, m->extend_ms);
	if (m->seen & NOTIFY_WATCHDOG)
		tell(unit, SUP_EV_FED, 0);
	if (m->seen & NOTIFY_TRIGGER)
		tell(unit, SUP_EV_BITES, 0);
}

static void on_message(const char *text, size_t n, struct ancillary *a)
{
	struct notify_message m;
	int unit = sender_unit(a);

	if (unit < 0 || notify_parse(text, n, &m) < 0)
		return;
	store(unit, &m, a);
	keep_words(unit, &m);
	tell_supervisor(unit, &m);
	/* The answer to a barrier says that what came before is safe, and a descriptor that was closed may come again with another meaning. */
	if (m.seen & (NOTIFY_BARRIER | NOTIFY_FDSTORE | NOTIFY_FDSTOREREMOVE))
		recover_commit();
	else
		recover_make_room();
}

void notify_on_readable(void)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FDS_PER_MESSAGE * sizeof(int))];
	} control;
	struct ancillary a;

	for (int i = 0; i < PER_TURN; i++) {
		/* the text is not needed any more when it has been parsed, and only then something else is done */
		struct iovec iov = { init_scratch, NOTIFY_TEXT_MAX };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0)
			return;
		take_ancillary(&msg, &a);
		if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
			on_message(init_scratch, (size_t)n, &a);
		for (int k = 0; k < a.n; k++)
			if (a.fds[k] >= 0)
				close(a.fds[k]);
	}
}
