/* control.c - init's control socket (docs/design/interfaces.md): root only, one text message per packet.
 *
 * Runs in PID 1 and never waits for a client. One that does not read is not read from either until it has
 * taken its answers; news of ended processes stay in the pid table until they can be sent. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "init/proto/control.h"
#include "report.h"
#include "sys.h"

#define REQUESTS_PER_TURN 32

SPARSE static struct client {
	int open;
	int fd;
	int blocked;		/* its socket is full: EPOLLOUT is awaited */
	int waiting;		/* its answer comes later (reload-init); nothing is read from it until then */
	int next_service;	/* row of the list to be sent next, 0: none (row 1 is unit 0) */
	int lists_times;	/* which list: that of `boot-times`, or of `services` */
	char reply[CONTROL_REPLY_MAX];	/* not sent yet; "": none */
} clients[INIT_CLIENTS_MAX];
static int clients_n;		/* one above the highest in use */

static int sock = -1;

const struct state_section control_state[] = { STATE_ONE("ctrl", sock), STATE_TABLE("clnt", clients, &clients_n), STATE_END };

void control_open(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	mode_t mask = umask(0177);
	int bound;

	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(CONTROL_SOCKET);
	bound = sock >= 0 && bind(sock, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(sock, INIT_CLIENTS_MAX) == 0;
	umask(mask);
	if (!bound || loop_add(sock, WATCH_CONTROL, 0, EPOLLIN) < 0)
		report_problem("init", "open " CONTROL_SOCKET ": %s; nothing can command init", err_name(errno));
}

static void client_forget(int c)
{
	memset(&clients[c], 0, sizeof(clients[c]));
	pidtab_forget_client(c);
}

/* Committed at once: the next descriptor may get this number. */
static void client_close(int c)
{
	if (clients[c].waiting)
		reload_forget_client();
	close(clients[c].fd);
	client_forget(c);
	recover_commit();
}

/* Returns 1 when sent, 0 when the socket is full, -1 when the client is gone (and closed). */
static int client_send(int c, const char *text, enum recover_kind kind, pid_t pid)
{
	if (recover_send(clients[c].fd, text, strlen(text), kind, c, pid) >= 0)
		return 1;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM) {
		clients[c].blocked = 1;
		return 0;
	}
	client_close(c);
	return -1;
}

static int send_exit(int c, struct pidtab_entry *e)
{
	char text[64];
	int r;

	snprintf(text, sizeof(text), "exit %d %d", (int)e->pid, e->status);
	if ((r = client_send(c, text, RECOVER_TOLD, e->pid)) != 1)
		return r;
	e->told = (uint16_t)(e->told | 1u << c);
	return 1;
}

static void format_row(int unit, int times, char *text, size_t size)
{
	const struct sup_run *r = &init_sup.run[unit];

	if (unit >= units.n)
		snprintf(text, size, "end");
	else if (times)
		times_format(unit, text, size);
	else
		snprintf(text, size, "%s %s %d %u%s%.*s", unit_name(unit), notify_reloading(unit) ? "reloading" : sup_state_name(r->state),
			 (int)r->pid, r->restarts, *notify_status(unit) ? " " : "", NOTIFY_STATUS_MAX, notify_status(unit));
}

/* Sends what is owed. Returns 1 when nothing is left, 0 when the socket is full, -1 when the client is gone. */
static int client_flush(int c)
{
	struct client *cl = &clients[c];
	unsigned at = 0;
	struct pidtab_entry *e;
	int r;

	if (cl->reply[0]) {
		if ((r = client_send(c, cl->reply, RECOVER_ANSWERED, 0)) != 1)
			return r;
		cl->reply[0] = '\0';
	}
	while (cl->next_service) {
		char text[CONTROL_TEXT_MAX];
		int last = cl->next_service > units.n;

		format_row(cl->next_service - 1, cl->lists_times, text, sizeof(text));
		if ((r = client_send(c, text, last ? RECOVER_ANSWERED : RECOVER_NOTHING, 0)) != 1)
			return r;
		cl->next_service = last ? 0 : cl->next_service + 1;
	}
	/* The table is searched only after the socket was full; otherwise control_tell() has sent each at once. */
	while (cl->blocked && (e = pidtab_untold(c, &at)))
		if ((r = send_exit(c, e)) != 1)
			return r;
	cl->blocked = 0;
	return 1;
}

void control_tell(struct pidtab_entry *e)
{
	for (int c = 0; c < INIT_CLIENTS_MAX; c++)
		if (clients[c].open && !clients[c].blocked && (e->watchers & ~e->told & (1u << c)) && send_exit(c, e) == 0)
			loop_modify(clients[c].fd, WATCH_CLIENT, c, EPOLLOUT);
}

