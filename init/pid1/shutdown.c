/* shutdown.c - the way down: services, leftovers, file systems, disks, machine.
 *
 * Runs in PID 1, driven by the loop. Nothing here waits: whatever can hang (umount, sync, reboot) is done by a
 * child with a deadline, and on the deadline the next step begins. The worst that may happen is a step left out. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_MAX 63
#define BURST 7
#define BURST_MS 2000

enum phase { UP, SERVICES, LEFT_TERM, LEFT_KILL, UNMOUNT, SYNC, MACHINE, LAST };

/* How long each phase may take; the services have deadlines of their own. */
static const int64_t phase_ms[] = {
	[UP] = 0, [SERVICES] = 0, [LEFT_TERM] = 5000, [LEFT_KILL] = 5000, [UNMOUNT] = 30000, [SYNC] = 30000, [MACHINE] = 10000, [LAST] = 0,
};

static const char *const phase_text[] = {
	[LEFT_TERM] = "processes to end", [LEFT_KILL] = "killed processes to end", [UNMOUNT] = "file systems to be unmounted",
	[SYNC] = "disks to take their data", [MACHINE] = "the machine to stop", [LAST] = "",
};

int shutdown_exit_code;

static enum phase phase;
static enum shutdown_kind kind;
static int64_t phase_began;
static int64_t next_word;	/* when to say again what is waited for */
static pid_t worker;

static void enter(enum phase next);

static int unmount_worker(const void *arg)
{
	(void)arg;
	return unmount_all() ? 1 : 0;
}

static int sync_worker(const void *arg)
{
	(void)arg;
	sync();
	return 0;
}

/* QEMU's isa-debug-exit: the value V ends the virtual machine with the exit code 2V+1, which has room for 63. A code of 0 needs
 * no port: power-off is exit code 0. */
static void write_debug_exit(void)
{
	unsigned char code = (unsigned char)MIN(shutdown_exit_code, DEBUG_EXIT_MAX);
	int fd;

	if (code == 0)
		return;
	if (ioperm(DEBUG_EXIT_PORT, 1, 1) == 0)
		outb(code, DEBUG_EXIT_PORT);
	fd = open("/dev/port", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!pwrite(fd, &code, 1, DEBUG_EXIT_PORT);
}

/* In a child: reboot(2) may end its caller, and the end of PID 1 would be a panic. */
static int machine_worker(const void *arg)
{
	static const unsigned commands[] = { [SHUTDOWN_POWEROFF] = RB_POWER_OFF, [SHUTDOWN_REBOOT] = RB_AUTOBOOT, [SHUTDOWN_HALT] = RB_HALT_SYSTEM };

	(void)arg;
	if (init_options.exit_debug && kind != SHUTDOWN_REBOOT)
		write_debug_exit();
	reboot((int)commands[kind]);
	return errno;
}

/* True when no process but PID 1 is left: everything descends from it, so then it has no child. */
static int is_alone(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void begin_worker(int (*fn)(const void *arg))
{
	worker = spawn_function(fn, NULL);
	if (worker < 0) {
		report_problem("init", "shutdown: start a process: %s; going on without", err_name(-worker));
		worker = 0;
		enter(phase + 1);
	}
}

static void enter(enum phase next)
{
	phase = next;
	phase_began = loop_now();
	next_word = phase_began + 1000;
	switch (next) {
	case UP:
		break;
	case SERVICES:
		init_event(&(struct sup_event){ .type = SUP_EV_SHUTDOWN });
		break;
	case LEFT_TERM:
		if (is_alone()) {
			enter(UNMOUNT);
			break;
		}
		kill(-1, SIGTERM);
		kill(-1, SIGCONT);
		break;
	case LEFT_KILL:
		cgroup_kill_all();
		kill(-1, SIGKILL);
		break;
	case UNMOUNT:
		begin_worker(unmount_worker);
		break;
	case SYNC:
		begin_worker(sync_worker);
		break;
	case MACHINE:
		/* From here on nothing is lost by a reset, so the kernel may do it when the last step hangs. */
		reboot((int)RB_ENABLE_CAD);
		begin_worker(machine_worker);
		break;
	case LAST:
		report_problem("init", "the machine did not stop; it can be switched off");
		if (kind == SHUTDOWN_REBOOT)
			reboot(RB_AUTOBOOT);
		break;
	}
}

void shutdown_begin(enum shutdown_kind wanted, const char *why)
{
	static const char *const names[] = { [SHUTDOWN_POWEROFF] = "poweroff", [SHUTDOWN_REBOOT] = "reboot", [SHUTDOWN_HALT] = "halt" };
	int fd;

	if (phase != UP)
		return;
	kind = wanted;
	report_note("init", "%s: %s", names[kind], why);
	/* The engine tells an upgrade from the end by this file: interfaces.md. */
	fd = sys_openat(AT_FDCWD, INIT_RUN "/shutdown", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0) {
		fd_write_full(fd, names[kind], strlen(names[kind]));
		close(fd);
	}
	enter(SERVICES);
}

void shutdown_on_all_down(void)
{
	if (phase == SERVICES)
		enter(LEFT_TERM);
}

/* Everything at once, for a machine that does not go down in order. */
static void force(void)
{
	root_say("Ctrl-Alt-Del %d times: stopping at once", BURST);
	cgroup_kill_all();
	kill(-1, SIGKILL);
	kind = phase == UP ? SHUTDOWN_REBOOT : kind;
	worker = 0;
	enter(MACHINE);
}

void shutdown_on_ctrl_alt_del(void)
{
	static int64_t when[BURST];
	static int at;
	int64_t now = loop_now();
	int64_t oldest = when[at];

	when[at] = now;
	at = (at + 1) % BURST;
	if (oldest && now - oldest <= BURST_MS && phase < MACHINE)
		force();
	else
		shutdown_begin(SHUTDOWN_REBOOT, "Ctrl-Alt-Del");
}

void shutdown_on_child(pid_t pid, int status)
{
	if (worker == 0 || pid != worker)
		return;
	worker = 0;
	if (phase == MACHINE)
		report_problem("init", "the kernel refused: %s", err_name(WIFEXITED(status) ? WEXITSTATUS(status) : 0));
	enter(phase + 1);
}

static void say_waiting(int64_t now)
{
	long long s = (long long)(now - phase_began) / 1000;
	int unit = phase == SERVICES ? sup_still_up(&init_sup) : -1;

	if (unit >= 0)
		root_say("waiting for %s to stop (%lld s)", init_units[unit].name, s);
	else if (phase > SERVICES)
		root_say("waiting for %s (%lld s of %lld s)", phase_text[phase], s, (long long)phase_ms[phase] / 1000);
	next_word = now + (s < 5 ? 1000 : 5000);
}

int64_t shutdown_turn(int64_t now)
{
	int64_t deadline = phase_ms[phase] ? phase_began + phase_ms[phase] : SUP_NEVER;

	if (phase == UP || phase == LAST)
		return SUP_NEVER;
	if ((phase == LEFT_TERM || phase == LEFT_KILL) && is_alone()) {
		enter(UNMOUNT);
		return now;
	}
	if (now >= deadline) {
		report_problem("init", "shutdown: gave up waiting for %s", phase_text[phase]);
		worker = 0;
		enter(phase + 1);
		return now;
	}
	if (now >= next_word)
		say_waiting(now);
	return MIN(deadline, next_word);
}
