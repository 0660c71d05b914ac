/* notify.c - READY=1 and the fd store (coracle-engine). Waits only while init has not read its queue. */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "text.h"

#define STORE_MAX 1024
#define FIRST_FD 3

static int sock = -1;
static struct sockaddr_un to;
static socklen_t to_len;
static char *names[STORE_MAX];	/* names[i] belongs to descriptor FIRST_FD + i; NULL: taken */
static int stored;

static void take_listen_fds(void)
{
	const char *n = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	const char *list = getenv("LISTEN_FDNAMES");

	if (!n || !pid || atoi(pid) != getpid())
		return;
	stored = MIN(MAX(atoi(n), 0), STORE_MAX);
	for (int i = 0; i < stored; i++) {
		size_t len = list ? strcspn(list, ":") : 0;

		fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
		names[i] = list ? strndup(list, len) : strdup("unknown");
		if (list)
			list += len + (list[len] == ':');
	}
}

void notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	take_listen_fds();
	if (n > 1 && n < sizeof(to.sun_path) && (path[0] == '/' || path[0] == '@')) {
		to.sun_family = AF_UNIX;
		memcpy(to.sun_path, path, n);
		if (path[0] == '@')
			to.sun_path[0] = '\0';
		to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
}

/* Blocks while init's queue is full: init reads it before all else, and a lost descriptor would be a lost log. */
static void send_text(const char *text, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = to_len, .msg_iov = &iov, .msg_iovlen = 1 };

	if (sock < 0)
		return;
	if (fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.space;
		m.msg_controllen = sizeof(control.space);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	while (sendmsg(sock, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void notify_send(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_text(text, -1);
}

void notify_store_fd(const char *name, int fd)
{
	char text[128];

	text_set(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	send_text(text, fd);
}

void notify_remove_fd(const char *name)
{
	char text[128];

	text_set(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	send_text(text, -1);
}

int notify_take_fd(const char *name)
{
	for (int i = 0; i < stored; i++) {
		if (names[i] && strcmp(names[i], name) == 0) {
			free(names[i]);
			names[i] = NULL;
			return FIRST_FD + i;
		}
	}
	return -1;
}

void notify_drop_rest(void)
{
	for (int i = 0; i < stored; i++) {
		if (!names[i])
			continue;
		notify_remove_fd(names[i]);
		close(FIRST_FD + i);
		free(names[i]);
		names[i] = NULL;
	}
	stored = 0;
}
