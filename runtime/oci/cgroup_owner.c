/* cgroup_owner.c - gives a container's group to its user, so that it can make
 * groups inside (config-linux.md, "Cgroup ownership"). Runs in coracle-runtime. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"

/* Only with a cgroup namespace of its own and the groups mounted writable. */
static bool is_delegated(const struct spec *s)
{
	bool writable = false;

	if (!s->ns[NS_CGROUP].present || s->ns[NS_CGROUP].path)
		return false;
	for (size_t i = 0; i < s->mounts_n; i++) {
		const struct spec_mount *m = &s->mounts[i];

		if (strcmp(m->destination, CGROUP_ROOT) || !m->type || strncmp(m->type, "cgroup", 6))
			continue;
		writable = true;
		for (char **o = m->options; *o; o++)
			if (!strcmp(*o, "ro"))
				writable = false;
	}
	return writable;
}

/* The host's uid of process.user; false when the container's user namespace does not say. */
static bool host_uid(const struct spec *s, uid_t *out)
{
	*out = s->process.uid;
	if (!s->ns[NS_USER].present)
		return true;
	for (size_t i = 0; i < s->uid_maps; i++) {
		const struct spec_id_map *m = &s->uid_map[i];

		if (*out < m->container || *out - m->container >= m->size)
			continue;
		*out = m->host + (*out - m->container);
		return true;
	}
	return false;
}

int cgroup_give(const struct cgroup *c, const struct spec *s, struct err *err)
{
	char files[2048];
	uid_t uid;
	int r;

	if (!c->pure_v2 || !s->has_process || !is_delegated(s) || !host_uid(s, &uid) || uid == geteuid())
		return 0;
	if ((r = sys_fchownat(c->h[0].dir, "", uid, (gid_t)-1, AT_EMPTY_PATH)) < 0)
		return err_set(err, -r, "give the cgroup %s to user %u", c->path, (unsigned)uid);
	if (fd_read_small(AT_FDCWD, "/sys/kernel/cgroup/delegate", files, sizeof files) < 0)
		strcpy(files, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads");
	for (char *p = files, *end; p && *p; p = end) {
		end = strchr(p, '\n');
		if (end)
			*end++ = '\0';
		r = sys_fchownat(c->h[0].dir, p, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW);
		/* the list names files of controllers that this group has not */
		if (r < 0 && r != -ENOENT)
			return err_set(err, -r, "give %s of the cgroup %s to user %u", p, c->path, (unsigned)uid);
	}
	return 0;
}
