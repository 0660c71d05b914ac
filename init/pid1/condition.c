/* condition.c - may this unit be started now: what the machine is for, and ConditionPathExists=.
 *
 * Runs in PID 1, which must not look at a path itself where that may wait: a disk that hangs, a network's file system. There a child looks, and the
 * unit is "starting" until it has said what it saw; its own time to start is the limit. */
#include "init/pid1/init.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/pid1/recover.h"
#include "sys.h"

static pid_t looking[SUP_UNITS_MAX];	/* the child of each unit, 0: none */

const struct state_section condition_state[] = { STATE_ONE("look", looking), STATE_END };

int path_may_wait(const char *path)
{
	/* the image, what is made at boot, and the kernel's own */
	static const char *const prompt[] = { "/usr/", "/bin/", "/sbin/", "/etc/", "/run/", "/proc/", "/sys/", "/dev/" };

	for (size_t i = 0; i < ARRAY_SIZE(prompt); i++)
		if (!strncmp(path, prompt[i], strlen(prompt[i])))
			return 0;
	return path[0] && path[1];
}

/* What this machine has not, the unit for it is skipped: a data file system, the wish for a rescue shell, the memory for containers. */
static int is_meant(const char *name)
{
	if (!strcmp(name, "data"))
		return init_options.have_data;
	if (!strcmp(name, "rescue"))
		return init_options.rescue;
	return strcmp(name, "engine") || !init_options.small;
}

/* Of the paths that may wait, or of those that do not. */
static int paths_hold(const struct unit_words *w, int waiting, int *others)
{
	const char *at = unit_string(w->first);

	*others = 0;
	for (int i = 0; i < w->n; i++, at += strlen(at) + 1) {
		const char *path = at + (*at == '!');

		if (path_may_wait(path) != waiting)
			*others = 1;
		else if ((access(path, F_OK) == 0) == (*at == '!'))
			return 0;
	}
	return 1;
}

static int look(const void *arg)
{
	const struct service *s = arg;
	int unused;

	return !paths_hold(&s->when, 1, &unused);
}

int condition_holds(int unit)
{
	const struct service *s = &units.service[unit];
	int may_wait;
	pid_t pid;

	if (!is_meant(unit_name(unit)) || !paths_hold(&s->when, 0, &may_wait))
		return 0;
	if (!may_wait)
		return 1;
	if ((pid = spawn_function(look, s)) < 0)
		return (int)pid;
	looking[unit] = pid;
	return -EINPROGRESS;
}

/* Without its answer (it was killed, or nobody saw its end) it is asked again. */
static void answered(int unit, int status)
{
	looking[unit] = 0;
	perform_go_on(unit, WIFEXITED(status) && WEXITSTATUS(status) <= 1 ? !WEXITSTATUS(status) : -EAGAIN);
}

void condition_on_child(pid_t pid, int status)
{
	for (int i = 0; i < SUP_UNITS_MAX; i++)
		if (looking[i] == pid) {
			answered(i, status);
			return;
		}
}

void condition_kill(int unit)
{
	if (looking[unit] > 0)
		sys_kill(looking[unit], SIGKILL);
}

void condition_reconcile(void)
{
	for (int i = 0; i < SUP_UNITS_MAX; i++)
		if (looking[i] > 0 && kill(looking[i], 0) < 0)
			answered(i, SIGKILL);
}
