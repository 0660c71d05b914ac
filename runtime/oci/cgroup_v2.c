/* cgroup_v2.c - limits of a container in the unified hierarchy. Runs in
 * coracle-runtime; writes the container's own directory, and
 * cgroup.subtree_control of the directories above it where a controller is missing. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/device_rules.h"

static const char *const CONTROLLERS[] = { "cpu", "memory", "pids", "io", "cpuset", "hugetlb", "rdma" };

static bool has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

/* Turns on what the group can have and its children do not have yet. One that
 * is refused (no such controller for domains in threaded mode, busy) stays off. */
static void delegate(int dir)
{
	char have[256], on[256];

	if (fd_read_small(dir, "cgroup.controllers", have, sizeof have) < 0 ||
	    fd_read_small(dir, "cgroup.subtree_control", on, sizeof on) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(CONTROLLERS); i++) {
		char text[24];

		if (!has(have, CONTROLLERS[i]) || has(on, CONTROLLERS[i]))
			continue;
		snprintf(text, sizeof text, "+%s", CONTROLLERS[i]);
		fd_write_small(dir, "cgroup.subtree_control", text);
	}
}

/* Statistics need the controllers also where nothing is limited, so all of them are turned on along the way. */
static void delegate_down(const struct cgroup *c)
{
	CLEANUP_FD int dir = sys_openat(c->base, ".", O_RDONLY | O_DIRECTORY, 0);
	const char *p = c->path, *slash;

	while (dir >= 0) {
		char part[256];
		int next;

		delegate(dir);
		slash = strchr(p, '/');
		if (!slash || slash - p >= (long)sizeof part)
			return;
		memcpy(part, p, (size_t)(slash - p));
		part[slash - p] = '\0';
		p = slash + strspn(slash, "/");
		next = sys_openat(dir, part, O_RDONLY | O_DIRECTORY, 0);
		fd_close(&dir);
		dir = next;
	}
}

static int ensure_controllers(const struct cgroup *c, const struct cgroup_hierarchy *h, struct err *err)
{
	char have[256];
	ssize_t n = fd_read_small(h->dir, "cgroup.controllers", have, sizeof have);

	if (n < 0)
		return err_set(err, (int)-n, "read cgroup.controllers");
	for (int i = 0; i < 4; i++)	/* cpu, memory, pids, io: what every engine asks statistics of */
		if (!has(have, CONTROLLERS[i])) {
			delegate_down(c);
			break;
		}
	return 0;
}

static int write_max(int dir, const char *file, int64_t value, struct err *err)
{
	return value < 0 ? cgroup_write(dir, file, "max", err) : cgroup_write_int(dir, file, value, err);
}

static int apply_memory(int dir, const struct spec_resources *x, struct err *err)
{
	int r;

	if (x->has_mem_limit && x->mem_limit && (r = write_max(dir, "memory.max", x->mem_limit, err)) < 0)
		return r;
	/* the specification counts memory + swap together, v2 swap alone */
	if (x->has_mem_swap && x->mem_swap) {
		int64_t swap = x->mem_swap;

		if (swap > 0) {
			if (!x->has_mem_limit || x->mem_limit <= 0)
				return err_set(err, 0, "linux.resources.memory.swap: needs a limit");
			if (swap < x->mem_limit)
				return err_set(err, 0, "linux.resources.memory.swap: is below the limit");
			swap -= x->mem_limit;
		}
		/* a kernel without swap has no such file: nothing to limit then */
		if ((r = write_max(dir, "memory.swap.max", swap, err)) < 0 && r != -ENOENT)
			return r;
	}
	if (x->has_mem_reservation && x->mem_reservation && (r = write_max(dir, "memory.low", x->mem_reservation, err)) < 0)
		return r;
	return 0;
}