static int parent_of(pid_t pid)
{
	char path[32];
	char text[512];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	/* "PID (COMM) STATE PPID": COMM may hold anything, so from the last parenthesis. */
	if (fd_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 || !(at = strrchr(text, ')')) || strlen(at) < 5)
		return -1;
	return atoi(at + 4);
}

/* A process with another parent may end without ever becoming ours. Its pidfd tells (each change once: it ended, it
 * was reaped), and control_on_pidfd() sees which of the two it was. */
static void watch_stranger(struct pidtab_entry *e)
{
	int fd = sys_pidfd_open(e->pid, 0);

	if (fd < 0)
		return;
	if (loop_add(fd, WATCH_PIDFD, (int)e->pid, EPOLLIN | EPOLLET) < 0) {
		close(fd);
		return;
	}
	e->pidfd = fd;
}

void control_on_pidfd(pid_t pid)
{
	struct pidtab_entry *e = pidtab_find(pid);

	/* While it is a zombie its parent may still die and leave it, with its status, to us. */
	if (!e || e->ended || parent_of(pid) >= 0)
		return;
	pidtab_end(e, -1);
	control_tell(e);
}

static void look_at_parent(struct pidtab_entry *e)
{
	int parent;

	if (e->ended || e->pidfd >= 0)
		return;
	parent = parent_of(e->pid);
	if (parent < 0)
		pidtab_end(e, -1);
	else if (parent != 1)
		watch_stranger(e);
}

static const char *watch(int c, pid_t pid)
{
	struct pidtab_entry *e = pidtab_watch(pid, c);

	if (!e)
		return "error too many watched processes";
	look_at_parent(e);
	return "ok";
}

static const char *command(const struct control_request *q, char *buf, size_t size)
{
	static const enum sup_event_type types[] = { SUP_EV_START, SUP_EV_STOP, SUP_EV_RESTART };
	int unit = unit_find(q->name);
	int r;

	if (unit < 0) {
		snprintf(buf, size, "error no service %s", q->name);
		return buf;
	}
	if (q->verb == CONTROL_RELOAD)
		return notify_reload(unit) == 0 ? "ok" : "error it is not of Type=notify-reload, or does not run";
	r = init_event(&(struct sup_event){ .type = types[q->verb - CONTROL_START], .unit = unit });
	if (r == 0)
		return "ok";
	snprintf(buf, size, "error %s", r == -ESHUTDOWN ? "the machine is going down" :
		 r == -EBUSY ? "it has processes that cannot be killed" : err_name(-r));
	return buf;
}

static const char *reload(char *buf, size_t size)
{
	struct err err = ERR_INIT;

	if (init_sup.shutting_down)
		return "error the machine is going down";
	if (services_reload(1, &err) == 0)
		return "ok";
	snprintf(buf, size, "error %.180s", err.text);
	return buf;
}

static const char *answer(int c, const struct control_request *q, char *buf, size_t size)
{
	const char *reply;

	switch (q->verb) {
	case CONTROL_WATCH:
		return watch(c, q->pid);
	case CONTROL_FORGET:
		pidtab_forget(q->pid);
		return "ok";
	case CONTROL_SERVICES:
	case CONTROL_BOOT_TIMES:
		clients[c].lists_times = q->verb == CONTROL_BOOT_TIMES;
		clients[c].next_service = 1;
		return "";
	case CONTROL_START:
	case CONTROL_STOP:
	case CONTROL_RESTART:
		return command(q, buf, size);
	case CONTROL_POWEROFF:
		shutdown_asked_by_client(SHUTDOWN_POWEROFF, clients[c].fd);
		return "ok";
	case CONTROL_REBOOT:
		shutdown_asked_by_client(SHUTDOWN_REBOOT, clients[c].fd);
		return "ok";
	case CONTROL_HALT:
		shutdown_asked_by_client(SHUTDOWN_HALT, clients[c].fd);
		return "ok";
	case CONTROL_RELOAD:
		return q->name[0] ? command(q, buf, size) : reload(buf, size);
	case CONTROL_EXIT_CODE:
		shutdown_exit_code = q->number;
		return "ok";
	case CONTROL_RELOAD_INIT:
		reply = reload_begin(c, q->path);
		clients[c].waiting = !reply[0];
		return reply;
	}
	return "error";
}

/* What was promised outlives a crash: the two that are frequent and change little are in the journal. */
static void write_down(int c, const struct control_request *q)
{
	if (q->verb == CONTROL_WATCH)
		recover_note(RECOVER_WATCH, c, q->pid, 0);
	else if (q->verb == CONTROL_FORGET)
		recover_note(RECOVER_FORGET, c, q->pid, 0);
	else if (q->verb != CONTROL_SERVICES && q->verb != CONTROL_BOOT_TIMES)
		recover_commit();
}

