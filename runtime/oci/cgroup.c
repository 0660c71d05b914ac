/* cgroup.c - finding, making and opening a container's control groups. Runs in
 * coracle-runtime, outside the container; never removes what others made. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

/* One line of /proc/self/cgroup: "4:memory:/path", "9:name=systemd:/", "0::/". */
static void add_hierarchy(struct cgroup *c, char *line)
{
	char *controllers = strchr(line, ':'), *end;
	struct cgroup_hierarchy *h = &c->h[c->n];

	if (!controllers || c->n == CGROUP_HIERARCHIES)
		return;
	controllers++;
	end = strchr(controllers, ':');
	if (!end || end - controllers >= (int)sizeof h->name)
		return;
	*end = '\0';
	h->v2 = !*controllers;
	snprintf(h->option, sizeof h->option, "%s", controllers);
	snprintf(h->name, sizeof h->name, "%s", h->v2 ? "unified" : strncmp(controllers, "name=", 5) ? controllers : controllers + 5);
	h->dir = -1;
	h->created = h->left_out = false;
	c->n++;
}

static int find_hierarchies(struct cgroup *c, struct err *err)
{
	char text[4096], *line, *save = NULL;
	ssize_t n = fd_read_small(AT_FDCWD, "/proc/self/cgroup", text, sizeof text);

	if (n < 0)
		return err_set(err, (int)-n, "read /proc/self/cgroup");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_hierarchy(c, line);
	return 0;
}

static int set_path(struct cgroup *c, const char *path, const char *id, struct err *err)
{
	int n = path && *path ? snprintf(c->path, sizeof c->path, "%s", path + strspn(path, "/"))
			      : snprintf(c->path, sizeof c->path, "coracle/%s", id);

	if (n >= (int)sizeof c->path)
		return err_set(err, 0, "linux.cgroupsPath: longer than %d bytes", CGROUP_PATH_MAX);
	while (n > 0 && c->path[n - 1] == '/')
		c->path[--n] = '\0';
	if (!n)
		return err_set(err, 0, "linux.cgroupsPath: \"%s\" is the root group", path);
	for (const char *p = c->path; *p; p += strcspn(p, "/"), p += strspn(p, "/"))
		if (!strncmp(p, "..", 2) && (p[2] == '/' || !p[2]))
			return err_set(err, 0, "linux.cgroupsPath: \"%s\" leaves its hierarchy", path);
	if (strchr(c->path, ':'))
		return err_set(err, 0, "linux.cgroupsPath: \"%s\" is a systemd name; use --systemd-cgroup, or give a path", path);
	return 0;
}

int cgroup_init(struct cgroup *c, const char *cgroups_path, const char *id, struct err *err)
{
	struct statfs fs;
	int r;

	c->n = 0;
	c->home = c->late = -1;
	c->pure_v2 = false;
	c->named = cgroups_path && *cgroups_path;
	c->base = sys_openat(AT_FDCWD, CGROUP_ROOT, O_PATH | O_DIRECTORY, 0);
	if (c->base < 0)
		return err_set(err, -c->base, "open " CGROUP_ROOT);
	if ((r = set_path(c, cgroups_path, id, err)) < 0)
		return r;
	if (fstatfs(c->base, &fs) < 0)
		return err_set(err, errno, "statfs " CGROUP_ROOT);
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return find_hierarchies(c, err);
	c->pure_v2 = true;
	c->n = 1;
	c->h[0] = (struct cgroup_hierarchy){ .v2 = true, .dir = -1 };
	return 0;
}

void cgroup_fini(struct cgroup *c)
{
	if (c->base < 0)
		return;
	for (int i = 0; i < c->n; i++)
		fd_close(&c->h[i].dir);
	fd_close(&c->base);
	fd_close(&c->home);
	fd_close(&c->late);
	c->n = 0;
}

static int full_path(const struct cgroup *c, const struct cgroup_hierarchy *h, char *out, size_t size)
{
	return snprintf(out, size, "%s%s%s", h->name, *h->name ? "/" : "", c->path);
}

