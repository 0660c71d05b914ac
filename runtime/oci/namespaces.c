/* namespaces.c - which namespaces a container gets or joins. Runs in the
 * runtime around clone3, namespaces_join in the container's first process. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/container.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const struct { int flag; const char *file; } KINDS[NS_COUNT] = {
	[NS_USER] = { CLONE_NEWUSER, "user" }, [NS_PID] = { CLONE_NEWPID, "pid" }, [NS_NET] = { CLONE_NEWNET, "net" },
	[NS_MNT] = { CLONE_NEWNS, "mnt" }, [NS_IPC] = { CLONE_NEWIPC, "ipc" }, [NS_UTS] = { CLONE_NEWUTS, "uts" },
	[NS_CGROUP] = { CLONE_NEWCGROUP, "cgroup" }, [NS_TIME] = { CLONE_NEWTIME, "time" },
};

/* Without a mount namespace the container shares the host's mounts: whatever would be mounted stayed there. */
int namespaces_check(const struct container *c, struct err *err)
{
	const struct spec *s = &c->spec;

	if (s->ns[NS_MNT].present)
		return 0;
	if ((s->masked && *s->masked) || (s->readonly && *s->readonly))
		return err_set(err, 0, "linux.maskedPaths, readonlyPaths: unable to restrict sys entries without a private MNT namespace");
	if (s->mounts_n)
		return err_set(err, 0, "mounts: unable to mount without a mount namespace: they would be the host's (list none, or add {\"type\": \"mount\"} to linux.namespaces)");
	if (s->root_readonly || s->root_propagation)
		return err_set(err, 0, "%s: needs a mount namespace", s->root_readonly ? "root.readonly" : "linux.rootfsPropagation");
	if (s->ns[NS_USER].present)
		return err_set(err, 0, "linux.namespaces: a user namespace needs a mount namespace");
	return 0;
}

int namespaces_open(struct container *c, uint64_t *flags, struct err *err)
{
	*flags = 0;
	for (int i = 0; i < NS_COUNT; i++) {
		const struct spec_namespace *ns = &c->spec.ns[i];

		if (!ns->present)
			continue;
		if (!ns->path) {
			/* the cgroup namespace's root must be the container's group: made once the process is in it */
			if (i != NS_CGROUP)
				*flags |= (uint64_t)KINDS[i].flag;
			continue;
		}
		c->ns_fd[i] = sys_openat(AT_FDCWD, ns->path, O_RDONLY, 0);
		if (c->ns_fd[i] < 0)
			return err_set(err, -c->ns_fd[i], "open the %s namespace %s", KINDS[i].file, ns->path);
		if (ioctl(c->ns_fd[i], NS_GET_NSTYPE) != KINDS[i].flag)
			return err_set(err, 0, "linux.namespaces: %s is not a %s namespace", ns->path, KINDS[i].file);
	}
	return 0;
}

static bool joined_around(const struct container *c, int i)
{
	/* a pid namespace is joined by one's children; what the host owns must be joined before a user namespace of the container's own takes the right away */
	if (c->ns_fd[i] < 0 || i == NS_USER || i == NS_MNT)
		return false;
	return i == NS_PID || i == NS_TIME || (c->spec.ns[NS_USER].present && !c->spec.ns[NS_USER].path);
}

static int save(int i, int saved[NS_COUNT], struct err *err)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/ns/%s", KINDS[i].file);
	saved[i] = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	return saved[i] < 0 ? err_set(err, -saved[i], "open %s", path) : 0;
}

static int write_offsets(const struct container *c, struct err *err)
{
	static const char *const CLOCKS[2] = { "monotonic", "boottime" };
	char text[128];
	size_t n = 0;
	int r;

	for (int i = 0; i < 2; i++)
		if (c->spec.has_time_offset[i])
			n += (size_t)snprintf(text + n, sizeof text - n, "%s %lld %u\n", CLOCKS[i],
					      (long long)c->spec.time_offset_secs[i], (unsigned)c->spec.time_offset_nanos[i]);
	r = fd_write_small(AT_FDCWD, "/proc/self/timens_offsets", text);
	return r < 0 ? err_set(err, -r, "set linux.timeOffsets") : 0;
}

int namespaces_before_clone(const struct container *c, int saved[NS_COUNT], uint64_t *flags, struct err *err)
{
	int r;

	for (int i = 0; i < NS_COUNT; i++)
		saved[i] = -1;
	for (int i = 0; i < NS_COUNT; i++) {
		if (!joined_around(c, i))
			continue;
		if ((r = save(i, saved, err)) < 0)
			return r;
		if ((r = sys_setns(c->ns_fd[i], KINDS[i].flag)) < 0)
			return err_set(err, -r, "join the %s namespace %s", KINDS[i].file, c->spec.ns[i].path);
	}
	if (!c->spec.has_time_offset[0] && !c->spec.has_time_offset[1])
		return 0;
	/* offsets can be set only while the namespace has no process: unshare gives it to the next child */
	if ((r = save(NS_TIME, saved, err)) < 0)
		return r;
	if ((r = sys_unshare(CLONE_NEWTIME)) < 0)
		return err_set(err, -r, "make a time namespace");
	*flags &= ~(uint64_t)CLONE_NEWTIME;
	return write_offsets(c, err);
}

void namespaces_after_clone(int saved[NS_COUNT])
{
	for (int i = 0; i < NS_COUNT; i++)
		if (saved[i] >= 0) {
			sys_setns(saved[i], KINDS[i].flag);
			close(saved[i]);
			saved[i] = -1;
		}
}

int namespaces_join_user(const struct container *c, struct err *err)
{
	int r;

	/* from here on others of that namespace could reach us by /proc (root did this at once) */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = sys_setns(c->ns_fd[NS_USER], CLONE_NEWUSER);
	return r < 0 ? err_set(err, -r, "join the user namespace %s", c->spec.ns[NS_USER].path) : 0;
}

int namespaces_join(const struct container *c, struct err *err)
{
	/* the mount namespace last, as paths change with it; the user namespace was joined before this process was made */
	for (int i = 0; i < NS_COUNT; i++) {
		int n = i < NS_MNT ? i : i == NS_COUNT - 1 ? NS_MNT : i + 1, r;

		if (n == NS_USER || c->ns_fd[n] < 0 || joined_around(c, n))
			continue;
		r = sys_setns(c->ns_fd[n], KINDS[n].flag);
		if (r < 0)
			return err_set(err, -r, "join the %s namespace %s", KINDS[n].file, c->spec.ns[n].path);
	}
	if (c->ns_fd[NS_USER] >= 0 && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_set(err, errno, "become root of the user namespace %s", c->spec.ns[NS_USER].path);
	return 0;
}
