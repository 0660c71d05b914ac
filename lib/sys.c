/* sys.c - system call wrappers with a place to inject failures (see sys.h). */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_FAULTS
long sys_fault_count;
int sys_fault_told = -1;
static long fault_at, child_at;
static int fault_code, child_code;

void sys_fault_arm(long nth, int code)
{
	sys_fault_count = 0;
	fault_at = nth;
	fault_code = code;
}

void sys_fault_arm_child(long nth, int code)
{
	child_at = nth;
	child_code = code;
}

int sys_fault(void)
{
	if (++sys_fault_count != fault_at)
		return 0;
	if (sys_fault_told >= 0 && write(sys_fault_told, "!", 1) < 0)
		return -EBADF;
	return -fault_code;
}

static int in_child(int r)
{
	if (r == 0)
		sys_fault_arm(child_at, child_code);
	return r;
}
#else
static inline int sys_fault(void)
{
	return 0;
}

static inline int in_child(int r)
{
	return r;
}
#endif

/* One wrapper body: fault hook, the call, EINTR hidden. */
#define CALL(type, expr) do { \
		int f_ = sys_fault(); \
		type r_; \
		if (f_) \
			return f_; \
		do \
			r_ = (type)(expr); \
		while (r_ < 0 && errno == EINTR); \
		return r_ < 0 ? -errno : r_; \
	} while (0)

int sys_openat(int dirfd, const char *path, int flags, mode_t mode) { CALL(int, openat(dirfd, path, flags | O_CLOEXEC, mode)); }
int sys_openat2(int dirfd, const char *path, const struct open_how *how) { CALL(int, syscall(SYS_openat2, dirfd, path, how, sizeof(*how))); }
int sys_mkdirat(int dirfd, const char *path, mode_t mode) { CALL(int, mkdirat(dirfd, path, mode)); }
int sys_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev) { CALL(int, mknodat(dirfd, path, mode, dev)); }
int sys_unlinkat(int dirfd, const char *path, int flags) { CALL(int, unlinkat(dirfd, path, flags)); }
int sys_renameat2(int olddir, const char *oldp, int newdir, const char *newp, unsigned flags) { CALL(int, syscall(SYS_renameat2, olddir, oldp, newdir, newp, flags)); }
int sys_symlinkat(const char *target, int dirfd, const char *path) { CALL(int, symlinkat(target, dirfd, path)); }
int sys_linkat(int olddir, const char *oldp, int newdir, const char *newp, int flags) { CALL(int, linkat(olddir, oldp, newdir, newp, flags)); }
int sys_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags) { CALL(int, fchownat(dirfd, path, uid, gid, flags)); }
int sys_fchmodat(int dirfd, const char *path, mode_t mode) { CALL(int, fchmodat(dirfd, path, mode, 0)); }
int sys_fsync(int fd) { CALL(int, fsync(fd)); }
int sys_mount(const char *src, const char *dst, const char *type, unsigned long flags, const void *data) { CALL(int, mount(src, dst, type, flags, data)); }
int sys_umount2(const char *dst, int flags) { CALL(int, umount2(dst, flags)); }
int sys_pivot_root(const char *new_root, const char *put_old) { CALL(int, syscall(SYS_pivot_root, new_root, put_old)); }
int sys_unshare(int flags) { CALL(int, unshare(flags)); }
int sys_setns(int fd, int type) { CALL(int, setns(fd, type)); }
int sys_clone3(struct clone_args *args, size_t size) { CALL(int, in_child((int)syscall(SYS_clone3, args, size))); }
int sys_fsopen(const char *type, unsigned flags) { CALL(int, syscall(SYS_fsopen, type, flags)); }
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux) { CALL(int, syscall(SYS_fsconfig, fd, cmd, key, value, aux)); }
int sys_fsmount(int fd, unsigned flags, unsigned attr) { CALL(int, syscall(SYS_fsmount, fd, flags, attr)); }
int sys_open_tree(int dirfd, const char *path, unsigned flags) { CALL(int, syscall(SYS_open_tree, dirfd, path, flags)); }
int sys_move_mount(int fromfd, const char *from, int tofd, const char *to, unsigned flags) { CALL(int, syscall(SYS_move_mount, fromfd, from, tofd, to, flags)); }
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size) { CALL(int, syscall(SYS_mount_setattr, dirfd, path, flags, attr, size)); }
int sys_pidfd_open(pid_t pid, unsigned flags) { CALL(int, syscall(SYS_pidfd_open, pid, flags)); }
int sys_pidfd_send_signal(int pidfd, int sig) { CALL(int, syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0)); }
int sys_close_range(unsigned first, unsigned last, unsigned flags) { CALL(int, syscall(SYS_close_range, first, last, flags)); }
int sys_memfd_create(const char *name, unsigned flags) { CALL(int, syscall(SYS_memfd_create, name, flags)); }
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags) { CALL(int, syscall(SYS_execveat, fd, path, argv, envp, flags)); }
int sys_execve(const char *path, char *const argv[], char *const envp[]) { CALL(int, execve(path, argv, envp)); }
int sys_kill(pid_t pid, int sig) { CALL(int, kill(pid, sig)); }
int sys_pidfd_getfd(int pidfd, int fd) { CALL(int, syscall(SYS_pidfd_getfd, pidfd, fd, 0)); }
int sys_socket(int domain, int type, int protocol) { CALL(int, syscall(SYS_socket, domain, type | SOCK_CLOEXEC, protocol)); }
int sys_connect(int fd, const void *address, size_t n) { CALL(int, syscall(SYS_connect, fd, address, n)); }
ssize_t sys_sendmsg(int fd, const struct msghdr *m, int flags) { CALL(ssize_t, syscall(SYS_sendmsg, fd, m, flags)); }
ssize_t sys_write(int fd, const void *buf, size_t n) { CALL(ssize_t, write(fd, buf, n)); }
ssize_t sys_read(int fd, void *buf, size_t n) { CALL(ssize_t, read(fd, buf, n)); }
