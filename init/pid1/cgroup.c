/* cgroup.c - the cgroup tree: init/ (PID 1 alone), system/NAME (services), coracle/ (containers).
 *
 * Runs in PID 1. init has a leaf of its own, so that no limit, no OOM kill of a group and no cgroup.kill
 * meant for others can ever hit it. Services are killed by cgroup.kill, which no fork can escape, and never by the freezer. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define TOP "/sys/fs/cgroup"

/* One more than the descriptor, 0: not open. So the table needs no setting up and its pages stay untouched. */
static int dirs[SUP_UNITS_MAX];
static int events[SUP_UNITS_MAX];
static char killed[SUP_UNITS_MAX];
static int complete;		/* all of the tree has been made, by this image of init */
static int starts;		/* made by it */

/* The descriptors are opened again by the names: they change in the middle of events. */
const struct state_section cgroup_state[] = { STATE_ALL("cgki", killed), STATE_END };

void cgroup_restored(void)
{
	for (int i = 0; i < units.n; i++) {
		char path[128];
		int fd;

		snprintf(path, sizeof(path), TOP "/system/%s", unit_name(i));
		fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
		if (fd >= 0)
			dirs[i] = fd + 1; /* opened by this image: not one of those that have to be kept */
	}
}

static int wanted(const char *controller)
{
	static const char *const names[] = { "cpuset", "cpu", "io", "memory", "pids" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(controller, names[i]))
			return 1;
	return 0;
}

