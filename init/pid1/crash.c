/* crash.c - a fault in PID 1 becomes an execution of PID 1 (docs/design/recovery.md).
 *
 * Runs in PID 1, after a fault in its signal handler: then nothing in memory can be relied on. So there are only system calls,
 * constants and the stack here, and nothing of the C library. What the kernel cannot be asked is
 * not needed: the descriptors are those in /proc/self/fd, the state is behind RECOVER_FD. */
#include "init/pid1/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "init/pid1/recover.h"
#include "sys.h"

#define STACK 65536	/* the widest registers of x86-64 take 11 KiB for each fault within a fault; what is not used is not in memory */
#define SYNC_TURNS 300	/* of 100 ms */

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4u	/* Linux 5.11 */
#endif

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

static const int faults[] = CRASH_SIGNALS;
SPARSE static char stack[STACK];
static volatile sig_atomic_t depth;	/* faults in the handler itself */

struct dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

#if !defined(__x86_64__)
#error "crash.c: call() has to be written for this machine"
#endif

/* A system call without the C library's code, which may be what was damaged. Returns -errno. */
static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return r;
}

#define CALL(number, a, b, c, d, e) call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

static int number_of(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return *s ? -1 : n;
}

/* Every descriptor stays open over the next execve(2). */
static void keep_descriptors(void)
{
	uint64_t buf[128];
	long n;
	int dir = (int)CALL(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);

	if (dir < 0) {
		/* without /proc: the numbers are given out from below */
		for (int fd = RECOVER_FD; fd < 8192; fd++)
			CALL(SYS_fcntl, fd, F_SETFD, 0, 0, 0);
		return;
	}
	while ((n = CALL(SYS_getdents64, dir, buf, sizeof(buf), 0, 0)) > 0) {
		const char *at = (const char *)buf;

		for (const char *end = at + n; at < end; at += ((const struct dirent64 *)(const void *)at)->reclen) {
			int fd = number_of(((const struct dirent64 *)(const void *)at)->name);

			if (fd >= RECOVER_FD && fd != dir)
				CALL(SYS_fcntl, fd, F_SETFD, 0, 0, 0);
		}
	}
	CALL(SYS_close, dir, 0, 0, 0, 0);
}

static long execute(const char *path)
{
	char name[] = "/sbin/init";
	char option[] = "--recover";
	char fd[] = { '0' + RECOVER_FD, '\0' };
	char *argv[] = { name, option, fd, NULL };
	char *envp[] = { NULL };

	return CALL(SYS_execve, path, argv, envp, 0, 0);
}

int crash_execute(const char *path)
{
	int r;

	keep_descriptors();
	r = (int)execute(path);
	sys_close_range(RECOVER_FD, ~0U, CLOSE_RANGE_CLOEXEC);
	return r;
}

