/* confine.c - what coracle-registry gives up before it reads a byte: every name, every privilege, most system calls.
 *
 * It keeps the descriptors that it was handed. What is not on the list of system calls ends the process. */
#include "runtime/registry/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/sys.h"
#include "runtime/registry/registry.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "coracle-registry has no system call list for this machine"
#endif

#define MEMORY_MAX (64u << 20)

static const int allowed[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_sendmsg, SYS_sendto, SYS_recvfrom, SYS_close, SYS_futex, SYS_brk, SYS_munmap,
	SYS_mremap, SYS_madvise, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_exit, SYS_exit_group, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_restart_syscall, SYS_gettid, SYS_tkill, SYS_sched_yield, SYS_set_robust_list, SYS_fcntl, SYS_poll, SYS_ppoll,
};

/* with PROT_EXEC in the third argument they are not allowed */
static const int mapping[] = { SYS_mmap, SYS_mprotect };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define JUMP(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (uint32_t)(value), (yes), (no))

static int limit(int what, rlim_t value)
{
	struct rlimit r;

	if (getrlimit(what, &r) < 0)
		return -errno;
	r.rlim_cur = r.rlim_max = MIN(r.rlim_max, value);
	return setrlimit(what, &r) < 0 ? -errno : 0;
}

int confine_enter(unsigned slots)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	pid_t parent = getppid();
	int r = sys_close_range((unsigned)REGISTRY_CONTROL_FD(slots), ~0u, 0);

	if (r < 0 && r != -ENOSYS)
		return r;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(REGISTRY_UID, REGISTRY_UID, REGISTRY_UID) < 0 ||
	    setresuid(REGISTRY_UID, REGISTRY_UID, REGISTRY_UID) < 0))
		return -errno;
	if (syscall(SYS_capset, &head, none) < 0)
		return -errno;
	/* the change of user has undone this */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		return -ESRCH;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if ((r = limit(RLIMIT_AS, MEMORY_MAX)) < 0 || (r = limit(RLIMIT_NOFILE, 32)) < 0 || (r = limit(RLIMIT_FSIZE, 0)) < 0 ||
	    (r = limit(RLIMIT_CORE, 0)) < 0)
		return r;
	return 0;
}

int confine_filter(void)
{
	struct sock_filter code[16 + 2 * ARRAY_SIZE(allowed) + 5 * ARRAY_SIZE(mapping)];
	struct sock_fprog prog = { .filter = code };
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
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0 ? 0 : -errno;
}
