/* console.c - pseudo terminals. console_setup runs in the container's process
 * before pivot_root, the rest in the runtime. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/rootfs.h"

int console_connect(const char *path, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1, dir = -1;
	const char *slash = strrchr(path, '/');
	char name[32];

	/* a path longer than an address is reached through its directory's descriptor */
	if (strlen(path) < sizeof a.sun_path)
		strcpy(a.sun_path, path);
	else {
		char parent[4096];

		if (!slash || (size_t)(slash - path) >= sizeof parent)
			return err_set(err, ENAMETOOLONG, "console socket %s", path);
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
		dir = sys_openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
		if (dir < 0)
			return err_set(err, -dir, "open %s", parent);
		if (snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", path_of_fd(dir, name, sizeof name), slash + 1) >= (int)sizeof a.sun_path)
			return err_set(err, ENAMETOOLONG, "console socket %s", path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return err_set(err, errno, "connect to the socket %s", path);
	return fd_take(&fd);
}

int console_send(int sock, int fd, const char *text, struct err *err)
{
	char name[32];
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u;
	struct iovec iov = { name, strlen(text) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof u.buf };
	struct cmsghdr *c;

	memset(&u, 0, sizeof u);
	snprintf(name, sizeof name, "%s", text);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? err_set(err, errno, "send %s", text) : 0;
}

/* /dev/console is the slave itself; the place is made as an empty file and never through a link. */
static int show_console(int rootfd, int slave, struct err *err)
{
	CLEANUP_FD int dev = path_open_in(rootfd, "/dev", O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int target = -1;
	char from[32], to[32];
	int r;

	if (dev < 0)
		return err_set(err, -dev, "open /dev");
	target = rootfs_open_file_at(dev, "console", "/dev/console", err);
	if (target < 0)
		return target;
	r = sys_mount(path_of_fd(slave, from, sizeof from), path_of_fd(target, to, sizeof to), NULL, MS_BIND, NULL);
	return r < 0 ? err_set(err, -r, "bind /dev/console") : 0;
}

/* The master, of a real devpts: an image can have any device or pipe by that name, and to open that is already too much (CVE-2025-52565). */
static int open_ptmx(int rootfd, struct err *err)
{
	struct open_how how = { .flags = O_RDWR | O_NOCTTY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
	CLEANUP_FD int pts = path_open_in(rootfd, "/dev/pts", O_PATH | O_DIRECTORY, 0);
	struct statfs fs;
	int master;

	if (pts < 0)
		return err_set(err, -pts, "process.terminal: open /dev/pts");
	if (fstatfs(pts, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, 0, "process.terminal: /dev/pts is not a devpts file system; mounts needs one");
	master = sys_openat2(pts, "ptmx", &how);
	return master < 0 ? err_set(err, -master, "process.terminal: open /dev/pts/ptmx") : master;
}

int console_setup(int rootfd, int sock, unsigned height, unsigned width, unsigned uid, int bind_console, struct err *err)
{
	CLEANUP_FD int master = open_ptmx(rootfd, err);
	CLEANUP_FD int slave = -1;
	int unlock = 0, r;

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, errno, "unlock the terminal");
	/* by ioctl and not by name: the name could be another file (CVE-2025-52565) */
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_set(err, errno, "open the terminal's other side");
	if (height || width) {
		struct winsize ws = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

		ioctl(master, TIOCSWINSZ, &ws);
	}
	if (uid && fchown(slave, uid, (gid_t)-1) < 0)
		return err_set(err, errno, "chown the terminal");
	if (bind_console && (r = show_console(rootfd, slave, err)) < 0)
		return r;
	if ((r = console_send(sock, master, "/dev/ptmx", err)) < 0)
		return r;
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return err_set(err, errno, "set the controlling terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return err_set(err, errno, "dup2 of the terminal");
	return 0;
}

int console_receive(int sock, struct err *err)
{
	char name[64];
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u;
	struct iovec iov = { name, sizeof name };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof u.buf };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC) <= 0)
		return err_set(err, errno, "receive the terminal");
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
		return err_set(err, EPROTO, "receive the terminal");
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void copy_size(int master)
{
	struct winsize ws;

	if (ioctl(0, TIOCGWINSZ, &ws) == 0)
		ioctl(master, TIOCSWINSZ, &ws);
}

/* One direction; 0 when its source has ended. */
static int pass(int from, int to)
{
	char buf[8192];
	ssize_t n = sys_read(from, buf, sizeof buf);

	return n > 0 && fd_write_full(to, buf, (size_t)n) == 0;
}

static void pass_signal(int signals, int master, int pidfd)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGWINCH)
		copy_size(master);
	else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE)
		sys_pidfd_send_signal(pidfd, (int)info.ssi_signo);
}

static int relay_loop(int master, int pidfd, int signals)
{
	struct pollfd p[4] = { { master, POLLIN, 0 }, { 0, POLLIN, 0 }, { signals, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

	for (;;) {
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[2].revents & POLLIN)
			pass_signal(signals, master, pidfd);
		if (p[0].revents && !pass(master, 1))
			return 0;	/* the last slave is closed */
		if (p[1].revents && !pass(0, master))
			p[1].fd = -1;
		/* the program has ended: what it wrote has been passed when the master has no more */
		if (p[3].revents && !p[0].revents)
			return 0;
	}
}

int console_relay(int master, int pidfd, struct err *err)
{
	struct termios saved, raw;
	int tty = tcgetattr(0, &saved) == 0, r;
	CLEANUP_FD int signals = -1;
	sigset_t all;

	sigfillset(&all);
	signals = signalfd(-1, &all, SFD_CLOEXEC);
	if (tty) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(0, TCSANOW, &raw);
		copy_size(master);
	}
	r = relay_loop(master, pidfd, signals);
	if (tty)
		tcsetattr(0, TCSANOW, &saved);
	return r < 0 ? err_set(err, -r, "carry the terminal") : 0;
}
