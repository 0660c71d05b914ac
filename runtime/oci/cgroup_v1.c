/* cgroup_v1.c - limits of a container in v1 hierarchies. Runs in
 * coracle-runtime; writes only below the container's own directories. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/device_rules.h"

/* True when the comma separated list has the word. */
static bool has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* The usual case: the directory above has values. -EAGAIN when it has none itself. */
static int inherit_from_above(int dir, struct err *err)
{
	static const char *const FILES[][2] = { { "../cpuset.cpus", "cpuset.cpus" }, { "../cpuset.mems", "cpuset.mems" } };
	char above[512];

	for (int i = 0; i < 2; i++) {
		ssize_t n = fd_read_small(dir, FILES[i][0], above, sizeof above);
		int r = n <= 0 ? -EAGAIN : cgroup_write(dir, FILES[i][1], above, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A new cpuset group is empty and takes no process: each level inherits from the one above. */
static int inherit_cpuset(int parent, int dir, struct err *err)
{
	static const char *const FILES[] = { "cpuset.cpus", "cpuset.mems" };

	for (int i = 0; i < 2; i++) {
		char have[512], above[512];
		ssize_t n = fd_read_small(dir, FILES[i], have, sizeof have);
		int r;

		if (n < 0)
			return err_set(err, (int)-n, "read %s", FILES[i]);
		if (n > 0)
			continue;
		n = fd_read_small(parent, FILES[i], above, sizeof above);
		if (n < 0)
			return err_set(err, (int)-n, "read %s of the parent", FILES[i]);
		if ((r = cgroup_write(dir, FILES[i], above, err)) < 0)
			return r;
	}
	return 0;
}

int cgroup_v1_prepare_cpuset(const struct cgroup *c, const struct cgroup_hierarchy *h, struct err *err)
{
	CLEANUP_FD int above = -1;
	const char *p = c->path;
	int r = inherit_from_above(h->dir, err);

	if (r != -EAGAIN)
		return r;
	r = 0;
	above = sys_openat(c->base, h->name, O_RDONLY | O_DIRECTORY, 0);
	while (above >= 0 && *p && r == 0) {
		char part[256];
		size_t n = strcspn(p, "/");
		int dir;

		if (n >= sizeof part)
			return err_set(err, ENAMETOOLONG, "cgroup path");
		memcpy(part, p, n);
		part[n] = '\0';
		p += n + strspn(p + n, "/");
		dir = sys_openat(above, part, O_RDONLY | O_DIRECTORY, 0);
		if (dir < 0)
			return err_set(err, -dir, "open the cpuset cgroup %s", part);
		r = inherit_cpuset(above, dir, err);
		fd_close(&above);
		above = dir;
	}
	return above < 0 ? err_set(err, -above, "open the cpuset cgroups") : r;
}

/* Shares beyond the kernel's bounds are cut in silence; runc says so, and its words are parsed. */
static int apply_shares(int dir, const struct spec_resources *x, struct err *err)
{
	int64_t is;
	int r;

	if (!x->has_shares || !x->shares)
		return 0;
	if ((r = cgroup_write_int(dir, "cpu.shares", (int64_t)x->shares, err)) < 0)
		return r;
	if (x->shares >= 2 && x->shares <= 262144)
		return 0;
	is = cgroup_read_int(dir, "cpu.shares");
	if (is > 0 && (uint64_t)is != x->shares)
		return err_set(err, 0, "the %s allowed cpu-shares is %lld", x->shares > (uint64_t)is ? "maximum" : "minimum", (long long)is);
	return 0;
}

/* Period, quota and burst are checked against each other: what is refused alone goes again after the quota. */
static int apply_bandwidth(int dir, const struct spec_resources *x, struct err *err)
{
	bool quota = x->has_quota && x->quota, period = x->has_period && x->period, burst = x->has_burst;
	int r = 0;

	if (period && (r = cgroup_write_int(dir, "cpu.cfs_period_us", (int64_t)x->period, err)) < 0 && (r != -EINVAL || !quota))
		return r;
	period = period && r < 0;
	if (burst && (r = cgroup_write_int(dir, "cpu.cfs_burst_us", (int64_t)x->burst, err)) < 0 && (r != -EINVAL || !quota))
		return r;
	burst = burst && r < 0;
	if (quota && (r = cgroup_write_int(dir, "cpu.cfs_quota_us", x->quota, err)) < 0)
		return r;
	if (period && (r = cgroup_write_int(dir, "cpu.cfs_period_us", (int64_t)x->period, err)) < 0)
		return r;
	return burst ? cgroup_write_int(dir, "cpu.cfs_burst_us", (int64_t)x->burst, err) : 0;
}

static int apply_cpu(int dir, const struct spec_resources *x, struct err *err)
{
	bool period = x->has_rt_period && x->rt_period;
	int r;

	/* an idle group takes no shares */
	if (x->has_idle && !x->idle && (r = cgroup_write_int(dir, "cpu.idle", 0, err)) < 0)
		return r;
	if ((r = apply_shares(dir, x, err)) < 0)
		return r;
	if (x->has_idle && x->idle && (r = cgroup_write_int(dir, "cpu.idle", x->idle, err)) < 0)
		return r;
	if ((r = apply_bandwidth(dir, x, err)) < 0)
		return r;
	if (period && (r = cgroup_write_int(dir, "cpu.rt_period_us", (int64_t)x->rt_period, err)) < 0)
		return r;
	return x->has_rt_runtime && x->rt_runtime ? cgroup_write_int(dir, "cpu.rt_runtime_us", x->rt_runtime, err) : 0;
}

static int apply_cpuset(int dir, const struct spec_resources *x, struct err *err)
{
	int r;

	if (x->cpus && *x->cpus && (r = cgroup_write(dir, "cpuset.cpus", x->cpus, err)) < 0)
		return r;
	if (x->mems && *x->mems && (r = cgroup_write(dir, "cpuset.mems", x->mems, err)) < 0)
		return r;
	return 0;
}

static int apply_blkio(int dir, const struct spec_resources *x, struct err *err)
{
	static const char *const FILES[THROTTLE_KINDS] = {
		"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
		"blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"
	};
	char text[64];
	int r;

	/* CFQ's names went with CFQ (5.0); BFQ has its own */
	if (x->has_weight && x->weight && (r = cgroup_write_int(dir, "blkio.weight", (int64_t)x->weight, err)) < 0 &&
	    (r != -ENOENT || (r = cgroup_write_int(dir, "blkio.bfq.weight", (int64_t)x->weight, err)) < 0))
		return r;
	if (x->has_leaf_weight && x->leaf_weight && (r = cgroup_write_int(dir, "blkio.leaf_weight", (int64_t)x->leaf_weight, err)) < 0)
		return r;
	for (size_t i = 0; i < x->weight_devices_n; i++) {
		const struct spec_blkio_rule *b = &x->weight_devices[i];

		snprintf(text, sizeof text, "%u:%u %llu", b->major, b->minor, (unsigned long long)b->value);
		if ((r = cgroup_write(dir, "blkio.weight_device", text, err)) < 0 &&
		    (r != -ENOENT || (r = cgroup_write(dir, "blkio.bfq.weight_device", text, err)) < 0))
			return r;
	}
	for (int k = 0; k < THROTTLE_KINDS; k++)
		for (size_t i = 0; i < x->throttle_n[k]; i++) {
			const struct spec_blkio_rule *b = &x->throttle[k][i];

			snprintf(text, sizeof text, "%u:%u %llu", b->major, b->minor, (unsigned long long)b->value);
			if ((r = cgroup_write(dir, FILES[k], text, err)) < 0)
				return r;
		}
	return 0;
}

static int apply_hugetlb(int dir, const struct spec_resources *x, struct err *err)
{
	for (size_t i = 0; i < x->hugepages_n; i++) {
		char file[80];
		int r;

		snprintf(file, sizeof file, "hugetlb.%.32s.limit_in_bytes", x->hugepages[i].page_size);
		if ((r = cgroup_write_int(dir, file, (int64_t)x->hugepages[i].limit, err)) < 0)
			return r;
		snprintf(file, sizeof file, "hugetlb.%.32s.rsvd.limit_in_bytes", x->hugepages[i].page_size);
		if ((r = cgroup_write_int(dir, file, (int64_t)x->hugepages[i].limit, err)) < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int apply_pids(int dir, const struct spec_resources *x, struct err *err)
{
	if (!x->has_pids)
		return 0;
	/* 0 is a limit since 1.3; the container's own process is there before anything counts, so 1 means the same and systemd can say it too */
	return x->pids < 0 ? cgroup_write(dir, "pids.max", "max", err) : cgroup_write_int(dir, "pids.max", x->pids ? x->pids : 1, err);
}

static int apply_rdma(int dir, const struct spec_resources *x, struct err *err)
{
	for (size_t i = 0; i < x->rdma_n; i++) {
		char text[192];
		int r;

		snprintf(text, sizeof text, "%.64s%s", x->rdma[i].key, x->rdma[i].value);
		if ((r = cgroup_write(dir, "rdma.max", text, err)) < 0)
			return r;
	}
	return 0;
}

const struct cgroup_hierarchy *cgroup_v1_find(const struct cgroup *c, const char *controller)
{
	for (int i = 0; i < c->n; i++)
		if (!c->h[i].v2 && has(c->h[i].option, controller))
			return &c->h[i];
	return NULL;
}

/* What is asked for, by controller. */
static bool wants(const struct spec_resources *x, const char *controller)
{
	if (!strcmp(controller, "memory"))
		return (x->has_mem_limit && x->mem_limit) || (x->has_mem_swap && x->mem_swap) || (x->has_mem_reservation && x->mem_reservation);
	if (!strcmp(controller, "cpu"))
		return (x->has_shares && x->shares) || (x->has_quota && x->quota) || (x->has_period && x->period) || (x->has_rt_runtime && x->rt_runtime) || (x->has_idle && x->idle);
	if (!strcmp(controller, "cpuset"))
		return (x->cpus && *x->cpus) || (x->mems && *x->mems);
	if (!strcmp(controller, "blkio"))
		return (x->has_weight && x->weight) || x->weight_devices_n || x->throttle_n[0] || x->throttle_n[1] || x->throttle_n[2] || x->throttle_n[3];
	if (!strcmp(controller, "pids"))
		return x->has_pids && x->pids >= 0;
	if (!strcmp(controller, "hugetlb"))
		return x->hugepages_n;
	if (!strcmp(controller, "net_cls"))
		return x->has_class_id && x->class_id;
	if (!strcmp(controller, "net_prio"))
		return x->net_prio_n;
	return x->rdma_n;
}

int cgroup_v1_check(const struct cgroup *c, const struct spec_resources *x, struct err *err)
{
	static const char *const NAMES[][2] = {
		{ "memory", "memory" }, { "cpu", "cpu" }, { "cpuset", "cpu" }, { "blkio", "blockIO" }, { "pids", "pids" },
		{ "hugetlb", "hugepageLimits" }, { "net_cls", "network.classID" }, { "net_prio", "network.priorities" }, { "rdma", "rdma" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		if (wants(x, NAMES[i][0]) && !cgroup_v1_find(c, NAMES[i][0]))
			return err_set(err, 0, "linux.resources.%s: this host has no %s cgroup (mount it, or leave the property out)", NAMES[i][1], NAMES[i][0]);
	}
	return 0;
}

static int apply_devices(int dir, const struct spec_resources *x, struct err *err)
{
	return x->no_devices ? 0 : device_rules_write_v1(dir, x->devices, x->devices_n, err);
}

static int apply_net_cls(int dir, const struct spec_resources *x, struct err *err)
{
	return x->has_class_id ? cgroup_write_int(dir, "net_cls.classid", (int64_t)x->class_id, err) : 0;
}

static int apply_net_prio(int dir, const struct spec_resources *x, struct err *err)
{
	for (size_t i = 0; i < x->net_prio_n; i++) {
		char text[64];
		int r;

		snprintf(text, sizeof text, "%.32s %s", x->net_prio[i].key, x->net_prio[i].value);
		if ((r = cgroup_write(dir, "net_prio.ifpriomap", text, err)) < 0)
			return r;
	}
	return 0;
}

int cgroup_v1_apply(const struct cgroup_hierarchy *h, const struct spec_resources *x, struct err *err)
{
	static const struct {
		const char *controller, *property;
		int (*fn)(int, const struct spec_resources *, struct err *);
	} PARTS[] = {
		{ "cpu", "cpu", apply_cpu }, { "cpuset", "cpu", apply_cpuset }, { "blkio", "blockIO", apply_blkio },
		{ "pids", "pids", apply_pids }, { "hugetlb", "hugepageLimits", apply_hugetlb }, { "rdma", "rdma", apply_rdma },
		{ "net_cls", "network", apply_net_cls }, { "net_prio", "network", apply_net_prio }, { "devices", "devices", apply_devices },
	};
	int r = 0;

	if (has(h->option, "memory") && (r = cgroup_memory_v1(h->dir, h->created, x, err)) < 0)
		return err_wrap(err, r, "linux.resources.memory");
	for (size_t i = 0; i < ARRAY_SIZE(PARTS); i++)
		if (has(h->option, PARTS[i].controller) && (r = PARTS[i].fn(h->dir, x, err)) < 0)
			return err_wrap(err, r, "linux.resources.%s", PARTS[i].property);
	return 0;
}
