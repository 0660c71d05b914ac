/* reap.c - collects ended processes: services, watched containers, and orphans of all kinds.
 *
 * Runs in PID 1. SIGCHLD says only that there is at least one, so it loops; but a storm of orphans must not
 * starve sockets and timers, so it stops after REAP_MAX and is called again in the next turn. Of a process that somebody wants to know about
 * the status is in the journal before it is taken from the kernel, which gives it only once. */
#include "init/pid1/init.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/pid1/recover.h"

#define REAP_MAX 64

static void on_ended(pid_t pid, int status)
{
	struct pidtab_entry *e = pidtab_find(pid);
	int unit;

	shutdown_on_child(pid, status);
	reload_on_child(pid, status);
	condition_on_child(pid, status);
	if (!e)
		return;
	unit = e->unit;
	if (e->watched && !e->ended)
		pidtab_end(e, status);
	if (unit >= 0) {
		pidtab_forget_unit(e);
		init_event(&(struct sup_event){ .type = SUP_EV_EXITED, .unit = unit, .status = status, .busy = cgroup_is_busy(unit) });
	}
	/* last: a client that has gone is found out by it, and the tables are committed */
	if ((e = pidtab_find(pid)) && e->watched)
		control_tell(e);
}

/* As wait(2) gives it. */
static int status_of(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

int reap_children(void)
{
	/* What a process said before it ended comes first: its credentials can be checked only while it is a zombie. */
	notify_on_readable();
	for (int i = 0; i < REAP_MAX; i++) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
			return 0;
		if (pidtab_find(info.si_pid)) {
			recover_make_room();
			recover_note(RECOVER_REAP, -1, info.si_pid, status_of(&info));
		}
		waitpid(info.si_pid, NULL, WNOHANG);
		on_ended(info.si_pid, status_of(&info));
	}
	return 1;
}

void reap_replay(pid_t pid, int status)
{
	waitpid(pid, NULL, WNOHANG);
	on_ended(pid, status);
}
