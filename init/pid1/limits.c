/* limits.c - what a unit's cgroup may use, and what happens when the kernel kills in it for want of memory.
 *
 * Runs in PID 1. A controller is switched on below system/ when the first unit wants it: on the way to the first container nobody does. What was
 * written and is not wanted any more gets the kernel's default back. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define SYSTEM "/sys/fs/cgroup/system"

/* Rule 25: what the kernel leaves in memory of PID 1, and of the services together, when everything else is squeezed. What they do not use, others may. */
#define INIT_RESERVE "1M"
#define SYSTEM_RESERVE "16M"

enum limit { MEMORY_MIN, MEMORY_HIGH, MEMORY_MAX, MEMORY_GROUP, TASKS_MAX, CPU_WEIGHT, CPU_QUOTA, IO_WEIGHT, LIMITS };
#define MEMORY_LIMITS (1u << MEMORY_MIN | 1u << MEMORY_HIGH | 1u << MEMORY_MAX | 1u << MEMORY_GROUP)

static const struct { char controller[8], file[20], unlimited[8]; } files[LIMITS] = {
	[MEMORY_MIN] = { "memory", "memory.min", "0" }, [MEMORY_HIGH] = { "memory", "memory.high", "max" }, [MEMORY_MAX] = { "memory", "memory.max", "max" },
	[MEMORY_GROUP] = { "memory", "memory.oom.group", "0" }, [TASKS_MAX] = { "pids", "pids.max", "max" }, [CPU_WEIGHT] = { "cpu", "cpu.weight", "100" },
	[CPU_QUOTA] = { "cpu", "cpu.max", "max" }, [IO_WEIGHT] = { "io", "io.weight", "100" },
};

static struct limited {
	uint32_t written;	/* bit per file that is not at its default */
	uint32_t kills;		/* OOM kills in it before the present run */
	uint32_t told;		/* and until the supervisor was told last */
	int events;		/* one more than the descriptor of its memory.events, 0: not watched */
} limited[SUP_UNITS_MAX];
static struct { uint32_t controllers, kills; } all;	/* bit per file whose controller is on; OOM kills below system/ that were told of */

const struct state_section limits_state[] = { STATE_TABLE("limi", limited, &units.n), STATE_ONE("lima", all), STATE_END };

static uint32_t kills_in(const char *text)
{
	const char *at = strstr(text, "oom_kill ");

	return at ? (uint32_t)atol(at + 9) : 0;
}

static uint32_t count_kills(int dir, const char *path)
{
	char text[256];

	return fd_read_small(dir, path, text, sizeof(text)) < 0 ? 0 : kills_in(text);
}

/* Returns 0 or -errno. */
static int switch_on(enum limit l)
{
	char text[16];
	int r = 0;

	if (all.controllers >> l & 1)
		return 0;
	cgroup_complete();
	snprintf(text, sizeof(text), "+%s", files[l].controller);
	if ((r = fd_write_small(AT_FDCWD, SYSTEM "/cgroup.subtree_control", text)) == 0)
		all.controllers |= 1u << l;
	return r;
}

static void set_limit(int unit, int dir, enum limit l, int64_t value)
{
	struct limited *u = &limited[unit];
	char text[48];
	int r;

	if (!value && !(u->written >> l & 1))
		return;
	if (!value)
		snprintf(text, sizeof(text), "%s", files[l].unlimited);
	else if (l == CPU_QUOTA)
		snprintf(text, sizeof(text), "%lld 100000", (long long)value * 1000);
	else
		snprintf(text, sizeof(text), "%lld", (long long)value);
	if ((r = switch_on(l)) == 0)
		r = fd_write_small(dir, files[l].file, text);
	if (r < 0)
		report_problem("init", "%s: write %s to %s of its cgroup: %s", unit_name(unit), text, files[l].file, err_name(-r));
	else if (value)
		u->written |= 1u << l;
	else
		u->written &= ~(1u << l);
}

void limits_forget(int unit)
{
	if (limited[unit].events)
		close(limited[unit].events - 1);
	memset(&limited[unit], 0, sizeof(limited[unit]));
}

