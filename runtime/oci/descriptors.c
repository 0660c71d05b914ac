/* descriptors.c - descriptors that go in and out by command line options: --preserve-fds, --pidfd-socket. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/verbs.h"

int verb_check_fds(int n, struct err *err)
{
	for (int fd = 3; fd < 3 + n; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_set(err, errno, "unable to stat preserved-fd %d (of %d)", fd - 3, n);
	return 0;
}

int verb_send_pidfd(const char *path, pid_t pid, const char *what, struct err *err)
{
	CLEANUP_FD int sock = -1;
	CLEANUP_FD int fd = -1;
	int r;

	if (!path)
		return 0;
	sock = console_connect(path, err);
	if (sock < 0)
		return err_wrap(err, sock, "--pidfd-socket");
	fd = sys_pidfd_open(pid, 0);
	r = fd < 0 ? err_set(err, -fd, "open a descriptor of process %d", (int)pid) : console_send(sock, fd, what, err);
	return r < 0 ? err_wrap(err, r, "--pidfd-socket") : 0;
}
