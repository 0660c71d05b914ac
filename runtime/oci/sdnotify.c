/* sdnotify.c - NOTIFY_SOCKET of containers. Runs in coracle-runtime (create, start, run), never in a container: what
 * comes in at the socket is a container's, so only the word READY is believed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/log.h"
#include "runtime/oci/sdnotify.h"
#include "runtime/oci/sync.h"

#define DIRECTORY "notify"
#define NAME "notify.sock"
#define INSIDE "/run/notify"
#define MESSAGE_MAX 4096
#define BARRIER_MS 30000

/* The socket of the host's service manager, or NULL. */
static const char *manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path ? path : NULL;
}

/* The array with one more place. */
static void *longer(struct spec *s, const void *list, size_t n, size_t size)
{
	void *out = arena_array(&s->arena, n + 2, size);

	if (out)
		memcpy(out, list, n * size);
	return out;
}

int sdnotify_plan(struct spec *s, const char *root, const char *id, struct err *err)
{
	static char *options[] = { "bind", "nosuid", "noexec", "nodev", "ro", NULL };
	static char variable[] = "NOTIFY_SOCKET=" INSIDE "/" NAME;
	struct spec_mount *mounts;
	char **env, *dir;
	size_t n = 0;

	if (!manager())
		return 0;
	if (!s->ns[NS_MNT].present || !s->has_process) {
		log_warning("NOTIFY_SOCKET: needs a mount namespace and a process; not passed on");
		return 0;
	}
	while (s->process.env[n])
		n++;
	env = longer(s, s->process.env, n, sizeof *env);
	mounts = longer(s, s->mounts, s->mounts_n, sizeof *mounts);
	dir = arena_join(&s->arena, root, "/", id);
	dir = dir ? arena_join(&s->arena, dir, "/", DIRECTORY) : NULL;
	if (!env || !mounts || !dir)
		return err_set(err, ENOMEM, "NOTIFY_SOCKET");
	env[n] = variable;
	s->process.env = env;
	mounts[s->mounts_n++] = (struct spec_mount){ .destination = INSIDE, .source = dir, .type = "bind", .options = options };
	s->mounts = mounts;
	return 0;
}

int sdnotify_prepare(int state_dir, struct err *err)
{
	int r = manager() ? sys_mkdirat(state_dir, DIRECTORY, 0755) : 0;

	return r < 0 ? err_set(err, -r, "NOTIFY_SOCKET: make the directory") : 0;
}

static int bind_new(int state_dir)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[32];
	int r;

	snprintf(a.sun_path, sizeof a.sun_path, "%s/" DIRECTORY "/" NAME, path_of_fd(state_dir, name, sizeof name));
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		if (errno != EADDRINUSE)
			return -errno;
		r = sync_connect(a.sun_path, SOCK_DGRAM);
		if (r >= 0)
			close(r);
		if (r != -ECONNREFUSED)
			return -EADDRINUSE;	/* of another start, which passes on what comes */
		/* of a start that was killed half-way */
		sys_unlinkat(state_dir, DIRECTORY "/" NAME, 0);
		if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
			return -errno;
	}
	/* the program may run as anybody */
	r = sys_fchmodat(state_dir, DIRECTORY "/" NAME, 0777);
	return r < 0 ? r : fd_take(&fd);
}

int sdnotify_listen(int state_dir, int *fd, struct err *err)
{
	int r;

	*fd = -1;
	if (!manager())
		return 0;
	if (faccessat(state_dir, DIRECTORY, F_OK, 0) < 0) {
		log_warning("NOTIFY_SOCKET: was not set when the container was created; not passed on");
		return 0;
	}
	r = bind_new(state_dir);
	if (r >= 0)
		*fd = r;
	return r >= 0 || r == -EADDRINUSE ? 0 : err_set(err, -r, "NOTIFY_SOCKET: make the container's socket");
}

/* The manager handles what came before, and closes the other end: from then on it may see us go. */
static void barrier(int out)
{
	static const char word[] = "BARRIER=1";
	struct pollfd p = { .events = 0 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	p.fd = ends[0];
	if (sync_send_fd(out, word, sizeof word - 1, ends[1]) >= 0) {
		close(ends[1]);
		ends[1] = -1;
		if (poll(&p, 1, BARRIER_MS) == 0)
			log_warning("NOTIFY_SOCKET: the service manager did not answer for 30 s");
	}
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
}

static int say_ready(const char *line, pid_t watch)
{
	CLEANUP_FD int out = sync_connect(manager(), SOCK_DGRAM);
	char text[64];
	int n, r;

	if (out < 0)
		return out;
	n = snprintf(text, sizeof text, "%s\n", line);
	if ((r = fd_write_full(out, text, (size_t)n)) < 0)
		return r;
	n = snprintf(text, sizeof text, "MAINPID=%d\n", (int)watch);
	if ((r = fd_write_full(out, text, (size_t)n)) < 0)
		return r;
	barrier(out);
	return 0;
}

bool sdnotify_pass(int fd, pid_t watch)
{
	char text[MESSAGE_MAX + 1], *save = NULL;
	ssize_t n = recv(fd, text, MESSAGE_MAX, MSG_DONTWAIT);
	int r;

	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, "READY=1") && strcmp(line, "READY=0"))
			continue;
		r = say_ready(line, watch);
		if (r < 0)
			log_warning("NOTIFY_SOCKET %s: %s", manager(), strerror(-r));
		return true;
	}
	return false;
}

void sdnotify_wait(int fd, int pidfd, pid_t watch)
{
	bool ended = pidfd < 0;

	if (ended && pidfd != -ESRCH)
		log_warning("NOTIFY_SOCKET: the container's process cannot be watched: %s", strerror(-pidfd));
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

		if (poll(p, 2, ended ? 0 : -1) < 0 && errno != EINTR)
			return;
		/* first what it said, then that it has ended */
		if (p[0].revents ? sdnotify_pass(fd, watch) : ended || p[1].revents)
			return;
	}
}
