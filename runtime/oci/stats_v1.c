/* stats_v1.c - statistics of a container in v1 hierarchies. Runs in
 * coracle-runtime; only reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "runtime/oci/stats.h"

#define NANOSECONDS UINT64_C(1000000000)

static int dir_of(const struct cgroup *c, const char *controller)
{
	const struct cgroup_hierarchy *h = cgroup_v1_find(c, controller);

	return h ? h->dir : -1;
}

static void percpu(struct buf *b, const char *text)
{
	if (!*text)
		return;
	stats_key(b, "percpu");
	buf_putc(b, '[');
	for (char *end; ; text = end) {
		uint64_t value = strtoull(text, &end, 10);

		if (end == text)
			break;
		buf_printf(b, "%s%llu", b->data[b->len - 1] == '[' ? "" : ",", (unsigned long long)value);
	}
	buf_putc(b, ']');
}

/* cpuacct.usage_all: "cpu user system", a line for each. */
static void percpu_split(struct buf *b, const char *text, const char *name, int column)
{
	bool open = false;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		unsigned long long cpu, value[2];

		if (sscanf(p, "%llu %llu %llu", &cpu, &value[0], &value[1]) != 3)
			continue;
		if (!open) {
			stats_key(b, name);
			buf_putc(b, '[');
		}
		buf_printf(b, "%s%llu", open ? "," : "", value[column]);
		open = true;
	}
	if (open)
		buf_putc(b, ']');
}

static void cpu(const struct cgroup *c, struct buf *b)
{
	int acct = dir_of(c, "cpuacct"), dir = dir_of(c, "cpu");
	uint64_t hertz = (uint64_t)sysconf(_SC_CLK_TCK);
	char text[STATS_TEXT_MAX];

	stats_open(b, "cpu");
	stats_open(b, "usage");
	stats_some(b, "total", stats_value(acct, "cpuacct.usage"));
	percpu(b, stats_read(acct, "cpuacct.usage_percpu", text));
	stats_read(acct, "cpuacct.usage_all", text);
	percpu_split(b, text, "percpu_kernel", 1);
	percpu_split(b, text, "percpu_user", 0);
	stats_read(acct, "cpuacct.stat", text);
	stats_number(b, "kernel", stats_line(text, "system") * (NANOSECONDS / hertz));
	stats_number(b, "user", stats_line(text, "user") * (NANOSECONDS / hertz));
	stats_close(b);
	stats_read(dir, "cpu.stat", text);
	stats_open(b, "throttling");
	stats_some(b, "periods", stats_line(text, "nr_periods"));
	stats_some(b, "throttledPeriods", stats_line(text, "nr_throttled"));
	stats_some(b, "throttledTime", stats_line(text, "throttled_time"));
	stats_close(b);
	stats_close(b);
}

static void memory_part(struct buf *b, int dir, const char *name, const char *prefix)
{
	static const char *const ENDS[] = { "limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes", "failcnt" };
	uint64_t v[4];

	for (int i = 0; i < 4; i++) {
		char file[64];

		snprintf(file, sizeof file, "%s.%s", prefix, ENDS[i]);
		v[i] = stats_value(dir, file);
	}
	stats_memory_entry(b, name, v[0], v[1], v[2], v[3]);
}

static void memory(const struct cgroup *c, struct buf *b)
{
	int dir = dir_of(c, "memory");
	char text[STATS_TEXT_MAX];

	stats_read(dir, "memory.stat", text);
	stats_open(b, "memory");
	stats_some(b, "cache", stats_line(text, "cache"));
	memory_part(b, dir, "usage", "memory");
	memory_part(b, dir, "swap", "memory.memsw");
	memory_part(b, dir, "kernel", "memory.kmem");
	memory_part(b, dir, "kernelTCP", "memory.kmem.tcp");
	stats_raw(b, text);
	stats_close(b);
}

/* "8:0 Read 4096" */
static void blkio_list(struct buf *b, int dir, const char *name, const char *file)
{
	char text[STATS_TEXT_MAX];
	bool open = false;

	stats_read(dir, file, text);
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		unsigned major, minor;
		unsigned long long value;
		char op[16];

		if (sscanf(p, "%u:%u %15s %llu", &major, &minor, op, &value) != 4)
			continue;
		stats_block(b, &open, name, major, minor, op, value);
	}
	if (open)
		buf_putc(b, ']');
}

static void blkio(const struct cgroup *c, struct buf *b)
{
	int dir = dir_of(c, "blkio");
	char text[STATS_TEXT_MAX];
	bool bfq = *stats_read(dir, "blkio.bfq.io_serviced_recursive", text);

	stats_open(b, "blkio");
	blkio_list(b, dir, "ioServiceBytesRecursive", bfq ? "blkio.bfq.io_service_bytes_recursive" : "blkio.throttle.io_service_bytes_recursive");
	blkio_list(b, dir, "ioServicedRecursive", bfq ? "blkio.bfq.io_serviced_recursive" : "blkio.throttle.io_serviced_recursive");
	if (bfq) {
		blkio_list(b, dir, "ioQueueRecursive", "blkio.bfq.io_queued_recursive");
		blkio_list(b, dir, "ioServiceTimeRecursive", "blkio.bfq.io_service_time_recursive");
		blkio_list(b, dir, "ioWaitTimeRecursive", "blkio.bfq.io_wait_time_recursive");
		blkio_list(b, dir, "ioMergedRecursive", "blkio.bfq.io_merged_recursive");
	}
	stats_close(b);
}

void stats_v1(const struct cgroup *c, struct buf *b)
{
	int pids = dir_of(c, "pids");
	uint64_t limit = stats_value(pids, "pids.max");

	cpu(c, b);
	stats_cpuset(b, dir_of(c, "cpuset"));
	memory(c, b);
	stats_open(b, "pids");
	stats_some(b, "current", stats_value(pids, "pids.current"));
	stats_some(b, "limit", limit == UINT64_MAX ? 0 : limit);
	stats_close(b);
	blkio(c, b);
	stats_hugetlb(b, dir_of(c, "hugetlb"), false);
}
