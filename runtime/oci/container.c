/* container.c - the runtime's side of making a container. Everything that it
 * leaves on the host is on the undo list until the container is created. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/container.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/labels.h"
#include "runtime/oci/log.h"
#include "runtime/oci/netdev.h"
#include "runtime/oci/notify.h"
#include "runtime/oci/proc.h"
#include "runtime/oci/sdnotify.h"
#include "runtime/oci/state.h"
#include "runtime/oci/sync.h"
#include "runtime/oci/systemd.h"
#include "runtime/oci/sysctl.h"
#include "runtime/oci/verbs.h"
#include "runtime/oci/usermap.h"

static void undo_state_dir(void *arg)
{
	struct container *c = arg;

	state_remove_dir(c->opt.root, c->opt.id);
}

static void undo_cgroup(void *arg)
{
	struct container *c = arg;
	struct err ignored;

	cgroup_remove(&c->cgroup, false, &ignored);
	if (c->cgroup.adopted)
		systemd_stop(c->cgroup.unit);
}

static void undo_rdt(void *arg)
{
	struct container *c = arg;

	rdt_undo(&c->rdt);
}

static void undo_process(void *arg)
{
	struct container *c = arg;

	sys_kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void undo_pid_file(void *arg)
{
	struct container *c = arg;

	sys_unlinkat(AT_FDCWD, c->opt.pid_file, 0);
}

/* After this the bundle is the working directory: sources of mounts are relative to it. */
static int load_bundle(struct container *c, struct err *err)
{
	char path[PATH_MAX];
	int r;

	if (chdir(c->opt.bundle) < 0)
		return err_set(err, errno, "enter the bundle %s", c->opt.bundle);
	if (!getcwd(path, sizeof path))
		return err_set(err, errno, "name of the bundle %s", c->opt.bundle);
	c->bundle = arena_join(&c->spec.arena, path, "", "");
	if (!c->bundle)
		return err_set(err, ENOMEM, "bundle");
	if ((r = spec_load(&c->spec, AT_FDCWD, "config.json", err)) < 0)
		return r;
	c->root_path = c->spec.root[0] == '/' ? arena_join(&c->spec.arena, c->spec.root, "", "")
					      : arena_join(&c->spec.arena, c->bundle, "/", c->spec.root);
	return c->root_path ? 0 : err_set(err, ENOMEM, "root.path");
}

static int check_terminal(const struct container *c, struct err *err)
{
	bool terminal = c->spec.process.terminal;

	if (terminal && !c->opt.console_socket && !c->opt.own_console)
		return err_set(err, 0, "cannot allocate tty if runc will detach without setting console socket");
	if (!terminal && c->opt.console_socket)
		return err_set(err, 0, "cannot use console socket if runc will not detach or allocate tty");
	return 0;
}

/* Checks everything that needs no privilege and leaves nothing behind. */
static int plan(struct container *c, struct err *err)
{
	int r;

	for (int i = 0; i < NS_COUNT; i++)
		c->ns_fd[i] = -1;
	c->state_dir = c->sync[0] = c->sync[1] = c->start = c->console = c->master = c->notify = c->cgroup.base = c->cgroup.home = c->cgroup.late = -1;
	if ((r = state_check_id(c->opt.id, err)) < 0 ||
	    (r = load_bundle(c, err)) < 0 ||
	    (r = check_terminal(c, err)) < 0 ||
	    (r = namespaces_check(c, err)) < 0 ||
	    (r = sysctl_check(&c->spec, err)) < 0 ||
	    (r = labels_check(&c->spec.process, err)) < 0 ||
	    (r = seccomp_compile(&c->spec, &c->seccomp, err)) < 0)
		return r;
	if (geteuid() && !c->spec.ns[NS_USER].present)
		return err_set(err, 0, "linux.namespaces: rootless container requires user namespaces");
	if ((r = sdnotify_plan(&c->spec, c->opt.root, c->opt.id, err)) < 0)
		return r;
	log_spec_warnings(&c->spec);
	state_time(c->created);
	c->rootfs = (struct rootfs){
		.spec = &c->spec, .cgroup = &c->cgroup, .path = c->root_path, .fd = -1, .tree = -1,
		.in_userns = c->spec.ns[NS_USER].present,
	};
	return 0;
}

static int make_start_socket(struct container *c, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[32];

	snprintf(a.sun_path, sizeof a.sun_path, "%s/start.sock", path_of_fd(c->state_dir, name, sizeof name));
	c->start = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->start < 0 || bind(c->start, (struct sockaddr *)&a, sizeof a) < 0 || listen(c->start, 4) < 0)
		return err_set(err, errno, "make the start socket");
	return 0;
}

