/* cmd_delete.c - delete: removes what a container has left. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/hooks.h"
#include "runtime/oci/systemd.h"
#include "runtime/oci/verbs.h"

#define KILL_WAIT_MS 10000

/* Kills the first process and waits until it has ended. */
static int stop(const struct state *s, struct err *err)
{
	CLEANUP_FD int fd = state_pidfd(s);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd < 0)
		return 0;
	sys_pidfd_send_signal(fd, SIGKILL);
	if (poll(&p, 1, KILL_WAIT_MS) == 0)
		return err_set(err, 0, "container init still running");
	return 0;
}

static void poststop(const struct state *s)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct spec spec = { 0 };
	struct err ignored;

	if (!s->has_hooks || spec_load(&spec, s->dir, "config.json", &ignored) < 0)
		return;
	buf_init(&b, 1 << 20);
	state_json(&b, spec.version, s->id, "stopped", 0, s->bundle, spec.annotations, spec.annotations_n);
	hooks_run_all(&spec.hooks[HOOK_POSTSTOP], "poststop", b.data, b.len);
	spec_free(&spec);
}

static void remove_resctrl(const struct state *s)
{
	yyjson_arr_iter it;
	yyjson_val *v;

	if (!s->resctrl)
		return;
	yyjson_arr_iter_init(s->resctrl, &it);
	while ((v = yyjson_arr_iter_next(&it)))
		if (yyjson_is_str(v))
			sys_unlinkat(AT_FDCWD, yyjson_get_str(v), AT_REMOVEDIR);
}

int delete_container(const struct globals *g, struct state *s, struct err *err)
{
	struct cgroup cg = { .base = -1 };
	int r = cgroup_init(&cg, s->cgroup, s->id, err);

	if (r >= 0) {
		struct err ignored;

		cgroup_open_main(&cg, &ignored);
		/* a frozen process cannot die */
		if (cgroup_frozen(&cg))
			cgroup_freeze(&cg, false, &ignored);
	}
	if (r >= 0)
		r = stop(s, err);
	if (r >= 0 && (s->cgroup_ours || *s->unit))
		r = cgroup_remove(&cg, true, err);
	if (*s->unit)
		systemd_stop(s->unit);
	cgroup_fini(&cg);
	if (r < 0)
		return r;
	remove_resctrl(s);
	poststop(s);
	state_remove_dir(g->root, s->id);
	return 0;
}

static int is_used(pid_t pid, void *arg)
{
	(void)pid;
	*(bool *)arg = true;
	return 0;
}

/* A creation that was cut off (power, SIGKILL) left a directory without state.json, or the file is damaged: nothing says which process was
 * the container's, so none is killed. The control group tells whether one is there. */
static int delete_remains(const struct globals *g, const struct state *s, struct err *err)
{
	struct cgroup cg = { .base = -1 };
	struct spec spec = { 0 };
	char path[CGROUP_PATH_MAX];
	struct err ignored;
	bool used = false;
	int r = 0;

	if (spec_load(&spec, s->dir, "config.json", &ignored) == 0 && cgroup_init(&cg, cgroup_absolute(spec.cgroups_path, path), s->id, &ignored) == 0 &&
	    cgroup_open(&cg, &ignored) == 0) {
		if (cgroup_each_pid(&cg, is_used, &used, &ignored) < 0 || used)
			r = err_set(err, 0, "%s/%s/state.json is missing or damaged, and its control group %s has processes: end them first", g->root, s->id, cg.path);
		else
			r = cgroup_remove(&cg, true, err);
	}
	cgroup_fini(&cg);
	spec_free(&spec);
	if (r == 0)
		state_remove_dir(g->root, s->id);
	return r;
}

int verb_delete(const struct globals *g, int argc, char **argv, struct err *err)
{
	bool force = false;
	const struct args_option options[] = { { "force", 'f', ARGS_FLAG, &force } };
	int r, n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	enum state_status st;
	struct state s;

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, "delete [--force] ID");
	r = state_load(&s, g->root, argv[0], err);
	if (r < 0) {
		if (force && s.dir >= 0 && (r == -ENOENT || r == -EINVAL))
			r = delete_remains(g, &s, err);
		else if (force && r == -ENOENT)
			r = 0;
		state_fini(&s);
		return r;
	}
	st = state_status(&s, NULL);
	if (st != STATUS_STOPPED && st != STATUS_CREATED && !force)
		r = err_set(err, 0, "cannot delete container %s that is not stopped: %s", s.id, state_status_name(st));
	else
		r = delete_container(g, &s, err);
	state_fini(&s);
	return r;
}
