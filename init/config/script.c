/* script.c - runs one script of the user, or a program, with its output in the log.
 *
 * Runs in coracle-config. The child has its own process group, a small environment, and nothing to read. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"
#include "run.h"
#include "sys.h"

#define WORDS_MAX 64	/* of vendor_data's prefix */
#define OUTPUT_LOG "/var/log/cloud-init-output.log"

static int open_log(const struct run *r)
{
	const char *base;
	CLEANUP_FD int dirfd = path_open_parent_in(r->target.rootfd, OUTPUT_LOG, 0755, &base);

	if (dirfd < 0)
		return dirfd;
	return sys_openat(dirfd, base, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0640);
}

static NORETURN void child(int log, const char *const *argv, const char *variable)
{
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", (char *)variable, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(log >= 0 ? log : null, STDOUT_FILENO);
	dup2(log >= 0 ? log : null, STDERR_FILENO);
	environ = environment; /* its PATH is looked through */
	if (strchr(argv[0], '/'))
		execv(argv[0], (char *const *)argv);
	else
		execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Waits; after timeout_s the whole group is killed. */
static int wait_for(pid_t pid, unsigned timeout_s)
{
	int status = 0;
	sigset_t chld;
	struct timespec limit = { .tv_sec = timeout_s };

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, &status, timeout_s ? WNOHANG : 0) == 0) {
		if (sigtimedwait(&chld, NULL, &limit) >= 0 || errno != EAGAIN)
			continue;
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -ETIMEDOUT;
	}
	return status;
}

int script_run(const struct run *r, const char *interpreter, const char *path, unsigned timeout_s)
{
	const char *argv[] = { interpreter ? interpreter : path, interpreter ? path : NULL, NULL };
	char variable[300];

	snprintf(variable, sizeof(variable), "INSTANCE_ID=%s", r->instance_id);
	return program_run(r, argv, variable, timeout_s);
}

int program_run(const struct run *r, const char *const *argv, const char *variable, unsigned timeout_s)
{
	CLEANUP_FD int log = open_log(r);
	sigset_t chld;
	sigset_t before;
	pid_t pid;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		child(log, argv, variable);
	}
	status = pid < 0 ? -errno : wait_for(pid, timeout_s);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

int script_run_prefixed(const struct run *r, const struct strings *prefix, const char *path)
{
	const char *argv[WORDS_MAX + 2];
	size_t n = MIN(prefix->n, (size_t)WORDS_MAX);
	char variable[300];

	for (size_t i = 0; i < n; i++)
		argv[i] = prefix->v[i];
	argv[n] = path;
	argv[n + 1] = NULL;
	snprintf(variable, sizeof(variable), "INSTANCE_ID=%s", r->instance_id);
	return program_run(r, argv, variable, 0);
}
