/* cgroup_mount.c - the container's view of its control groups (a mount of type
 * "cgroup"). Runs in the container's first process before pivot_root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

#define PER_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_RELATIME)

/* Binds the container's directory of a hierarchy. By its path: our descriptors
 * of it belong to the runtime's mount namespace, which nothing can be bound from.
 * Returns 1 when it is still to be made read-only. */
static int bind_dir(const struct cgroup *c, const struct cgroup_hierarchy *h, int destfd, unsigned long flags)
{
	char from[CGROUP_PATH_MAX + 96], to[32];
	int r;

	snprintf(from, sizeof from, CGROUP_ROOT "/%s%s%s", h->name, *h->name ? "/" : "", c->path);
	r = sys_mount(from, path_of_fd(destfd, to, sizeof to), NULL, MS_BIND | MS_REC, NULL);

	return r < 0 || !(flags & MS_RDONLY) ? r : 1;
}

static int mount_v2(const struct cgroup *c, int rootfd, int destfd, const char *dest, unsigned long flags, bool own_ns, struct err *err)
{
	char to[32];
	int again, r = -EPERM;

	path_of_fd(destfd, to, sizeof to);
	if (own_ns)
		r = sys_mount("cgroup", to, "cgroup2", flags & PER_MOUNT, NULL);
	if (r != -EPERM && r != -EBUSY)
		return r < 0 ? err_set(err, -r, "mount cgroup2") : 0;
	/* not ours to mount (user namespace over the host's): show the container's group alone */
	r = bind_dir(c, &c->h[0], destfd, flags);
	if (r <= 0)
		return r < 0 ? err_set(err, -r, "bind the cgroup") : 0;
	again = path_open_in(rootfd, dest, O_PATH, 0);
	if (again < 0)
		return err_set(err, -again, "open the bound cgroup");
	r = sys_mount(NULL, path_of_fd(again, to, sizeof to), NULL, MS_BIND | MS_REMOUNT | (flags & PER_MOUNT), NULL);
	close(again);
	return r < 0 ? err_set(err, -r, "make the cgroup read-only") : 0;
}

static int mount_hierarchy(const struct cgroup *c, const struct cgroup_hierarchy *h, int tmpfs, unsigned long flags, bool own_ns, struct err *err)
{
	CLEANUP_FD int dir = -1;
	char to[32], option[96];
	int r = sys_mkdirat(tmpfs, h->name, 0755);

	if (r < 0 && r != -EEXIST)
		return err_set(err, -r, "make %s", h->name);
	dir = sys_openat(tmpfs, h->name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (dir < 0)
		return err_set(err, -dir, "open %s", h->name);
	r = -EPERM;
	path_of_fd(dir, to, sizeof to);
	if (own_ns && h->v2)
		r = sys_mount("cgroup", to, "cgroup2", flags & PER_MOUNT, NULL);
	else if (own_ns) {
		snprintf(option, sizeof option, "%s%s", strncmp(h->option, "name=", 5) ? "" : "none,", h->option);
		r = sys_mount("cgroup", to, "cgroup", flags & PER_MOUNT, option);
	}
	if (r == -EPERM || r == -EBUSY)
		r = bind_dir(c, h, dir, flags);
	if (r > 0) {
		CLEANUP_FD int again = sys_openat(tmpfs, h->name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

		r = again < 0 ? again : sys_mount(NULL, path_of_fd(again, to, sizeof to), NULL, MS_BIND | MS_REMOUNT | (flags & PER_MOUNT), NULL);
	}
	return r < 0 ? err_set(err, -r, "mount the %s cgroup", h->name) : 0;
}

/* "cpu,cpuacct" is also to be found as cpu and as cpuacct. */
static void link_names(const struct cgroup_hierarchy *h, int tmpfs)
{
	char name[64];
	const char *p = h->name;

	if (!strchr(p, ','))
		return;
	while (*p) {
		size_t n = strcspn(p, ",");

		snprintf(name, sizeof name, "%.*s", (int)n, p);
		sys_symlinkat(h->name, tmpfs, name);
		p += n + (p[n] == ',');
	}
}

static int mount_v1(const struct cgroup *c, int rootfd, int destfd, const char *dest, unsigned long flags, bool own_ns, struct err *err)
{
	CLEANUP_FD int tmpfs = -1;
	char to[32];
	int r = sys_mount("tmpfs", path_of_fd(destfd, to, sizeof to), "tmpfs", flags & (PER_MOUNT & ~MS_RDONLY), "mode=755");

	if (r < 0)
		return err_set(err, -r, "mount tmpfs");
	tmpfs = path_open_in(rootfd, dest, O_PATH | O_DIRECTORY, 0);
	if (tmpfs < 0)
		return err_set(err, -tmpfs, "open the new tmpfs");
	for (int i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0)	/* not mounted on this host */
			continue;
		if ((r = mount_hierarchy(c, &c->h[i], tmpfs, flags, own_ns, err)) < 0)
			return r;
		link_names(&c->h[i], tmpfs);
	}
	if (!(flags & MS_RDONLY))
		return 0;
	r = sys_mount(NULL, path_of_fd(tmpfs, to, sizeof to), NULL, MS_BIND | MS_REMOUNT | (flags & PER_MOUNT), NULL);
	return r < 0 ? err_set(err, -r, "make the cgroup directory read-only") : 0;
}

int cgroup_mount(const struct cgroup *c, int rootfd, int destfd, const char *dest, unsigned long flags, bool own_ns, struct err *err)
{
	return c->pure_v2 ? mount_v2(c, rootfd, destfd, dest, flags, own_ns, err)
			  : mount_v1(c, rootfd, destfd, dest, flags, own_ns, err);
}
