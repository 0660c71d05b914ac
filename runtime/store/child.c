/* child.c - coracle-fetch as a child process. Runs in the engine. What the
 * child says is not trusted: its lines are bounded and parsed by their callers. */
#include "runtime/store/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/image/say.h"

/* Between fork and exec: only calls that are safe in a child of a threaded process. */
static NORETURN void become_fetch(char *const argv[], const int fds[5], pid_t parent)
{
	static const int target[] = { 0, 1, 3, 4 };
	char *const env[] = { NULL };
	char text[64];
	sigset_t none;
	int from[4] = { fds[0], fds[1], fds[3], fds[4] }, n;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	/* out of the way first, as they may be each other's targets */
	for (int i = 0; i < 4; i++)
		if (from[i] >= 0)
			from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
	for (int i = 0; i < 4; i++) {
		if (from[i] >= 0)
			dup2(from[i], target[i]);
		else
			close(target[i]);
	}
	execve(argv[0], argv, env);
	n = snprintf(text, sizeof(text), "error %d start it\n", errno);
	(void)!write(1, text, (size_t)n);
	_exit(127);
}

int child_start(struct child *c, char *const argv[], int in, int dir, int copy, struct err *err)
{
	pid_t parent = getpid();
	int pipe_fd[2];

	c->pid = 0;
	c->out = -1;
	c->ended = 0;
	c->len = 0;
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	c->pid = fork();
	if (c->pid == 0) {
		const int fds[5] = { in, pipe_fd[1], -1, dir, copy };

		become_fetch(argv, fds, parent);
	}
	close(pipe_fd[1]);
	if (c->pid < 0) {
		int code = errno;

		c->pid = 0;
		close(pipe_fd[0]);
		return err_set(err, code, "start %s", argv[0]);
	}
	c->out = pipe_fd[0];
	return 0;
}

static int take_line(struct child *c, char *text, int (*line)(char *, void *, struct err *), void *arg, struct err *err)
{
	char *end;
	long code;

	if (c->ended)
		return image_say(err, EPROTO, "coracle-fetch spoke after its end");
	if (strncmp(text, "error ", 6) == 0) {
		code = strtol(text + 6, &end, 10);
		if (code <= 0 || code > 4095)
			code = EPROTO;
		c->ended = -(int)code;
		return image_say(err, (int)code, "%s", *end == ' ' ? end + 1 : end);
	}
	if (!strcmp(text, "done") || !strncmp(text, "done ", 5))
		c->ended = 1;
	return line(text, arg, err);
}

static int reap(struct child *c, struct err *err)
{
	int status = 0;
	pid_t r;

	do
		r = waitpid(c->pid, &status, 0);
	while (r < 0 && errno == EINTR);
	c->pid = 0;
	fd_close(&c->out);
	/* a caller that reaps every child gets there first: then the answers alone decide */
	if (r > 0 && WIFSIGNALED(status))
		return image_say(err, WTERMSIG(status) == SIGKILL ? EINTR : EPROTO, WTERMSIG(status) == SIGSYS ?
			"coracle-fetch was stopped at a forbidden system call (signal %d)" :
			"coracle-fetch was killed by signal %d", WTERMSIG(status));
	if (c->ended != 1)
		return image_say(err, EPROTO, "coracle-fetch ended without an answer");
	return 0;
}

int child_read(struct child *c, int (*line)(char *, void *, struct err *), void *arg, struct err *err)
{
	char *start = c->line, *newline;
	ssize_t n;
	int r;

	n = sys_read(c->out, c->line + c->len, sizeof(c->line) - 1 - c->len);
	if (n < 0)
		return err_set(err, (int)-n, "read from coracle-fetch");
	if (n == 0)
		return reap(c, err);
	c->len += (size_t)n;
	c->line[c->len] = '\0';
	while ((newline = memchr(start, '\n', c->len - (size_t)(start - c->line)))) {
		*newline = '\0';
		if ((r = take_line(c, start, line, arg, err)) < 0)
			return r;
		start = newline + 1;
	}
	c->len -= (size_t)(start - c->line);
	memmove(c->line, start, c->len);
	if (c->len >= FETCH_LINE_MAX)
		return image_say(err, EPROTO, "coracle-fetch sent a line that is too long");
	return 1;
}

void child_kill(struct child *c)
{
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	fd_close(&c->out);
}
