/* exec.c - starts a further process in a container. The first half runs in the
 * runtime, the second in the new process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/console.h"
#include "runtime/oci/exec.h"
#include "runtime/oci/labels.h"
#include "runtime/oci/notify.h"
#include "runtime/oci/process.h"
#include "runtime/oci/proc.h"
#include "runtime/oci/schedule.h"
#include "runtime/oci/sync.h"
#include "runtime/oci/verbs.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int join(const struct exec *e, struct err *err)
{
	static const int FLAGS[NS_COUNT] = {
		CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME
	};
	int flags = 0, r;

	for (int i = 0; i < NS_COUNT; i++)
		if (e->state.namespaces >> i & 1 && i != NS_PID && (i != NS_USER || !e->in_userns))
			flags |= FLAGS[i];
	r = sys_setns(e->pidfd, flags);
	if (r < 0)
		return err_set(err, -r, "join the container's namespaces");
	if ((flags & CLONE_NEWUSER || e->in_userns) && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_set(err, errno, "become root of the user namespace");
	/* --no-pivot containers have their root by chroot */
	if (fchdir(e->root) < 0 || chroot(".") < 0)
		return err_set(err, errno, "enter the container's root");
	return 0;
}

static int become(struct exec *e, struct err *err)
{
	struct spec_process *p = &e->spec.process;
	const char *program;
	char **env;
	int r;

	setsid();
	if (p->has_oom && !e->in_userns && (r = proc_set_oom(0, p->oom_score_adj, err)) < 0)
		return r;
	if (cgroup_clone_fd(&e->cgroup) < 0 || !e->cgroup.pure_v2)
		if ((r = cgroup_join(&e->cgroup, 0, cgroup_clone_fd(&e->cgroup) < 0, err)) < 0)
			return r;
	/* after the group's cpuset; without a final list the container's own is what the group allows */
	if ((p->cpus_initial || p->cpus_final) && (r = schedule_affinity(p->cpus_final, "process.execCPUAffinity.final", err)) < 0)
		return r;
	if ((r = cgroup_step_out(&e->cgroup, err)) < 0 || (r = labels_set(p, false, err)) < 0 || (r = join(e, err)) < 0)
		return r;
	if (e->console >= 0) {
		r = console_setup(e->root, e->console, p->console_height, p->console_width, p->uid, 0, err);
		if (r < 0)
			return r;
	} else if (p->uid)
		process_own_stdio(p->uid);
	if ((r = process_set_limits(&e->spec, err)) < 0 || (r = process_enter_cwd(p, false, err)) < 0)
		return r;
	env = process_environment(&e->spec, 0, err);
	if (!env)
		return -ENOMEM;
	if ((r = process_become_user(p, err)) < 0)
		return r;
	program = process_find_program(&e->spec, env, err);
	if (!program)
		return -ENOENT;
	if ((r = cgroup_step_in(&e->cgroup, err)) < 0)
		return r;
	/* from here on the container's filter may refuse what we do: only execve is left, as in init.c */
	e->seccomp.report = e->sync[1];
	if ((r = sync_send(e->sync[1], SYNC_READY, "")) < 0)
		return err_set(err, -r, "report");
	if ((r = process_close_rest(e->preserve_fds, err)) < 0 || (r = process_confine(p, &e->seccomp, err)) < 0)
		return r;
	return process_exec(program, p, env, err);
}

static _Noreturn void child(struct exec *e)
{
	struct err err = ERR_INIT;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd_close(&e->sync[0]);
	become(e, &err);
	sync_send_error(e->sync[1], &err);
	_exit(1);
}

static int open_container(struct exec *e, struct err *err)
{
	char path[32];

	e->pidfd = state_pidfd(&e->state);
	if (e->pidfd < 0)
		return err_set(err, 0, "cannot exec in a stopped container");
	snprintf(path, sizeof path, "/proc/%d/root", (int)e->state.pid);
	e->root = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (e->root < 0)
		return err_set(err, -e->root, "open the container's root");
	/* the pid was the container's before and is now: so it was when its root was opened */
	return sys_pidfd_send_signal(e->pidfd, 0) < 0 ? err_set(err, 0, "cannot exec in a stopped container") : 0;
}

/* A pid namespace is joined by one's children, so by the runtime before clone3. Without privilege that takes the
 * container's user namespace: the runtime enters it too. Nobody in the container can see the runtime, whose pid
 * namespace is outside. */
