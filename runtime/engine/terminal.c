/* terminal.c - receives the terminals of containers (coracle-engine). Never blocks. */
#include "terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "report.h"
#include "text.h"

#define PATIENCE_MS 30000

struct terminal {
	char id[CONTAINER_ID_LEN + 1];
	char path[108];
	struct loop_watch listener, peer;
	struct loop_timer patience;
};

char *terminal_path(const struct container *c, char *out, size_t size)
{
	text_set(out, size, "%s/tty-%.12s.sock", engine.opt.run, c->id);
	return out;
}

static void end(struct terminal *t)
{
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

static void on_peer(uint32_t events, void *arg)
{
	struct terminal *t = arg;
	bool ambiguous;
	struct container *c = container_find(t->id, &ambiguous);
	struct err err = ERR_INIT;
	int fd = receive_fd(t->peer.fd);

	(void)events;
	if (fd >= 0 && c && log_adopt_terminal(c->log, fd, &err) < 0)
		report_problem("engine", "%s: %s", c->svc.container_name, err.text);
	else if (fd >= 0 && !c)
		close(fd);
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

int terminal_expect(struct container *c, struct err *err)
{
	struct terminal *t = calloc(1, sizeof(*t));
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r = -ENOMEM;

	if (!t)
		return err_set(err, ENOMEM, "terminal");
	t->peer.fd = -1;
	text_set(t->id, sizeof(t->id), "%s", c->id);
	terminal_path(c, t->path, sizeof(t->path));
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
