/* shutdown.c - the way down: services, leftovers, file systems, disks, machine.
 *
 * Runs in PID 1, driven by the loop. Nothing here waits: whatever can hang (umount, sync, reboot) is done by a
 * child with a deadline, and on the deadline the next step begins. The worst that may happen is a step left out. A process in
 * state D can hold each of these children for ever: it is left behind, and the machine goes down without it. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_MAX 63
#define BURST 7
#define BURST_MS 2000
#define WHOLE_S 180		/* coracle.shutdown= */

enum phase { UP, SERVICES, LEFT_TERM, LEFT_KILL, BREAK, CONTAINERS, MOUNTS, DATA, SYNC, MACHINE, LAST };

/* How long each phase may take; 0: another deadline holds, or none. What is left of the whole belongs to the services. */
static const int64_t phase_ms[] = {
	[UP] = 0, [SERVICES] = 0, [LEFT_TERM] = 5000, [LEFT_KILL] = 5000, [BREAK] = 0, [CONTAINERS] = 10000, [MOUNTS] = 10000, [DATA] = 20000,
	[SYNC] = 20000, [MACHINE] = 10000, [LAST] = 0,
};
#define PHASES_MS INT64_C(80000)

static const char *const phase_text[] = {
	[SERVICES] = "services", [LEFT_TERM] = "processes to end", [LEFT_KILL] = "killed processes to end", [BREAK] = "the shell to end",
	[CONTAINERS] = "containers' file systems to be unmounted", [MOUNTS] = "file systems to be unmounted", [DATA] = "/var to be unmounted",
	[SYNC] = "disks to take their data", [MACHINE] = "the machine to stop", [LAST] = "",
};

static const char *const kind_names[] = { [SHUTDOWN_POWEROFF] = "poweroff", [SHUTDOWN_REBOOT] = "reboot", [SHUTDOWN_HALT] = "halt" };

int shutdown_exit_code;

static enum phase phase;
static enum shutdown_kind kind;
static int kexec;		/* another kernel is loaded and takes over */
static int64_t whole_ms;
static int64_t phase_began;
static int64_t next_word;	/* when to say again what is waited for */
static pid_t worker;

const struct state_section shutdown_state[] = {
	STATE_ONE("dnph", phase), STATE_ONE("dnki", kind), STATE_ONE("dnbe", phase_began), STATE_ONE("dnwo", worker),
	STATE_ONE("dnex", shutdown_exit_code), STATE_ONE("dnkx", kexec), STATE_ONE("dnwh", whole_ms), STATE_END,
};

COLD static void enter(enum phase next);

