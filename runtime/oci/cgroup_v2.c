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

/* Every engine asks statistics of cpu, memory, pids and io; systemd, which makes groups too, leaves out what it does not know. */
static bool needed(const struct spec_resources *x, const char *controller)
{
	size_t n = strlen(controller);

	for (size_t i = 0; i < x->unified_n; i++)
		if (!strncmp(x->unified[i].key, controller, n) && x->unified[i].key[n] == '.')
			return true;
	if (!strcmp(controller, "cpuset"))
		return (x->cpus && *x->cpus) || (x->mems && *x->mems);
	if (!strcmp(controller, "hugetlb"))
		return x->hugepages_n;
	return strcmp(controller, "rdma") != 0 || x->rdma_n;
}

static int ensure_controllers(const struct cgroup *c, const struct cgroup_hierarchy *h, const struct spec_resources *x, struct err *err)
{
	char have[256];
	ssize_t n = fd_read_small(h->dir, "cgroup.controllers", have, sizeof have);

	if (n < 0)
		return err_set(err, (int)-n, "read cgroup.controllers");
	for (size_t i = 0; i < ARRAY_SIZE(CONTROLLERS); i++)
		if (!has(have, CONTROLLERS[i]) && needed(x, CONTROLLERS[i])) {
			delegate_down(c);
			break;
		}
	return 0;
}

