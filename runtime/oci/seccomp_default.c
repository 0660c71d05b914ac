/* seccomp_default.c - the built-in profile: what containers of the Docker world
 * may call by default. Pure.
 *
 * An allow list; the rest gives EPERM, calls newer than the list ENOSYS. Calls
 * that a capability guards are allowed when the container has it. Against
 * kernel attack surface are left out: kernel modules, keyrings, io_uring,
 * userfaultfd, clone with new user namespaces, vsock and obsolete calls. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include "runtime/oci/caps.h"
#include "runtime/oci/seccomp.h"

/* Names separated by blanks, in strcmp's order: then each is found one step after the one before. Those an
 * architecture lacks are skipped. */
static const char ALWAYS[] =
	"_llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown chown32 "
	"clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl "
	"epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat "
	"faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl "
	"fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync "
	"ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list "
	"get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
	"getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit "
	"getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init "
	"inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl "
	"ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link "
	"linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack "
	"membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect "
	"mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal "
	"msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause "
	"pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 "
	"prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read "
	"readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat "
	"rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
	"rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
	"sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl "
	"semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area "
	"set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority "
	"setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 "
	"setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigpending sigprocmask sigreturn "
	"socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo "
	"tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 "
	"timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit "
	"umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev";

static const struct { int cap; const char *names; } BY_CAP[] = {
	{ 2 /* DAC_READ_SEARCH */, "open_by_handle_at" },
	{ 21 /* SYS_ADMIN */, "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr "
		"lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd "
		"setdomainname sethostname setns syslog umount umount2 unshare" },
	{ 22 /* SYS_BOOT */, "reboot" },
	{ 18 /* SYS_CHROOT */, "chroot" },
	{ 16 /* SYS_MODULE */, "delete_module init_module finit_module" },
	{ 20 /* SYS_PACCT */, "acct" },
	{ 19 /* SYS_PTRACE */, "kcmp pidfd_getfd process_madvise" },
	{ 17 /* SYS_RAWIO */, "iopl ioperm" },
	{ 25 /* SYS_TIME */, "settimeofday stime clock_settime clock_settime64" },
	{ 26 /* SYS_TTY_CONFIG */, "vhangup" },
	{ 23 /* SYS_NICE */, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ 34 /* SYSLOG */, "syslog" },
	{ 39 /* BPF */, "bpf" },
	{ 38 /* PERFMON */, "perf_event_open" },
};

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

static const struct seccomp_arg PERSONALITY[] = {
	{ 0, OP_EQ, 0, 0 }, { 0, OP_EQ, 8, 0 }, { 0, OP_EQ, 0x20000, 0 }, { 0, OP_EQ, 0x20008, 0 }, { 0, OP_EQ, 0xffffffff, 0 },
};
/* vsock reaches the hypervisor whatever the network namespace */
static const struct seccomp_arg NOT_VSOCK[] = { { 0, OP_NE, AF_VSOCK, 0 } };
static const struct seccomp_arg NO_NAMESPACE[] = { { 0, OP_MASKED_EQ, NAMESPACES, 0 } };

#define RULES_MAX 512

static int add(struct seccomp_set *set, int nr, enum seccomp_arch arch, uint32_t action, const struct seccomp_arg *args)
{
	if (nr < 0)
		return 0;
	if (set->n[arch] == RULES_MAX)
		return -E2BIG;
	if (nr >= set->end[arch])
		set->end[arch] = nr + 1;
	set->rules[arch][set->n[arch]++] = (struct seccomp_rule){ nr, action, args, args ? 1 : 0 };
	return 0;
}

static int add_names(struct seccomp_set *set, const char *names)
{
	char name[32];
	size_t near = 0;

	while (*names) {
		size_t n = strcspn(names, " ");
		const short *nr;
		int r = 0;

		if (n >= sizeof name)
			return -E2BIG;
		memcpy(name, names, n);
		name[n] = '\0';
		nr = seccomp_numbers_near(name, &near);
		for (int i = 0; i < ARCH_COUNT && nr && r >= 0; i++)
			r = set->arch[i] ? add(set, nr[i], (enum seccomp_arch)i, SECCOMP_RET_ALLOW, NULL) : 0;
		if (r < 0)
			return r;
		names += n + (names[n] == ' ');
	}
	return 0;
}

static int add_arguments(struct seccomp_set *set, enum seccomp_arch arch, bool admin)
{
	int r = add(set, seccomp_number(arch, "socket"), arch, SECCOMP_RET_ALLOW, NOT_VSOCK);

	for (size_t i = 0; i < ARRAY_SIZE(PERSONALITY) && r >= 0; i++)
		r = add(set, seccomp_number(arch, "personality"), arch, SECCOMP_RET_ALLOW, &PERSONALITY[i]);
	if (r < 0 || admin)
		return r;
	/* clone3 hides its flags in memory: refused so that the C library falls back on clone */
	if ((r = add(set, seccomp_number(arch, "clone3"), arch, SECCOMP_RET_ERRNO | ENOSYS, NULL)) < 0)
		return r;
	return add(set, seccomp_number(arch, "clone"), arch, SECCOMP_RET_ALLOW, NO_NAMESPACE);
}

int seccomp_default_set(struct arena *a, uint64_t caps, bool ia32, struct seccomp_set *set, struct err *err)
{
	int r;

	set->fallback = SECCOMP_RET_ERRNO | EPERM;
	set->unknown = set->foreign = SECCOMP_RET_ERRNO | ENOSYS;
	for (int i = 0; i < ARCH_COUNT; i++) {
		enum seccomp_arch arch = (enum seccomp_arch)i;

		/* x32 has no users, and most kernels do not have it: ENOSYS is what those say too */
		set->arch[arch] = arch == ARCH_X86_64 || (arch == ARCH_X86 && ia32);
		if (!set->arch[arch])
			continue;
		set->rules[arch] = arena_array(a, RULES_MAX, sizeof *set->rules[arch]);
		if (!set->rules[arch])
			return err_set(err, ENOMEM, "the built-in seccomp profile");
	}
	r = add_names(set, ALWAYS);
	for (size_t k = 0; k < ARRAY_SIZE(BY_CAP) && r >= 0; k++)
		if (caps >> BY_CAP[k].cap & 1)
			r = add_names(set, BY_CAP[k].names);
	for (int i = 0; i < ARCH_COUNT && r >= 0; i++)
		if (set->arch[i])
			r = add_arguments(set, (enum seccomp_arch)i, caps >> 21 & 1);
	return r < 0 ? err_set(err, -r, "the built-in seccomp profile") : 0;
}
