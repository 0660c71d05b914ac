/* input.c - from clients to a container's standard input (coracle-engine). Never blocks on a program that does not read. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "notify.h"
#include "text.h"

static void store_name(const struct container *c, char out[32])
{
	text_set(out, 32, "c.%.12s.in.w", c->id);
}

int input_make(struct container *c, const char *path, int *flags, int *hold, struct err *err)
{
	char name[32];

	*hold = -1;
	*flags = O_RDWR;
	unlink(path);	/* what an earlier run did not read is not for this one */
	if (mkfifo(path, 0600) < 0)
		return err_set(err, errno, "make %s", path);
	c->input.ended = false;
	if (!c->svc.stdin_once)
		return 0;
	*flags = O_RDONLY;
	*hold = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	c->input.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (*hold < 0 || c->input.fd < 0)
		return err_set(err, errno, "open %s", path);
	store_name(c, name);
	notify_store_fd(name, c->input.fd);
	return 0;
}

void input_adopt(struct container *c)
{
	char name[32];

	store_name(c, name);
	if (c->svc.stdin_once && !c->svc.tty)
		c->input.fd = notify_take_fd(name);
	c->input.ended = c->svc.stdin_once && c->input.fd < 0;
}

static bool open_now(struct container *c)
{
	char path[512];

	if (c->input.fd >= 0)
		return true;
	if (c->input.ended || c->phase < PHASE_CREATING)
		return false;
	if (c->svc.tty) {
		int terminal = log_terminal(c->log);

		c->input.fd = terminal < 0 ? -1 : fcntl(terminal, F_DUPFD_CLOEXEC, 3);
	} else if (!c->svc.stdin_once) {
		c->input.fd = open(engine_container_path(c->id, "bundle/stdin", path, sizeof(path)), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	}
	return c->input.fd >= 0;
}

static void on_room(uint32_t events, void *arg)
{
	struct container *c = arg;

	(void)events;
	loop_remove(&c->input.watch);
	c->input.full = false;
	attach_pull(c);
}

ssize_t input_write(struct container *c, const char *data, size_t n)
{
	size_t done = 0;

	if (c->input.ended)
		return (ssize_t)n;	/* it reads no more: nobody misses it */
	if (!open_now(c))
		return -ENOTCONN;
	while (done < n && !c->input.full) {
		ssize_t w = write(c->input.fd, data + done, n - done);

		if (w >= 0) {
			done += (size_t)w;
		} else if (errno == EAGAIN) {
			c->input.full = true;
			c->input.watch = (struct loop_watch){ .fd = c->input.fd, .ready = on_room, .arg = c };
			loop_add(&c->input.watch, EPOLLOUT);
		} else if (errno != EINTR) {
			return (ssize_t)n;	/* EPIPE: its program has closed it */
		}
	}
	return (ssize_t)done;
}

void input_end(struct container *c)
{
	char name[32];

	if (c->svc.tty || !c->svc.stdin_once || c->input.ended)
		return;
	input_close(c);
	c->input.ended = true;
	store_name(c, name);
	notify_remove_fd(name);
}

void input_close(struct container *c)
{
	char name[32];

	loop_remove(&c->input.watch);
	c->input.full = false;
	if (c->input.fd >= 0 && c->svc.stdin_once && !c->svc.tty) {
		store_name(c, name);
		notify_remove_fd(name);
	}
	fd_close(&c->input.fd);
}
