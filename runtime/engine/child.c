/* child.c - spawning and reaping of coracle-engine. Never waits for a living process. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static struct child *children;

static struct child *remember(pid_t pid, void (*done)(int, void *), void *arg, struct child *c)
{
	*c = (struct child){ .pid = pid, .done = done, .arg = arg, .next = children };
	children = c;
	return c;
}

static int set_up(posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr, const char *input, int out_fd, int err_fd)
{
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigfillset(&defaults);
	r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = r ? r : posix_spawnattr_setsigmask(attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(attr, &defaults);
	r = r ? r : posix_spawn_file_actions_addopen(fa, 0, input ? input : "/dev/null", input ? O_RDWR : O_RDONLY, 0);
	if (!r && out_fd >= 0)
		r = posix_spawn_file_actions_adddup2(fa, out_fd, 1);
	if (!r && err_fd >= 0)
		r = posix_spawn_file_actions_adddup2(fa, err_fd, 2);
	return r;
}

int child_spawn_with(const char *input, char *const argv[], int out_fd, int err_fd, void (*done)(int status, void *arg), void *arg,
	struct child **out, struct err *err)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	struct child *c = malloc(sizeof(*c));
	pid_t pid = -1;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "start %s", argv[0]);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	r = set_up(&fa, &attr, input, out_fd, err_fd);
	r = r ? r : posix_spawn(&pid, argv[0], &fa, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	if (r) {
		free(c);
		return err_set(err, r, "start %s", argv[0]);
	}
	remember(pid, done, arg, c);
	if (out)
		*out = c;
	return 0;
}

int child_spawn(char *const argv[], int out_fd, int err_fd, void (*done)(int status, void *arg), void *arg,
	struct child **out, struct err *err)
{
	return child_spawn_with(NULL, argv, out_fd, err_fd, done, arg, out, err);
}

pid_t child_fork(void (*done)(int status, void *arg), void *arg, struct err *err)
{
	struct child *c = malloc(sizeof(*c));
	pid_t parent = getpid(), pid;
	sigset_t none;

	if (!c)
		return err_set(err, ENOMEM, "fork");
	pid = fork();
	if (pid < 0) {
		int code = errno;

		free(c);
		return err_set(err, code, "fork");
	}
	if (pid > 0) {
		remember(pid, done, arg, c);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

static void ignore(int status, void *arg)
{
	(void)status;
	(void)arg;
}

void child_abandon(struct child *c)
{
	c->done = ignore;
}

void child_reap(void (*other)(pid_t pid, int status))
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child **p = &children, *c;

		while (*p && (*p)->pid != pid)
			p = &(*p)->next;
		c = *p;
		if (!c) {
			other(pid, status);
			continue;
		}
		*p = c->next;
		c->done(status, c->arg);
		free(c);
	}
}