static int unmount_worker(const void *arg)
{
	const enum phase *which = arg;

	if (*which == DATA)
		reason_write_end(); /* the last moment at which it can be written */
	return unmount_class(*which == CONTAINERS ? UNMOUNT_CONTAINERS : *which == MOUNTS ? UNMOUNT_MOUNTS : UNMOUNT_DATA) ? 1 : 0;
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
COLD static int machine_worker(const void *arg)
{
	static const unsigned commands[] = { [SHUTDOWN_POWEROFF] = RB_POWER_OFF, [SHUTDOWN_REBOOT] = RB_AUTOBOOT, [SHUTDOWN_HALT] = RB_HALT_SYSTEM };

	(void)arg;
	if (init_options.exit_debug && kind != SHUTDOWN_REBOOT)
		write_debug_exit();
	if (kexec && reboot(RB_KEXEC) < 0)
		report_problem("init", "start the loaded kernel: %s; rebooting by the firmware", err_name(errno));
	reboot((int)commands[kind]);
	return errno;
}

/* True when no process but PID 1 is left: everything descends from it, so then it has no child. */
static int is_alone(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

COLD static void begin_worker(int (*fn)(const void *arg))
{
	worker = spawn_function(fn, &phase);
	if (worker < 0) {
		report_problem("init", "shutdown: start a process: %s; going on without", err_name(-worker));
		worker = 0;
		enter(phase + 1);
	}
}

static void begin_break(void)
{
	worker = breakpoint_is("shutdown") ? breakpoint_shell("shutdown") : 0;
	if (worker <= 0) {
		worker = 0;
		enter(phase + 1);
	}
}

/* The kernel's own short ways, which take no lock that a hanging driver may hold. */
static void last_resort(void)
{
	report_problem("init", "the machine did not stop; it can be switched off");
	if (kind != SHUTDOWN_HALT && !init_options.guest)
		fd_write_small(AT_FDCWD, "/proc/sysrq-trigger", kind == SHUTDOWN_REBOOT ? "b" : "o");
}

static int64_t phases_share(void)
{
	return MIN(PHASES_MS, whole_ms / 2);
}

static int64_t limit_of(enum phase p)
{
	return phase_ms[p] * phases_share() / PHASES_MS;
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
		init_event(&(struct sup_event){ .type = SUP_EV_SHUTDOWN, .number = whole_ms - phases_share() });
		break;
	case LEFT_TERM:
		if (is_alone()) {
			enter(BREAK);
			break;
		}
		kill(-1, SIGTERM);
		kill(-1, SIGCONT);
		break;
	case LEFT_KILL:
		cgroup_kill_all();
		kill(-1, SIGKILL);
		break;
	case BREAK:
		begin_break();
		break;
	case CONTAINERS:
	case MOUNTS:
	case DATA:
		begin_worker(unmount_worker);
		break;
	case SYNC:
		begin_worker(sync_worker);
		break;
	case MACHINE:
		/* From here on nothing is lost by a reset, so the kernel may do it when the last step hangs, and so may the watchdog. */
		reboot((int)RB_ENABLE_CAD);
		watchdog_last_feed(kind == SHUTDOWN_HALT);
		reason_say();
		begin_worker(machine_worker);
		break;
	case LAST:
		last_resort();
		break;
	}
}

static int kernel_is_loaded(void)
{
	char text[4];

	return fd_read_small(AT_FDCWD, "/sys/kernel/kexec_loaded", text, sizeof(text)) > 0 && text[0] == '1';
}

static void decide(enum shutdown_kind wanted, const char *why)
{
	char text[200];

	kind = wanted;
	kexec = wanted == SHUTDOWN_REBOOT && kernel_is_loaded();
	whole_ms = (int64_t)(init_options.shutdown_s ? init_options.shutdown_s : WHOLE_S) * 1000;
	snprintf(text, sizeof(text), "%s: %s", kexec ? "reboot by kexec" : kind_names[kind], why);
	report_note("init", "%s", text);
	reason_record(kexec ? "kexec" : "clean", text);
}

/* Who asks again changes nothing: a second press, of a hand or of a bouncing button, must not cost a service the time that it may take to stop. */
void shutdown_begin(enum shutdown_kind wanted, const char *why)
{
	int fd;

	if (phase != UP)
		return;
	decide(wanted, why);
	watchdog_begin_shutdown();
	/* The engine tells an upgrade from the end by this file: interfaces.md. */
	fd = sys_openat(AT_FDCWD, INIT_RUN "/shutdown", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0) {
		fd_write_full(fd, kind_names[kind], strlen(kind_names[kind]));
		close(fd);
	}
	enter(SERVICES);
}

void shutdown_asked(enum shutdown_kind wanted, const char *how, pid_t pid, uid_t uid)
{
	char why[160];
	char path[32];
	char name[24] = "";

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (pid <= 0 || fd_read_small(AT_FDCWD, path, name, sizeof(name)) <= 0)
		snprintf(name, sizeof(name), "a process");
	snprintf(why, sizeof(why), "%s %s (pid %d, uid %u)", how, name, (int)pid, (unsigned)uid);
	shutdown_begin(wanted, pid > 0 ? why : how);
}

void shutdown_asked_by_client(enum shutdown_kind wanted, int sock)
{
	struct ucred cred = { .pid = 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		cred.pid = 0;
	shutdown_asked(wanted, cred.pid > 0 ? "asked by" : "asked over the control socket", cred.pid, cred.uid);
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
	if (phase == UP)
		decide(SHUTDOWN_REBOOT, "Ctrl-Alt-Del seven times");
	kexec = 0;
	/* or it would start again what is killed */
	init_event(&(struct sup_event){ .type = SUP_EV_FORCE });
	cgroup_kill_all();
	kill(-1, SIGKILL);
	worker = 0;
	enter(MACHINE);
}

void shutdown_on_ctrl_alt_del(void)
{
	static int64_t when[BURST];
	static int at;
	int64_t now = loop_now();

	when[at] = now;
	at = (at + 1) % BURST;	/* where the oldest of them is */
	if (when[at] && now - when[at] <= BURST_MS && phase < MACHINE)
		force();
	else
		shutdown_begin(SHUTDOWN_REBOOT, "Ctrl-Alt-Del");
}

void shutdown_on_child(pid_t pid, int status)
{
	reason_on_child(pid);
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
		root_say("waiting for %s to stop (%lld s)", unit_name(unit), s);
	else if (phase > SERVICES && phase != BREAK)
		root_say("waiting for %s (%lld s of %lld s)", phase_text[phase], s, (long long)limit_of(phase) / 1000);
	next_word = now + (s < 5 ? 1000 : 5000);
}

int64_t shutdown_turn(int64_t now)
{
	int64_t deadline = phase_ms[phase] ? phase_began + limit_of(phase) : SUP_NEVER;

	if (phase == UP || phase == LAST)
		return SUP_NEVER;
	if ((phase == LEFT_TERM || phase == LEFT_KILL) && is_alone()) {
		enter(BREAK);
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

/* A worker that ended while PID 1 did not look. */
void shutdown_reconcile(void)
{
	if (worker > 0 && kill(worker, 0) < 0)
		shutdown_on_child(worker, 0);
}
