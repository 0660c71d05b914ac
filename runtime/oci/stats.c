/* stats.c - the parts of a container's statistics that v1 and v2 share. Runs in
 * coracle-runtime; only reads. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/ranges.h"
#include "runtime/oci/stats.h"

void stats_key(struct buf *b, const char *name)
{
	char last = b->len ? b->data[b->len - 1] : '{';

	buf_printf(b, "%s\"%s\":", last == '{' || last == '[' ? "" : ",", name);
}

void stats_open(struct buf *b, const char *name)
{
	stats_key(b, name);
	buf_putc(b, '{');
}

void stats_close(struct buf *b)
{
	buf_putc(b, '}');
}

void stats_number(struct buf *b, const char *name, uint64_t value)
{
	stats_key(b, name);
	buf_printf(b, "%" PRIu64, value);
}

void stats_some(struct buf *b, const char *name, uint64_t value)
{
	if (value)
		stats_number(b, name, value);
}

const char *stats_read(int dir, const char *file, char text[STATS_TEXT_MAX])
{
	if (dir < 0 || fd_read_small(dir, file, text, STATS_TEXT_MAX) < 0)
		text[0] = '\0';
	return text;
}

uint64_t stats_line(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, key, n) && p[n] == ' ')
			return strtoull(p + n + 1, NULL, 10);
	return 0;
}

uint64_t stats_value(int dir, const char *file)
{
	char text[64];

	if (dir < 0 || fd_read_small(dir, file, text, sizeof text) < 0)
		return 0;
	return !strcmp(text, "max") ? UINT64_MAX : strtoull(text, NULL, 10);
}

void stats_raw(struct buf *b, const char *text)
{
	if (!*text)
		return;
	stats_open(b, "raw");
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		char key[64];
		size_t n = strcspn(p, " \n");

		if (n >= sizeof key || p[n] != ' ')
			continue;
		memcpy(key, p, n);
		key[n] = '\0';
		stats_number(b, key, strtoull(p + n + 1, NULL, 10));
	}
	stats_close(b);
}

static void one_hugetlb(struct buf *b, int dir, const char *size, bool v2)
{
	char file[96], text[STATS_TEXT_MAX];
	uint64_t failures;

	stats_open(b, size);
	snprintf(file, sizeof file, "hugetlb.%s.%s", size, v2 ? "current" : "usage_in_bytes");
	stats_some(b, "usage", stats_value(dir, file));
	if (!v2) {
		snprintf(file, sizeof file, "hugetlb.%s.max_usage_in_bytes", size);
		stats_some(b, "max", stats_value(dir, file));
		snprintf(file, sizeof file, "hugetlb.%s.failcnt", size);
		failures = stats_value(dir, file);
	} else {
		snprintf(file, sizeof file, "hugetlb.%s.events", size);
		failures = stats_line(stats_read(dir, file, text), "max");
	}
	stats_number(b, "failcnt", failures);
	stats_close(b);
}

/* The page sizes are those that the group has files of. */
void stats_hugetlb(struct buf *b, int dir, bool v2)
{
	const char *end = v2 ? ".current" : ".usage_in_bytes";
	int fd = dir < 0 ? -1 : sys_openat(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	stats_open(b, "hugetlb");
	while (d && (e = readdir(d))) {
		char size[32];
		const char *p = e->d_name + 8, *dot;

		if (strncmp(e->d_name, "hugetlb.", 8) || !(dot = strchr(p, '.')) || strcmp(dot, end) || dot - p >= (int)sizeof size)
			continue;
		memcpy(size, p, (size_t)(dot - p));
		size[dot - p] = '\0';
		one_hugetlb(b, dir, size, v2);
	}
	stats_close(b);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

void stats_block(struct buf *b, bool *open, const char *name, unsigned major, unsigned minor, const char *op, uint64_t value)
{
	if (!*open) {
		stats_key(b, name);
		buf_putc(b, '[');
	}
	buf_puts(b, *open ? ",{" : "{");
	*open = true;
	stats_some(b, "major", major);
	stats_some(b, "minor", minor);
	stats_key(b, "op");
	buf_json_string(b, op, strlen(op));
	stats_some(b, "value", value);
	stats_close(b);
}

/* "0-2,5" -> 0,1,2,5 */
static void number_list(struct buf *b, const char *name, const char *text)
{
	unsigned long from, to;

	if (!*text)
		return;
	stats_key(b, name);
	buf_putc(b, '[');
	while (range_next(&text, &from, &to))
		for (; from <= to && from < 65536; from++)
			buf_printf(b, "%s%lu", b->data[b->len - 1] == '[' ? "" : ",", from);
	buf_putc(b, ']');
}

void stats_cpuset(struct buf *b, int dir)
{
	static const char *const NAMES[][2] = {
		{ "cpu_exclusive", "cpuset.cpu_exclusive" }, { "mem_hardwall", "cpuset.mem_hardwall" },
		{ "mem_exclusive", "cpuset.mem_exclusive" }, { "memory_migrate", "cpuset.memory_migrate" },
		{ "memory_spread_page", "cpuset.memory_spread_page" }, { "memory_spread_slab", "cpuset.memory_spread_slab" },
		{ "memory_pressure", "cpuset.memory_pressure" }, { "sched_load_balance", "cpuset.sched_load_balance" },
	};
	char text[STATS_TEXT_MAX];

	stats_open(b, "cpuset");
	number_list(b, "cpus", stats_read(dir, "cpuset.cpus", text));
	number_list(b, "mems", stats_read(dir, "cpuset.mems", text));
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		stats_number(b, NAMES[i][0], stats_value(dir, NAMES[i][1]));
	stats_key(b, "sched_relax_domain_level");
	buf_printf(b, "%d", dir < 0 ? 0 : atoi(stats_read(dir, "cpuset.sched_relax_domain_level", text)));
	stats_close(b);
}

void stats_memory_entry(struct buf *b, const char *name, uint64_t limit, uint64_t usage, uint64_t max, uint64_t failures)
{
	stats_open(b, name);
	stats_number(b, "limit", limit);
	stats_some(b, "usage", usage);
	stats_some(b, "max", max);
	stats_number(b, "failcnt", failures);
	stats_close(b);
}

void stats_json(const struct cgroup *c, struct buf *b)
{
	buf_putc(b, '{');
	if (c->pure_v2)
		stats_v2(c->h[0].dir, b);
	else
		stats_v1(c, b);
	stats_open(b, "intel_rdt");
	stats_close(b);
	stats_key(b, "network_interfaces");
	buf_puts(b, "null}");
}
