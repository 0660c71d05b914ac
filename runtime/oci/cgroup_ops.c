/* cgroup_ops.c - the processes of a container's control group: list, signal,
 * freeze, and removing the group. Runs in coracle-runtime, outside the container. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

#define DEPTH_MAX 32
#define REMOVE_WAIT_MS 10000

/* The hierarchy that tells which processes are the container's: any one does;
 * the freezer's has the last word on freezing. */
static const struct cgroup_hierarchy *main_hierarchy(const struct cgroup *c)
{
	const struct cgroup_hierarchy *best = NULL;

	for (int i = 0; i < c->n; i++)
		if (c->h[i].dir >= 0 && (!best || !strcmp(c->h[i].name, "freezer") || c->pure_v2))
			best = &c->h[i];
	return best;
}

static int each_in_dir(int dir, int depth, int (*fn)(pid_t, void *), void *arg)
{
	CLEANUP_FREE char *text = NULL;
	struct err ignored;
	DIR *d;
	struct dirent *e;
	int fd, r = fd_read_file(dir, "cgroup.procs", 4 << 20, &text, NULL, &ignored);

	if (r < 0 && r != -EOPNOTSUPP && r != -ENOENT && r != -ENODEV)
		return r;
	for (char *p = text; p && *p; ) {
		char *end;
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		if (pid > 0 && (r = fn((pid_t)pid, arg)) < 0)
			return r;
		p = end + strspn(end, "\n");
	}
	if (depth == DEPTH_MAX)
		return 0;
	fd = sys_openat(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	r = 0;
	while (r == 0 && (e = readdir(d))) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		fd = sys_openat(dir, e->d_name, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			continue;	/* gone meanwhile */
		r = each_in_dir(fd, depth + 1, fn, arg);
		close(fd);
	}
	closedir(d);
	return r;
}

int cgroup_each_pid(const struct cgroup *c, int (*fn)(pid_t pid, void *arg), void *arg, struct err *err)
{
	const struct cgroup_hierarchy *h = main_hierarchy(c);
	int r = h ? each_in_dir(h->dir, 0, fn, arg) : 0;

	return r < 0 ? err_set(err, -r, "list the processes of the cgroup %s", c->path) : 0;
}

static int signal_one(pid_t pid, void *arg)
{
	int r = sys_kill(pid, *(int *)arg);

	return r == -ESRCH ? 0 : r;
}

int cgroup_signal(const struct cgroup *c, int sig, struct err *err)
{
	const struct cgroup_hierarchy *h = main_hierarchy(c);

	struct err ignored;
	bool freeze;
	int r;

	if (h && h->v2 && sig == SIGKILL && fd_write_small(h->dir, "cgroup.kill", "1") == 0)
		return 0;
	/* v1: what forks faster than we read the list stands still meanwhile; the signal is there when it goes on */
	freeze = sig == SIGKILL && h && !strcmp(h->name, "freezer") && cgroup_freeze(c, true, &ignored) >= 0;
	r = cgroup_each_pid(c, signal_one, &sig, err);
	if (freeze)
		cgroup_freeze(c, false, &ignored);
	return r;
}

int cgroup_frozen(const struct cgroup *c)
{
	const struct cgroup_hierarchy *h = main_hierarchy(c);
	char text[128];

	if (!h)
		return 0;
	if (h->v2)
		return fd_read_small(h->dir, "cgroup.events", text, sizeof text) > 0 && strstr(text, "frozen 1");
	return fd_read_small(h->dir, "freezer.state", text, sizeof text) > 0 && !strcmp(text, "FROZEN");
}

/* cgroup.freeze answers before the last process stands still; cgroup.events tells. */
static int freeze_v2(int dir, bool frozen, struct err *err)
{
	CLEANUP_FD int fd = -1;
	int r = cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0", err);

	if (r < 0)
		return r;
	fd = sys_openat(dir, "cgroup.events", O_RDONLY, 0);
	while (fd >= 0) {
		struct pollfd p = { fd, POLLPRI, 0 };
		char text[128];
		ssize_t n = pread(fd, text, sizeof text - 1, 0);

		if (n <= 0)
			break;
		text[n] = '\0';
		if (strstr(text, frozen ? "frozen 1" : "frozen 0"))
			return 0;
		if (poll(&p, 1, REMOVE_WAIT_MS) == 0)
			return err_set(err, ETIMEDOUT, "wait for the processes to %s", frozen ? "stop" : "go on");
	}
	return fd < 0 ? err_set(err, -fd, "open cgroup.events") : 0;
}

static void nap(long ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

int cgroup_freeze(const struct cgroup *c, bool frozen, struct err *err)
{
	const struct cgroup_hierarchy *h = main_hierarchy(c);
	const char *want = frozen ? "FROZEN" : "THAWED";

	if (!h || (!h->v2 && strcmp(h->name, "freezer")))
		return err_set(err, ENOTSUP, "the host has no freezer");
	if (h->v2)
		return freeze_v2(h->dir, frozen, err);
	/* v1 can stay FREEZING while a task forks, and sends no event: write it again, as kernel documentation says */
	for (int tries = 0; tries < 1000; tries++) {
		char text[32];
		int r = cgroup_write(h->dir, "freezer.state", want, err);

		if (r < 0)
			return r;
		if (fd_read_small(h->dir, "freezer.state", text, sizeof text) > 0 && !strcmp(text, want))
			return 0;
		nap(1);
	}
	return err_set(err, ETIMEDOUT, "freezer.state did not become %s", want);
}

static int remove_tree(int parent, const char *name, int depth)
{
	int r = sys_unlinkat(parent, name, AT_REMOVEDIR);
	struct dirent *e;
	DIR *d;
	int fd;

	/* -ENOTEMPTY comes from a directory in the place of a hierarchy that is not mounted: none of ours */
	if (r != -EBUSY)
		return r == -ENOENT || r == -ENOTEMPTY ? 0 : r;
	fd = depth < DEPTH_MAX ? sys_openat(parent, name, O_RDONLY | O_DIRECTORY, 0) : -ELOOP;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	while ((e = readdir(d)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			remove_tree(dirfd(d), e->d_name, depth + 1);
	closedir(d);
	r = sys_unlinkat(parent, name, AT_REMOVEDIR);
	return r == -ENOENT ? 0 : r;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void kill_left(struct cgroup *c)
{
	struct err ignored;
	bool open = false;

	for (int i = 0; i < c->n; i++)
		open |= c->h[i].dir >= 0;
	if (open || cgroup_open_main(c, &ignored) >= 0)
		cgroup_signal(c, SIGKILL, &ignored);
}

/* A killed process holds its group until it has exited. v2 reports that by
 * cgroup.events; v1 has no event, so it is tried again after a moment. */
static int remove_one(struct cgroup *c, struct cgroup_hierarchy *h, bool *killed)
{
	char path[CGROUP_PATH_MAX + 80];
	long end = 0;
	int r;

	snprintf(path, sizeof path, "%s%s%s", h->name, *h->name ? "/" : "", c->path);
	while ((r = remove_tree(c->base, path, 0)) == -EBUSY) {
		if (!end) {
			end = now_ms() + REMOVE_WAIT_MS;
			if (!*killed)
				kill_left(c);
			*killed = true;
		} else if (now_ms() > end)
			break;
		if (h->v2) {
			CLEANUP_FD int fd = h->dir < 0 ? -1 : sys_openat(h->dir, "cgroup.events", O_RDONLY, 0);
			struct pollfd p = { fd, POLLPRI, 0 };
			char text[128];

			if (fd < 0 || read(fd, text, sizeof text) <= 0 || strstr(text, "populated 0"))
				nap(1);
			else
				poll(&p, 1, 100);
		} else
			nap(1);
	}
	return r;
}

int cgroup_remove(struct cgroup *c, bool all, struct err *err)
{
	bool killed = false;
	int first = 0;

	for (int i = 0; i < c->n; i++) {
		struct cgroup_hierarchy *h = &c->h[i];
		int r;

		if (!h->created && !all)
			continue;
		r = remove_one(c, h, &killed);
		if (r < 0 && !first)
			first = err_set(err, -r, "remove the cgroup %s/%s/%s", CGROUP_ROOT, h->name, c->path);
	}
	return first;
}
