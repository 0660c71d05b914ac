/* init.c - the first process of a container with `init: true`: `docker-init -- PROGRAM [ARGUMENT...]`.
 *
 * It starts the program, passes signals on to it, reaps what becomes an orphan, and ends as the program did. It allocates nothing,
 * opens nothing and prints only when the program cannot be started. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *a, const char *b)
{
	(void)!write(2, a, strlen(a));
	(void)!write(2, b, strlen(b));
	(void)!write(2, "\n", 1);
}

/* As a shell: 127 is not there, 126 cannot be executed. */
static void become(char **argv, const sigset_t *before)
{
	int foreground = tcgetpgrp(0) == getpgrp();

	setpgid(0, 0);
	/* on a terminal the program has it; we have blocked the signal that this would send us */
	if (foreground)
		tcsetpgrp(0, getpid());
	sigprocmask(SIG_SETMASK, before, NULL);
	execvp(argv[0], argv);
	say(argv[0], errno == ENOENT ? ": executable file not found in $PATH" : ": cannot be executed");
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reaps all; the status of the program when it has ended, else -1. */
static int reap(pid_t program)
{
	int status, code = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == program)
			code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return code;
}

int main(int argc, char **argv)
{
	int at = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1, signal, code;
	sigset_t all, before;
	pid_t program;

	if (at >= argc) {
		say("docker-init: no program was given", "");
		return 125;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	program = fork();
	if (program < 0) {
		say("docker-init: fork failed", "");
		return 125;
	}
	if (program == 0)
		become(argv + at, &before);
	for (;;) {
		if (sigwait(&all, &signal) != 0)
			continue;
		if (signal == SIGCHLD) {
			code = reap(program);
			if (code >= 0)
				return code;
		} else if (signal != SIGTTIN && signal != SIGTTOU) {
			kill(program, signal);
		}
	}
}
