/* main.c - PID 1: the order of boot and the loop.
 *
 * One thread, no heap. Before the loop every call is one that cannot wait for anyone; in the loop nothing blocks but
 * epoll_wait. main() never returns in PID 1: its end would be the kernel's panic. */
#include "init/pid1/init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/crash.h"
#include "init/pid1/recover.h"
#include "report.h"

#define EVENTS_PER_TURN 32
#define DATA_WAIT_MS 10000
#define GIVE_BACK_MS 3000	/* after something has been done that may have used code and memory for it */
#define LATE_WORK_MS 1000	/* late work is done then, or as soon as the engine has been started */

struct options init_options;

static int epoll_fd = -1;
static int signal_fd = -1;
static int reap_again;
static int uevent_fd = -1;		/* open while the data file system is awaited */
static int64_t data_deadline = SUP_NEVER;
static int64_t late_work_at = SUP_NEVER;
static int64_t give_back_at = SUP_NEVER;

const struct state_section main_state[] = {
	STATE_ONE("opts", init_options), STATE_ONE("uevt", uevent_fd), STATE_ONE("dadl", data_deadline), STATE_ONE("late", late_work_at), STATE_END,
};

void main_restored(void)
{
	if (uevent_fd >= 0 && (!recover_keep(uevent_fd) || loop_add(uevent_fd, WATCH_UEVENT, 0, EPOLLIN) < 0))
		uevent_fd = -1;
}

void loop_give_back(void)
{
	if (give_back_at == SUP_NEVER)
		give_back_at = loop_now() + GIVE_BACK_MS;
}

int64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t loop_real_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

static int loop_control(int op, int fd, enum watch who, int index, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.u64 = (uint64_t)who << 32 | (uint32_t)index };

	return epoll_ctl(epoll_fd, op, fd, &ev) < 0 ? -errno : 0;
}

int loop_add(int fd, enum watch who, int index, unsigned events)
{
	return loop_control(EPOLL_CTL_ADD, fd, who, index, events);
}

int loop_modify(int fd, enum watch who, int index, unsigned events)
{
	return loop_control(EPOLL_CTL_MOD, fd, who, index, events);
}

void loop_remove(int fd)
{
	loop_control(EPOLL_CTL_DEL, fd, WATCH_STORED, 0, 0);
}

COLD static void open_loop(void)
{
	static const int faults[] = CRASH_SIGNALS;
	sigset_t all;

	sigfillset(&all);
	/* A fault whose signal is blocked is the end of a process: crash.c. */
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigdelset(&all, faults[i]);
	sigprocmask(SIG_SETMASK, &all, NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (epoll_fd < 0 || signal_fd < 0 || loop_add(signal_fd, WATCH_SIGNALS, 0, EPOLLIN) < 0)
		report_problem("init", "set up the event loop: %s", err_name(errno));
}

COLD static void stop_waiting_for_data(void)
{
	if (uevent_fd >= 0)
		close(uevent_fd);
	uevent_fd = -1;
	data_deadline = SUP_NEVER;
}

void boot_units(int have_data)
{
	stop_waiting_for_data();
	if (init_sup.shutting_down)
		return;
	if (!have_data) {
		/* No data file system is as normal as one; then nobody has to be started for it. */
		var_fall_back();
		report_stamp("data");
	}
	init_options.have_data = have_data;
	services_load();
	late_work_at = loop_now() + LATE_WORK_MS;
	init_event(&(struct sup_event){ .type = SUP_EV_BOOT });
}

void boot_is_done(void)
{
	if (late_work_at != SUP_NEVER) /* else it is done already: this comes with each start of the engine */
		late_work_at = 0;
}

/* What nobody waits for: it would stand between the kernel and the first container. */
COLD static void late_work(void)
{
	late_work_at = SUP_NEVER;
	cgroup_move_init();
	/* What was in memory once stays there, whatever others do with it; nothing is read for it. */
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	power_open_buttons();
	network_watch();
	watchdog_arm();
	give_back_at = 0;
}

static void on_signal(const struct signalfd_siginfo *si)
{
	switch (si->ssi_signo) {
	case SIGCHLD:
		reap_again = 1;
		break;
	case SIGINT:
		shutdown_on_ctrl_alt_del();
		break;
	case SIGTERM:
		shutdown_asked(SHUTDOWN_REBOOT, "SIGTERM from", (pid_t)si->ssi_pid, si->ssi_uid);
		break;
	case SIGUSR1:
		shutdown_asked(SHUTDOWN_HALT, "SIGUSR1 from", (pid_t)si->ssi_pid, si->ssi_uid);
		break;
	case SIGUSR2:
		shutdown_asked(SHUTDOWN_POWEROFF, "SIGUSR2 from", (pid_t)si->ssi_pid, si->ssi_uid);
		break;
	case SIGPWR:
		shutdown_asked(SHUTDOWN_POWEROFF, "power failure (SIGPWR) told by", (pid_t)si->ssi_pid, si->ssi_uid);
		break;
	default:
		break;
	}
}

static void on_signals(void)
{
	struct signalfd_siginfo si[8];
	ssize_t n = read(signal_fd, si, sizeof(si));

	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(si[0]); i++)
		on_signal(&si[i]);
}