static int join_pid(struct exec *e, struct err *err)
{
	int r = sys_setns(e->pidfd, CLONE_NEWPID);

	if (r != -EPERM || !(e->state.namespaces >> NS_USER & 1))
		return r < 0 ? err_set(err, -r, "join the container's pid namespace") : 0;
	/* inherited; once not dumpable, nobody but root may write the child's */
	if (e->spec.process.has_oom && (r = proc_set_oom(0, e->spec.process.oom_score_adj, err)) < 0)
		return r;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = sys_setns(e->pidfd, CLONE_NEWUSER | CLONE_NEWPID);
	e->in_userns = r >= 0;
	return r < 0 ? err_set(err, -r, "join the container's user and pid namespaces") : 0;
}

static int spawn(struct exec *e, struct err *err)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };
	int into, r;

	cgroup_plan_low(&e->cgroup, &e->spec.resources);
	into = cgroup_clone_fd(&e->cgroup);
	if (into >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)into;
	}
	if (e->state.namespaces >> NS_PID & 1 && (r = join_pid(e, err)) < 0)
		return r;
	e->pid = sys_clone3(&args, sizeof args);
	if (e->pid == -EBUSY && into >= 0 && !e->sub_cgroup && (into = cgroup_unified_of(&e->cgroup, e->state.pid)) >= 0) {
		args.cgroup = (unsigned)into;
		e->pid = sys_clone3(&args, sizeof args);
	}
	if (e->pid == 0)
		child(e);
	return e->pid < 0 ? err_set(err, -e->pid, "clone3") : 0;
}

/* SYNC_READY, then perhaps a listener, then the end by execve. */
static int wait_executed(struct exec *e, struct err *err)
{
	int passed = -1, m = sync_receive(e->sync[0], err), r;

	if (m == SYNC_EOF)
		return err_set(err, 0, "the process was killed while it was set up");
	if (m == SYNC_READY)
		m = sync_receive_fd(e->sync[0], &passed, err);
	if (m == SYNC_LISTENER) {
		struct notify n = { e->state.id, e->state.bundle, "running", e->state.pid, e->pid };
		char fd[16];

		snprintf(fd, sizeof fd, "%.15s", err->text);
		if ((r = notify_serve(&e->spec, &n, e->sync[0], fd, passed, err)) < 0)
			return r;
		m = sync_receive(e->sync[0], err);
	}
	return m == SYNC_EOF ? 0 : m < 0 ? m : -EINVAL;
}

static int finish(struct exec *e, int pair[2], struct err *err)
{
	char text[16];
	int r;

	if (pair[0] >= 0) {
		e->master = console_receive(pair[0], err);
		fd_close(&pair[0]);
	}
	if ((r = wait_executed(e, err)) < 0)
		return r;
	if (e->pid_file) {
		CLEANUP_FD int fd = sys_openat(AT_FDCWD, e->pid_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		snprintf(text, sizeof text, "%d", (int)e->pid);
		r = fd < 0 ? fd : fd_write_full(fd, text, strlen(text));
		if (r < 0)
			return err_set(err, -r, "write the pid file %s", e->pid_file);
	}
	return verb_send_pidfd(e->pidfd_socket, e->pid, "setns", err);
}

int exec_start(struct exec *e, struct err *err)
{
	int pair[2] = { -1, -1 }, r;

	e->console = e->master = e->sync[0] = e->sync[1] = e->root = e->pidfd = -1;
	if ((r = labels_check(&e->spec.process, err)) < 0 ||
	    (e->spec.process.cpus_initial && (r = schedule_affinity(e->spec.process.cpus_initial, "process.execCPUAffinity.initial", err)) < 0))
		return r;
	if ((r = seccomp_compile(&e->spec, &e->seccomp, err)) < 0 || (r = open_container(e, err)) < 0)
		return r;
	if (e->spec.process.terminal) {
		if (e->console_socket)
			e->console = console_connect(e->console_socket, err);
		else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return err_set(err, errno, "make a socket");
		else
			e->console = pair[1];
		if (e->console < 0)
			return e->console;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, e->sync) < 0)
		return err_set(err, errno, "make a socket");
	if ((r = spawn(e, err)) < 0)
		return r;
	fd_close(&e->sync[1]);
	fd_close(&e->console);
	r = finish(e, pair, err);
	if (r < 0) {
		sys_kill(e->pid, SIGKILL);
		while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return r;
}
