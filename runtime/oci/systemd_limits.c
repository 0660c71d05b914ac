/* systemd_limits.c - linux.resources in systemd's words. Runs in coracle-runtime, outside the container. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "runtime/oci/ranges.h"
#include "runtime/oci/systemd_properties.h"

void property_name(struct dbus_body *b, const char *property, const char *signature)
{
	dbus_align(b, 8);
	dbus_put_string(b, property);
	dbus_put_signature(b, signature);
}

void property_number(struct dbus_body *b, const char *property, int64_t value)
{
	property_name(b, property, "t");
	dbus_put_u64(b, value < 0 ? UINT64_MAX : (uint64_t)value);
}

void property_text(struct dbus_body *b, const char *property, const char *value)
{
	property_name(b, property, "s");
	dbus_put_string(b, value);
}

void property_bool(struct dbus_body *b, const char *property, bool value)
{
	property_name(b, property, "b");
	dbus_put_u32(b, value);
}

/* "0-2,5" as a mask, which is how systemd takes lists of processors. */
static void mask(struct dbus_body *b, const char *property, const char *list)
{
	uint8_t bits[1024] = { 0 };
	unsigned long from, to;
	size_t n = 0, array;

	while (range_next(&list, &from, &to))
		for (; from <= to && from < sizeof bits * 8; from++) {
			bits[from / 8] |= (uint8_t)(1U << from % 8);
			n = from / 8 + 1 > n ? from / 8 + 1 : n;
		}
	property_name(b, property, "ay");
	array = dbus_begin(b, 1);
	for (size_t i = 0; i < n; i++)
		dbus_put_byte(b, bits[i]);
	dbus_end(b, array, 1);
}

static void bandwidth(struct dbus_body *b, int64_t quota, int64_t period, bool v2)
{
	int64_t each = -1;

	/* systemd counts in whole percents */
	if (quota > 0 && quota < INT64_MAX / 1000000 && period > 0)
		each = (quota * 1000000 / period + 9999) / 10000 * 10000;
	property_number(b, "CPUQuotaPerSecUSec", each);
	if (v2)
		property_number(b, "CPUQuotaPeriodUSec", period);
}

/* The files of cgroup v2 that systemd has properties for, and would write again. */
static const struct file {
	const char *name, *property;
	enum { NUMBER, WEIGHT, LIST, BANDWIDTH } kind;
} FILES[] = {
	{ "memory.max", "MemoryMax", NUMBER }, { "memory.swap.max", "MemorySwapMax", NUMBER }, { "memory.high", "MemoryHigh", NUMBER },
	{ "memory.low", "MemoryLow", NUMBER }, { "memory.min", "MemoryMin", NUMBER }, { "pids.max", "TasksMax", NUMBER },
	{ "cpu.weight", "CPUWeight", WEIGHT }, { "io.weight", "IOWeight", WEIGHT }, { "cpu.max", NULL, BANDWIDTH },
	{ "cpuset.cpus", "AllowedCPUs", LIST }, { "cpuset.mems", "AllowedMemoryNodes", LIST },
};

/* Text that the kernel would not take is not systemd's to see either: the error comes with the file. */
static void file_number(struct dbus_body *b, const char *property, const char *text)
{
	static const char UNITS[] = "kmgt";
	const char *unit;
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (!strcmp(text, "max"))
		property_number(b, property, -1);
	if (end == text)
		return;
	unit = *end ? strchr(UNITS, *end | 0x20) : NULL;
	property_number(b, property, (int64_t)(unit ? value << 10 * (unit - UNITS + 1) : value));
}

static void file(struct dbus_body *b, const struct file *f, const char *text)
{
	long long quota = -1, period = 100000;

	switch (f->kind) {
	case NUMBER:
		file_number(b, f->property, text);
		break;
	case WEIGHT:
		/* 0: cpu.idle, which older ones of systemd do not know */
		quota = strtoll(strncmp(text, "default ", 8) ? text : text + 8, NULL, 10);
		if (quota > 0)
			property_number(b, f->property, quota);
		break;
	case LIST:
		mask(b, f->property, text);
		break;
	case BANDWIDTH:
		if (sscanf(text, "max %lld", &period) == 1 || sscanf(text, "%lld %lld", &quota, &period) >= 1 || !strcmp(text, "max"))
			bandwidth(b, quota, period, true);
		break;
	}
}