/* shares 2..262144 -> weight 1..10000 such that 2, 1024 and 262144 become 1, 100 and 10000. */
int64_t cgroup_weight_of_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (int64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* "QUOTA [PERIOD]"; a period that is not named stays, a quota must be. */
static void cpu_max(int dir, const struct spec_resources *x, char out[64])
{
	char now[64] = "max";

	if (x->has_quota && x->quota > 0)
		snprintf(now, sizeof now, "%lld", (long long)x->quota);
	else if (!x->has_quota || !x->quota)
		fd_read_small(dir, "cpu.max", now, sizeof now);
	now[strcspn(now, " ")] = '\0';
	if (x->has_period && x->period)
		snprintf(out, 64, "%.24s %llu", now, (unsigned long long)x->period);
	else
		snprintf(out, 64, "%.24s", now);
}

/* Burst and quota are checked against each other: a burst that is refused alone goes again after the quota. */
static int apply_bandwidth(int dir, const struct spec_resources *x, struct err *err)
{
	bool burst = x->has_burst, quota = (x->has_quota && x->quota) || (x->has_period && x->period);
	char text[64];
	int r = 0;

	if (burst && (r = cgroup_write_int(dir, "cpu.max.burst", (int64_t)x->burst, err)) < 0 && (r != -EINVAL || !quota))
		return r;
	burst = burst && r < 0;
	if (quota) {
		cpu_max(dir, x, text);
		if ((r = cgroup_write(dir, "cpu.max", text, err)) < 0)
			return r;
	}
	return burst ? cgroup_write_int(dir, "cpu.max.burst", (int64_t)x->burst, err) : 0;
}

static int apply_cpu(int dir, const struct spec_resources *x, struct err *err)
{
	int r;

	if ((x->has_rt_runtime && x->rt_runtime) || (x->has_rt_period && x->rt_period))
		return err_set(err, 0, "cgroup v2 has no realtimeRuntime and realtimePeriod");
	if (x->has_idle && (r = cgroup_write_int(dir, "cpu.idle", x->idle, err)) < 0)
		return r;
	if (x->has_shares && x->shares && !(x->has_idle && x->idle) &&
	    (r = cgroup_write_int(dir, "cpu.weight", cgroup_weight_of_shares(x->shares), err)) < 0)
		return r;
	if ((r = apply_bandwidth(dir, x, err)) < 0)
		return r;
	if (x->cpus && *x->cpus && (r = cgroup_write(dir, "cpuset.cpus", x->cpus, err)) < 0)
		return r;
	return x->mems && *x->mems ? cgroup_write(dir, "cpuset.mems", x->mems, err) : 0;
}

/* blkio's 10..1000 -> io.weight's 1..10000 */
static unsigned long long io_weight(uint64_t weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

/* io.bfq.weight where the BFQ scheduler is, else io.weight (iocost) in its own measure. */
static int apply_weight(int dir, const struct spec_resources *x, struct err *err)
{
	char text[64];
	int r;

	if (x->has_weight && x->weight && (r = cgroup_write_int(dir, "io.bfq.weight", (int64_t)x->weight, err)) < 0 &&
	    (r != -ENOENT || (r = cgroup_write_int(dir, "io.weight", (int64_t)io_weight(x->weight), err)) < 0))
		return r;
	for (size_t i = 0; i < x->weight_devices_n; i++) {
		const struct spec_blkio_rule *b = &x->weight_devices[i];

		snprintf(text, sizeof text, "%u:%u %llu", b->major, b->minor, (unsigned long long)b->value);
		if ((r = cgroup_write(dir, "io.bfq.weight", text, err)) == 0)
			continue;
		snprintf(text, sizeof text, "%u:%u %llu", b->major, b->minor, io_weight(b->value));
		if (r != -ENOENT || (r = cgroup_write(dir, "io.weight", text, err)) < 0)
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

static int write_max(int dir, const char *file, int64_t value, struct err *err)
{
	return value < 0 ? cgroup_write(dir, file, "max", err) : cgroup_write_int(dir, file, value, err);
}

static int apply_pids(int dir, const struct spec_resources *x, struct err *err)
{
	/* 0 is a limit since 1.3: 1, as the container's own process must get in (and as runc) */
	return x->has_pids ? write_max(dir, "pids.max", x->pids ? x->pids : 1, err) : 0;
}

static int apply_hugetlb(int dir, const struct spec_resources *x, struct err *err)
{
	char file[80];
	int r;

	for (size_t i = 0; i < x->hugepages_n; i++) {
		snprintf(file, sizeof file, "hugetlb.%.32s.max", x->hugepages[i].page_size);
		if ((r = write_max(dir, file, (int64_t)x->hugepages[i].limit, err)) < 0)
			return r;
		snprintf(file, sizeof file, "hugetlb.%.32s.rsvd.max", x->hugepages[i].page_size);
		if ((r = write_max(dir, file, (int64_t)x->hugepages[i].limit, err)) < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int apply_rdma(int dir, const struct spec_resources *x, struct err *err)
{
	char text[192];
	int r;

	for (size_t i = 0; i < x->rdma_n; i++) {
		snprintf(text, sizeof text, "%.64s%s", x->rdma[i].key, x->rdma[i].value);
		if ((r = cgroup_write(dir, "rdma.max", text, err)) < 0)
			return r;
	}
	return 0;
}

static int apply_network(int dir, const struct spec_resources *x, struct err *err)
{
	(void)dir;
	return x->has_class_id || x->net_prio_n ? err_set(err, 0, "cgroup v2 has no network controller") : 0;
}

/* Line by line: files such as io.max take one setting per write. */
static int write_lines(int dir, const char *file, const char *value, struct err *err)
{
	while (*value) {
		size_t n = strcspn(value, "\n");
		char line[256];
		int r;

		if (n >= sizeof line)
			return err_set(err, E2BIG, "write %s", file);
		memcpy(line, value, n);
		line[n] = '\0';
		if ((r = cgroup_write(dir, file, line, err)) < 0)
			return r;
		value += n + (value[n] == '\n');
	}
	return 0;
}

static bool controller_there(int dir, const char *name, size_t n)
{
	char have[256], word[32];

	if (n >= sizeof word || fd_read_small(dir, "cgroup.controllers", have, sizeof have) < 0)
		return true;
	memcpy(word, name, n);
	word[n] = '\0';
	return has(have, word);
}

static int apply_unified(int dir, const struct spec_resources *x, struct err *err)
{
	for (size_t i = 0; i < x->unified_n; i++) {
		const char *key = x->unified[i].key;
		int r = write_lines(dir, key, x->unified[i].value, err);

		if ((r == -ENOENT || r == -EACCES || r == -EPERM) && strncmp(key, "cgroup.", 7) && !controller_there(dir, key, strcspn(key, ".")))
			return err_set(err, 0, "\"%s\" can't be set: controller \"%.*s\" not available", key, (int)strcspn(key, "."), key);
		if (r < 0)
			return err_wrap(err, r, "unable to set unified resource \"%s\"", key);
	}
	return 0;
}

static int apply_devices(int dir, bool fresh, const struct spec_resources *x, struct err *err)
{
	return x->no_devices ? 0 : device_rules_attach_v2(dir, x->devices, x->devices_n, fresh, err);
}

static int wrap(int dir, int r, const char *property, const char *controller, struct err *err)
{
	/* a file that is not there nearly always means a controller that is not turned on above */
	if (r == -ENOENT && controller && !controller_there(dir, controller, strlen(controller)))
		return err_set(err, 0, "linux.resources.%s: the %s controller is not available (see cgroup.controllers of the group above)", property, controller);
	return err_wrap(err, r, "linux.resources.%s", property);
}

int cgroup_v2_apply(const struct cgroup *c, const struct cgroup_hierarchy *h, const struct spec_resources *x, struct err *err)
{
	static const struct {
		const char *property, *controller;
		int (*fn)(int, const struct spec_resources *, struct err *);
	} PARTS[] = {
		{ "cpu", "cpu", apply_cpu }, { "blockIO", "io", apply_io }, { "pids", "pids", apply_pids },
		{ "hugepageLimits", "hugetlb", apply_hugetlb }, { "rdma", "rdma", apply_rdma }, { "network", NULL, apply_network },
		{ "unified", NULL, apply_unified },
	};
	int r = ensure_controllers(c, h, x, err);

	if (r < 0)
		return err_wrap(err, r, "cgroup %s", c->path);
	if ((r = cgroup_memory_v2(h->dir, h->created, x, err)) < 0)
		return wrap(h->dir, r, "memory", "memory", err);
	for (size_t i = 0; i < ARRAY_SIZE(PARTS); i++)
		if ((r = PARTS[i].fn(h->dir, x, err)) < 0)
			return wrap(h->dir, r, PARTS[i].property, PARTS[i].controller, err);
	r = apply_devices(h->dir, h->created || c->adopted, x, err);
	return r < 0 ? err_wrap(err, r, "linux.resources.devices") : 0;
}
