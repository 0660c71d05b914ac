/* cgroup_relative.c - linux.cgroupsPath that does not begin with a slash. Runs in
 * coracle-runtime at create; costs nothing for a path that does. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include "lib/fd.h"
#include "runtime/oci/cgroup.h"

/* As runc: on v2 it counts from the group beside our own, since groups with processes have no limited groups inside. In v1 each
 * hierarchy may have us in another group, while a container has one path: there it counts from the roots. */
const char *cgroup_absolute(const char *path, char out[CGROUP_PATH_MAX])
{
	char own[CGROUP_PATH_MAX + 64], *end;
	struct statfs fs;

	if (!path || !*path || *path == '/' || statfs(CGROUP_ROOT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC ||
	    fd_read_small(AT_FDCWD, "/proc/self/cgroup", own, sizeof own) < 0 || strncmp(own, "0::/", 4) != 0)
		return path;
	own[strcspn(own, "\n")] = '\0';
	/* a group outside of our cgroup namespace */
	if (!strncmp(own + 3, "/..", 3))
		return path;
	end = strrchr(own, '/');
	return snprintf(out, CGROUP_PATH_MAX, "%.*s/%s", (int)(end - own - 3), own + 3, path) < CGROUP_PATH_MAX ? out : path;
}