static int prepare_notify(struct container *c, struct err *err)
{
	int r;

	if ((r = sdnotify_prepare(c->state_dir, err)) < 0 || !c->opt.run)
		return r;
	return sdnotify_listen(c->state_dir, &c->notify, err);
}

static int open_console(struct container *c, int pair[2], struct err *err)
{
	pair[0] = pair[1] = -1;
	if (!c->spec.process.terminal)
		return 0;
	if (c->opt.console_socket) {
		c->console = console_connect(c->opt.console_socket, err);
		return c->console < 0 ? c->console : 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket");
	c->console = pair[1];
	return 0;
}

static int clone_init(struct container *c, struct clone_args *args, uint64_t flags, struct err *err)
{
	int into = cgroup_clone_fd(&c->cgroup), pid;

	args->flags |= flags | CLONE_CLEAR_SIGHAND;
	if (into >= 0) {
		args->flags |= CLONE_INTO_CGROUP;
		args->cgroup = (unsigned)into;
	}
	pid = sys_clone3(args, sizeof *args);
	if (pid == 0)
		container_init(c);
	return pid < 0 ? err_set(err, -pid, "clone3") : pid;
}

static int clone_joined(struct container *c, uint64_t flags, struct err *err)
{
	struct clone_args args = { .flags = CLONE_PARENT };
	int saved[NS_COUNT], r = namespaces_before_clone(c, saved, &flags, err);

	if (r < 0 || (r = namespaces_join_user(c, err)) < 0)
		return r;
	return clone_init(c, &args, flags, err);
}

/* Into a user namespace that is there: the new namespaces must belong to it, so whoever clones is in it. Nobody comes
 * back from there, so that is a process of its own; the container's first one becomes our child all the same. */
static int spawn_joined(struct container *c, uint64_t flags, struct err *err)
{
	struct { int pid; struct err err; } answer = { .err = ERR_INIT };
	CLEANUP_FD int out = -1, in = -1;
	int pair[2];
	pid_t helper;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a socket");
	in = pair[0];
	out = pair[1];
	helper = fork();
	if (helper < 0)
		return err_set(err, errno, "fork");
	if (helper == 0) {
		answer.pid = clone_joined(c, flags, &answer.err);
		_exit(send(out, &answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer);
	}
	while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		;
	if (recv(in, &answer, sizeof answer, MSG_DONTWAIT) != sizeof answer)
		return err_set(err, 0, "the process that joins the user namespace was killed");
	if (answer.pid < 0 && err)
		*err = answer.err;
	return answer.pid;
}

static int spawn(struct container *c, struct err *err)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int saved[NS_COUNT], r;
	uint64_t flags;

	if ((r = namespaces_open(c, &flags, err)) < 0)
		return r;
	if ((r = rootfs_open_sources(&c->rootfs, &c->spec.arena, err)) < 0)
		return r;
	if (c->ns_fd[NS_USER] >= 0)
		r = spawn_joined(c, flags, err);
	else {
		r = namespaces_before_clone(c, saved, &flags, err);
		if (r == 0)
			r = clone_init(c, &args, flags, err);
		namespaces_after_clone(saved);
	}
	if (r < 0)
		return r;
	c->pid = r;
	undo_push(&c->undo, undo_process, c);
	c->hooks_due = true;
	fd_close(&c->sync[1]);
	fd_close(&c->start);
	return 0;
}

static int join_rdt(struct container *c, struct err *err)
{
	char root[PATH_MAX];
	int r = rdt_find(root, sizeof root, err);

	if (r < 0)
		return r;
	undo_push(&c->undo, undo_rdt, c);
	return rdt_apply(&c->rdt, root, &c->spec.rdt, c->opt.id, c->pid, err);
}

static int move_devices(const struct container *c, struct err *err)
{
	CLEANUP_FD int own = -1;
	char path[40];

	if (c->ns_fd[NS_NET] >= 0)
		return netdev_move_all(&c->spec, c->ns_fd[NS_NET], err);
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)c->pid);
	own = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	return own < 0 ? err_set(err, -own, "open the container's network namespace") : netdev_move_all(&c->spec, own, err);
}

bool container_maps_users(const struct container *c)
{
	return c->spec.ns[NS_USER].present && !c->spec.ns[NS_USER].path;
}

bool container_waits(const struct container *c)
{
	return container_maps_users(c) || c->spec.net_devices_n > 0 || c->opt.systemd;
}

