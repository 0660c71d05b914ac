/* filter.c - the system calls coracle-fetch may make.
 *
 * The list is what writing files needs; nothing that makes processes, opens
 * sockets, mounts, or maps executable memory. A call that is not on it
 * ends the process (SECCOMP_RET_KILL_PROCESS), which the store reports. */
#include "runtime/image/fetch/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cdefs.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "coracle-fetch has no system call list for this machine"
#endif

static const int allowed[] = {
	SYS_read, SYS_write, SYS_pwrite64, SYS_pread64, SYS_readv, SYS_writev, SYS_openat, SYS_openat2, SYS_close,
	SYS_futex, SYS_fchown, SYS_fchmod, SYS_utimensat, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_ftruncate,
	SYS_mkdirat, SYS_symlinkat, SYS_linkat, SYS_mknodat, SYS_unlinkat, SYS_fchownat, SYS_fchmodat,
	SYS_fsetxattr, SYS_getdents64, SYS_fcntl, SYS_fadvise64,
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
	SYS_exit, SYS_exit_group, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_gettid, SYS_tkill, SYS_clock_gettime, SYS_sched_yield, SYS_set_robust_list,
};

/* with PROT_EXEC in the third argument they are not allowed */
static const int mapping[] = { SYS_mmap, SYS_mprotect };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define JUMP(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (uint32_t)(value), (yes), (no))

int confine_filter(struct err *err)
{
	struct sock_filter code[16 + 2 * ARRAY_SIZE(allowed) + 5 * ARRAY_SIZE(mapping)];
	struct sock_fprog prog = { .filter = code };
	struct rlimit none = { 0, 0 };
	size_t n = 0;

	code[n++] = (struct sock_filter)LOAD(arch);
	code[n++] = (struct sock_filter)JUMP(BPF_JEQ, FILTER_ARCH, 1, 0);
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	code[n++] = (struct sock_filter)LOAD(nr);
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		code[n++] = (struct sock_filter)JUMP(BPF_JEQ, allowed[i], 0, 1);
		code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mapping); i++) {
		code[n++] = (struct sock_filter)JUMP(BPF_JEQ, mapping[i], 0, 4);
		code[n++] = (struct sock_filter)LOAD(args[2]);
		code[n++] = (struct sock_filter)JUMP(BPF_JSET, PROT_EXEC, 1, 0);
		code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
		code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	}
	code[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
	prog.len = (unsigned short)n;
	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return err_set(err, errno, "limit processes");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) != 0)
		return err_set(err, errno, "install the system call filter");
	return 0;
}
