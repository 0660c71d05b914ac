/* sys.h - the system calls that logic depends on, each behind a wrapper.
 *
 * A wrapper returns the call's value or -errno and hides EINTR where repeating
 * is right. Test builds (-DSYS_FAULTS) can make the Nth call fail with any errno: sys_fault_arm(n, errno);
 * the calls made are counted in sys_fault_count, so a test can fail each one in turn. */
#ifndef CORACLE_SYS_H
#define CORACLE_SYS_H

#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

struct open_how;
struct clone_args;
struct mount_attr;

int sys_openat(int dirfd, const char *path, int flags, mode_t mode);	/* O_CLOEXEC is added */
int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_mkdirat(int dirfd, const char *path, mode_t mode);
int sys_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);
int sys_unlinkat(int dirfd, const char *path, int flags);
int sys_renameat2(int olddir, const char *oldp, int newdir, const char *newp, unsigned flags);
int sys_symlinkat(const char *target, int dirfd, const char *path);
int sys_linkat(int olddir, const char *oldp, int newdir, const char *newp, int flags);
int sys_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
int sys_fchmodat(int dirfd, const char *path, mode_t mode);
int sys_fsync(int fd);
int sys_mount(const char *src, const char *dst, const char *type, unsigned long flags, const void *data);
int sys_umount2(const char *dst, int flags);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_unshare(int flags);
int sys_setns(int fd, int type);
int sys_clone3(struct clone_args *args, size_t size);
int sys_fsopen(const char *type, unsigned flags);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fd, unsigned flags, unsigned attr);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
int sys_move_mount(int fromfd, const char *from, int tofd, const char *to, unsigned flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size);
int sys_pidfd_open(pid_t pid, unsigned flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
int sys_memfd_create(const char *name, unsigned flags);
int sys_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_execve(const char *path, char *const argv[], char *const envp[]);
int sys_kill(pid_t pid, int sig);
int sys_pidfd_getfd(int pidfd, int fd);
int sys_socket(int domain, int type, int protocol);	/* SOCK_CLOEXEC is added */
int sys_connect(int fd, const void *address, size_t n);
ssize_t sys_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t sys_write(int fd, const void *buf, size_t n);
ssize_t sys_read(int fd, void *buf, size_t n);

#ifdef SYS_FAULTS
extern long sys_fault_count;
extern int sys_fault_told;			/* a byte is written there when a fault strikes; -1: nowhere */
void sys_fault_arm(long nth, int code);		/* nth counts from 1; 0 disarms and resets the count */
void sys_fault_arm_child(long nth, int code);	/* the process that sys_clone3 makes, counted from there; it is not armed otherwise */
int sys_fault(void);				/* for calls without a wrapper: counts one; -errno when it is to fail */
#endif

#endif