COLD static void on_uevent(void)
{
	if (devices_events_read(uevent_fd) && devices_scan())
		boot_units(1);
}

static void on_event(const struct epoll_event *ev)
{
	int index = (int)(uint32_t)ev->data.u64;

	switch ((enum watch)(ev->data.u64 >> 32)) {
	case WATCH_SIGNALS:
		on_signals();
		break;
	case WATCH_NOTIFY:
		notify_on_readable();
		break;
	case WATCH_CONTROL:
		control_on_connect();
		break;
	case WATCH_CLIENT:
		control_on_client(index, ev->events);
		break;
	case WATCH_LOG:
		logpipe_on_readable(index);
		break;
	case WATCH_CGROUP:
		cgroup_on_event(index);
		break;
	case WATCH_OOM:
		limits_on_oom(index);
		break;
	case WATCH_UEVENT:
		if (uevent_fd >= 0)
			on_uevent();
		break;
	case WATCH_POWER:
		power_on_event(index);
		break;
	case WATCH_STORED:
		fdstore_on_hangup(index);
		break;
	case WATCH_SOCKET:
		sockets_on_readable(index);
		break;
	case WATCH_CLOCK:
		timers_on_clock();
		break;
	case WATCH_NETWORK:
		network_on_readable();
		break;
	case WATCH_PIDFD:
		reap_again = reap_children();
		control_on_pidfd(index);
		break;
	}
}

/* Timers: each owner says when it wants its turn. Returns the time until the next one for epoll_wait. */
static int run_timers(void)
{
	/* the reason last: the others may have one */
	static int64_t (*const turns[])(int64_t now) = { shutdown_turn, reload_turn, perform_turn, console_turn, timers_turn, watchdog_turn,
		reason_turn };
	int64_t now = loop_now();
	int64_t next;
	int64_t other;

	if (sup_next(&init_sup) <= now) {
		/* a deadline is missed only by who did not say anything before it, however late we are */
		notify_on_readable();
		init_event(&(struct sup_event){ .type = SUP_EV_TICK });
	}
	if (data_deadline <= now) {
		report_problem("init", "no file system labelled " INIT_DATA_LABEL " appeared within %d s", DATA_WAIT_MS / 1000);
		boot_units(0);
	}
	if (late_work_at <= now)
		late_work();
	if (give_back_at <= now) {
		memory_give_back();
		give_back_at = SUP_NEVER;
	}
	next = MIN(MIN(data_deadline, late_work_at), give_back_at);
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		other = turns[i](now);
		next = MIN(next, other);
	}
	/* last: the others may have made events */
	next = MIN(next, sup_next(&init_sup));
	if (next == SUP_NEVER)
		return -1;
	return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now);
}

HOT static void run_loop(void)
{
	struct epoll_event events[EVENTS_PER_TURN];

	for (;;) {
		int timeout = run_timers();
		int n = epoll_wait(epoll_fd, events, EVENTS_PER_TURN, reap_again ? 0 : timeout);

		for (int i = 0; i < n; i++)
			on_event(&events[i]);
		if (reap_again)
			reap_again = reap_children();
		recover_commit();
		if (n < 0 && errno != EINTR) {
			/* Without epoll the machine still has to reap, or the table of processes fills up. */
			struct timespec pause = { 0, 50000000 };

			nanosleep(&pause, NULL);
			on_signals();
		}
	}
}

COLD static void boot(void)
{
	int have_data;

	/* no unit yet, but a loop that may turn for seconds before there are some: a state of zeros would be a shutdown that is overdue */
	sup_init(&init_sup, units.sup, 0);
	root_prepare(&init_options);
	recover_open();
	cgroup_prepare();
	open_loop();
	net_loopback_up();
	notify_open();
	control_open();
	/* Listen before looking, so that no device comes between the two. */
	if (init_options.wait_data)
		uevent_fd = devices_events_open();
	have_data = devices_scan();
	report_stamp("devices");
	breakpoint_reached("devices");
	if (!have_data && init_options.wait_data) {
		if (uevent_fd >= 0)
			loop_add(uevent_fd, WATCH_UEVENT, 0, EPOLLIN);
		data_deadline = loop_now() + DATA_WAIT_MS;
		return;
	}
	boot_units(have_data);
}

/* Executed again by itself: the world is as it was, only our memory is new. */
COLD static void go_on(void)
{
	const char *why;

	prctl(PR_SET_NAME, "init"); /* and not the name of a link in /proc */
	open_loop();
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	why = recover_restore();
	reap_again = 1;
	loop_give_back();
	if (why) {
		report_problem("init", "%s: rebooting", why);
		reason_record("init-crash", why);
		shutdown_begin(SHUTDOWN_REBOOT, why);
	}
}

/* Not called by its name: all that comes before it is cold, and so would be what the loop calls. */
static void (*const volatile loop)(void) = run_loop;

int main(int argc, char **argv)
{
	if (getpid() != 1)
		return argc == 3 && !strcmp(argv[1], "--check-state") ? recover_check(argv[2]) : client_main(argc, argv);
	crash_catch();
	if (argc == 3 && !strcmp(argv[1], "--recover")) {
		go_on();
	} else {
		early_switch_root();
		boot();
	}
	loop();
}
