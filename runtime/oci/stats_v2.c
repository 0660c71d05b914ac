/* stats_v2.c - statistics of a container in the unified hierarchy, put into the
 * places that v1 gave them. Runs in coracle-runtime; only reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/stats.h"

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"; the averages are fractions already: no arithmetic on them. */
static void pressure_line(struct buf *b, const char *name, const char *line)
{
	static const char *const KEYS[] = { "avg10", "avg60", "avg300", "total" };

	stats_open(b, name);
	for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
		char find[16];
		const char *p;
		int n;

		snprintf(find, sizeof find, "%s=", KEYS[i]);
		p = strstr(line, find);
		if (!p)
			continue;
		p += strlen(find);
		n = (int)strspn(p, "0123456789.");
		stats_key(b, KEYS[i]);
		buf_printf(b, "%.*s", n, p);
	}
	stats_close(b);
}

static void pressure(struct buf *b, int dir, const char *file)
{
	char text[STATS_TEXT_MAX];
	const char *full;

	if (!*stats_read(dir, file, text))
		return;
	full = strchr(text, '\n');
	stats_open(b, "psi");
	pressure_line(b, "some", text);
	pressure_line(b, "full", full ? full + 1 : "");
	stats_close(b);
}

static void cpu(struct buf *b, int dir)
{
	char text[STATS_TEXT_MAX];

	stats_read(dir, "cpu.stat", text);
	stats_open(b, "cpu");
	stats_open(b, "usage");
	stats_some(b, "total", stats_line(text, "usage_usec") * 1000);
	stats_number(b, "kernel", stats_line(text, "system_usec") * 1000);
	stats_number(b, "user", stats_line(text, "user_usec") * 1000);
	stats_close(b);
	stats_open(b, "throttling");
	stats_some(b, "periods", stats_line(text, "nr_periods"));
	stats_some(b, "throttledPeriods", stats_line(text, "nr_throttled"));
	stats_some(b, "throttledTime", stats_line(text, "throttled_usec") * 1000);
	stats_close(b);
	pressure(b, dir, "cpu.pressure");
	stats_close(b);
}

static void memory(struct buf *b, int dir)
{
	uint64_t limit = stats_value(dir, "memory.max"), usage = stats_value(dir, "memory.current");
	uint64_t swap_limit = stats_value(dir, "memory.swap.max"), swap = stats_value(dir, "memory.swap.current");
	char text[STATS_TEXT_MAX], events[STATS_TEXT_MAX];

	stats_read(dir, "memory.stat", text);
	stats_read(dir, "memory.events", events);
	stats_open(b, "memory");
	stats_some(b, "cache", stats_line(text, "file"));
	stats_memory_entry(b, "usage", limit, usage, stats_value(dir, "memory.peak"), stats_line(events, "max"));
	/* v1 counts memory and swap together, and so do those who read this */
	stats_memory_entry(b, "swap", swap_limit == UINT64_MAX || limit == UINT64_MAX ? UINT64_MAX : swap_limit + limit, swap + usage, 0, 0);
	stats_memory_entry(b, "kernel", 0, 0, 0, 0);
	stats_memory_entry(b, "kernelTCP", 0, 0, 0, 0);
	stats_raw(b, text);
	pressure(b, dir, "memory.pressure");
	stats_close(b);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" */
static void io_list(struct buf *b, const char *text, const char *name, const char *const keys[3])
{
	static const char *const OPS[] = { "Read", "Write", "Discard" };
	bool open = false;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strcspn(p, "\n");
		unsigned major, minor;

		if (sscanf(p, "%u:%u", &major, &minor) != 2)
			continue;
		for (int i = 0; i < 3; i++) {
			const char *v = strstr(p, keys[i]);

			if (v && v < p + n)
				stats_block(b, &open, name, major, minor, OPS[i], strtoull(v + strlen(keys[i]), NULL, 10));
		}
	}
	if (open)
		buf_putc(b, ']');
}

static void io(struct buf *b, int dir)
{
	static const char *const BYTES[] = { " rbytes=", " wbytes=", " dbytes=" }, *const COUNTS[] = { " rios=", " wios=", " dios=" };
	char text[STATS_TEXT_MAX];

	stats_read(dir, "io.stat", text);
	stats_open(b, "blkio");
	io_list(b, text, "ioServiceBytesRecursive", BYTES);
	io_list(b, text, "ioServicedRecursive", COUNTS);
	pressure(b, dir, "io.pressure");
	stats_close(b);
}

void stats_v2(int dir, struct buf *b)
{
	uint64_t limit = stats_value(dir, "pids.max");

	cpu(b, dir);
	stats_cpuset(b, -1);
	memory(b, dir);
	stats_open(b, "pids");
	stats_some(b, "current", stats_value(dir, "pids.current"));
	stats_some(b, "limit", limit == UINT64_MAX ? 0 : limit);
	stats_close(b);
	io(b, dir);
	stats_hugetlb(b, dir, true);
}
