/* cgroup_sub.c - groups inside the container's own: exec --cgroup, and where a
 * container has put its first process. Runs in coracle-runtime. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

/* Puts the descriptor of a group below in the place of h's. */
static int descend(struct cgroup_hierarchy *h, const char *path, struct err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd;

	path += strspn(path, "/");
	if (!*path)
		return 0;
	fd = sys_openat2(h->dir, path, &how);
	if (fd == -EXDEV || fd == -ELOOP)
		return err_set(err, 0, "--cgroup: %s is not a sub cgroup path", path);
	if (fd < 0)
		return err_set(err, -fd, "--cgroup: open %s in the container's %s cgroup", path, h->name);
	fd_close(&h->dir);
	h->dir = fd;
	return 0;
}

static int one_path(struct cgroup *c, const char *path, struct err *err)
{
	for (int i = 0; i < c->n; i++) {
		struct cgroup_hierarchy *h = &c->h[i];
		/* hybrid: the hierarchies without controllers need not have it */
		bool must = c->pure_v2 || (!h->v2 && strncmp(h->option, "name=", 5));
		int r = h->dir < 0 ? 0 : descend(h, path, err);

		if (r < 0 && (must || r != -ENOENT))
			return r;
	}
	return 0;
}

/* "cpu,memory:PATH" */
static int by_controllers(struct cgroup *c, const char *arg, const char *path, bool seen[CGROUP_HIERARCHIES], struct err *err)
{
	for (const char *p = arg; p <= path; ) {
		size_t n = strcspn(p, ",:");
		const struct cgroup_hierarchy *h;
		char name[64];
		int r;

		if (!n || n >= sizeof name)
			return err_set(err, 0, "invalid --cgroup argument: %s (empty <controller> prefix)", arg);
		memcpy(name, p, n);
		name[n] = '\0';
		h = cgroup_v1_find(c, name);
		if (!h || h->dir < 0)
			return err_set(err, 0, "invalid --cgroup argument: %s (unknown controller %s)", arg, name);
		/* two controllers of one hierarchy name the same place */
		if (!seen[h - c->h] && (r = descend(&c->h[h - c->h], path + 1, err)) < 0)
			return r;
		seen[h - c->h] = true;
		p += n + 1;
	}
	return 0;
}

int cgroup_sub(struct cgroup *c, const char *const *args, size_t n, struct err *err)
{
	bool seen[CGROUP_HIERARCHIES] = { false };

	for (size_t i = 0; i < n; i++) {
		const char *colon = strchr(args[i], ':');
		int r;

		if (!colon && n != 1)
			return err_set(err, 0, "invalid --cgroup argument: %s (missing <controller>: prefix)", args[i]);
		if (colon && c->pure_v2)
			return err_set(err, 0, "invalid --cgroup argument: %s (cgroup v2 has one path, without a controller)", args[i]);
		r = colon ? by_controllers(c, args[i], colon, seen, err) : one_path(c, args[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_unified_of(const struct cgroup *c, pid_t pid)
{
	char file[40], text[4096], path[CGROUP_PATH_MAX + 96], *p;

	snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
	if (fd_read_small(AT_FDCWD, file, text, sizeof text) < 0 || !(p = strstr(text, "0::/")))
		return -ENOENT;
	p += 3;
	p[strcspn(p, "\n")] = '\0';
	snprintf(path, sizeof path, "%s%s", c->pure_v2 ? "." : "unified", p);
	return sys_openat(c->base, path, O_RDONLY | O_DIRECTORY, 0);
}
