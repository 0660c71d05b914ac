/* cgroup_low.c - containers with little memory. The first half runs in
 * coracle-runtime, the steps in the container's process.
 *
 * Namespaces, mounts and a copied address space are hundreds of kilobytes of
 * kernel memory, charged to the group that the process is in while they are
 * made: under a small limit the process would be killed before it is a
 * container. So it is set up from the group that the runtime was started in. It
 * visits its own memory group once, as a cgroup namespace has its root where it
 * is made, and joins it when all is ready. Other containers take no step more. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

static const struct cgroup_hierarchy *memory_of(const struct cgroup *c)
{
	return c->pure_v2 ? &c->h[0] : cgroup_v1_find(c, "memory");
}

/* By the line of /proc/self/cgroup about h. */
int cgroup_home(const struct cgroup_hierarchy *h, char *out, size_t size)
{
	char text[4096];
	ssize_t n = fd_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof text);

	if (n < 0)
		return (int)n;
	for (char *p = text, *end; p && *p; p = end) {
		char *option = strchr(p, ':'), *where;

		end = strchr(p, '\n');
		if (end)
			*end++ = '\0';
		where = option ? strchr(option + 1, ':') : NULL;
		if (!where)
			continue;
		*where++ = '\0';
		if (strcmp(option + 1, h->option))
			continue;
		return snprintf(out, size, "%s%s%s", h->name, *h->name ? "" : ".", where) < (int)size ? 0 : -ENAMETOOLONG;
	}
	return -ENOENT;
}

static int open_home(const struct cgroup *c, const struct cgroup_hierarchy *h)
{
	char dir[CGROUP_PATH_MAX + 80], file[sizeof dir + 16];
	int r = cgroup_home(h, dir, sizeof dir);

	if (r < 0)
		return r;
	snprintf(file, sizeof file, "%s/%s", dir, h->v2 ? "cgroup.procs" : "tasks");
	return sys_openat(c->base, file, O_WRONLY, 0);
}

void cgroup_plan_low(struct cgroup *c, const struct spec_resources *res)
{
	const struct cgroup_hierarchy *h = memory_of(c);

	if (!res->has_mem_limit || res->mem_limit <= 0 || res->mem_limit >= CGROUP_LOW_MEMORY || !h || h->dir < 0)
		return;
	/* where either cannot be opened, all is charged to the container as it is with others */
	c->home = open_home(c, h);
	c->late = sys_openat(h->dir, h->v2 ? "cgroup.procs" : "tasks", O_WRONLY, 0);
	if (c->home >= 0 && c->late >= 0)
		return;
	fd_close(&c->home);
	fd_close(&c->late);
}

int cgroup_clone_fd(const struct cgroup *c)
{
	return c->pure_v2 && c->home >= 0 ? -1 : cgroup_unified_fd(c);
}

static int move(int to, const struct cgroup *c, const char *what, struct err *err)
{
	ssize_t n = to < 0 ? 0 : sys_write(to, "0", 1);

	return n < 0 ? err_set(err, (int)-n, "%s the memory cgroup %s", what, c->path) : 0;
}

int cgroup_step_out(const struct cgroup *c, struct err *err)
{
	return move(c->home, c, "leave", err);
}

int cgroup_step_in(const struct cgroup *c, struct err *err)
{
	return move(c->late, c, "join", err);
}

int cgroup_low_killed(const struct cgroup *c, int64_t limit, struct err *err)
{
	const struct cgroup_hierarchy *h = memory_of(c);
	char text[256], *p;

	if (limit <= 0 || limit >= CGROUP_LOW_MEMORY || !h || h->dir < 0)
		return 0;
	if (fd_read_small(h->dir, h->v2 ? "memory.events" : "memory.oom_control", text, sizeof text) < 0)
		return 0;
	p = strstr(text, "oom_kill ");
	if (!p || p[9] == '0')
		return 0;
	return err_set(err, 0, "linux.resources.memory.limit: %lld bytes are too little for this program: the kernel killed it (peak usage: %lld)",
		       (long long)limit, (long long)cgroup_read_int(h->dir, h->v2 ? "memory.peak" : "memory.max_usage_in_bytes"));
}
