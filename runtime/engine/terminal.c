/* terminal.c - receives the terminals of containers (coracle-engine). Never blocks. */
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "input.h"
#include "report.h"
#include "text.h"

#define PATIENCE_MS 30000

struct terminal {
	char id[CONTAINER_ID_LEN + 1];
	char path[108];
	void (*got)(int fd, void *arg);	/* NULL: a container's */
	void *arg;
	struct terminal *next;
	struct loop_watch listener, peer;
	struct loop_timer patience;
};

char *terminal_path(const struct container *c, char *out, size_t size)
{
	text_set(out, size, "%s/tty-%.12s.sock", engine.opt.run, c->id);
	return out;
}

static struct terminal *waiting;

static void end(struct terminal *t)
{
	struct terminal **p = &waiting;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	loop_remove(&t->listener);
	loop_remove(&t->peer);
	loop_timer_cancel(&t->patience);
	fd_close(&t->listener.fd);
	fd_close(&t->peer.fd);
	unlink(t->path);
	free(t);
}

static int receive_fd(int sock)
{
	char byte[256];
	struct iovec iov = { .iov_base = byte, .iov_len = sizeof(byte) };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void set_size(const struct container *c, int fd)
{
	struct winsize size = { .ws_row = (unsigned short)c->svc.tty_rows, .ws_col = (unsigned short)c->svc.tty_columns };

	if (size.ws_row && size.ws_col)
		ioctl(fd, TIOCSWINSZ, &size);
}

static void on_peer(uint32_t events, void *arg)
{
	struct terminal *t = arg;
	bool ambiguous;
	struct container *c = t->got ? NULL : container_find(t->id, &ambiguous);
	struct err err = ERR_INIT;
	int fd = receive_fd(t->peer.fd);

	(void)events;
	if (t->got) {
		void (*got)(int, void *) = t->got;
		void *owner = t->arg;

		end(t);
		if (fd >= 0)
			got(fd, owner);
		return;
	}
	if (fd >= 0 && c && log_adopt_terminal(c->log, fd, &err) < 0)
		report_problem("engine", "%s: %s", c->svc.container_name, err.text);
	else if (fd >= 0 && !c)
		close(fd);
	if (c && fd >= 0) {
		set_size(c, fd);
		attach_pull(c);
	}
	end(t);
}

static void on_listener(uint32_t events, void *arg)
{
	struct terminal *t = arg;
	int fd = accept4(t->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	loop_remove(&t->listener);
	t->peer = (struct loop_watch){ .fd = fd, .ready = on_peer, .arg = t };
	if (loop_add(&t->peer, EPOLLIN) < 0)
		end(t);
}

static void on_patience(void *arg)
{
	end(arg);
}

static int listen_for(struct terminal *t, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r;

	t->peer.fd = -1;
	t->next = waiting;
	waiting = t;
	strcpy(a.sun_path, t->path);
	unlink(t->path);
	t->listener = (struct loop_watch){ .ready = on_listener, .arg = t };
	t->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->listener.fd < 0 || bind(t->listener.fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(t->listener.fd, 1) < 0)
		r = -errno;
	else
		r = loop_add(&t->listener, EPOLLIN);
	if (r < 0) {
		err_set(err, -r, "listen on %s", t->path);
		end(t);
		return r;
	}
	t->patience = (struct loop_timer){ .fire = on_patience, .arg = t };
	loop_timer_set(&t->patience, PATIENCE_MS);
	return 0;
}

int terminal_expect(struct container *c, struct err *err)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "terminal");
	text_set(t->id, sizeof(t->id), "%s", c->id);
	terminal_path(c, t->path, sizeof(t->path));
	return listen_for(t, err);
}

int terminal_listen(const char *path, void (*got)(int fd, void *arg), void *arg, struct err *err)
{
	struct terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "terminal");
	text_set(t->path, sizeof(t->path), "%s", path);
	t->got = got;
	t->arg = arg;
	return listen_for(t, err);
}

void terminal_forget(void *arg)
{
	for (struct terminal *t = waiting, *next; t; t = next) {
		next = t->next;
		if (t->got && t->arg == arg)
			end(t);
	}
}
