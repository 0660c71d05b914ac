/* fault_calls.c - the system calls that coracle-runtime makes by their C
 * library names: in the program for test_faults.sh the linker (--wrap, see
 * runtime/oci/module.mk) sends them through here, so that each can be made to
 * fail as those of lib/sys.h are. Not part of any program of the machine. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>
#include "lib/sys.h"

static int strikes(void)
{
	int r = sys_fault();

	if (r < 0)
		errno = -r;
	return r;
}

#define FAULT(type, name, params, args) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params { return strikes() ? (type)-1 : __real_##name args; }

FAULT(int, socket, (int d, int t, int p), (d, t, p))
FAULT(int, socketpair, (int d, int t, int p, int *fds), (d, t, p, fds))
FAULT(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
FAULT(int, listen, (int fd, int n), (fd, n))
FAULT(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
FAULT(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int f), (fd, a, n, f))
FAULT(ssize_t, send, (int fd, const void *b, size_t n, int f), (fd, b, n, f))
FAULT(ssize_t, recv, (int fd, void *b, size_t n, int f), (fd, b, n, f))
FAULT(ssize_t, sendmsg, (int fd, const struct msghdr *m, int f), (fd, m, f))
FAULT(ssize_t, recvmsg, (int fd, struct msghdr *m, int f), (fd, m, f))
FAULT(int, chdir, (const char *p), (p))
FAULT(int, fchdir, (int fd), (fd))
FAULT(int, chroot, (const char *p), (p))
FAULT(int, sethostname, (const char *p, size_t n), (p, n))
FAULT(int, setdomainname, (const char *p, size_t n), (p, n))
FAULT(int, setresuid, (uid_t a, uid_t b, uid_t c), (a, b, c))
FAULT(int, setresgid, (gid_t a, gid_t b, gid_t c), (a, b, c))
FAULT(int, setrlimit, (int w, const struct rlimit *l), (w, l))
FAULT(int, personality, (unsigned long p), (p))
FAULT(int, stat, (const char *p, struct stat *s), (p, s))
FAULT(int, fstat, (int fd, struct stat *s), (fd, s))
FAULT(int, fstatat, (int fd, const char *p, struct stat *s, int f), (fd, p, s, f))
FAULT(int, statfs, (const char *p, struct statfs *s), (p, s))
FAULT(int, fstatfs, (int fd, struct statfs *s), (fd, s))
FAULT(pid_t, fork, (void), ())
FAULT(pid_t, waitpid, (pid_t pid, int *s, int f), (pid, s, f))
FAULT(int, poll, (struct pollfd *p, nfds_t n, int t), (p, n, t))
FAULT(int, dup2, (int a, int b), (a, b))
FAULT(off_t, lseek, (int fd, off_t o, int w), (fd, o, w))
FAULT(int, fchmod, (int fd, mode_t m), (fd, m))
FAULT(int, fchown, (int fd, uid_t u, gid_t g), (fd, u, g))
FAULT(ssize_t, readlinkat, (int fd, const char *p, char *b, size_t n), (fd, p, b, n))
FAULT(int, access, (const char *p, int m), (p, m))
FAULT(int, faccessat, (int fd, const char *p, int m, int f), (fd, p, m, f))
FAULT(int, signalfd, (int fd, const sigset_t *s, int f), (fd, s, f))
FAULT(pid_t, setsid, (void), ())

/* those with a variable list of arguments: none has more than six, all of a register's size */
#define ARGUMENTS(last) \
	va_list ap; \
	long a[6]; \
	va_start(ap, last); \
	for (int i = 0; i < 6; i++) \
		a[i] = va_arg(ap, long); \
	va_end(ap)

long __real_syscall(long n, ...);
long __wrap_syscall(long n, ...);
int __real_ioctl(int fd, int n, ...);
int __wrap_ioctl(int fd, int n, ...);
int __real_fcntl(int fd, int n, ...);
int __wrap_fcntl(int fd, int n, ...);
int __real_prctl(int n, ...);
int __wrap_prctl(int n, ...);

/* lib/sys.c counts its own. */
static int counted_already(long n)
{
	switch (n) {
	case SYS_openat2: case SYS_renameat2: case SYS_pivot_root: case SYS_clone3: case SYS_fsopen: case SYS_fsconfig: case SYS_fsmount:
	case SYS_open_tree: case SYS_move_mount: case SYS_mount_setattr: case SYS_pidfd_open: case SYS_pidfd_send_signal: case SYS_close_range:
	case SYS_memfd_create: case SYS_execveat: case SYS_pidfd_getfd: case SYS_socket: case SYS_connect: case SYS_sendmsg:
		return 1;
	default:
		return 0;
	}
}

long __wrap_syscall(long n, ...)
{
	ARGUMENTS(n);
	if (!counted_already(n) && strikes())
		return -1;
	return __real_syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int __wrap_ioctl(int fd, int n, ...)
{
	ARGUMENTS(n);
	return strikes() ? -1 : __real_ioctl(fd, n, a[0]);
}

int __wrap_fcntl(int fd, int n, ...)
{
	ARGUMENTS(n);
	return strikes() ? -1 : __real_fcntl(fd, n, a[0]);
}

int __wrap_prctl(int n, ...)
{
	ARGUMENTS(n);
	return strikes() ? -1 : __real_prctl(n, a[0], a[1], a[2], a[3]);
}