static void unified(struct dbus_body *b, const struct spec_resources *x)
{
	for (size_t i = 0; i < x->unified_n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(FILES); k++)
			if (!strcmp(x->unified[i].key, FILES[k].name))
				file(b, &FILES[k], x->unified[i].value);
}

void systemd_put_limits(struct dbus_body *b, const struct spec_resources *x, bool v2)
{
	if (x->has_mem_limit && x->mem_limit)
		property_number(b, v2 ? "MemoryMax" : "MemoryLimit", x->mem_limit);
	if (v2 && x->has_mem_reservation && x->mem_reservation)
		property_number(b, "MemoryLow", x->mem_reservation);
	if (v2 && x->has_mem_swap && x->mem_swap && x->has_mem_limit)
		property_number(b, "MemorySwapMax", x->mem_swap < 0 || x->mem_limit < 0 ? -1 : x->mem_swap - x->mem_limit);
	if (x->has_shares && x->shares && !(x->has_idle && x->idle))
		property_number(b, v2 ? "CPUWeight" : "CPUShares", v2 ? cgroup_weight_of_shares(x->shares) : (int64_t)x->shares);
	if (x->has_quota && x->quota)
		bandwidth(b, x->quota, x->has_period && x->period ? (int64_t)x->period : 100000, v2);
	if (v2 && x->cpus && *x->cpus)
		mask(b, "AllowedCPUs", x->cpus);
	if (v2 && x->mems && *x->mems)
		mask(b, "AllowedMemoryNodes", x->mems);
	if (x->has_pids)
		property_number(b, "TasksMax", x->pids ? x->pids : 1);
	unified(b, x);
}

static bool touched(const struct spec_resources *x, const char *name)
{
	const struct { const char *file; bool yes; } BY[] = {
		{ "memory.max", x->has_mem_limit || x->has_mem_swap }, { "memory.swap.max", x->has_mem_limit || x->has_mem_swap },
		{ "memory.low", x->has_mem_reservation }, { "pids.max", x->has_pids }, { "cpu.weight", x->has_shares || x->has_idle },
		{ "cpu.max", x->has_quota || x->has_period }, { "cpuset.cpus", x->cpus && *x->cpus }, { "cpuset.mems", x->mems && *x->mems },
	};

	for (size_t i = 0; i < ARRAY_SIZE(BY); i++)
		if (BY[i].yes && !strcmp(BY[i].file, name))
			return true;
	for (size_t i = 0; i < x->unified_n; i++)
		if (!strcmp(x->unified[i].key, name))
			return true;
	return false;
}

/* An update names parts (a period, a sum with swap): what the kernel has made of them is what systemd is to keep. */
static void kernel_limits(struct dbus_body *b, int dir, const struct spec_resources *x)
{
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(FILES); i++)
		if (touched(x, FILES[i].name) && fd_read_small(dir, FILES[i].name, text, sizeof text) > 0)
			file(b, &FILES[i], text);
}

void systemd_put_update(struct dbus_body *b, const struct cgroup *c, const struct spec_resources *x)
{
	struct spec_resources rest = *x;
	const struct cgroup_hierarchy *h = c->pure_v2 ? NULL : cgroup_v1_find(c, "cpu");

	if (c->pure_v2) {
		kernel_limits(b, c->h[0].dir, x);
		return;
	}
	rest.has_quota = false;
	systemd_put_limits(b, &rest, false);
	if (h && h->dir >= 0 && (x->has_quota || x->has_period)) {
		char quota[24] = "";

		fd_read_small(h->dir, "cpu.cfs_quota_us", quota, sizeof quota);
		bandwidth(b, strtoll(quota, NULL, 10), cgroup_read_int(h->dir, "cpu.cfs_period_us"), false);
	}
}
