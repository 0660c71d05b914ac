/* cgroup_rootless.c - control groups that are not ours to make: a user, or root
 * of a user namespace, without a delegated group. As runc does: such a hierarchy
 * is left out, unless config.json names a path or asks for a limit there. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "runtime/oci/cgroup.h"

static int told = -1;

void cgroup_set_rootless(bool yes)
{
	told = yes;
}

/* Any user but root of the first user namespace. */
static bool rootless(void)
{
	if (told >= 0)
		return told;
	return geteuid() || cgroup_in_userns();
}

/* The first limit of the resources that this hierarchy would have to keep; NULL: none. Device rules do not count: the
 * kernel keeps devices from us and from the container all the same. */
static const char *limit_of(const struct cgroup_hierarchy *h, const struct spec_resources *x)
{
	const struct { const char *controller, *name; bool asked; } LIMITS[] = {
		{ "memory", "memory", x->has_mem_limit || x->has_mem_reservation || x->has_mem_swap || x->has_swappiness || x->disable_oom_killer },
		{ "cpu", "cpu", x->has_shares || x->has_quota || x->has_burst || x->has_period || x->has_rt_runtime || x->has_rt_period || x->has_idle },
		{ "cpuset", "cpuset", (x->cpus && *x->cpus) || (x->mems && *x->mems) },
		{ "pids", "pids", x->has_pids },
		{ "blkio", "blkio", x->has_weight || x->has_leaf_weight || x->weight_devices_n || x->throttle_n[THROTTLE_READ_BPS] ||
		  x->throttle_n[THROTTLE_WRITE_BPS] || x->throttle_n[THROTTLE_READ_IOPS] || x->throttle_n[THROTTLE_WRITE_IOPS] },
		{ "hugetlb", "hugepageLimits", x->hugepages_n > 0 },
		{ "net_cls", "network.classID", x->has_class_id },
		{ "net_prio", "network.priorities", x->net_prio_n > 0 },
		{ "rdma", "rdma", x->rdma_n > 0 },
		{ "unified", "unified", x->unified_n > 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(LIMITS); i++) {
		size_t n = strlen(LIMITS[i].controller);

		if (!LIMITS[i].asked)
			continue;
		/* v2 has them all; v1 hierarchies may have several ("cpu,cpuacct") */
		if (h->v2 && !*h->name)
			return LIMITS[i].name;
		for (const char *p = h->name; *p; p += strcspn(p, ","), p += *p == ',')
			if (!strncmp(p, LIMITS[i].controller, n) && (!p[n] || p[n] == ','))
				return LIMITS[i].name;
	}
	return NULL;
}

int cgroup_leave_out(const struct cgroup *c, struct cgroup_hierarchy *h, const struct spec_resources *res, int code, struct err *err)
{
	const char *limit;

	if (c->named || (code != -EACCES && code != -EPERM && code != -EROFS) || !rootless())
		return code;
	limit = limit_of(h, res);
	if (limit)
		return err_set(err, 0, "linux.resources: cannot set %s limit: container could not join or create cgroup (rootless needs a delegated one)", limit);
	h->left_out = true;
	return 0;
}