/* A hierarchy that is not mounted here does not count, also when there are directories in its place (crun makes such). */
static int is_group(const struct cgroup_hierarchy *h, int dir)
{
	struct statfs fs;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	if (!*h->name)
		return 1;
	if (fstatfs(dir, &fs) < 0)
		return -errno;
	return fs.f_type == (h->v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

static bool mounted(const struct cgroup *c, const struct cgroup_hierarchy *h)
{
	CLEANUP_FD int dir = *h->name ? sys_openat(c->base, h->name, O_PATH | O_DIRECTORY, 0) : -1;

	return !*h->name || is_group(h, dir) > 0;
}

/* mkdir -p below the base; *made tells whether the last directory is new. */
static int make_dirs(const struct cgroup *c, const struct cgroup_hierarchy *h, char *path, bool *made)
{
	int r = -ENOENT;

	/* mostly the directories above are there; whether in a hierarchy is looked at when it is open */
	if (strchr(c->path, '/'))
		r = sys_mkdirat(c->base, path, 0755);
	*made = r == 0;
	if (r != -ENOENT)
		return r == -EEXIST ? 0 : r;
	if (!mounted(c, h))
		return -ENODEV;
	for (char *p = strchr(path + strlen(h->name) + (*h->name != 0), '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		r = sys_mkdirat(c->base, path, 0755);
		*p = '/';
		if (r < 0 && r != -EEXIST)
			return r;
	}
	r = sys_mkdirat(c->base, path, 0755);
	*made = r == 0;
	return r == -EEXIST ? 0 : r;
}

/* A group of others may be used, when nothing is in it and it lets processes run. */
static int refuse_used(const struct cgroup_hierarchy *h, const char *path, struct err *err)
{
	char one[16];
	ssize_t n = fd_read_small(h->dir, "cgroup.procs", one, sizeof one);

	if (n > 0 || n == -EFBIG)
		return err_set(err, 0, "the container's cgroup %s is not empty", path);
	if (n < 0 && n != -EOPNOTSUPP)
		return err_set(err, (int)-n, "read cgroup.procs of %s", path);
	if (!h->v2 && strcmp(h->name, "freezer"))
		return 0;
	n = fd_read_small(h->dir, h->v2 ? "cgroup.freeze" : "freezer.state", one, sizeof one);
	if (n > 0 && strcmp(one, h->v2 ? "0" : "THAWED"))
		return err_set(err, 0, "the container's cgroup %s is unexpectedly frozen (thaw it, or choose another linux.cgroupsPath)", path);
	return 0;
}

static int apply(const struct cgroup *c, const struct cgroup_hierarchy *h, const struct spec_resources *res, struct err *err)
{
	int r;

	if (h->v2)
		return c->pure_v2 ? cgroup_v2_apply(c, h, res, err) : 0;
	if (h->created && !strcmp(h->name, "cpuset") && (r = cgroup_v1_prepare_cpuset(c, h, err)) < 0)
		return r;
	return cgroup_v1_apply(h, res, err);
}

static int create_one(struct cgroup *c, struct cgroup_hierarchy *h, const struct spec_resources *res, struct err *err)
{
	char path[CGROUP_PATH_MAX + 80];
	int r;

	full_path(c, h, path, sizeof path);
	r = make_dirs(c, h, path, &h->created);
	if (r == -ENODEV)
		return 0;
	if (r < 0) {
		err_set(err, -r, "make the cgroup %s/%s", CGROUP_ROOT, path);
		return cgroup_leave_out(c, h, res, r, err);
	}
	h->dir = sys_openat(c->base, path, O_RDONLY | O_DIRECTORY, 0);
	if (h->dir < 0)
		return err_set(err, -h->dir, "open the cgroup %s/%s", CGROUP_ROOT, path);
	if (is_group(h, h->dir) <= 0) {
		fd_close(&h->dir);
		if (h->created)
			sys_unlinkat(c->base, path, AT_REMOVEDIR);
		h->created = false;
		return 0;
	}
	return h->created || c->adopted ? 0 : refuse_used(h, path, err);
}

int cgroup_check(const struct cgroup *c, const struct spec_resources *res, struct err *err)
{
	if (res->unified_n && !c->pure_v2)
		return err_set(err, 0, "linux.resources.unified: cannot be used on cgroup v1 (this host has no cgroup v2 controllers)");
	return c->pure_v2 ? 0 : cgroup_v1_check(c, res, err);
}

int cgroup_create(struct cgroup *c, const struct spec_resources *res, struct err *err)
{
	int r = cgroup_check(c, res, err);

	for (int i = 0; i < c->n && r >= 0; i++)
		if ((r = create_one(c, &c->h[i], res, err)) >= 0 && c->h[i].dir >= 0)
			r = apply(c, &c->h[i], res, err);
	if (r >= 0 && !c->adopted)
		cgroup_plan_low(c, res);
	return r < 0 ? r : 0;
}

int cgroup_update(const struct cgroup *c, const struct spec_resources *res, struct err *err)
{
	int r = cgroup_check(c, res, err);

	for (int i = 0; i < c->n && r >= 0; i++)
		if (c->h[i].dir >= 0)
			r = apply(c, &c->h[i], res, err);
	return r < 0 ? r : 0;
}

int cgroup_open(struct cgroup *c, struct err *err)
{
	int found = 0;

	for (int i = 0; i < c->n; i++) {
		char path[CGROUP_PATH_MAX + 80];
		int r;

		full_path(c, &c->h[i], path, sizeof path);
		if (c->h[i].dir < 0)
			c->h[i].dir = sys_openat(c->base, path, O_RDONLY | O_DIRECTORY, 0);
		/* one that is there and cannot be opened must not be passed over: its limits would be, too */
		r = is_group(&c->h[i], c->h[i].dir);
		if (r < 0)
			return err_set(err, -r, "open the cgroup %s/%s", CGROUP_ROOT, path);
		if (r > 0)
			found++;
		else
			fd_close(&c->h[i].dir);
	}
	return found || !c->n ? 0 : err_set(err, ENOENT, "open the cgroup %s", c->path);
}

/* Listing, signals and freezing need one hierarchy. */
int cgroup_open_main(struct cgroup *c, struct err *err)
{
	for (int i = 0; i < c->n; i++) {
		char path[CGROUP_PATH_MAX + 80];

		if (!c->pure_v2 && strcmp(c->h[i].name, "freezer"))
			continue;
		full_path(c, &c->h[i], path, sizeof path);
		c->h[i].dir = sys_openat(c->base, path, O_RDONLY | O_DIRECTORY, 0);
		if (c->h[i].dir >= 0)
			return 0;
	}
	return cgroup_open(c, err);
}

int cgroup_unified_fd(const struct cgroup *c)
{
	for (int i = 0; i < c->n; i++)
		if (c->h[i].v2)
			return c->h[i].dir;
	return -1;
}

/* Moving a process stops every fork of the machine for an RCU grace period (10 ms and more); moving the
 * calling thread does not, and one of our single-threaded processes is the same thing. */
static int join_one(const struct cgroup_hierarchy *h, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof text, "%d", (int)pid);
	return fd_write_small(h->dir, pid || h->v2 ? "cgroup.procs" : "tasks", text);
}

int cgroup_join(const struct cgroup *c, pid_t pid, bool v2_too, struct err *err)
{
	for (int i = 0; i < c->n; i++) {
		const struct cgroup_hierarchy *h = &c->h[i];
		int r;

		if (h->dir < 0 || (h->v2 && !v2_too))
			continue;
		if ((r = join_one(h, pid)) < 0)
			return err_set(err, -r, "join the %s cgroup %s", h->name, c->path);
	}
	return 0;
}

int cgroup_write(int dir, const char *file, const char *value, struct err *err)
{
	int r = cgroup_journal_note(dir, file, value, err);

	if (r < 0)
		return r;
	r = fd_write_small(dir, file, value);
	return r < 0 ? err_set(err, -r, "write \"%s\" to %s", value, file) : 0;
}

int cgroup_write_int(int dir, const char *file, int64_t value, struct err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	return cgroup_write(dir, file, text, err);
}

bool cgroup_in_userns(void)
{
	char text[64];
	unsigned long inside = 1, outside = 1, size = 0;
	ssize_t n = fd_read_small(AT_FDCWD, "/proc/self/uid_map", text, sizeof text);

	if (n < 0)
		return n == -EFBIG;	/* several lines */
	/* the first user namespace maps all ids to themselves */
	return sscanf(text, "%lu %lu %lu", &inside, &outside, &size) != 3 || inside || outside || size != 4294967295UL;
}
