/* spawn.c - starts processes of services.
 *
 * Runs in PID 1. The child shares PID 1's memory until it has exec'd (CLONE_VM with CLONE_VFORK, on the same stack),
 * so a start costs no copy of page tables and cannot fail for memory that a copy would need; and a failed exec is known
 * at once, with its errno. It is in its cgroup from its first instruction. Between the clone and the exec only
 * system calls are made, and nothing that PID 1 relies on is written.
 *
 * A child that becomes another user gets a copy of the memory instead, and PID 1 does not wait for it: from the moment of the change that user may
 * send it SIGSTOP, and PID 1, in vfork's wait, would stop with it for ever. What fails in such a child is left in a shared page.
 *
 * No pidfd is taken: PID 1 is the one who reaps, and a pid that is not reaped cannot be used again. */
#include "init/pid1/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/recover.h"
#include "sys.h"

#define FIRST_FD 3	/* SD_LISTEN_FDS_START */

SPARSE struct child child;

/* Why the last start of each unit failed. Children that do not share our memory share this page, once there has been one. */
static struct spawn_failure own_failures[SUP_UNITS_MAX];
static struct spawn_failure *failures = own_failures;

#if !defined(__x86_64__)
#error "spawn.c: clone_sharing_memory() has to be written for this machine"
#endif

/* clone3(2) whose child, with shared memory, calls fn below our frame, and below what a function keeps there without moving the stack pointer
 * (128 bytes): we wait until it has its own memory. It must not return through our frame. */
static long clone_sharing_memory(struct clone_args *args, void (*fn)(void))
{
	register void (*entry)(void) __asm__("r12") = fn;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "sub $128, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "call *%%r12\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(entry)
			 : "rcx", "r11", "memory");
	return r;
}

