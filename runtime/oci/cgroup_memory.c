/* cgroup_memory.c - linux.resources.memory in v1 and v2. Runs in
 * coracle-runtime; writes only the container's own directories. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fd.h"
#include "runtime/oci/cgroup.h"

int64_t cgroup_read_int(int dir, const char *file)
{
	char text[40];
	ssize_t n = fd_read_small(dir, file, text, sizeof text);
	unsigned long long value;

	if (n < 0)
		return n;
	if (!strcmp(text, "max"))
		return INT64_MAX;
	value = strtoull(text, NULL, 10);
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int write_max(int dir, const char *file, int64_t value, struct err *err)
{
	return value < 0 ? cgroup_write(dir, file, "max", err) : cgroup_write_int(dir, file, value, err);
}

/* v2 lets a limit below the usage kill; those who asked are told instead. */
static int check_usage(int dir, const struct spec_resources *x, struct err *err)
{
	int64_t usage;

	if (!x->mem_check || (x->mem_limit <= 0 && x->mem_swap <= 0) || (usage = cgroup_read_int(dir, "memory.current")) < 0)
		return 0;
	if (x->mem_swap > 0 && x->mem_swap <= usage)
		return err_set(err, 0, "rejecting memory+swap limit %lld <= usage %lld", (long long)x->mem_swap, (long long)usage);
	if (x->mem_limit > 0 && x->mem_limit <= usage)
		return err_set(err, 0, "rejecting memory limit %lld <= usage %lld", (long long)x->mem_limit, (long long)usage);
	return 0;
}

/* The specification counts memory + swap together, v2 swap alone. Returns 1 with
 * *out (-1: max) when memory.swap.max is to be written. What an update does not
 * name keeps its value: a new limit takes its part of the same sum. */
static int swap_value(int dir, bool fresh, const struct spec_resources *x, int64_t *out, struct err *err)
{
	int64_t limit = x->has_mem_limit ? x->mem_limit : 0, total = x->has_mem_swap ? x->mem_swap : 0;

	if (!total && limit > 0 && !fresh) {
		int64_t was = cgroup_read_int(dir, "memory.max"), swap = cgroup_read_int(dir, "memory.swap.max");

		if (was < 0 || swap < 0 || was == INT64_MAX || swap == INT64_MAX)
			return 0;
		total = was + swap;
	}
	if (!limit && total > 0) {
		limit = fresh ? 0 : cgroup_read_int(dir, "memory.max");
		if (limit <= 0 || limit == INT64_MAX)
			return err_set(err, 0, "swap: unable to set swap limit without memory limit");
	}
	*out = total;
	if (!total && limit >= 0)
		return 0;
	if (!total || total < 0)
		*out = -1;
	else if (limit > 0 && total < limit)
		return err_set(err, 0, "swap: memory+swap limit should be >= memory limit (%lld < %lld)", (long long)total, (long long)limit);
	else if (limit > 0)
		*out = total - limit;
	return 1;
}

int cgroup_memory_v2(int dir, bool fresh, const struct spec_resources *x, struct err *err)
{
	int64_t swap = 0;
	int r;

	if (!x->has_mem_limit && !x->has_mem_swap && !x->has_mem_reservation)
		return 0;
	if ((r = check_usage(dir, x, err)) < 0 || (r = swap_value(dir, fresh, x, &swap, err)) < 0)
		return r;
	/* a kernel without swap has no such file: there is nothing to limit then */
	if (r > 0 && (r = write_max(dir, "memory.swap.max", swap, err)) < 0 && (r != -ENOENT || swap > 0))
		return r;
	if (x->has_mem_limit && x->mem_limit && (r = write_max(dir, "memory.max", x->mem_limit, err)) < 0)
		return r;
	if (x->has_mem_reservation && x->mem_reservation && (r = write_max(dir, "memory.low", x->mem_reservation, err)) < 0)
		return r;
	return 0;
}

/* v1 refuses a limit below the usage: say by how much. */
static int limit_v1(int dir, const struct spec_resources *x, struct err *err)
{
	int r;

	if (!x->has_mem_limit || !x->mem_limit)
		return 0;
	r = cgroup_write_int(dir, "memory.limit_in_bytes", x->mem_limit, err);
	if (r != -EBUSY)
		return r;
	return err_set(err, 0, "unable to set memory limit to %lld (current usage: %lld, peak usage: %lld)", (long long)x->mem_limit,
		       (long long)cgroup_read_int(dir, "memory.usage_in_bytes"), (long long)cgroup_read_int(dir, "memory.max_usage_in_bytes"));
}

static int swap_v1(int dir, int64_t swap, struct err *err)
{
	int r = swap ? cgroup_write_int(dir, "memory.memsw.limit_in_bytes", swap, err) : 0;

	/* no swap accounting: nothing to set free */
	return r == -ENOENT && swap < 0 ? 0 : r;
}

int cgroup_memory_v1(int dir, bool fresh, const struct spec_resources *x, struct err *err)
{
	int64_t swap = x->has_mem_swap ? x->mem_swap : 0;
	bool swap_first;
	int r;

	/* no limit means no limit of both, as it does in v2 */
	if (!swap && x->has_mem_limit && x->mem_limit == -1)
		swap = -1;
	/* memsw must at no time be below limit: what grows goes first */
	swap_first = swap && x->has_mem_limit && x->mem_limit && (swap == -1 || (!fresh && cgroup_read_int(dir, "memory.limit_in_bytes") < swap));
	if ((swap_first && (r = swap_v1(dir, swap, err)) < 0) ||
	    (r = limit_v1(dir, x, err)) < 0 ||
	    (!swap_first && (r = swap_v1(dir, swap, err)) < 0))
		return r;
	if (x->has_mem_reservation && x->mem_reservation && (r = cgroup_write_int(dir, "memory.soft_limit_in_bytes", x->mem_reservation, err)) < 0)
		return r;
	if (x->has_swappiness && (r = cgroup_write_int(dir, "memory.swappiness", (int64_t)x->swappiness, err)) < 0)
		return r;
	return x->disable_oom_killer ? cgroup_write(dir, "memory.oom_control", "1", err) : 0;
}
