/* hooks.c - runs hooks. In coracle-runtime (prestart, createRuntime, poststart,
 * poststop) or in the container's process (createContainer, startContainer). */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/log.h"

extern char **environ;

/* A file without a name holds the state, so that a hook that never reads it cannot block us. */
static int state_file(const char *state, size_t n)
{
	int r, fd = sys_memfd_create("state", 1 /* MFD_CLOEXEC */);

	if (fd < 0)
		return fd;
	if ((r = fd_write_full(fd, state, n)) < 0 || (r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0) < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static void child(const struct spec_hook *h, int state)
{
	char *path, *args[2];
	sigset_t none;

	memcpy(&path, &h->path, sizeof path);
	args[0] = path;
	args[1] = NULL;
	dup2(state, 0);
	/* `run` has all signals blocked: a hook must not inherit that */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* without an environment of its own it gets ours, as runc's hooks do */
	execve(path, h->args && h->args[0] ? h->args : args, h->env ? h->env : environ);
	_exit(errno == ENOENT ? 127 : 126);
}

static int wait_for(pid_t pid, int timeout, int *status)
{
	if (timeout) {
		CLEANUP_FD int fd = sys_pidfd_open(pid, 0);
		struct pollfd p = { fd, POLLIN, 0 };

		if (fd >= 0 && poll(&p, 1, timeout * 1000) == 0) {
			sys_kill(pid, SIGKILL);
			waitpid(pid, status, 0);
			return -ETIMEDOUT;
		}
	}
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int run_one(const struct spec_hooks *hooks, size_t i, const char *name, const char *state, size_t n, struct err *err)
{
	const struct spec_hook *h = &hooks->list[i];
	CLEANUP_FD int fd = state_file(state, n);
	int status = 0, r;
	pid_t pid;

	if (fd < 0)
		return err_set(err, -fd, "error running %s hook #%zu: %s", name, i, h->path);
	pid = fork();
	if (pid < 0)
		return err_set(err, errno, "error running %s hook #%zu: %s", name, i, h->path);
	if (!pid)
		child(h, fd);
	r = wait_for(pid, h->timeout, &status);
	if (r == -ETIMEDOUT)
		return err_set(err, 0, "error running %s hook #%zu: %s: timed out after %d s and was killed", name, i, h->path, h->timeout);
	if (r < 0)
		return err_set(err, -r, "error running %s hook #%zu: %s", name, i, h->path);
	if (WIFSIGNALED(status))
		return err_set(err, 0, "error running %s hook #%zu: %s: killed by signal %d", name, i, h->path, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return err_set(err, 0, "error running %s hook #%zu: %s: exit status %d", name, i, h->path, WEXITSTATUS(status));
	return 0;
}

int hooks_run(const struct spec_hooks *hooks, const char *name, const char *state, size_t n, struct err *err)
{
	for (size_t i = 0; i < hooks->n; i++) {
		int r = run_one(hooks, i, name, state, n, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void hooks_run_all(const struct spec_hooks *hooks, const char *name, const char *state, size_t n)
{
	for (size_t i = 0; i < hooks->n; i++) {
		struct err err = ERR_INIT;

		if (run_one(hooks, i, name, state, n, &err) < 0)
			log_warning("%s", err.text);
	}
}
