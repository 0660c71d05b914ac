/* cmd_start.c - start: says go to a created container and hears whether its
 * program could be executed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/log.h"
#include "runtime/oci/notify.h"
#include "runtime/oci/sdnotify.h"
#include "runtime/oci/sync.h"
#include "runtime/oci/verbs.h"

static int connect_to(const struct state *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char name[32];

	if (fd < 0)
		return -errno;
	snprintf(a.sun_path, sizeof a.sun_path, "%s/start.sock", path_of_fd(s->dir, name, sizeof name));
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return -errno;
	return fd_take(&fd);
}

/* runtime.md, "Lifecycle": after a startContainer or poststart hook that failed the container is stopped and destroyed. */
static void destroy(const struct globals *g, struct state *s)
{
	struct err why = ERR_INIT;

	if (delete_container(g, s, &why) < 0)
		log_warning("remove the container: %s", why.text);
}

static int poststart(const struct globals *g, struct state *s, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct spec spec = { 0 };
	int r;

	if (!s->has_hooks)
		return 0;
	if ((r = spec_load(&spec, s->dir, "config.json", err)) < 0)
		return r;
	buf_init(&b, 1 << 20);
	state_json(&b, spec.version, s->id, "running", s->pid, s->bundle, spec.annotations, spec.annotations_n);
	r = hooks_run(&spec.hooks[HOOK_POSTSTART], "poststart", b.data, b.len, err);
	if (r < 0)
		destroy(g, s);
	spec_free(&spec);
	return r;
}

static int give_listener(const struct state *s, int sync, int passed, struct err *err)
{
	struct notify n = { s->id, s->bundle, "creating", s->pid, s->pid };
	struct spec spec = { 0 };
	char fd[16];
	int r;

	snprintf(fd, sizeof fd, "%.15s", err->text);
	if ((r = spec_load(&spec, s->dir, "config.json", err)) == 0)
		r = notify_serve(&spec, &n, sync, fd, passed, err);
	spec_free(&spec);
	return r;
}

/* The end of the connection is also what a program leaves that its memory limit killed in execve. */
static int check_memory(const struct state *s, struct err *err)
{
	struct cgroup cg = { .base = -1 };
	int r;

	if (!s->memory_limit)
		return 0;
	if (state_open_cgroup(s, &cg, err) < 0 || cgroup_open(&cg, err) < 0)
		return 0;
	r = cgroup_low_killed(&cg, s->memory_limit, err);
	cgroup_fini(&cg);
	return r;
}

static int not_created(const struct state *s, struct err *err)
{
	enum state_status st = state_status(s, NULL);

	if (st == STATUS_STOPPED)
		return err_set(err, 0, "cannot start a container that has stopped");
	if (st == STATUS_CREATING)
		return err_set(err, 0, "cannot start a container in the creating state");
	return err_set(err, 0, "cannot start an already running container");
}

static int started(const struct globals *g, struct state *s, int notify, struct err *err)
{
	CLEANUP_FD int pidfd = notify < 0 ? -1 : state_pidfd(s);
	int r = check_memory(s, err) < 0 ? -EINVAL : poststart(g, s, err);

	if (r == 0 && notify >= 0)
		sdnotify_wait(notify, pidfd, s->pid);
	return r;
}

static int go(const struct globals *g, struct state *s, struct err *err)
{
	CLEANUP_FD int fd = -1, notify = -1;
	int m, passed;

	if (state_status(s, NULL) != STATUS_CREATED)
		return not_created(s, err);
	fd = connect_to(s);
	if (fd == -ENOENT)
		return not_created(s, err);	/* another start was quicker */
	if (fd == -ECONNREFUSED) {
		/* started by a start that did not live to remove the name */
		sys_unlinkat(s->dir, "start.sock", 0);
		return not_created(s, err);
	}
	if (fd < 0)
		return err_set(err, -fd, "connect to the container");
	if ((m = sdnotify_listen(s->dir, &notify, err)) < 0)
		return m;
	if ((m = sync_send(fd, SYNC_GO, "")) < 0)
		return m == -EPIPE ? not_created(s, err) : err_set(err, -m, "say go");
	err->code = 0;
	m = sync_receive_fd(fd, &passed, err);
	/* queued behind a start that was quicker: the waiting process never saw us */
	if (m == SYNC_EOF && err->code == ECONNRESET)
		return not_created(s, err);
	if (m == SYNC_LISTENER)
		m = (m = give_listener(s, fd, passed, err)) < 0 ? m : sync_receive(fd, err);
	/* a container that has nothing to start stays created */
	if (m != SYNC_ERROR || state_status(s, NULL) == STATUS_STOPPED)
		sys_unlinkat(s->dir, "start.sock", 0);
	if (m == SYNC_EOF)
		return started(g, s, notify, err);
	if (m == SYNC_HOOK_FAILED)
		destroy(g, s);
	return m < 0 ? m : -EINVAL;
}

int verb_start(const struct globals *g, int argc, char **argv, struct err *err)
{
	struct state s;
	int r, n = args_parse(argc, argv, NULL, 0, false, err);

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, "start ID");
	if ((r = state_load(&s, g->root, argv[0], err)) == 0)
		r = go(g, &s, err);
	state_fini(&s);
	return r < 0 ? err_wrap(err, r, "coracle-runtime start failed") : 0;
}