/* "cpu io memory" -> "+cpu +io +memory": one unknown word would make the kernel refuse all. */
static void enable_controllers(void)
{
	char have[256];
	char line[256];
	size_t len = 0;
	char *save = NULL;

	if (fd_read_small(AT_FDCWD, TOP "/cgroup.controllers", have, sizeof(have)) <= 0)
		return;
	for (char *w = strtok_r(have, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (wanted(w))
			len += (size_t)snprintf(line + len, sizeof(line) - len, "+%s ", w);
	if (len == 0)
		return;
	if (fd_write_small(AT_FDCWD, TOP "/cgroup.subtree_control", line) < 0 ||
	    fd_write_small(AT_FDCWD, TOP "/coracle/cgroup.subtree_control", line) < 0)
		report_problem("init", "switch on cgroup controllers \"%s\" failed; limits of containers may not work", line);
}

static void make(const char *path)
{
	int r = sys_mkdirat(AT_FDCWD, path, 0755);

	if (r < 0 && r != -EEXIST)
		report_problem("init", "make %s: %s", path, err_name(-r));
}

void cgroup_prepare(void)
{
	make(TOP "/system");
}

void cgroup_complete(void)
{
	if (complete)
		return;
	complete = 1;
	make(TOP "/init");
	make(TOP "/coracle");
	enable_controllers();
}

/* Moving a process waits for an RCU grace period, 9 ms of nothing: so the first services have been started before. They
 * are born in their own cgroups, and the rule that inner nodes hold no processes does not bind the root. */
void cgroup_move_init(void)
{
	int r;

	cgroup_complete();
	r = fd_write_small(AT_FDCWD, TOP "/init/cgroup.procs", "1\n");
	if (r < 0)
		report_problem("init", "move init into its cgroup: %s", err_name(-r));
	limits_reserve();
}

/* A process that clone3 puts straight into a cgroup which was killed once is killed itself: the kernel (6.12 to 6.18
 * at least) compares the kill counts of two different cgroups. So a cgroup that was killed, or is there from before, is
 * replaced by a new one, whose count is 0. Returns -EBUSY or -ENOTEMPTY when the service made cgroups below it. */
static int make_fresh(const char *path)
{
	int r = sys_mkdirat(AT_FDCWD, path, 0755);

	if (r == -EEXIST && (r = sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR)) == 0)
		r = sys_mkdirat(AT_FDCWD, path, 0755);
	return r;
}

static int open_group(int unit, int *clone_into)
{
	char path[128];
	int fd;

	*clone_into = 1;
	if (dirs[unit] && !killed[unit])
		return dirs[unit] - 1;
	snprintf(path, sizeof(path), TOP "/system/%s", unit_name(unit));
	if (make_fresh(path) < 0) {
		*clone_into = 0;
		if (dirs[unit])
			return dirs[unit] - 1;
	}
	if (dirs[unit])
		close(dirs[unit] - 1);
	limits_forget(unit);
	dirs[unit] = 0;
	killed[unit] = 0;
	fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		dirs[unit] = fd + 1;
	return fd;
}

int cgroup_open(int unit, int *clone_into)
{
	int fd;

	/* The controllers are 800,000 instructions, for which the very first service does not wait. When they are switched on while a service runs,
	 * that is moved, which waits for an RCU grace period; the image's first services come one after the other. */
	if (!complete && (starts++ || units.sup[unit].flags & SUP_CRITICAL))
		cgroup_complete();
	fd = open_group(unit, clone_into);
	if (fd >= 0)
		limits_apply(unit, fd);
	return fd;
}

static int is_populated(int unit)
{
	char text[128];

	if (!dirs[unit] || fd_read_small(dirs[unit] - 1, "cgroup.events", text, sizeof(text)) < 0)
		return 0;
	return strstr(text, "populated 1") != NULL;
}

/* The kernel raises EPOLLPRI on cgroup.events for each change after the last read, so: open, watch, then look. */
int cgroup_is_busy(int unit)
{
	char text[128];
	int fd;

	/* with KillMode=process nobody waits for the others */
	if (units.service[unit].flags & UNIT_KILL_PROCESS || !is_populated(unit))
		return 0;
	if (events[unit])
		return 1;
	fd = sys_openat(dirs[unit] - 1, "cgroup.events", O_RDONLY, 0);
	if (fd < 0)
		return 0;
	if (loop_add(fd, WATCH_CGROUP, unit, EPOLLPRI) < 0) {
		close(fd);
		return 0;
	}
	events[unit] = fd + 1;
	(void)!pread(fd, text, sizeof(text), 0);
	return is_populated(unit);
}

void cgroup_on_event(int unit)
{
	char text[128];

	if (!events[unit])
		return;
	(void)!pread(events[unit] - 1, text, sizeof(text), 0);
	if (is_populated(unit))
		return;
	close(events[unit] - 1);
	events[unit] = 0;
	init_event(&(struct sup_event){ .type = SUP_EV_EMPTY, .unit = unit });
}

void cgroup_kill(int unit)
{
	if (!dirs[unit] || units.service[unit].flags & UNIT_KILL_PROCESS)
		return;
	killed[unit] = 1;
	fd_write_small(dirs[unit] - 1, "cgroup.kill", "1");
}

void cgroup_kill_all(void)
{
	fd_write_small(AT_FDCWD, TOP "/coracle/cgroup.kill", "1");
	fd_write_small(AT_FDCWD, TOP "/system/cgroup.kill", "1");
}

/* Processes of a unit that has none, as far as anyone knows: their start was not written down any more. It starts again when they are gone. */
static void kill_strangers(int unit)
{
	struct sup_run *r = &init_sup.run[unit];

	report_problem("init", "%s has processes that nobody knows; they are killed", unit_name(unit));
	cgroup_kill(unit);
	if (r->state != SUP_WAITING && r->state != SUP_BACKOFF && r->state != SUP_STARTING)
		return;
	r->state = SUP_CLEANING;
	r->why = SUP_WHY_ASKED;
	r->again = 1;
	r->busy = 1;
	r->deadline = loop_now() + SUP_KILL_MS;
}

void cgroup_reconcile(void)
{
	for (int i = 0; i < init_sup.n; i++) {
		struct sup_run *r = &init_sup.run[i];

		if (r->pid == 0 && !r->busy && !(units.service[i].flags & UNIT_KILL_PROCESS) && is_populated(i))
			kill_strangers(i);
		if (r->pid == 0 && r->busy && !cgroup_is_busy(i))
			init_event(&(struct sup_event){ .type = SUP_EV_EMPTY, .unit = i });
	}
}

int cgroup_unit_of(pid_t pid)
{
	static const char prefix[] = "0::/system/";
	char path[32];
	char text[256];
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (fd_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 || strncmp(text, prefix, sizeof(prefix) - 1))
		return -1;
	end = text + sizeof(prefix) - 1;
	end[strcspn(end, "/\n ")] = '\0'; /* a process in a deeper group belongs to the service too; " (deleted)" */
	return unit_find(end);
}
