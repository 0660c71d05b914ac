/* cycle.c - runs an OCI runtime's commands again and again and says what they cost. For qemu/bench.
 *
 * usage: cycle lifecycle|run COUNT BUNDLE ROOT RUNTIME [OPTION]...
 *   lifecycle  create, start, wait for the end, delete
 *   run        run
 * Prints the nanoseconds of all COUNT together, and the largest resident set of any process in them in kB. The
 * processes that a runtime leaves behind are reaped here, so that every runtime's container has ended before it is deleted.
 * A small static program: what a process had resident before execve counts into its maximum. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX 32

extern char **environ;
static long peak;

static int reap(pid_t wanted)
{
	struct rusage use;
	int status, result = -1;
	pid_t pid;

	while ((pid = wait4(wanted, &status, 0, &use)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (use.ru_maxrss > peak)
			peak = use.ru_maxrss;
		result = status;
		if (pid == wanted)
			break;
	}
	return result;
}

/* One command of the runtime, with its options before and the words after it. */
static void command(char **runtime, const char *const *words)
{
	static posix_spawn_file_actions_t quiet;
	static int ready;
	char *argv[ARGS_MAX];
	int n = 0, status;
	pid_t pid;

	if (!ready) {
		posix_spawn_file_actions_init(&quiet);
		posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", 0, 0);
		posix_spawn_file_actions_adddup2(&quiet, 0, 1);
		ready = 1;
	}
	while (*runtime && n < ARGS_MAX - 1)
		argv[n++] = *runtime++;
	while (*words && n < ARGS_MAX - 1)
		argv[n++] = (char *)(size_t)*words++;
	argv[n] = NULL;
	errno = posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ);
	if (errno) {
		perror(argv[0]);
		exit(1);
	}
	status = reap(pid);
	if (status) {
		fprintf(stderr, "cycle: %s %s: status %d\n", argv[0], words[0], status);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	char *runtime[ARGS_MAX];
	int n = 0, lifecycle, count;

	if (argc < 6) {
		fprintf(stderr, "usage: cycle lifecycle|run COUNT BUNDLE ROOT RUNTIME [OPTION]...\n");
		return 2;
	}
	lifecycle = !strcmp(argv[1], "lifecycle");
	count = atoi(argv[2]);
	for (int i = 5; i < argc && n < ARGS_MAX - 3; i++)
		runtime[n++] = argv[i];
	runtime[n++] = "--root";
	runtime[n++] = argv[4];
	runtime[n] = NULL;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (count-- > 0) {
		if (lifecycle) {
			command(runtime, (const char *const[]){ "create", "--bundle", argv[3], "cycle", NULL });
			command(runtime, (const char *const[]){ "start", "cycle", NULL });
			reap(-1);
			command(runtime, (const char *const[]){ "delete", "cycle", NULL });
		} else {
			command(runtime, (const char *const[]){ "run", "--bundle", argv[3], "cycle", NULL });
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%lld %ld\n", (to.tv_sec - from.tv_sec) * 1000000000LL + (to.tv_nsec - from.tv_nsec), peak);
	return 0;
}
