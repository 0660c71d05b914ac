/* init.c - the container's first process, from clone3 to execve. Runs in the
 * container's namespaces with the host's tree until rootfs_enter; it tells the
 * runtime what went wrong and leaves cleaning up to it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/container.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/labels.h"
#include "runtime/oci/proc.h"
#include "runtime/oci/process.h"
#include "runtime/oci/schedule.h"
#include "runtime/oci/state.h"
#include "runtime/oci/sync.h"
#include "runtime/oci/sysctl.h"
#include "runtime/oci/systemd.h"

static int wait_go(int fd, struct err *err)
{
	int m = sync_receive(fd, err);

	if (m == SYNC_GO)
		return 0;
	return m < 0 ? m : err_set(err, 0, "the runtime has ended");
}

/* Namespaces that need more than clone3's flags. */
static int settle(struct container *c, struct err *err)
{
	const struct spec_namespace *ns = c->spec.ns;
	int r;

	if (container_waits(c) && (r = wait_go(c->sync[1], err)) < 0)
		return r;
	if (c->opt.systemd && (r = systemd_adopt(&c->cgroup, c->opt.id, err)) < 0)
		return r;
	/* the users are mapped, so nobody needs to reach us by /proc any more (rootless; root did this at once) */
	if (ns[NS_USER].present && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "hide from the container");
	if (container_maps_users(c)) {
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			return err_set(err, errno, "become root of the user namespace (linux.uidMappings and gidMappings must map 0)");
	} else if ((c->spec.process.has_oom && (r = proc_set_oom(0, c->spec.process.oom_score_adj, err)) < 0) ||
		   (!c->opt.systemd && (r = cgroup_join(&c->cgroup, 0, cgroup_clone_fd(&c->cgroup) < 0, err)) < 0))
		return r;
	/* a runtime that was confined to some processors has left that to us */
	if (c->spec.resources.cpus && (r = schedule_affinity(NULL, "linux.resources.cpu.cpus", err)) < 0)
		return r;
	if ((r = namespaces_join(c, err)) < 0)
		return r;
	if (ns[NS_CGROUP].present && !ns[NS_CGROUP].path && (r = sys_unshare(CLONE_NEWCGROUP)) < 0)
		return err_set(err, -r, "make a cgroup namespace");
	return cgroup_step_out(&c->cgroup, err);
}

static int set_names(const struct spec *s, struct err *err)
{
	if (s->hostname && sethostname(s->hostname, strlen(s->hostname)) < 0)
		return err_set(err, errno, "set hostname \"%s\"", s->hostname);
	if (s->domainname && setdomainname(s->domainname, strlen(s->domainname)) < 0)
		return err_set(err, errno, "set domainname \"%s\"", s->domainname);
	return 0;
}

/* A session keyring of its own keeps the container away from the runtime's keys. Kernels without keys are no failure (as runc). */
static int new_keyring(const struct container *c, struct err *err)
{
	char name[300];

	if (c->opt.no_new_keyring)
		return 0;
	snprintf(name, sizeof name, "_ses.%s", c->opt.id);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0) < 0 && errno != ENOSYS)
		return err_set(err, errno, "make a session keyring (--no-new-keyring leaves it out)");
	return 0;
}

static int container_hooks(struct container *c, enum spec_hook_kind kind, const char *name, const char *status, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r;

	if (!c->spec.hooks[kind].n)
		return 0;
	buf_init(&b, 1 << 20);
	state_json(&b, c->spec.version, c->opt.id, status, getpid(), c->bundle, c->spec.annotations, c->spec.annotations_n);
	if ((r = buf_error(&b)) < 0)
		return err_set(err, -r, "state for the %s hooks", name);
	return hooks_run(&c->spec.hooks[kind], name, b.data, b.len, err);
}

