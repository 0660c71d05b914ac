/* idmap.c - idmapped bind mounts. The kernel takes the mapping from a user
 * namespace, so one is made, with a process in it that lives no longer than it
 * takes to open the namespace. Runs in the runtime before clone3. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/idmap.h"
#include "runtime/oci/usermap.h"

bool idmap_wanted(const struct spec *s)
{
	for (size_t i = 0; i < s->mounts_n; i++) {
		if (s->mounts[i].uid_maps)
			return true;
		for (char **o = s->mounts[i].options; *o; o++)
			if (!strcmp(*o, "idmap") || !strcmp(*o, "ridmap"))
				return true;
	}
	return false;
}

/* A user namespace with these mappings, by its descriptor. */
static int make_userns(const struct spec_id_map *uid, size_t uids, const struct spec_id_map *gid, size_t gids, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args, sizeof args);
	char path[32];
	int fd, r;

	if (pid < 0)
		return err_set(err, -pid, "make a user namespace for the mapping");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	r = fd = usermap_write(pid, "uid_map", uid, uids, err);
	if (r >= 0)
		r = fd = usermap_write(pid, "gid_map", gid, gids, err);
	if (r >= 0) {
		snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
		fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
		if (fd < 0)
			err_set(err, -fd, "open the user namespace of the mapping");
	}
	sys_kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

static int open_userns(const struct spec *s, const struct spec_mount *m, struct err *err)
{
	const struct spec_namespace *ns = &s->ns[NS_USER];
	int fd;

	if (m->uid_maps)
		return make_userns(m->uid_map, m->uid_maps, m->gid_map, m->gid_maps, err);
	if (!ns->present)
		return err_set(err, 0, "option idmap: needs uidMappings and gidMappings of the mount, or a user namespace of the container");
	if (!ns->path)
		return make_userns(s->uid_map, s->uid_maps, s->gid_map, s->gid_maps, err);
	fd = sys_openat(AT_FDCWD, ns->path, O_RDONLY, 0);
	return fd < 0 ? err_set(err, -fd, "open the user namespace %s", ns->path) : fd;
}

int idmap_apply(int tree, const struct spec *s, const struct spec_mount *m, bool recursive, struct err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	CLEANUP_FD int userns = -1;
	int r;

	userns = open_userns(s, m, err);
	if (userns < 0)
		return userns;
	attr.userns_fd = (unsigned)userns;
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), &attr, sizeof attr);
	if (r == -EINVAL)
		return err_set(err, EINVAL, "map the ids of %s; its file system may not support idmapped mounts, or has one already", m->source);
	return r < 0 ? err_set(err, -r, "map the ids of %s", m->source) : 0;
}
