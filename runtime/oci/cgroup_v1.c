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
	CLEANUP_FD int above = sys_openat(c->base, h->name, O_RDONLY | O_DIRECTORY, 0);
	const char *p = c->path;
	int r = 0;

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

static int apply_memory(int dir, const struct spec_resources *x, struct err *err)
{
	int r = 0;
	bool swap_first = false;

	/* memsw must never be below limit: when the new limit is above the present memsw, memsw goes first */
	if (x->has_mem_swap && x->has_mem_limit && x->mem_limit > 0) {
		char now[32];
		long long have = -1;

		if (fd_read_small(dir, "memory.memsw.limit_in_bytes", now, sizeof now) > 0)
			sscanf(now, "%lld", &have);
		swap_first = have >= 0 && have < x->mem_limit;
	}
	if (swap_first && (r = cgroup_write_int(dir, "memory.memsw.limit_in_bytes", x->mem_swap, err)) < 0)
		return r;
	if (x->has_mem_limit && (r = cgroup_write_int(dir, "memory.limit_in_bytes", x->mem_limit, err)) < 0)
		return r;
	if (x->has_mem_swap && !swap_first && (r = cgroup_write_int(dir, "memory.memsw.limit_in_bytes", x->mem_swap, err)) < 0 &&
	    !(r == -ENOENT && x->mem_swap <= 0))
		return r;
	if (x->has_mem_reservation && (r = cgroup_write_int(dir, "memory.soft_limit_in_bytes", x->mem_reservation, err)) < 0)
		return r;
	if (x->has_swappiness && (r = cgroup_write_int(dir, "memory.swappiness", (int64_t)x->swappiness, err)) < 0)
		return r;
	if (x->disable_oom_killer && (r = cgroup_write(dir, "memory.oom_control", "1", err)) < 0)
		return r;
	return 0;
}

static int apply_cpu(int dir, const struct spec_resources *x, struct err *err)
{
	int r;

	if (x->has_shares && x->shares && (r = cgroup_write_int(dir, "cpu.shares", (int64_t)x->shares, err)) < 0)
		return r;
	if (x->has_period && x->period && (r = cgroup_write_int(dir, "cpu.cfs_period_us", (int64_t)x->period, err)) < 0)
		return r;
	if (x->has_quota && x->quota && (r = cgroup_write_int(dir, "cpu.cfs_quota_us", x->quota, err)) < 0)
		return r;
	if (x->has_burst && (r = cgroup_write_int(dir, "cpu.cfs_burst_us", (int64_t)x->burst, err)) < 0)
		return r;
	if (x->has_rt_period && x->rt_period && (r = cgroup_write_int(dir, "cpu.rt_period_us", (int64_t)x->rt_period, err)) < 0)
		return r;
	if (x->has_rt_runtime && x->rt_runtime && (r = cgroup_write_int(dir, "cpu.rt_runtime_us", x->rt_runtime, err)) < 0)
		return r;
	if (x->has_idle && (r = cgroup_write_int(dir, "cpu.idle", x->idle, err)) < 0)
		return r;
	return 0;
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

static int apply_network(int dir, const char *name, const struct spec_resources *x, struct err *err)
{
	int r;

	if (strstr(name, "net_cls") && x->has_class_id && (r = cgroup_write_int(dir, "net_cls.classid", (int64_t)x->class_id, err)) < 0)
		return r;
	for (size_t i = 0; strstr(name, "net_prio") && i < x->net_prio_n; i++) {
		char text[64];

		snprintf(text, sizeof text, "%.32s %s", x->net_prio[i].key, x->net_prio[i].value);
		if ((r = cgroup_write(dir, "net_prio.ifpriomap", text, err)) < 0)
			return r;
	}
	return 0;
}

static int apply_pids(int dir, const struct spec_resources *x, struct err *err)
{
	if (!x->has_pids)
		return 0;
	return x->pids < 0 ? cgroup_write(dir, "pids.max", "max", err) : cgroup_write_int(dir, "pids.max", x->pids, err);
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

/* True when the comma separated list has the word. */
static bool has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

int cgroup_v1_apply(const struct cgroup_hierarchy *h, const struct spec_resources *x, struct err *err)
{
	int r = 0;

	if (has(h->option, "memory"))
		r = apply_memory(h->dir, x, err);
	if (r >= 0 && has(h->option, "cpu"))
		r = apply_cpu(h->dir, x, err);
	if (r >= 0 && has(h->option, "cpuset"))
		r = apply_cpuset(h->dir, x, err);
	if (r >= 0 && has(h->option, "blkio"))
		r = apply_blkio(h->dir, x, err);
	if (r >= 0 && has(h->option, "pids"))
		r = apply_pids(h->dir, x, err);
	if (r >= 0 && has(h->option, "hugetlb"))
		r = apply_hugetlb(h->dir, x, err);
	if (r >= 0 && strstr(h->option, "net_"))
		r = apply_network(h->dir, h->option, x, err);
	if (r >= 0 && has(h->option, "rdma"))
		r = apply_rdma(h->dir, x, err);
	if (r >= 0 && has(h->option, "devices"))
		r = device_rules_write_v1(h->dir, x->devices, x->devices_n, err);
	return r < 0 ? err_wrap(err, r, "%s cgroup", h->name) : 0;
}
