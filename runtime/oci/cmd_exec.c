/* cmd_exec.c - exec: the command line, and what the new process is to be. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "runtime/oci/args.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/exec.h"
#include "runtime/oci/log.h"
#include "runtime/oci/verbs.h"

struct flags {
	const char *process, *cwd, *user, *apparmor, *selinux;
	struct args_list env, caps, gids, cgroups;
	bool detach, tty, no_new_privs, ignore_paused;
};

/* The whole text up to end as a user's or group's number. */
static bool number(const char *text, const char *end, uint32_t *out)
{
	char *stop;
	unsigned long n = strtoul(text, &stop, 10);

	*out = (uint32_t)n;
	return *text >= '0' && *text <= '9' && stop == end && n < UINT32_MAX;
}

static int parse_user(struct spec_process *p, const char *user, struct err *err)
{
	const char *colon = strchr(user, ':');
	uint32_t uid, gid = p->gid;

	if (!number(user, colon ? colon : user + strlen(user), &uid) || (colon && !number(colon + 1, user + strlen(user), &gid)))
		return err_set(err, 0, "--user: \"%s\" is not UID[:GID]", user);
	p->uid = uid;
	p->gid = gid;
	return 0;
}

static int add_env(struct spec *s, const struct args_list *add, struct err *err)
{
	size_t n = 0;
	char **env;

	while (s->process.env[n])
		n++;
	env = arena_array(&s->arena, n + add->n + 1, sizeof *env);
	if (!env)
		return err_set(err, ENOMEM, "--env");
	memcpy(env, s->process.env, n * sizeof *env);
	for (size_t i = 0; i < add->n; i++)
		memcpy(&env[n++], &add->item[i], sizeof *env);
	s->process.env = env;
	return 0;
}

static int add_groups(struct spec *s, const struct args_list *add, struct err *err)
{
	struct spec_process *p = &s->process;
	gid_t *groups = arena_array(&s->arena, p->groups_n + add->n, sizeof *groups);

	if (!groups)
		return err_set(err, ENOMEM, "--additional-gids");
	if (p->groups_n)
		memcpy(groups, p->groups, p->groups_n * sizeof *groups);
	for (size_t i = 0; i < add->n; i++)
		if (!number(add->item[i], add->item[i] + strlen(add->item[i]), &groups[p->groups_n++]))
			return err_set(err, 0, "--additional-gids: \"%s\" is not a group's number", add->item[i]);
	p->groups = groups;
	return 0;
}

static int add_caps(struct spec_process *p, const struct args_list *add, struct err *err)
{
	for (size_t i = 0; i < add->n; i++) {
		int n = caps_number(add->item[i]);
		uint64_t bit;

		if (n < 0)
			return err_set(err, 0, "--cap: unknown capability \"%s\"", add->item[i]);
		bit = UINT64_C(1) << n;
		p->caps.bounding |= bit;
		p->caps.effective |= bit;
		p->caps.permitted |= bit;
		/* an ambient capability must be inheritable, as runc gives it */
		if (p->caps.ambient) {
			p->caps.inheritable |= bit;
			p->caps.ambient |= bit;
		}
	}
	return 0;
}

/* Without --process: the container's own process with what the flags change. */
static int from_flags(struct spec *s, const struct flags *f, char **args, struct err *err)
{
	struct spec_process *p = &s->process;
	int r;

	if (!s->has_process)
		return err_set(err, 0, "the container has no process to take defaults from; use --process");
	p->args = args;
	p->terminal = f->tty;
	p->no_new_privs |= f->no_new_privs;
	if (f->cwd)
		p->cwd = f->cwd;
	if (f->apparmor)
		p->apparmor = f->apparmor;
	if (f->selinux)
		p->selinux = f->selinux;
	if ((f->user && (r = parse_user(p, f->user, err)) < 0) ||
	    (r = add_env(s, &f->env, err)) < 0 ||
	    (r = add_groups(s, &f->gids, err)) < 0 ||
	    (r = add_caps(p, &f->caps, err)) < 0)
		return r;
	return p->cwd[0] == '/' ? 0 : err_set(err, 0, "--cwd: \"%s\" is not an absolute path", p->cwd);
}

