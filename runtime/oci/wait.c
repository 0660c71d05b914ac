/* wait.c - the foreground of run and exec: signals to the container, bytes of
 * its terminal, its exit status. Runs in coracle-runtime with all signals blocked. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/sdnotify.h"
#include "runtime/oci/verbs.h"

static void pass_signal(int signals, int pidfd)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof info) != sizeof info)
		return;
	/* SIGPIPE and SIGCHLD are about us; SIGWINCH is console_relay's */
	if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE && info.ssi_signo != SIGURG)
		sys_pidfd_send_signal(pidfd, (int)info.ssi_signo);
}

static void pass_until_end(int pidfd, int notify)
{
	CLEANUP_FD int signals = -1;
	sigset_t all;

	sigfillset(&all);
	signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	for (;;) {
		struct pollfd p[3] = { { pidfd, POLLIN, 0 }, { signals, POLLIN, 0 }, { notify, POLLIN, 0 } };

		if (poll(p, notify < 0 ? 2 : 3, -1) < 0 && errno != EINTR)
			return;
		if (p[2].revents && sdnotify_pass(notify, getpid()))
			notify = -1;
		if (p[0].revents)
			return;
		if (p[1].revents)
			pass_signal(signals, pidfd);
	}
}

int wait_foreground(pid_t pid, int master, int notify, struct err *err)
{
	CLEANUP_FD int pidfd = sys_pidfd_open(pid, 0);
	int status = 0;

	/* whoever tells a service manager that it is ready is no one's dialogue: first that, then the terminal */
	if (pidfd >= 0 && master >= 0 && notify >= 0)
		sdnotify_wait(notify, pidfd, getpid());
	if (pidfd >= 0 && master >= 0)
		console_relay(master, pidfd, err);
	if (pidfd >= 0)
		pass_until_end(pidfd, notify);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for the container");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
