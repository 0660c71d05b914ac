/* sync.c - messages between the runtime and the container's first process. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

int sync_receive(int fd, struct err *err)
{
	char buf[ERR_TEXT_MAX + 2];
	ssize_t n;

	do
		n = recv(fd, buf, sizeof buf - 1, 0);
	while (n < 0 && errno == EINTR);
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
