/* spawn.c - starts processes of services.
 *
 * Runs in PID 1. The child shares PID 1's memory until it has exec'd (CLONE_VM with CLONE_VFORK, on a stack of its
 * own), so a start costs no copy of page tables and cannot fail for memory that a copy would need; and a failed exec is known
 * at once, with its errno. It is in its cgroup from its first instruction. Between the clone and the exec only
 * system calls are made, and nothing that PID 1 relies on is written.
 *
 * No pidfd is taken: PID 1 is the one who reaps, and a pid that is not reaped cannot be used again. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "sys.h"

#define CHILD_STACK 8192
#define FIRST_FD 3	/* SD_LISTEN_FDS_START */

static struct child {
	const struct service *service;
	int out;			/* log pipe, -1: none */
	int stored;			/* descriptors to pass from FIRST_FD on */
	int move_to;			/* cgroup that it has to enter itself, -1: it is there */
	char *environment[8];
	char listen_pid[32];
	char listen_fds[32];
	int error;			/* set by the child when exec failed */
	int fds[INIT_STORED_MAX];
	char listen_names[16 + INIT_STORED_MAX * FDNAME_MAX];
} child;

static char stack[CHILD_STACK] __attribute__((aligned(16)));

#if !defined(__x86_64__)
#error "spawn.c: clone_sharing_memory() has to be written for this machine"
#endif

/* clone3(2) whose child calls fn on the stack of args: with shared memory the child must not return through our frame. */
static long clone_sharing_memory(struct clone_args *args, void (*fn)(void))
{
	register void (*entry)(void) __asm__("r12") = fn;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(entry)
			 : "rcx", "r11", "memory");
	return r;
}

/* The console without waiting for a carrier; a terminal of its own for job control. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, O_RDWR);
	ioctl(fd, TIOCSCTTY, 1);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* dup2 to 3, 4, ... would overwrite sources that lie there: those move up first. */
static void place_stored(void)
{
	int end = FIRST_FD + child.stored;

	for (int i = 0; i < child.stored; i++)
		if (child.fds[i] < end)
			child.fds[i] = fcntl(child.fds[i], F_DUPFD_CLOEXEC, end);
	for (int i = 0; i < child.stored; i++)
		dup2(child.fds[i], FIRST_FD + i);
}

static void write_number(int dir, const char *path, int n)
{
	char text[16];
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, (size_t)snprintf(text, sizeof(text), "%d", n));
	close(fd);
}

/* The child, sharing memory. Descriptors 0 to 2 are /dev/null already, everything else is close-on-exec. */
static void run_child(void)
{
	const struct service *s = child.service;
	struct rlimit files = { 1024, 524288 };
	sigset_t none;

	if (child.move_to >= 0)
		write_number(child.move_to, "cgroup.procs", 0);
	setsid();
	if (s->flags & SERVICE_CONSOLE) {
		open_console();
	} else if (child.out >= 0) {
		dup2(child.out, 1);
		dup2(child.out, 2);
	}
	place_stored();
	setrlimit(RLIMIT_NOFILE, &files);
	if (s->oom_score_adj)
		write_number(AT_FDCWD, "/proc/self/oom_score_adj", s->oom_score_adj);
	if (child.stored)
		snprintf(child.listen_pid, sizeof(child.listen_pid), "LISTEN_PID=%d", (int)getpid());
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(s->argv[0], (char *const *)s->argv, child.environment);
	child.error = errno;
	_exit(127);
}

static void fill_environment(int unit)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char home[] = "HOME=/root";
	static char term[] = "TERM=linux";
	static char notify[] = "NOTIFY_SOCKET=" NOTIFY_PATH;
	static const char names[] = "LISTEN_FDNAMES=";
	int n = 0;

	child.environment[n++] = path;
	child.environment[n++] = home;
	child.environment[n++] = term;
	if (!(child.service->flags & SERVICE_CONSOLE))
		child.environment[n++] = notify;
	child.stored = 0;
	if (child.service->flags & SERVICE_STORES) {
		memcpy(child.listen_names, names, sizeof(names));
		child.stored = fdstore_collect(unit, child.fds, INIT_STORED_MAX, child.listen_names + sizeof(names) - 1,
					       sizeof(child.listen_names) - sizeof(names) + 1);
	}
	if (child.stored) {
		snprintf(child.listen_fds, sizeof(child.listen_fds), "LISTEN_FDS=%d", child.stored);
		child.environment[n++] = child.listen_pid;
		child.environment[n++] = child.listen_fds;
		child.environment[n++] = child.listen_names;
	}
	child.environment[n] = NULL;
}

pid_t spawn_service(int unit)
{
	struct clone_args args;
	int clone_into;
	int group = cgroup_open(unit, &clone_into);
	long pid;

	child.service = &init_services[unit];
	child.out = child.service->flags & SERVICE_CONSOLE ? -1 : logpipe_open(unit);
	child.move_to = clone_into ? -1 : group;
	child.error = 0;
	fill_environment(unit);
	memset(&args, 0, sizeof(args));
	args.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND;
	args.exit_signal = SIGCHLD;
	args.stack = (uint64_t)(uintptr_t)stack;
	args.stack_size = sizeof(stack);
	if (group >= 0 && clone_into) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)group;
	}
	pid = clone_sharing_memory(&args, run_child);
	if (pid > 0 && child.error) {
		waitpid((pid_t)pid, NULL, 0); /* it has called _exit already */
		return -child.error;
	}
	return (pid_t)pid;
}

pid_t spawn_function(int (*fn)(const void *arg), const void *arg)
{
	struct clone_args args;
	int pid;

	memset(&args, 0, sizeof(args));
	args.exit_signal = SIGCHLD;
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}
