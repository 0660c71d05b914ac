/* cmd_create.c - create and run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/container.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/sdnotify.h"
#include "runtime/oci/state.h"
#include "runtime/oci/systemd.h"
#include "runtime/oci/verbs.h"

/* Descriptors of socket activation are passed like --preserve-fds. */
static int listen_fds(void)
{
	const char *s = getenv("LISTEN_FDS"), *p = getenv("LISTEN_PID");
	int n = s ? atoi(s) : 0;

	if (p && atoi(p) != getpid())
		return 0;
	return n > 0 && n < 1024 ? n : 0;
}

static int parse(const struct globals *g, int argc, char **argv, struct container_options *o, bool *detach, bool *keep, struct err *err)
{
	const char *bundle = ".";
	const struct args_option options[] = {
		{ "bundle", 'b', ARGS_VALUE, &bundle }, { "pid-file", 0, ARGS_VALUE, &o->pid_file },
		{ "console-socket", 0, ARGS_VALUE, &o->console_socket }, { "no-pivot", 0, ARGS_FLAG, &o->no_pivot },
		{ "no-new-keyring", 0, ARGS_FLAG, &o->no_new_keyring }, { "preserve-fds", 0, ARGS_NUMBER, &o->preserve_fds },
		{ "pidfd-socket", 0, ARGS_VALUE, &o->pidfd_socket },
		{ "detach", 'd', ARGS_FLAG, detach }, { "keep", 0, ARGS_FLAG, keep }, { "no-subreaper", 0, ARGS_FLAG, NULL },
	};
	/* the last three belong to run alone */
	int n = args_parse(argc, argv, options, ARRAY_SIZE(options) - (o->run ? 0 : 3), false, err);

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, o->run ? "run [--detach] [--bundle DIR] ID" : "create [--bundle DIR] ID");
	o->root = g->root;
	o->systemd = g->systemd_cgroup;
	o->id = argv[0];
	o->bundle = bundle;
	o->pid_file = args_absolute(o->pid_file);
	o->console_socket = args_absolute(o->console_socket);
	o->pidfd_socket = args_absolute(o->pidfd_socket);
	o->listen_fds = listen_fds();
	o->preserve_fds += o->listen_fds;
	return verb_check_fds(o->preserve_fds, err);
}

int verb_create(const struct globals *g, int argc, char **argv, struct err *err)
{
	static struct container c;
	bool detach = true, keep = false;
	int r = parse(g, argc, argv, &c.opt, &detach, &keep, err);

	if (r < 0)
		return r;
	r = container_create(&c, err);
	/* the process ends here: its memory and descriptors need no freeing one by one */
	return r < 0 ? err_wrap(err, r, "coracle-runtime create failed") : 0;
}

/* What delete does, by what this process still holds. */
static int remove_ended(struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r = cgroup_remove(&c->cgroup, false, err);
	const char *path;

	if (r < 0)
		return r;
	if (c->cgroup.adopted)
		systemd_stop(c->cgroup.unit);
	for (int i = 0; (path = rdt_owned(&c->rdt, i)); i++)
		sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
	if (c->spec.hooks[HOOK_POSTSTOP].n) {
		buf_init(&b, 1 << 20);
		state_json(&b, c->spec.version, c->opt.id, "stopped", 0, c->bundle, c->spec.annotations, c->spec.annotations_n);
		hooks_run_all(&c->spec.hooks[HOOK_POSTSTOP], "poststop", b.data, b.len);
	}
	state_remove_dir(c->opt.root, c->opt.id);
	return 0;
}

static int wait_and_delete(struct container *c, bool keep, struct err *err)
{
	int status = wait_foreground(c->pid, c->master, c->notify, err), r = keep ? 0 : remove_ended(c, err);

	return status < 0 || r >= 0 ? status : r;
}

int verb_run(const struct globals *g, int argc, char **argv, struct err *err)
{
	static struct container c;
	bool detach = false, keep = false;
	sigset_t all;
	int r;

	c.opt.run = true;
	if ((r = parse(g, argc, argv, &c.opt, &detach, &keep, err)) < 0)
		return r;
	c.opt.own_console = !detach;
	if (!detach) {
		/* signals are passed on from the moment the container can be there */
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
	}
	r = container_create(&c, err);
	if (r < 0)
		return err_wrap(err, r, "coracle-runtime run failed");
	if (detach && c.notify >= 0) {
		CLEANUP_FD int pidfd = sys_pidfd_open(c.pid, 0);

		sdnotify_wait(c.notify, pidfd, c.pid);
	}
	return detach ? 0 : wait_and_delete(&c, keep, err);
}
