/* confine.c - what coracle-http gives up before it reads a byte.
 *
 * What it keeps: its standard input and output, sockets of the Internet's families, and reading files that everybody may read (the resolver's, and
 * the certificates). What is not on the list of system calls answers EPERM. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http.h"
#include "sys.h"

#define NOBODY 65534
#define MEMORY_MAX ((rlim_t)128 << 20)

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "coracle-http has no system call list for this machine"
#endif

static const int allowed[] = {
	SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_fcntl, SYS_ioctl, SYS_ppoll, SYS_pselect6,
	SYS_connect, SYS_bind, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_setsockopt, SYS_getsockopt, SYS_getsockname,
	SYS_getpeername, SYS_shutdown, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom, SYS_clock_gettime,
	SYS_gettimeofday, SYS_nanosleep, SYS_clock_nanosleep, SYS_setitimer, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_restart_syscall, SYS_getpid, SYS_gettid, SYS_tkill, SYS_exit, SYS_exit_group, SYS_pipe2, SYS_eventfd2,
#ifdef __x86_64__
	SYS_poll, SYS_select, SYS_stat, SYS_lstat, SYS_access, SYS_pipe, SYS_alarm,
#endif
};

#define FIELD(member) ((uint32_t)offsetof(struct seccomp_data, member))
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(member))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define IF(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (uint32_t)(value), (yes), (no))
#define PUT(...) (code[n++] = (struct sock_filter)__VA_ARGS__)
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)

static int filter(void)
{
	struct sock_filter code[48 + 2 * ARRAY_SIZE(allowed)];
	struct sock_fprog prog = { .filter = code };
	static const struct { int nr; uint32_t arg; uint32_t refused; } masked[] = {
		{ SYS_mmap, FIELD(args[2]), PROT_EXEC },
		{ SYS_mprotect, FIELD(args[2]), PROT_EXEC },
		{ SYS_openat, FIELD(args[2]), O_ACCMODE | O_CREAT | O_TRUNC },
#ifdef __x86_64__
		{ SYS_open, FIELD(args[1]), O_ACCMODE | O_CREAT | O_TRUNC },
#endif
	};
	size_t n = 0;

	PUT(LOAD(arch));
	PUT(IF(BPF_JEQ, FILTER_ARCH, 1, 0));
	PUT(RETURN(SECCOMP_RET_KILL_PROCESS));
	PUT(LOAD(nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		PUT(IF(BPF_JEQ, allowed[i], 0, 1));
		PUT(RETURN(SECCOMP_RET_ALLOW));
	}
	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		PUT(IF(BPF_JEQ, masked[i].nr, 0, 4));
		PUT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, masked[i].arg));
		PUT(IF(BPF_JSET, masked[i].refused, 1, 0));
		PUT(RETURN(SECCOMP_RET_ALLOW));
		PUT(DENY);
	}
	PUT(IF(BPF_JEQ, SYS_socket, 0, 4));
	PUT(LOAD(args[0]));
	PUT(IF(BPF_JEQ, AF_INET, 1, 0));
	PUT(IF(BPF_JEQ, AF_INET6, 0, 1));
	PUT(RETURN(SECCOMP_RET_ALLOW));
	PUT(DENY);
	prog.len = (unsigned short)n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 ? 0 : -errno;
}

static int limit(int what, rlim_t value)
{
	struct rlimit r;

	if (getrlimit(what, &r) < 0)
		return -errno;
	r.rlim_cur = r.rlim_max = MIN(r.rlim_max, value);
	return setrlimit(what, &r) < 0 ? -errno : 0;
}

int confine(void)
{
	int r;

	if ((r = sys_close_range(3, ~0u, 0)) < 0 && r != -ENOSYS)
		return r;
	if (chdir("/") < 0)
		return -errno;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if ((r = limit(RLIMIT_AS, MEMORY_MAX)) < 0 || (r = limit(RLIMIT_NOFILE, 64)) < 0 || (r = limit(RLIMIT_FSIZE, 0)) < 0 ||
	    (r = limit(RLIMIT_CORE, 0)) < 0 || (r = limit(RLIMIT_NPROC, 0)) < 0)
		return r;
	return filter();
}
