/* spend.c - runs a program and says what it cost: processor time in microseconds and the peak of its resident memory in KiB.
 *
 * usage: spend PROGRAM ARGUMENT...; one line on standard error, the program's own output goes to /dev/null. A small parent: what a child has
 * resident before it becomes the program counts as its peak, and Python's would be more than the program's. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage spent;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid < 0)
		return 2;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &spent) != pid || !WIFEXITED(status))
		return 2;
	fprintf(stderr, "%lld %ld %d\n",
		(spent.ru_utime.tv_sec + spent.ru_stime.tv_sec) * 1000000LL + spent.ru_utime.tv_usec + spent.ru_stime.tv_usec, spent.ru_maxrss,
		WEXITSTATUS(status));
	return 0;
}
