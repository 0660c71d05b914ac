/* initlink.c - asking init to watch containers' processes (coracle-engine). Never blocks. */
#include "initlink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "loop.h"
#include "report.h"
#include "text.h"

#define RECONNECT_MS 200

/* init answers in the order of the requests. */
struct request {
	struct request *next;
	void (*answered)(bool ok, void *arg);
	void *arg;
	bool sent;
	char text[];
};

static const char *socket_path;
static struct loop_watch watch = { .fd = -1 };
static struct loop_timer reconnect;
static struct request *first, **last = &first;
static void (*on_exited)(pid_t pid, int status);
static void (*on_back)(void);

static void lost(void);

bool initlink_present(void)
{
	return socket_path != NULL;
}

static void pop(bool ok)
{
	struct request *r = first;

	if (!r)
		return;
	first = r->next;
	if (!first)
		last = &first;
	if (r->answered)
		r->answered(ok, r->arg);
	free(r);
}

static void flush(void)
{
	for (struct request *r = first; r; r = r->next) {
		if (r->sent)
			continue;
		if (send(watch.fd, r->text, strlen(r->text), MSG_NOSIGNAL) < 0) {
			if (errno == EAGAIN)
				loop_change(&watch, EPOLLIN | EPOLLOUT);
			return;
		}
		r->sent = true;
	}
	loop_change(&watch, EPOLLIN);
}

static void on_packet(const char *text)
{
	long pid;
	int status;

	if (sscanf(text, "exit %ld %d", &pid, &status) == 2)
		on_exited((pid_t)pid, status);
	else
		pop(strcmp(text, "ok") == 0);
}

static void on_ready(uint32_t events, void *arg)
{
	char text[4097];

	(void)arg;
	if (events & EPOLLOUT)
		flush();
	while (watch.fd >= 0) {
		ssize_t n = recv(watch.fd, text, sizeof(text) - 1, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lost();
			return;
		}
		text[n] = '\0';
		on_packet(text);
	}
}

static int connect_init(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int code = errno;

		fd_close(&fd);
		return -code;
	}
	watch = (struct loop_watch){ .fd = fd, .ready = on_ready };
	return loop_add(&watch, EPOLLIN);
}

static void try_again(void *arg)
{
	(void)arg;
	if (connect_init() < 0) {
		loop_timer_set(&reconnect, RECONNECT_MS);
		return;
	}
	for (struct request *r = first; r; r = r->next)
		r->sent = false;
	flush();
	on_back();
}

/* What was sent but not answered is sent again: init has forgotten it, or keeps the status. */
static void lost(void)
{
	report_note("engine", "connection to init lost");
	loop_remove(&watch);
	fd_close(&watch.fd);
	reconnect.fire = try_again;
	loop_timer_set(&reconnect, RECONNECT_MS);
}

int initlink_open(const char *path, void (*exited)(pid_t pid, int status), void (*back)(void), struct err *err)
{
	int r;

	socket_path = path;
	on_exited = exited;
	on_back = back;
	r = connect_init();
	return r < 0 ? err_set(err, -r, "connect to %s", path) : 0;
}

static void request(void (*answered)(bool ok, void *arg), void *arg, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void request(void (*answered)(bool ok, void *arg), void *arg, const char *fmt, ...)
{
	struct request *r = calloc(1, sizeof(*r) + 64);
	va_list ap;

	if (!r)
		return;
	va_start(ap, fmt);
	vsnprintf(r->text, 64, fmt, ap);
	va_end(ap);
	r->answered = answered;
	r->arg = arg;
	*last = r;
	last = &r->next;
	if (watch.fd >= 0)
		flush();
}

void initlink_watch(pid_t pid, void (*answered)(bool ok, void *arg), void *arg)
{
	request(answered, arg, "watch %ld", (long)pid);
}

void initlink_cancel(void *arg)
{
	for (struct request *r = first; r; r = r->next)
		if (r->arg == arg)
			r->answered = NULL;
}

void initlink_forget(pid_t pid)
{
	if (initlink_present())
		request(NULL, NULL, "forget %ld", (long)pid);
}

void initlink_exit_code(int code)
{
	char text[32];

	text_set(text, sizeof(text), "exit-code %d", code);
	if (watch.fd >= 0)
		(void)!send(watch.fd, text, strlen(text), MSG_NOSIGNAL);
}