/* A scope starts with a process in it: the container's, which waits for us. */
static int enter_unit(struct container *c, struct err *err)
{
	int r;

	cgroup_fini(&c->cgroup);
	if ((r = systemd_start(&c->cgroup, c->opt.id, c->pid, &c->spec, err)) < 0 ||
	    (r = cgroup_create(&c->cgroup, &c->spec.resources, err)) < 0)
		return r;
	r = cgroup_join(&c->cgroup, c->pid, true, err);
	return r < 0 ? r : cgroup_give(&c->cgroup, &c->spec, err);
}

/* As with runc these are no errors: engines send them to every host. */
static void warn_v1_only(const struct spec_resources *x)
{
	const struct { bool given; const char *property; } only[] = {
		{ x->has_swappiness, "memory.swappiness" }, { x->disable_oom_killer, "memory.disableOOMKiller" },
		{ x->has_leaf_weight && x->leaf_weight, "blockIO.leafWeight" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(only); i++)
		if (only[i].given)
			log_warning("linux.resources.%s: cgroup v2 has none; ignored", only[i].property);
}

/* Without systemd the groups are there before the process. */
static int prepare_cgroup(struct container *c, struct err *err)
{
	int r = c->opt.systemd ? systemd_plan(&c->cgroup, &c->spec, c->opt.id, err) : 0;
	char path[CGROUP_PATH_MAX];

	if (r < 0 || (r = cgroup_init(&c->cgroup, c->opt.systemd ? NULL : cgroup_absolute(c->spec.cgroups_path, path), c->opt.id, err)) < 0)
		return r;
	undo_push(&c->undo, undo_cgroup, c);
	if (c->cgroup.pure_v2)
		warn_v1_only(&c->spec.resources);
	if (c->opt.systemd)
		return cgroup_check(&c->cgroup, &c->spec.resources, err);
	r = cgroup_create(&c->cgroup, &c->spec.resources, err);
	return r < 0 ? r : cgroup_give(&c->cgroup, &c->spec, err);
}

/* What only the runtime may do for the new process. */
static int serve_child(struct container *c, struct err *err)
{
	const struct spec_process *p = &c->spec.process;
	int r;

	if (c->opt.systemd && (r = enter_unit(c, err)) < 0)
		return r;
	/* others do it themselves (init.c): they do not wait for us, and might be the program already */
	if (p->has_oom && container_maps_users(c) && (r = proc_set_oom(c->pid, p->oom_score_adj, err)) < 0)
		return r;
	if (c->spec.rdt.present && (r = join_rdt(c, err)) < 0)
		return r;
	if (c->spec.net_devices_n && (r = move_devices(c, err)) < 0)
		return r;
	if (!container_waits(c))
		return 0;
	if (!container_maps_users(c))
		goto go;
	if ((r = cgroup_join(&c->cgroup, c->pid, cgroup_clone_fd(&c->cgroup) < 0, err)) < 0 ||
	    (r = usermap_set(c->pid, &c->spec, err)) < 0)
		return r;
go:
	r = sync_send(c->sync[0], SYNC_GO, "");
	return r < 0 && r != -EPIPE ? err_set(err, -r, "send") : 0;
}

static int runtime_hooks(struct container *c, enum spec_hook_kind kind, const char *name, const char *status, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r;

	if (!c->spec.hooks[kind].n)
		return 0;
	buf_init(&b, 1 << 20);
	state_json(&b, c->spec.version, c->opt.id, status, c->pid, c->bundle, c->spec.annotations, c->spec.annotations_n);
	if ((r = buf_error(&b)) < 0)
		return err_set(err, -r, "state for the %s hooks", name);
	return hooks_run(&c->spec.hooks[kind], name, b.data, b.len, err);
}

/* A process that ended without a word was killed from outside: nearly always by its own memory limit. */
static int died(const struct container *c, struct err *err)
{
	const struct spec_resources *x = &c->spec.resources;

	if (x->has_mem_limit && x->mem_limit > 0)
		return err_set(err, 0, "the container's process was killed while it was set up; linux.resources.memory.limit %lld may be too low",
			       (long long)x->mem_limit);
	return err_set(err, 0, "the container's process was killed while it was set up");
}

/* What fails for want of memory under a low limit fails because of it. */
static int blame_limit(const struct container *c, int r, struct err *err)
{
	const struct spec_resources *x = &c->spec.resources;

	if (err->code == ENOMEM && x->has_mem_limit && x->mem_limit > 0 && x->mem_limit < CGROUP_LOW_MEMORY)
		err_wrap(err, r, "linux.resources.memory.limit: %lld bytes may be too little", (long long)x->mem_limit);
	return r;
}

static int wait_ready(struct container *c, struct err *err)
{
	for (;;) {
		int r, m = sync_receive(c->sync[0], err);

		switch (m) {
		case SYNC_READY:
			return 0;
		case SYNC_HOOKS:
			if ((r = runtime_hooks(c, HOOK_PRESTART, "prestart", "creating", err)) < 0 ||
			    (r = runtime_hooks(c, HOOK_CREATE_RUNTIME, "createRuntime", "creating", err)) < 0)
				return r;
			if ((r = sync_send(c->sync[0], SYNC_GO, "")) < 0 && r != -EPIPE)
				return err_set(err, -r, "send");
			break;
		case SYNC_EOF:
			return died(c, err);
		default:
			return m < 0 ? m : -EINVAL;
		}
	}
}

static int write_pid_file(struct container *c, struct err *err)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d", (int)c->pid), r;
	CLEANUP_FD int fd = -1;

	if (!c->opt.pid_file)
		return 0;
	fd = sys_openat(AT_FDCWD, c->opt.pid_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0)
		undo_push(&c->undo, undo_pid_file, c);
	r = fd < 0 ? fd : fd_write_full(fd, text, (size_t)n);
	return r < 0 ? err_set(err, -r, "write the pid file %s", c->opt.pid_file) : 0;
}