/* Returns 1 when the client may ask again, else as client_flush(). */
static int handle(int c, const char *text, size_t n)
{
	char buf[CONTROL_REPLY_MAX];
	struct control_request q;
	struct pidtab_entry *e;
	const char *reply = "error malformed request";
	int parsed = control_parse(text, n, &q) == 0;
	int r;

	loop_give_back();
	if (parsed)
		reply = answer(c, &q, buf, sizeof(buf));
	snprintf(clients[c].reply, sizeof(clients[c].reply), "%s", reply);
	if (parsed)
		write_down(c, &q);
	if ((r = client_flush(c)) < 0)
		return r;
	/* A process that had ended before: its news follow the "ok". */
	if (parsed && q.verb == CONTROL_WATCH && (e = pidtab_find(q.pid)) && e->ended && r == 1)
		r = send_exit(c, e);
	return r;
}

static int client_read(int c)
{
	char text[CONTROL_TEXT_MAX + 1];

	for (int i = 0; i < REQUESTS_PER_TURN; i++) {
		ssize_t n;
		int r;

		recover_make_room();
		n = recover_receive(clients[c].fd, text, sizeof(text), RECOVER_REQUEST, c);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		if (n <= 0) {
			client_close(c);
			return -1;
		}
		if ((r = handle(c, text, (size_t)n)) != 1 || clients[c].waiting)
			return r;
	}
	return 1;
}

void control_on_client(int c, unsigned events)
{
	int r = 1;

	if (!clients[c].open)
		return;
	if (clients[c].blocked && events & EPOLLOUT)
		r = client_flush(c);
	else if (clients[c].blocked && events & (EPOLLHUP | EPOLLERR)) {
		client_close(c);
		return;
	}
	if (r == 1 && clients[c].waiting && events & (EPOLLHUP | EPOLLERR)) {
		client_close(c);
		return;
	}
	if (r == 1 && !clients[c].waiting)
		r = client_read(c);
	if (r >= 0)
		loop_modify(clients[c].fd, WATCH_CLIENT, c, r == 0 ? EPOLLOUT : clients[c].waiting ? 0 : EPOLLIN);
}

void control_reply(int c, const char *text)
{
	clients[c].waiting = 0;
	clients[c].blocked = 1;
	snprintf(clients[c].reply, sizeof(clients[c].reply), "%s", text);
	loop_modify(clients[c].fd, WATCH_CLIENT, c, EPOLLOUT);
}

void control_on_connect(void)
{
	int fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (fd < 0)
		return;
	for (int c = 0; c < INIT_CLIENTS_MAX; c++) {
		if (clients[c].open)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.uid != 0 ||
		    loop_add(fd, WATCH_CLIENT, c, EPOLLIN) < 0)
			break;
		clients[c].open = 1;
		clients[c].fd = fd;
		clients_n = MAX(clients_n, c + 1);
		recover_commit();
		return;
	}
	close(fd); /* not root, or too many: the engine and a handful of commands are all there ever is */
}

/* Nothing is sent before the journal has been replayed: each counts as blocked until the loop finds that it is not. */
void control_restored(void)
{
	if (!recover_keep(sock))
		control_open();
	else
		loop_add(sock, WATCH_CONTROL, 0, EPOLLIN);
	for (int c = 0; c < clients_n; c++) {
		if (!clients[c].open || !recover_keep(clients[c].fd) || loop_add(clients[c].fd, WATCH_CLIENT, c, EPOLLOUT) < 0) {
			client_forget(c);
			continue;
		}
		clients[c].blocked = 1;
		if (clients[c].waiting)
			control_replay(RECOVER_REQUEST, c, 0);
	}
}

/* After the journal: it knows the status of those that have been reaped. */
void control_reconcile(void)
{
	struct pidtab_entry *e;

	for (unsigned at = 0; (e = pidtab_next(&at));)
		if (e->watched)
			look_at_parent(e);
}

void control_replay(enum recover_kind kind, int c, pid_t pid)
{
	struct pidtab_entry *e;
	const char *reply = "";

	if (c < 0 || c >= INIT_CLIENTS_MAX || !clients[c].open)
		return;
	switch (kind) {
	case RECOVER_REQUEST:
		reply = "error init crashed while it did this";
		break;
	case RECOVER_WATCH:
		reply = pidtab_watch(pid, c) ? "ok" : "error too many watched processes";
		break;
	case RECOVER_FORGET:
		pidtab_forget(pid);
		reply = "ok";
		break;
	case RECOVER_TOLD:
		e = pidtab_find(pid);
		if (e)
			e->told = (uint16_t)(e->told | 1u << c);
		return;
	default:
		break; /* answered */
	}
	clients[c].waiting = 0;
	clients[c].next_service = 0;
	snprintf(clients[c].reply, sizeof(clients[c].reply), "%s", reply);
}