static int build_root(struct container *c, struct err *err)
{
	const struct spec_process *p = &c->spec.process;
	int r;

	if ((r = rootfs_prepare(&c->rootfs, err)) < 0 ||
	    (r = rootfs_mount_all(&c->rootfs, err)) < 0 ||
	    (r = rootfs_make_devices(&c->rootfs, err)) < 0)
		return r;
	if (c->console >= 0) {
		r = console_setup(c->rootfs.fd, c->console, p->console_height, p->console_width, p->uid, c->spec.ns[NS_MNT].present, err);
		if (r < 0)
			return r;
		fd_close(&c->console);
	}
	if (c->spec.hooks[HOOK_PRESTART].n || c->spec.hooks[HOOK_CREATE_RUNTIME].n) {
		if ((r = sync_send(c->sync[1], SYNC_HOOKS, "")) < 0)
			return err_set(err, -r, "ask for hooks");
		if ((r = wait_go(c->sync[1], err)) < 0)
			return r;
	}
	if ((r = container_hooks(c, HOOK_CREATE_CONTAINER, "createContainer", "creating", err)) < 0 ||
	    (r = sysctl_apply(&c->spec, err)) < 0 ||
	    (r = rootfs_mask_paths(&c->rootfs, err)) < 0 ||
	    (r = labels_set(p, !c->opt.no_new_keyring, err)) < 0 ||
	    (r = rootfs_enter(&c->rootfs, c->opt.no_pivot, err)) < 0)
		return r;
	return 0;
}

/* Everything up to the point that a created container has reached. */
static int prepare(struct container *c, char ***env, const char **program, struct err *err)
{
	struct spec *s = &c->spec;
	int r;

	setsid();
	umask(0);
	if ((r = settle(c, err)) < 0 ||
	    (r = set_names(s, err)) < 0 ||
	    (r = build_root(c, err)) < 0)
		return r;
	umask(022);
	if ((r = new_keyring(c, err)) < 0)
		return r;
	if (!s->has_process || !s->process.args)
		return cgroup_step_in(&c->cgroup, err);
	if ((r = process_set_limits(s, err)) < 0 || (r = process_enter_cwd(&s->process, true, err)) < 0)
		return r;
	if (s->process.uid)
		process_own_stdio(s->process.uid);
	*env = process_environment(s, c->opt.listen_fds, err);
	if (!*env)
		return -ENOMEM;
	if ((r = process_become_user(&s->process, err)) < 0)
		return r;
	*program = process_find_program(s, *env, err);
	return *program ? cgroup_step_in(&c->cgroup, err) : -ENOENT;
}

static int check_program(const struct container *c, struct err *err)
{
	if (!c->spec.has_process || !c->spec.process.args)
		return err_set(err, 0, "process%s: missing in config.json, so there is nothing to start", c->spec.has_process ? ".args" : "");
	return 0;
}

/* Waits on start.sock for a `start` that says go; one that goes away before is forgotten. Nothing to start: stays created. */
static int wait_start(struct container *c, struct err *err)
{
	for (;;) {
		int fd = accept4(c->start, NULL, NULL, SOCK_CLOEXEC);
		struct err ignored;

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return err_set(err, errno, "wait for start");
		if (sync_receive(fd, &ignored) == SYNC_GO) {
			if (check_program(c, &ignored) == 0)
				return fd;
			sync_send_error(fd, &ignored);
		}
		close(fd);
	}
}

static int execute(struct container *c, char **env, const char *program, int report, struct err *err)
{
	const struct spec_process *p = &c->spec.process;
	int r;

	c->seccomp.report = report;
	if ((r = process_close_rest(c->opt.preserve_fds, err)) < 0 || (r = process_confine(p, &c->seccomp, err)) < 0)
		return r;
	return process_exec(program, p, env, err);
}

_Noreturn void container_init(struct container *c)
{
	struct err err = ERR_INIT;
	const char *program = NULL;
	char **env = NULL;
	sigset_t none;
	int report = c->sync[1];

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* close-on-exec does not help while we wait: the runtime's end would keep us from seeing its death */
	fd_close(&c->sync[0]);
	if (prepare(c, &env, &program, &err) < 0 || sync_send(report, SYNC_READY, "") < 0)
		goto fail;
	if (!c->opt.run) {
		fd_close(&c->sync[1]);
		report = wait_start(c, &err);
		if (report < 0)
			_exit(1);
		fd_close(&c->start);
	} else if (check_program(c, &err) < 0)
		goto fail;
	if (container_hooks(c, HOOK_START_CONTAINER, "startContainer", "created", &err) < 0) {
		sync_send(report, SYNC_HOOK_FAILED, err.text);
		_exit(1);
	}
	execute(c, env, program, report, &err);
fail:
	sync_send_error(report, &err);
	_exit(1);
}
