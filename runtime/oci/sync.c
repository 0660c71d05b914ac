/* sync.c - messages between the runtime and the container's first process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/sync.h"

int sync_send(int fd, enum sync_message m, const char *text)
{
	char buf[ERR_TEXT_MAX + 1] = { (char)m };
	size_t n = strlen(text);

	if (n > ERR_TEXT_MAX)
		n = ERR_TEXT_MAX;
	memcpy(buf + 1, text, n);
	return send(fd, buf, n + 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void sync_send_error(int fd, const struct err *err)
{
	sync_send(fd, SYNC_ERROR, err->text);
}

int sync_send_fd(int sock, const void *data, size_t n, int fd)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u;
	struct iovec iov = { .iov_len = n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof u.buf };
	struct cmsghdr *c;

	memcpy(&iov.iov_base, &data, sizeof data);
	memset(&u, 0, sizeof u);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return (int)sys_sendmsg(sock, &m, MSG_NOSIGNAL);
}

int sync_connect(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1;
	int r;

	if (strlen(path) >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	/* a name that begins with "@" is the abstract one, as Go has it */
	if (path[0] == '@')
		a.sun_path[0] = '\0';
	fd = sys_socket(AF_UNIX, type, 0);
	if (fd < 0)
		return fd;
	r = sys_connect(fd, &a, path[0] == '@' ? offsetof(struct sockaddr_un, sun_path) + strlen(path) : sizeof a);
	return r < 0 ? r : fd_take(&fd);
}

static void take_fd(struct msghdr *m, int *passed)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(passed, CMSG_DATA(c), sizeof *passed);
}

int sync_receive_fd(int fd, int *passed, struct err *err)
{
	char buf[ERR_TEXT_MAX + 2];
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u;
	struct iovec iov = { buf, sizeof buf - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf, .msg_controllen = sizeof u.buf };
	ssize_t n;

	*passed = -1;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		take_fd(&m, passed);
	if (n < 0 && errno == ECONNRESET) {
		err->code = ECONNRESET;
		return SYNC_EOF;
	}
	if (n < 0)
		return err_set(err, errno, "receive");
	if (n == 0)
		return SYNC_EOF;
	buf[n] = '\0';
	if (buf[0] == SYNC_ERROR || buf[0] == SYNC_LISTENER || buf[0] == SYNC_HOOK_FAILED)
		err_set(err, 0, "%s", buf + 1);
	return buf[0];
}

int sync_receive(int fd, struct err *err)
{
	int passed, m = sync_receive_fd(fd, &passed, err);

	if (passed >= 0)
		close(passed);
	return m;
}