static char *put(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static void write_at(const char *path, int flags, const char *text, const char *end)
{
	int fd = (int)CALL(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0644, 0);

	if (fd < 0)
		return;
	CALL(SYS_write, fd, text, end - text, 0, 0);
	CALL(SYS_close, fd, 0, 0, 0, 0);
}

/* As reason.c says it to the kernel log, which pstore keeps, and the same for `coracle why` to the disk, which may hang: in a child. */
static void leave_reason(void)
{
	char text[160];
	char *at = put(text, "<2>coracle: init: reason: init-crash: init crashed, and could not go on\n");
	long n;
	int fd;

	write_at("/dev/kmsg", O_NONBLOCK, text, at);
	at = put(at, "id=");
	fd = (int)CALL(SYS_openat, AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC, 0, 0);
	n = CALL(SYS_read, fd, at, 37, 0, 0);
	write_at("/var/lib/coracle/boot/end", O_CREAT | O_TRUNC, text, at + (n > 0 ? n : 0));
}

void crash_reboot(void)
{
	/* sync(2) may hang for ever, and reboot(2) may end its caller: a child each */
	for (int turn = 0;; turn++) {
		struct timespec wait = { 0, 100000000 };
		long pid = turn == 0 || turn % SYNC_TURNS == SYNC_TURNS - 1 ? CALL(SYS_fork, 0, 0, 0, 0, 0) : 1;

		if (pid == 0) {
			if (turn == 0) {
				leave_reason();
				CALL(SYS_sync, 0, 0, 0, 0, 0);
			}
			CALL(SYS_reboot, 0xfee1dead, 672274793, RB_AUTOBOOT, 0, 0);
			CALL(SYS_exit_group, 0, 0, 0, 0, 0);
		}
		if (pid < 0 && turn)
			CALL(SYS_reboot, 0xfee1dead, 672274793, RB_AUTOBOOT, 0, 0);
		while (CALL(SYS_wait4, -1, 0, WNOHANG, 0, 0) > 0)
			;
		CALL(SYS_nanosleep, &wait, 0, 0, 0, 0);
	}
}

static char *put_hex(char *at, uint64_t v)
{
	int shift = 60;

	at = put(at, "0x");
	while (shift > 0 && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = "0123456789abcdef"[v >> shift & 15];
	return at;
}

/* For the kernel log, and for the next image. */
static void leave_word(int sig, const siginfo_t *si, const ucontext_t *context)
{
	uint64_t pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
	struct crash crash = { sig, si->si_code, pc - (uint64_t)(uintptr_t)__ehdr_start, (uint64_t)(uintptr_t)si->si_addr };
	char line[160];
	char *at = put(line, "<2>coracle: init: fault: signal ");

	at = put_hex(at, (uint64_t)sig);
	at = put_hex(put(at, " at "), crash.at);
	at = put_hex(put(at, ", address "), crash.address);
	at = put(at, "; executing init again\n");
	CALL(SYS_pwrite64, RECOVER_FD, &crash, sizeof(crash), CRASH_AT, 0);
	write_at("/dev/kmsg", O_NONBLOCK, line, at);
}

/* A fault that comes while its signal is blocked would be the end: that is what the kernel does with it. */
static void unblock_faults(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		mask |= UINT64_C(1) << (faults[i] - 1);
	CALL(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, 0, sizeof(mask), 0);
}

static void on_fault(int sig, siginfo_t *si, void *context)
{
	long self;
	int before;

	/* The alignment check, where that is what struck, is still on. Not in a leaf function: it writes below the stack pointer. */
	__asm__ volatile("pushfq\n\tandq $~0x40000, (%%rsp)\n\tpopfq" : : : "memory", "cc");
	self = CALL(SYS_getpid, 0, 0, 0, 0, 0);
	if (self != 1) {
		/* A child that has not executed anything yet: it ends as if there were no handler. Its memory may be PID 1's: nothing is written. */
		static const uint64_t none[4]; /* the kernel's struct sigaction: SIG_DFL */

		CALL(SYS_rt_sigaction, sig, none, 0, sizeof(uint64_t), 0);
		unblock_faults();
		CALL(SYS_kill, self, sig, 0, 0, 0);
		CALL(SYS_exit_group, 127, 0, 0, 0, 0);
	}
	/* What others send with kill(2) is no fault: for PID 1 it is nothing, as without a handler. */
	if (si->si_code <= 0 && si->si_pid != 1)
		return;
	before = depth++;
	unblock_faults();
	if (before == 0)
		leave_word(sig, si, context);
	if (before < 2)
		keep_descriptors();
	if (before < 4) {
		execute("/proc/self/exe");
		execute("/sbin/init");
	}
	crash_reboot();
}

void crash_catch(void)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaltstack(&alternate, NULL);
	/* Faults too are blocked until the handler has seen that this is one: signals that others send in a burst would each lay a frame on
	 * this stack before the first of them is looked at, and its end is the end of PID 1. */
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}
