/* pulls.c - the queue of pulls and what their children tell (coracle-engine). Nothing here waits. */
#include "pulls.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "engine.h"
#include "fd.h"
#include "images.h"
#include "loop.h"
#include "pullwork.h"
#include "report.h"
#include "runtime/image/say.h"
#include "text.h"

#define PULLS_AT_ONCE 3
#define PULLS_MAX 64		/* under way and waiting */

struct pull {
	struct pull_work work;
	struct pull_listener *listeners;
	pid_t pid;			/* 0: waits for its turn, or is over */
	bool over;			/* the child has ended */
	struct loop_watch out;
	char line[PULL_LINE_MAX];
	size_t len;
	int code;			/* what it said of its end; -1: nothing */
	char text[PULL_LINE_MAX];
	struct pull *next;
};

static struct pull *pulls;		/* in order of arrival */

static void start_next(void);

bool pulls_may_pass(int code)
{
	switch (code) {
	case EAGAIN: case EINTR: case ETIMEDOUT: case ECONNREFUSED: case ECONNRESET: case EHOSTUNREACH: case ENETUNREACH: case ENETDOWN:
	case EPROTO: case EPIPE: case ENOMEM:
	/* a clock that is not set yet makes every certificate wrong */
	case EKEYREJECTED:
		return true;
	default:
		return false;
	}
}

static void forget(struct pull *p)
{
	struct pull **at = &pulls;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
	loop_remove(&p->out);
	fd_close(&p->out.fd);
	pull_work_free(&p->work);
	free(p);
}

static void finish(struct pull *p, int code, const char *text)
{
	struct pull_listener *l;

	while ((l = p->listeners)) {
		p->listeners = l->next;
		l->pull = NULL;
		l->done(code, text, l->arg);
	}
	forget(p);
}

/* -- what the child says -------------------------------------------------- */

static void on_line(struct pull *p, const char *line)
{
	char *end;

	switch (line[0]) {
	case 'J':
		for (struct pull_listener *l = p->listeners, *next; l; l = next) {
			next = l->next;
			if (l->line)
				l->line(line + 1, l->arg);
		}
		break;
	case 'N':
		report_note("engine", "%s", line + 1);
		break;
	case 'E':
		p->code = (int)strtol(line + 1, &end, 10);
		text_set(p->text, sizeof(p->text), "%s", *end == ' ' ? end + 1 : end);
		break;
	case 'D':
		p->code = 0;
		break;
	default:
		break;
	}
}

/* False: nothing is there now, or nothing will come. */
static bool read_lines(struct pull *p)
{
	ssize_t n = read(p->out.fd, p->line + p->len, sizeof(p->line) - 1 - p->len);
	char *end, *at = p->line;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	p->len += (size_t)n;
	p->line[p->len] = '\0';
	while ((end = memchr(at, '\n', p->len - (size_t)(at - p->line)))) {
		*end = '\0';
		on_line(p, at);
		at = end + 1;
	}
	p->len -= (size_t)(at - p->line);
	memmove(p->line, at, p->len);
	if (p->len == sizeof(p->line) - 1)
		p->len = 0;
	return true;
}

static void on_readable(uint32_t events, void *arg)
{
	struct pull *p = arg;

	if (!read_lines(p) && (events & (EPOLLHUP | EPOLLERR)))
		loop_remove(&p->out);
}

static void on_exit_(int status, void *arg)
{
	struct pull *p = arg;
	char text[64];

	while (read_lines(p))
		;
	p->pid = 0;
	p->over = true;
	images_reload();
	if (p->code < 0 || status != 0) {
		text_set(text, sizeof(text), "the pull was interrupted by %s %d", WIFSIGNALED(status) ? "signal" : "exit code",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		finish(p, EINTR, text);
	} else {
		finish(p, p->code, p->text);
	}
	start_next();
}

/* -- starting ------------------------------------------------------------- */

static int start(struct pull *p, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	pid = child_fork(on_exit_, p, err);
	if (pid == 0) {
		store_keep_only(engine.store, &fds[1], 1);
		pull_work_run(&p->work, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return (int)pid;
	}
	p->pid = pid;
	p->out = (struct loop_watch){ .fd = fds[0], .ready = on_readable, .arg = p };
	fd_set_nonblock(fds[0]);
	loop_add(&p->out, EPOLLIN);
	return 0;
}

/* A few at a time, in the order of arrival. The import of what lies on the boot medium goes first. */
static void on_turn(void *arg)
{
	static struct loop_timer again = { .fire = on_turn };
	struct pull *p = pulls;
	struct err err = ERR_INIT;
	int busy = 0;

	(void)arg;
	while (p && (p->pid || p->over)) {
		busy += !p->over;
		p = p->next;
	}
	if (!p || busy >= PULLS_AT_ONCE || engine.stopping)
		return;
	if (images_importing()) {
		loop_timer_set(&again, 200);
		return;
	}
	if (start(p, &err) < 0)
		finish(p, err.code, err.text);
	start_next();
}

static void start_next(void)
{
	static struct loop_timer timer = { .fire = on_turn };

	loop_timer_set(&timer, 0);
}

static struct pull *new_pull(const struct pull_work *w, struct err *err)
{
	struct pull *p = calloc(1, sizeof(*p)), **at = &pulls;
	size_t n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	if (!p || n >= PULLS_MAX) {
		free(p);
		image_say(err, n >= PULLS_MAX ? EAGAIN : ENOMEM, n >= PULLS_MAX ? "more than %d pulls at once" : "out of memory (%d)", PULLS_MAX);
		return NULL;
	}
	p->work = *w;
	p->out.fd = -1;
	p->code = -1;
	*at = p;
	return p;
}

int pulls_join(struct pull_listener *l, const char *name, const char *platform, const char *auth, struct err *err)
{
	struct pull_work w;
	struct pull *p = pulls;
	int r = pull_work_init(&w, name, platform, auth, err);

	l->pull = NULL;
	if (r < 0)
		return r;
	while (p && (p->over || p->code >= 0 || !pull_work_same(&p->work, &w)))
		p = p->next;
	if (p) {
		pull_work_free(&w);
	} else if (!(p = new_pull(&w, err))) {
		pull_work_free(&w);
		return -err->code;
	}
	l->pull = p;
	l->next = p->listeners;
	p->listeners = l;
	start_next();
	return 0;
}

void pulls_leave(struct pull_listener *l)
{
	struct pull *p = l->pull;
	struct pull_listener **at;

	if (!p)
		return;
	for (at = &p->listeners; *at && *at != l; at = &(*at)->next)
		;
	if (*at)
		*at = l->next;
	l->pull = NULL;
	if (p->listeners)
		return;
	if (p->pid)
		kill(p->pid, SIGKILL);	/* nothing of it stays: the store empties what is staged */
	else if (!p->over)
		forget(p);
}