static void give_up(enum spawn_step step, int error)
{
	child.failure->error = error;
	child.failure->step = step;
	_exit(127);
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
static void place_descriptors(void)
{
	int end = FIRST_FD + child.fds_n;

	for (int i = 0; i < child.fds_n; i++)
		if (child.fds[i] < end)
			child.fds[i] = fcntl(child.fds[i], F_DUPFD_CLOEXEC, end);
	for (int i = 0; i < child.fds_n; i++)
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

/* prlimit and not setrlimit, which in musl speaks to all threads first. PID 1's own limit of descriptors is higher than what a program
 * that closes them one by one, or uses select, can bear. */
static void set_limits(const struct service *s)
{
	struct rlimit files = { 1024, 524288 };

	if (prlimit(0, RLIMIT_NOFILE, &files, NULL) < 0 && prlimit(0, RLIMIT_NOFILE, NULL, &files) == 0) {
		files.rlim_cur = 1024; /* where PID 1 itself may not have more */
		prlimit(0, RLIMIT_NOFILE, &files, NULL);
	}
	for (int i = 0; i < units.limits_n; i++) {
		struct rlimit limit = { units.limits[i].soft, units.limits[i].hard };

		if (&units.service[units.limits[i].unit] == s && prlimit(0, units.limits[i].resource, &limit, NULL) < 0)
			give_up(SPAWN_LIMIT, errno);
	}
}

/* System calls and not the C library's functions, for the same reason. */
static void set_identity(void)
{
	if (syscall(SYS_setgroups, child.groups_n, child.groups) < 0 ||
	    syscall(SYS_setresgid, child.account.gid, child.account.gid, child.account.gid) < 0 ||
	    (*child.account.name && syscall(SYS_setresuid, child.account.uid, child.account.uid, child.account.uid) < 0))
		give_up(SPAWN_IDENTITY, errno);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child. Descriptors 0 to 2 are /dev/null already, everything else is close-on-exec; signals are all at their defaults, and blocked: SIGTSTP
 * would stop PID 1 too. One that is alone can be stopped, and has to end where it is told to while it waits for a file. */
static void run_child(void)
{
	const struct service *s = child.service;
	const char *directory = unit_string(s->directory);
	int pid = (int)getpid();
	int r;

	if (child.alone)
		unblock_signals();
	if (child.move_to >= 0)
		write_number(child.move_to, "cgroup.procs", 0);
	setsid();
	if (s->flags & UNIT_CONSOLE) {
		open_console();
	} else if (child.out >= 0) {
		dup2(child.out, 1);
		dup2(child.out, 2);
	}
	if ((r = spawn_read_environment()) < 0)
		give_up(SPAWN_ENVIRONMENT, -r);
	place_descriptors();
	if (s->oom_score_adj)
		write_number(AT_FDCWD, "/proc/self/oom_score_adj", s->oom_score_adj);
	if (s->nice && setpriority(PRIO_PROCESS, 0, s->nice) < 0)
		give_up(SPAWN_NICE, errno);
	set_limits(s);
	umask(s->umask);
	if (s->flags & UNIT_NO_NEW_PRIVS)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (child.changes_identity)
		set_identity();
	/* as that user: on a network's file system root may see less than they do */
	if (*directory && chdir(directory) < 0)
		give_up(SPAWN_DIRECTORY, errno);
	if (child.fds_n)
		snprintf(child.listen_pid, sizeof(child.listen_pid), "LISTEN_PID=%d", pid);
	if (*child.watchdog_pid)
		snprintf(child.watchdog_pid, sizeof(child.watchdog_pid), "WATCHDOG_PID=%d", pid);
	unblock_signals();
	execve(child.argv[0], child.argv, child.environment);
	give_up(SPAWN_EXEC, errno);
}

/* One page that children without our memory can write. Without it their exit code has to do. */
static void share_failures(void)
{
	void *page;

	if (failures != own_failures)
		return;
	page = mmap(NULL, sizeof(own_failures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	memcpy(page, own_failures, sizeof(own_failures));
	failures = page;
}

static long make_child(int unit, int group, pid_t *started)
{
	struct clone_args args;
	long pid;

	memset(&args, 0, sizeof(args));
	args.flags = CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID;
	args.parent_tid = (uint64_t)(uintptr_t)started;
	args.exit_signal = SIGCHLD;
	if (group >= 0 && child.move_to < 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)group;
	}
	if (child.alone) {
		share_failures();
		child.failure = &failures[unit];
		pid = sys_clone3(&args, sizeof(args));
		if (pid == 0)
			run_child();
		return pid;
	}
	child.failure = &failures[unit];
	args.flags |= CLONE_VM | CLONE_VFORK;
	return clone_sharing_memory(&args, run_child);
}

pid_t spawn_service(int unit)
{
	struct spawn_failure *f = &failures[unit];
	int clone_into;
	const char *environment = unit_string(units.service[unit].environment_file);
	pid_t *started;
	int group;
	long pid;

	f->step = SPAWN_NONE;
	if ((pid = spawn_prepare(unit, &f->step)) < 0) {
		f->error = (int)-pid;
		return (pid_t)pid;
	}
	f->step = SPAWN_NONE;
	child.alone = child.changes_identity || path_may_wait(child.argv[0]) || path_may_wait(unit_string(child.service->directory)) ||
		      path_may_wait(environment + (*environment == '-'));
	group = cgroup_open(unit, &clone_into);
	child.out = child.service->flags & UNIT_CONSOLE ? -1 : logpipe_open(unit);
	child.move_to = clone_into ? -1 : group;
	started = recover_starting(unit);
	pid = make_child(unit, group, started);
	f = &failures[unit];
	if (pid < 0)
		*f = (struct spawn_failure){ SPAWN_PROCESS, (int)-pid };
	if (pid > 0 && f->step != SPAWN_NONE && !child.alone) {
		*started = 0;
		waitpid((pid_t)pid, NULL, 0); /* it has called _exit already */
		return -f->error;
	}
	return (pid_t)pid;
}

int spawn_explain(int unit, char *buf, size_t size)
{
	static const char *const keys[] = {
		[SPAWN_ENVIRONMENT] = "EnvironmentFile=", [SPAWN_PROCESS] = "a process for it", [SPAWN_LIMIT] = "its limits", [SPAWN_NICE] = "Nice=",
		[SPAWN_IDENTITY] = "User=", [SPAWN_DIRECTORY] = "WorkingDirectory=", [SPAWN_EXEC] = "",
	};
	const struct service *s = &units.service[unit];
	const struct spawn_failure f = failures[unit];
	unit_text what = f.step == SPAWN_ENVIRONMENT ? s->environment_file : f.step == SPAWN_IDENTITY ? s->user :
			 f.step == SPAWN_DIRECTORY ? s->directory : f.step == SPAWN_EXEC ? s->argv.first : 0;

	if (f.step == SPAWN_NONE)
		return 0;
	if ((f.step == SPAWN_USER || f.step == SPAWN_GROUP) && f.error == ENOENT)
		snprintf(buf, size, "there is no %s %s", f.step == SPAWN_USER ? "user" : "group", unit_string(f.step == SPAWN_USER ? s->user : s->group));
	else if (f.step == SPAWN_USER || f.step == SPAWN_GROUP)
		snprintf(buf, size, "read /etc/%s: %s", f.step == SPAWN_USER ? "passwd" : "group", err_name(f.error));
	else
		snprintf(buf, size, "%s%.80s: %s", keys[f.step], unit_string(what), err_name(f.error));
	return 1;
}

pid_t spawn_function(int (*fn)(const void *arg), const void *arg)
{
	struct clone_args args;
	int pid;

	memset(&args, 0, sizeof(args));
	args.flags = CLONE_CLEAR_SIGHAND;
	args.exit_signal = SIGCHLD;
	pid = sys_clone3(&args, sizeof(args));
	if (pid == 0)
		_exit(fn(arg));
	return pid;
}
