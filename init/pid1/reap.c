/* reap.c - collects ended processes: services, watched containers, and orphans of all kinds.
 *
 * Runs in PID 1. SIGCHLD says only that there is at least one, so it loops; but a storm of orphans must not
 * starve sockets and timers, so it stops after REAP_MAX and is called again in the next turn. */
#include "init/pid1/init.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#define REAP_MAX 64

static void on_ended(pid_t pid, int status)
{
	struct pidtab_entry *e = pidtab_find(pid);
	int unit;

	shutdown_on_child(pid, status);
	if (!e)
		return;
	unit = e->unit;
	if (e->watched && !e->ended) {
		pidtab_end(e, status);
		control_tell(e);
	}
	if (unit < 0)
		return;
	pidtab_forget_unit(e);
	init_event(&(struct sup_event){ .type = SUP_EV_EXITED, .unit = unit, .status = status, .busy = cgroup_is_busy(unit) });
}

int reap_children(void)
{
	/* What a process said before it ended comes first: its credentials can be checked only while it is a zombie. */
	notify_on_readable();
	for (int i = 0; i < REAP_MAX; i++) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid <= 0)
			return 0;
		on_ended(pid, status);
	}
	return 1;
}
