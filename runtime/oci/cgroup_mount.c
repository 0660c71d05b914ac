/* cgroup_mount.c - the container's view of its control groups (a mount of type
 * "cgroup"). Runs in the container's first process before pivot_root. With a
 * cgroup namespace the hierarchies are mounted, whose root is then the container's
 * group; else those groups are bound. Never a hierarchy's own root, whose
 * release_agent runs programs as root of the host (CVE-2022-0492). */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

#define PER_MOUNT (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY | MS_RELATIME)

static uint64_t attributes(unsigned long flags)
{
	return (flags & MS_NOSUID ? MOUNT_ATTR_NOSUID : 0U) | (flags & MS_NODEV ? MOUNT_ATTR_NODEV : 0U) |
	       (flags & MS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0U) | (flags & MS_RDONLY ? MOUNT_ATTR_RDONLY : 0U);
}

static int attach(int tree, int at)
{
	return sys_move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/* Binds the container's directory of a hierarchy. By its path: our descriptors
 * of it belong to the runtime's mount namespace, which nothing can be bound from.
 * Where a user could not make a group, the process stays in the user's own: that may be
 * the hierarchy's root, in which a user can write nothing. */
static int bind_dir(const struct cgroup *c, const struct cgroup_hierarchy *h, int at, unsigned long flags)
{
	struct mount_attr attr = { .attr_set = attributes(flags) };
	char from[CGROUP_PATH_MAX + 96], home[CGROUP_PATH_MAX + 80];
	CLEANUP_FD int tree = -1;
	int r;

	snprintf(from, sizeof from, CGROUP_ROOT "/%s%s%s", h->name, *h->name ? "/" : "", c->path);
	if (h->left_out && (r = cgroup_home(h, home, sizeof home)) == 0)
		snprintf(from, sizeof from, CGROUP_ROOT "/%s", home);
	tree = sys_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return tree;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr);
	return r < 0 ? r : attach(tree, at);
}

static int mount_own(const struct cgroup_hierarchy *h, int at, unsigned long flags)
{
	char to[32], option[96];

	path_of_fd(at, to, sizeof to);
	if (h->v2)
		return sys_mount("cgroup", to, "cgroup2", flags & PER_MOUNT, NULL);
	snprintf(option, sizeof option, "%s%s", strncmp(h->option, "name=", 5) ? "" : "none,", h->option);
	return sys_mount("cgroup", to, "cgroup", flags & PER_MOUNT, option);
}

/* own_ns: mounts the hierarchy; where that is not ours to do (a user namespace over the host's), or without one,
 * shows the container's group alone. */
static int show(const struct cgroup *c, const struct cgroup_hierarchy *h, int at, unsigned long flags, bool own_ns, struct err *err)
{
	const char *kind = *h->name && strcmp(h->name, "unified") ? h->name : "cgroup2";
	int r = own_ns ? mount_own(h, at, flags) : -EPERM, bound;

	if (r != -EPERM && r != -EBUSY)
		return r < 0 ? err_set(err, -r, "mount the %s hierarchy", kind) : 0;
	bound = bind_dir(c, h, at, flags);
	return bound < 0 ? err_set(err, -bound, "bind the container's %s group (a bind of /sys/fs/cgroup needs none)", kind) : 0;
}

static int mount_hierarchy(const struct cgroup *c, const struct cgroup_hierarchy *h, int tmpfs, unsigned long flags, bool own_ns, struct err *err)
{
	CLEANUP_FD int dir = -1;
	int r = sys_mkdirat(tmpfs, h->name, 0755);

	if (r < 0 && r != -EEXIST)
		return err_set(err, -r, "make %s", h->name);
	dir = sys_openat(tmpfs, h->name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (dir < 0)
		return err_set(err, -dir, "open %s", h->name);
	return show(c, h, dir, flags, own_ns, err);
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

/* The directory of the hierarchies. It stays at hand by its descriptor: found again by name it could be another's. */
static int mount_tmpfs(int at, const char *label, struct err *err)
{
	CLEANUP_FD int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd, r = fs;

	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0);
	if (r >= 0 && label && *label)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", label, 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (r < 0)
		return err_set(err, -r, "mount tmpfs");
	fd = r;
	r = attach(fd, at);
	if (r < 0) {
		close(fd);
		return err_set(err, -r, "mount tmpfs");
	}
	return fd;
}

static int mount_v1(const struct cgroup *c, int destfd, unsigned long flags, bool own_ns, const char *label, struct err *err)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	CLEANUP_FD int tmpfs = mount_tmpfs(destfd, label, err);
	int r;

	if (tmpfs < 0)
		return tmpfs;
	for (int i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0 && !c->h[i].left_out)	/* not mounted on this host */
			continue;
		if ((r = mount_hierarchy(c, &c->h[i], tmpfs, flags, own_ns, err)) < 0)
			return r;
		link_names(&c->h[i], tmpfs);
	}
	if (!(flags & MS_RDONLY))
		return 0;
	r = sys_mount_setattr(tmpfs, "", AT_EMPTY_PATH, &ro, sizeof ro);
	return r < 0 ? err_set(err, -r, "make the cgroup directory read-only") : 0;
}

int cgroup_mount(const struct cgroup *c, int destfd, unsigned long flags, bool own_ns, const char *label, struct err *err)
{
	return c->pure_v2 ? show(c, &c->h[0], destfd, flags, own_ns, err)
			  : mount_v1(c, destfd, flags, own_ns, label, err);
}