static int from_file(struct exec *e, const struct flags *f, struct err *err)
{
	static struct spec file;
	int r = spec_load_process(&file, f->process, err);

	if (r < 0)
		return r;
	/* the container's seccomp and namespaces stay; the process is the file's. Both live until we end. */
	e->spec.process = file.process;
	log_spec_warnings(&file);
	if (f->tty)
		e->spec.process.terminal = true;
	return e->spec.process.args ? 0 : err_set(err, 0, "%s: process.args: must not be empty", f->process);
}

static int run(struct exec *e, const struct flags *f, struct err *err)
{
	sigset_t all;
	int r;

	e->own_console = !f->detach;
	if (e->spec.process.terminal && f->detach && !e->console_socket)
		return err_set(err, 0, "cannot allocate tty if runc will detach without setting console socket");
	if (!f->detach) {
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
	}
	if ((r = exec_start(e, err)) < 0)
		return r;
	return f->detach ? 0 : wait_foreground(e->pid, e->master, -1, err);
}

static int prepare(struct exec *e, struct flags *f, int argc, char **argv, struct err *err)
{
	enum state_status st;
	int r;

	if ((r = spec_load(&e->spec, e->state.dir, "config.json", err)) < 0)
		return r;
	if (((r = state_open_cgroup(&e->state, &e->cgroup, err)) < 0 || (r = cgroup_open(&e->cgroup, err)) < 0) && r != -ENOENT)
		return r;
	st = state_status(&e->state, &e->cgroup);
	if (st == STATUS_CREATING)
		return err_set(err, 0, "cannot exec in a container that is being created");
	if (st == STATUS_STOPPED)
		return err_set(err, 0, "cannot exec in a stopped container");
	if (st == STATUS_PAUSED && !f->ignore_paused)
		return err_set(err, 0, "cannot exec in a paused container (use --ignore-paused to override)");
	if ((r = cgroup_sub(&e->cgroup, f->cgroups.item, f->cgroups.n, err)) < 0)
		return r;
	e->sub_cgroup = f->cgroups.n;
	if (f->process)
		return from_file(e, f, err);
	if (argc < 2)
		return verb_usage(err, "exec [OPTION]... ID PROGRAM [ARG]...");
	return from_flags(&e->spec, f, argv + 1, err);
}

int verb_exec(const struct globals *g, int argc, char **argv, struct err *err)
{
	static struct exec e;
	static struct flags f;
	const struct args_option options[] = {
		{ "process", 'p', ARGS_VALUE, &f.process }, { "detach", 'd', ARGS_FLAG, &f.detach }, { "tty", 't', ARGS_FLAG, &f.tty },
		{ "pid-file", 0, ARGS_VALUE, &e.pid_file }, { "console-socket", 0, ARGS_VALUE, &e.console_socket },
		{ "pidfd-socket", 0, ARGS_VALUE, &e.pidfd_socket },
		{ "preserve-fds", 0, ARGS_NUMBER, &e.preserve_fds }, { "cwd", 0, ARGS_VALUE, &f.cwd },
		{ "env", 'e', ARGS_LIST, &f.env }, { "user", 'u', ARGS_VALUE, &f.user },
		{ "additional-gids", 'g', ARGS_LIST, &f.gids }, { "cap", 'c', ARGS_LIST, &f.caps },
		{ "apparmor", 0, ARGS_VALUE, &f.apparmor }, { "process-label", 0, ARGS_VALUE, &f.selinux },
		{ "no-new-privs", 0, ARGS_FLAG, &f.no_new_privs }, { "ignore-paused", 0, ARGS_FLAG, &f.ignore_paused },
		{ "no-subreaper", 0, ARGS_FLAG, NULL }, { "cgroup", 0, ARGS_LIST, &f.cgroups },
	};
	int r, n = args_parse(argc, argv, options, ARRAY_SIZE(options), true, err);

	if (n < 0)
		return n;
	if (n < 1)
		return verb_usage(err, "exec [OPTION]... ID PROGRAM [ARG]...");
	/* before a descriptor of ours takes a number that was left free */
	if ((r = verb_check_fds(e.preserve_fds, err)) < 0)
		return err_wrap(err, r, "exec failed");
	e.cgroup.base = e.master = -1;
	if ((r = state_load(&e.state, g->root, argv[0], err)) < 0)
		return r;
	r = prepare(&e, &f, n, argv, err);
	if (r >= 0)
		r = run(&e, &f, err);
	return r < 0 ? err_wrap(err, r, "exec failed") : r;
}