/* The kernel raises EPOLLPRI on memory.events for each change after the last read. */
static void watch_kills(int unit, int dir)
{
	struct limited *u = &limited[unit];
	int fd;

	if (!u->events && (fd = sys_openat(dir, "memory.events", O_RDONLY, 0)) >= 0) {
		if (loop_add(fd, WATCH_OOM, unit, EPOLLPRI) == 0)
			u->events = fd + 1;
		else
			close(fd);
	}
	u->kills = u->told = count_kills(dir, "memory.events");
}

void limits_apply(int unit, int dir)
{
	const struct service *s = &units.service[unit];
	const int64_t values[LIMITS] = {
		[MEMORY_MIN] = s->memory_min, [MEMORY_HIGH] = s->memory_high, [MEMORY_MAX] = s->memory_max, [MEMORY_GROUP] = s->oom == UNIT_OOM_KILL,
		[TASKS_MAX] = s->tasks_max, [CPU_WEIGHT] = s->cpu_weight, [CPU_QUOTA] = s->cpu_quota, [IO_WEIGHT] = s->io_weight,
	};

	for (int l = 0; l < LIMITS; l++)
		set_limit(unit, dir, (enum limit)l, values[l]);
	if (limited[unit].written & MEMORY_LIMITS)
		watch_kills(unit, dir);
}

/* Reads the descriptor itself: that is what makes it quiet. */
static int has_new_kills(struct limited *u)
{
	char text[256];
	ssize_t len = pread(u->events - 1, text, sizeof(text) - 1, 0);
	uint32_t before = u->told;

	if (len > 0) {
		text[len] = '\0';
		u->told = kills_in(text);
	}
	return u->told != before;
}

void limits_on_oom(int unit)
{
	if (limited[unit].events && has_new_kills(&limited[unit]) && units.service[unit].oom == UNIT_OOM_STOP)
		init_event(&(struct sup_event){ .type = SUP_EV_OOM, .unit = unit });
}

/* "64M": in the largest unit that says it exactly. */
static const char *format_size(int64_t n, char buf[24])
{
	static const char suffixes[] = "\0KMGT";
	int i = 0;

	for (; i < 4 && n % 1024 == 0; i++)
		n /= 1024;
	snprintf(buf, 24, "%lld%.1s", (long long)n, suffixes + i);
	return buf;
}

int limits_explain(int unit, char *buf, size_t size)
{
	const struct sup_run *r = &init_sup.run[unit];
	struct limited *u = &limited[unit];
	char max[24];
	uint32_t n;

	if (u->events && r->why != SUP_WHY_ASKED) {
		has_new_kills(u);
		if (u->told == u->kills)
			return 0;
		snprintf(buf, size, "was killed: out of memory%s%s%s", u->written >> MEMORY_MAX & 1 ? " (MemoryMax " : "",
			 u->written >> MEMORY_MAX & 1 ? format_size(units.service[unit].memory_max, max) : "", u->written >> MEMORY_MAX & 1 ? ")" : "");
		return 1;
	}
	/* without a limit of its own it has no counter of its own either, but SIGKILL and a new kill among the services say enough */
	if (r->why != SUP_WHY_EXIT || !WIFSIGNALED(r->status) || WTERMSIG(r->status) != SIGKILL)
		return 0;
	n = count_kills(AT_FDCWD, SYSTEM "/memory.events");
	if (n == all.kills)
		return 0;
	all.kills = n;
	snprintf(buf, size, "was killed: the machine is out of memory");
	return 1;
}

void limits_reserve(void)
{
	/* a kernel without the controller has no such files, and said so when it was switched on */
	fd_write_small(AT_FDCWD, "/sys/fs/cgroup/init/memory.min", INIT_RESERVE);
	fd_write_small(AT_FDCWD, SYSTEM "/memory.min", SYSTEM_RESERVE);
}

void limits_restored(void)
{
	for (int i = 0; i < units.n; i++)
		if (limited[i].events && (!recover_keep(limited[i].events - 1) || loop_add(limited[i].events - 1, WATCH_OOM, i, EPOLLPRI) < 0))
			limited[i].events = 0;
}