/* shares 2..262144 -> weight 1..10000 such that 2, 1024 and 262144 become 1, 100 and 10000. */
static int64_t weight_of_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (int64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

static int apply_cpu(int dir, const struct spec_resources *x, struct err *err)
{
	char text[64];
	int r;

	if ((x->has_rt_runtime && x->rt_runtime) || (x->has_rt_period && x->rt_period))
		return err_set(err, 0, "linux.resources.cpu: cgroup v2 has no realtimeRuntime and realtimePeriod");
	if (x->has_idle && (r = cgroup_write_int(dir, "cpu.idle", x->idle, err)) < 0)
		return r;
	if (x->has_shares && x->shares && !(x->has_idle && x->idle) &&
	    (r = cgroup_write_int(dir, "cpu.weight", weight_of_shares(x->shares), err)) < 0)
		return r;
	if ((x->has_quota && x->quota) || (x->has_period && x->period)) {
		unsigned long long period = x->has_period && x->period ? x->period : 100000;

		if (x->has_quota && x->quota > 0)
			snprintf(text, sizeof text, "%lld %llu", (long long)x->quota, period);
		else
			snprintf(text, sizeof text, "max %llu", period);
		if ((r = cgroup_write(dir, "cpu.max", text, err)) < 0)
			return r;
	}
	if (x->has_burst && (r = cgroup_write_int(dir, "cpu.max.burst", (int64_t)x->burst, err)) < 0)
		return r;
	if (x->cpus && *x->cpus && (r = cgroup_write(dir, "cpuset.cpus", x->cpus, err)) < 0)
		return r;
	if (x->mems && *x->mems && (r = cgroup_write(dir, "cpuset.mems", x->mems, err)) < 0)
		return r;
	return 0;
}

static int apply_weight(int dir, const struct spec_resources *x, struct err *err)
{
	char text[64];
	int r;

	if (x->has_weight && x->weight && (r = cgroup_write_int(dir, "io.bfq.weight", (int64_t)x->weight, err)) < 0) {
		/* blkio 10..1000 -> io.weight 1..10000 */
		if (r != -ENOENT || (r = cgroup_write_int(dir, "io.weight", (int64_t)(1 + (x->weight - 10) * 9999 / 990), err)) < 0)
			return r;
	}
	for (size_t i = 0; i < x->weight_devices_n; i++) {
		const struct spec_blkio_rule *b = &x->weight_devices[i];

		snprintf(text, sizeof text, "%u:%u %llu", b->major, b->minor, (unsigned long long)b->value);
		if ((r = cgroup_write(dir, "io.bfq.weight", text, err)) < 0)
			return r;
	}
	return 0;
}

static int apply_io(int dir, const struct spec_resources *x, struct err *err)
{
	static const char *const KEYS[THROTTLE_KINDS] = { "rbps", "wbps", "riops", "wiops" };
	char text[64];
	int r = apply_weight(dir, x, err);

	if (r < 0)
		return r;
	for (int k = 0; k < THROTTLE_KINDS; k++)
		for (size_t i = 0; i < x->throttle_n[k]; i++) {
			const struct spec_blkio_rule *b = &x->throttle[k][i];

			snprintf(text, sizeof text, "%u:%u %s=%llu", b->major, b->minor, KEYS[k], (unsigned long long)b->value);
			if ((r = cgroup_write(dir, "io.max", text, err)) < 0)
				return r;
		}
	return 0;
}

static int apply_others(int dir, const struct spec_resources *x, struct err *err)
{
	char text[192];
	int r;

	if (x->has_class_id || x->net_prio_n)
		return err_set(err, 0, "linux.resources.network: cgroup v2 has no network controller");
	if (x->has_pids && (r = write_max(dir, "pids.max", x->pids, err)) < 0)
		return r;
	for (size_t i = 0; i < x->hugepages_n; i++) {
		snprintf(text, sizeof text, "hugetlb.%.32s.max", x->hugepages[i].page_size);
		if ((r = cgroup_write_int(dir, text, (int64_t)x->hugepages[i].limit, err)) < 0)
			return r;
		snprintf(text, sizeof text, "hugetlb.%.32s.rsvd.max", x->hugepages[i].page_size);
		if ((r = cgroup_write_int(dir, text, (int64_t)x->hugepages[i].limit, err)) < 0 && r != -ENOENT)
			return r;
	}
	for (size_t i = 0; i < x->rdma_n; i++) {
		snprintf(text, sizeof text, "%.64s%s", x->rdma[i].key, x->rdma[i].value);
		if ((r = cgroup_write(dir, "rdma.max", text, err)) < 0)
			return r;
	}
	for (size_t i = 0; i < x->unified_n; i++)
		if ((r = cgroup_write(dir, x->unified[i].key, x->unified[i].value, err)) < 0)
			return err_wrap(err, r, "linux.resources.unified");
	return 0;
}

int cgroup_v2_apply(const struct cgroup *c, const struct cgroup_hierarchy *h, const struct spec_resources *x, struct err *err)
{
	int r;

	if ((r = ensure_controllers(c, h, err)) < 0 ||
	    (r = apply_memory(h->dir, x, err)) < 0 ||
	    (r = apply_cpu(h->dir, x, err)) < 0 ||
	    (r = apply_io(h->dir, x, err)) < 0 ||
	    (r = apply_others(h->dir, x, err)) < 0 ||
	    (r = device_rules_attach_v2(h->dir, x->devices, x->devices_n, h->created, err)) < 0)
		return err_wrap(err, r, "cgroup %s", c->path);
	return 0;
}
