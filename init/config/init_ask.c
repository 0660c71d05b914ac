/* init_ask.c - a question to init on its control socket (docs/design/interfaces.md).
 *
 * Runs in coracle-config, as root. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "run.h"

#define INIT_SOCKET "/run/coracle/init.sock"

int init_ask(const char *what, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = INIT_SOCKET };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char answer[256];
	ssize_t n;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, errno, "connect to %s", INIT_SOCKET);
	if (send(fd, what, strlen(what), MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "ask init to %s", what);
	n = recv(fd, answer, sizeof(answer) - 1, 0);
	if (n < 0)
		return err_set(err, errno, "init's answer to %s", what);
	answer[n] = '\0';
	return strcmp(answer, "ok") ? err_set(err, 0, "init does not %s: %s", what, answer) : 0;
}