/* For run: the socket closes at execve, or an error comes. */
static int wait_executed(struct container *c, struct err *err)
{
	int passed, m = sync_receive_fd(c->sync[0], &passed, err);

	if (m == SYNC_LISTENER) {
		struct notify n = { c->opt.id, c->bundle, "creating", c->pid, c->pid };
		char fd[16];
		int r;

		snprintf(fd, sizeof fd, "%.15s", err->text);
		if ((r = notify_serve(&c->spec, &n, c->sync[0], fd, passed, err)) < 0)
			return r;
		m = sync_receive(c->sync[0], err);
	}
	if (m == SYNC_EOF)
		return c->cgroup.late < 0 ? 0 : cgroup_low_killed(&c->cgroup, c->spec.resources.mem_limit, err);
	return m < 0 ? m : -EINVAL;
}

static int create(struct container *c, struct err *err)
{
	int pair[2] = { -1, -1 }, r;

	c->state_dir = state_create_dir(c->opt.root, c->opt.id, err);
	if (c->state_dir < 0)
		return c->state_dir;
	undo_push(&c->undo, undo_state_dir, c);
	if ((r = state_write_config(c->state_dir, &c->spec, err)) < 0 ||
	    (!c->opt.run && (r = make_start_socket(c, err)) < 0) ||
	    (r = prepare_notify(c, err)) < 0 ||
	    (r = open_console(c, pair, err)) < 0 ||
	    (r = prepare_cgroup(c, err)) < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c->sync) < 0)
		return err_set(err, errno, "make a socket");
	if ((r = spawn(c, err)) < 0)
		return r;
	fd_close(&c->console);
	if ((r = serve_child(c, err)) < 0 ||
	    (r = state_write(c->state_dir, c->opt.id, &c->spec, c->bundle, c->root_path, &c->cgroup, &c->rdt, c->pid, c->created, err)) < 0 ||
	    (r = write_pid_file(c, err)) < 0)
		return r;
	if (pair[0] >= 0) {
		c->master = console_receive(pair[0], err);
		fd_close(&pair[0]);
		/* no terminal came: the process says why */
	}
	if ((r = wait_ready(c, err)) < 0 ||
	    (r = verb_send_pidfd(c->opt.pidfd_socket, c->pid, "standard", err)) < 0 ||
	    (r = state_publish(c->state_dir, err)) < 0)
		return r;
	return c->opt.run ? wait_executed(c, err) : 0;
}

/* runtime.md, "Lifecycle": a creation that fails goes on where delete would, with the poststop hooks. */
static void poststop(const struct container *c)
{
	CLEANUP_BUF struct buf b = { 0 };

	if (!c->hooks_due || !c->spec.hooks[HOOK_POSTSTOP].n)
		return;
	buf_init(&b, 1 << 20);
	state_json(&b, c->spec.version, c->opt.id, "stopped", 0, c->bundle, c->spec.annotations, c->spec.annotations_n);
	hooks_run_all(&c->spec.hooks[HOOK_POSTSTOP], "poststop", b.data, b.len);
}

int container_create(struct container *c, struct err *err)
{
	int r = plan(c, err);

	if (r < 0)
		return r;
	r = create(c, err);
	if (r >= 0 && c->opt.run)
		r = runtime_hooks(c, HOOK_POSTSTART, "poststart", "running", err);
	if (r < 0) {
#ifdef SYS_FAULTS
		sys_fault_arm(0, 0);	/* the tests fail the way here, not the way back */
#endif
		undo_run(&c->undo);
		poststop(c);
		return blame_limit(c, r, err);
	}
	undo_forget(&c->undo);
	return 0;
}
