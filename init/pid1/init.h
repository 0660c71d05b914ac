/* init.h - what the files of PID 1 share: the services and the way events reach the supervisor.
 *
 * Everything here is one thread, fixed tables, no heap. INIT_... are limits. */
#ifndef CORACLE_INIT_INIT_H
#define CORACLE_INIT_INIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cdefs.h"
#include "init/proto/notify.h"
#include "init/supervise/supervise.h"
#include "init/units/unit.h"

#define INIT_RUN "/run/coracle"
#define INIT_DATA_LABEL "CORACLE-DATA"
#define INIT_CLIENTS_MAX 16
#define INIT_WATCHED_MAX 4096
#define INIT_STORED_MAX 1024

/* Whoever reads a small file has it there until the next one does. */
extern char init_scratch[UNITS_FILE_MAX + 1];

/* ---- services.c: reads the unit files into the table (init/units/unit.h) */

extern struct sup init_sup;

/* The image's unit files, and the supervisor's first state. What is wrong is reported. */
COLD void services_load(void);
/* The machine's files too, and the image's again; new units are started. strict: the first problem is put into err and everything stays as it was,
 * else wrong files are reported and left out. Returns 0 or -errno with err. */
COLD int services_reload(int strict, struct err *err);
/* A main process ended, and the supervisor does not know yet: that of the boot configuration leaves unit files behind. */
void services_on_exit(int unit);
/* True for the one-shot that mounts /var. */
int services_is_data(int unit);

/* ---- condition.c */

/* True for a path on which PID 1 itself must not wait: all but the image, what is made at boot, and the kernel's own. */
int path_may_wait(const char *path);
/* 1: the unit may be started now, 0: it is to be skipped (a condition does not hold, or this machine has not what it is for). -EINPROGRESS: a child looks,
 * and perform_go_on() comes when it has; or another -errno: there was no process for that. */
int condition_holds(int unit);
/* Some child ended. */
void condition_on_child(pid_t pid, int status);
/* The child that looks for the unit, where there is one, is not waited for any more. */
void condition_kill(int unit);

/* ---- main.c */

struct options {
	int rescue;		/* coracle.rescue */
	int wait_data;		/* coracle.data=wait */
	int exit_debug;		/* coracle.exit=debug */
	int small;		/* too little memory for containers and networks */
	int have_data;		/* a data file system was found */
	int watchdog_s;		/* coracle.watchdog=SECONDS; 0: the default, -1: off */
	int shutdown_s;		/* coracle.shutdown=SECONDS for all of it; 0: the default */
	int guest;		/* PID 1 of a namespace, not of the machine: watchdog, pstore and SysRq are somebody else's */
	char break_at[16];	/* coracle.break=STAGE; "": none */
};
extern struct options init_options;

/* epoll: who a descriptor belongs to; index is the owner's own. */
enum watch {
	WATCH_SIGNALS, WATCH_NOTIFY, WATCH_CONTROL, WATCH_CLIENT, WATCH_LOG, WATCH_CGROUP, WATCH_OOM, WATCH_UEVENT, WATCH_POWER, WATCH_PIDFD,
	WATCH_STORED, WATCH_SOCKET, WATCH_CLOCK, WATCH_NETWORK,
};

int loop_add(int fd, enum watch who, int index, unsigned events);
int loop_modify(int fd, enum watch who, int index, unsigned events);
void loop_remove(int fd);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t loop_now(void);
/* Seconds of CLOCK_REALTIME. */
int64_t loop_real_now(void);
/* Soon after now memory_give_back() is called: code and memory have been used that seldom are. */
void loop_give_back(void);

/* ---- memory.c */

/* Pages that are not needed for what happens usually. */
void memory_give_back(void);
/* Devices are known: fill the table and start the units. */
COLD void boot_units(int have_data);

/* The engine has been started, or could not be: now there is time for the rest. */
void boot_is_done(void);

/* ---- perform.c: events go into the supervisor, its actions are carried out; answers are fed back */

int init_event(const struct sup_event *ev);
/* Starts for which there was no process are tried again. Called every turn; returns when it wants to be called again. */
int64_t perform_turn(int64_t now);
/* Goes on with a start that condition_holds() put off; holds: what that would have returned. */
void perform_go_on(int unit, int holds);
/* A tmpfs on /var: this machine has no data file system, or none that works. */
COLD void var_fall_back(void);

/* ---- times.c: the first start and readiness of each unit */

void times_started(int unit);
void times_ready(int unit);
/* "NAME STATE STARTED READY AFTER": microseconds since the kernel's start, 0: not yet; the units it waits for with commas, "-": none. */
void times_format(int unit, char *text, size_t size);

/* ---- early.c: from the initramfs to the root; returns only when this is no initramfs */

COLD void early_switch_root(void);

/* ---- root.c: mounts of the running system, console-less descriptors, command line */

COLD void root_prepare(struct options *o);
/* Kernel log on the console, whatever `quiet` says; no problem record. */
COLD void root_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- cgroup.c */

/* What the first service needs, and the rest of the tree: at the second start at the latest, before a container or a limit. */
COLD void cgroup_prepare(void);
COLD void cgroup_complete(void);
COLD void cgroup_move_init(void);
/* A descriptor of the cgroup of the unit, made when missing; -errno. Stays open, the caller does not close it.
 * *clone_into: whether clone3 may put a process into it; otherwise the process has to move itself. */
int cgroup_open(int unit, int *clone_into);
/* True when processes are left in it; then WATCH_CGROUP tells when not any more. */
int cgroup_is_busy(int unit);
void cgroup_on_event(int unit);
void cgroup_kill(int unit);
/* Kills every process outside init's own cgroup. */
COLD void cgroup_kill_all(void);
/* The unit in whose cgroup the process is, or -1. */
int cgroup_unit_of(pid_t pid);

/* ---- limits.c: what the cgroup of a unit may use */

/* What the unit says, written into its cgroup; for cgroup.c. forget: it is another cgroup from now on. */
void limits_apply(int unit, int dir);
void limits_forget(int unit);
/* Its memory.events changed: the supervisor is told of an OOM kill when the unit's policy is to stop. */
COLD void limits_on_oom(int unit);
/* "was killed: out of memory (MemoryMax 64M)". Returns 0 when that is not how the unit's last run ended. */
int limits_explain(int unit, char *buf, size_t size);
/* The reserve of PID 1 and of the services. */
COLD void limits_reserve(void);

/* ---- devices.c */

/* Writes /run/coracle/devices and mounts media. Returns true when a data file system is among them. */
COLD int devices_scan(void);
/* A netlink socket of the kernel's device events, or -errno. */
COLD int devices_events_open(void);
/* Drains it. Returns true when a block device came. */
COLD int devices_events_read(int fd);

/* ---- net.c */

COLD void net_loopback_up(void);
/* Physical Ethernet interfaces. They are set up by who uses them (the script dhcp, the boot configuration): a driver allocates its receive
 * buffers then, millions of instructions that would stand before the engine. Returns how many names were written. */
COLD int net_find_ethernet(char names[][16], int max);

/* ---- spawn.c */

/* Starts the service. Returns its pid or -errno (also when exec failed; but not when it is started as another user: then the process ends with
 * code 127). */
pid_t spawn_service(int unit);
/* Which step of the last start failed and why: "/bin/x: No such file or directory". Returns 0 when none did. */
int spawn_explain(int unit, char *buf, size_t size);
/* Runs fn in a child that shares nothing. Returns its pid or -errno. */
pid_t spawn_function(int (*fn)(const void *arg), const void *arg);

/* ---- logpipe.c: standard output and error of services */

/* The write end of the unit's pipe, made when missing; -errno. */
int logpipe_open(int unit);
void logpipe_on_readable(int unit);

/* ---- reap.c and pidtab.c */

/* Reaps a bounded number. Returns true when there may be more. */
int reap_children(void);
/* The unit's main process is pid. Returns 0 or -ENOSPC. */
int pidtab_set_unit(pid_t pid, int unit);

struct pidtab_entry {
	pid_t pid;		/* 0: free */
	int status;		/* as wait(2), -1: unknown; valid when ended */
	uint16_t watchers;	/* clients to be told, one bit each; only a watched pid keeps its status */
	uint16_t told;		/* of those, who has been told of the end */
	int16_t unit;		/* -1: none */
	uint8_t watched;
	uint8_t ended;
	int pidfd;		/* of a process that is not our child (yet), -1: none */
};
struct pidtab_entry *pidtab_find(pid_t pid);
struct pidtab_entry *pidtab_watch(pid_t pid, int client);	/* NULL: the table is full */
void pidtab_forget(pid_t pid);
void pidtab_forget_unit(struct pidtab_entry *e);
void pidtab_forget_client(int client);
/* The next entry after *at that client has to be told of, NULL: none. */
struct pidtab_entry *pidtab_untold(int client, unsigned *at);
void pidtab_end(struct pidtab_entry *e, int status);
/* Every entry, one after the other; NULL: that was all. */
struct pidtab_entry *pidtab_next(unsigned *at);
void pidtab_clear(void);

/* ---- notify.c and fdstore.c */

COLD void notify_open(void);
void notify_on_readable(void);
#define NOTIFY_PATH INIT_RUN "/notify"
/* STATUS= of the unit's present or last run, "": none. */
const char *notify_status(int unit);
/* ERRNO= likewise, 0: none. */
int notify_error(int unit);
/* The unit has been asked to reload, or says that it does. */
int notify_reloading(int unit);
/* Asks it: Type=notify-reload. Returns 0; -EINVAL when it is not of that type, or does not run; -errno of kill(2). */
int notify_reload(int unit);
/* A new run begins. */
void notify_forget(int unit);
/* MAINPID= that has been checked. */
void notify_replay_main_pid(int unit, pid_t pid);

/* Takes fd. poll: drop it when its other side has gone. Returns 0, or -errno and closes it. */
int fdstore_add(int unit, const char *name, int fd, int poll);
void fdstore_remove(int unit, const char *name);
/* WATCH_STORED: the other side of the descriptor has gone. */
void fdstore_on_hangup(int fd);
/* Copies the unit's descriptors (at most max) and the value of LISTEN_FDNAMES. Returns how many. */
int fdstore_collect(int unit, int *fds, int max, char *names, size_t size);
int fdstore_count(void);

/* ---- sockets.c: the sockets of units */

/* The table of units was loaded: opens what is new and closes what is no more. */
COLD void sockets_load(void);
/* The unit listens (on), or is being started. */
void sockets_listen(int unit, int on);
/* WATCH_SOCKET */
void sockets_on_readable(int fd);
/* The unit's sockets in the order of its file (at most max) and their names as in LISTEN_FDNAMES; those that could not be opened are tried
 * again. Returns how many. */
int sockets_collect(int unit, int *fds, int max, char *names, size_t size);

/* ---- timers.c: the timers of units, and the target `time` */

/* The table of units was loaded. */
COLD void timers_load(void);
/* The last process of the unit is gone. */
void timers_on_ended(int unit);
/* WATCH_CLOCK */
void timers_on_clock(void);
/* Called every turn; returns when it wants to be called again, SUP_NEVER: not. */
int64_t timers_turn(int64_t now);

/* ---- network.c: the target `network` */

/* From now on, if there is such a target and it is not reached. */
COLD void network_watch(void);
/* WATCH_NETWORK */
COLD void network_on_readable(void);

/* ---- control.c */

COLD void control_open(void);
void control_on_connect(void);
void control_on_client(int client, unsigned events);
/* A watched process that was not our child changed; reap_children() has been called. */
void control_on_pidfd(pid_t pid);
/* A watched process ended: tell who watches. */
void control_tell(struct pidtab_entry *e);

/* The answer to the request that the client is waiting with. */
void control_reply(int client, const char *text);

/* ---- console.c */

/* Called every turn; returns when it wants to be called again. */
int64_t console_turn(int64_t now);

/* ---- reload.c */

/* A client asks that init be replaced by the program at path. Returns "" when it is going to be answered, else the answer. */
COLD const char *reload_begin(int client, const char *path);
void reload_forget_client(void);
COLD void reload_on_child(pid_t pid, int status);
/* Called every turn; returns when it wants to be called again. */
int64_t reload_turn(int64_t now);

/* ---- shutdown.c, unmount.c, power.c */

enum shutdown_kind { SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT, SHUTDOWN_HALT };
/* The first one counts, whoever asks again. why ends up in `coracle why`. A reboot goes by kexec when a kernel is loaded. */
COLD void shutdown_begin(enum shutdown_kind kind, const char *why);
/* The same for a process that asked: "HOW NAME (pid N, uid N)"; pid 0: the kernel, then only HOW. */
COLD void shutdown_asked(enum shutdown_kind kind, const char *how, pid_t pid, uid_t uid);
COLD void shutdown_asked_by_client(enum shutdown_kind kind, int sock);
/* SIGINT: Ctrl-Alt-Del; seven within two seconds wait for nobody. */
COLD void shutdown_on_ctrl_alt_del(void);
/* Asked again, by whoever is at the machine: services are killed, the rest goes in order. */
COLD void shutdown_on_all_down(void);
/* A child that is nobody's service ended. */
void shutdown_on_child(pid_t pid, int status);
/* Called every turn; returns when it wants to be called again, SUP_NEVER: not. */
int64_t shutdown_turn(int64_t now);
extern int shutdown_exit_code;
enum unmount_class { UNMOUNT_CONTAINERS, UNMOUNT_MOUNTS, UNMOUNT_DATA };
/* Unmounts the class, deepest first, in a child. Returns the number of file systems that stayed; the last of them are reported. */
COLD int unmount_class(enum unmount_class class);
COLD void power_open_buttons(void);
COLD void power_on_event(int index);

/* ---- watchdog.c */

/* Called at the end of every turn of the loop: arms, feeds. Returns when it wants to be called again, SUP_NEVER: not. */
int64_t watchdog_turn(int64_t now);
/* There is time to arm it now. */
COLD void watchdog_arm(void);
COLD void watchdog_begin_shutdown(void);
/* From here on the machine stops by itself or is reset. disarm: it is to stand still (halt). */
COLD void watchdog_last_feed(int disarm);

/* ---- reason.c: why the machine goes down, for `coracle why` at the next boot */

/* This boot is going to end for this reason; the first one counts, but the watchdog's gives way. kind: clean, kexec, service, init-crash, watchdog.
 * Does not wait. */
COLD void reason_record(const char *kind, const char *text);
/* It did not come to that. */
COLD void reason_withdraw(const char *kind);
/* Called every turn: starts the writing of what is new. Wants no turn of its own. */
int64_t reason_turn(int64_t now);
void reason_on_child(pid_t pid);
/* The decided reason, to the kernel log: the last that pstore gets. */
COLD void reason_say(void);
/* In a child with a deadline, before /var is unmounted: everything went in order until here. */
COLD void reason_write_end(void);

/* ---- breakpoint.c: coracle.break=STAGE */

/* Says so, and forgets it, when there is no such stage. */
COLD void breakpoint_check(void);
int breakpoint_is(const char *stage);
/* Before the loop runs: a shell at that stage, and waits for its end. */
COLD void breakpoint_reached(const char *stage);
/* Where the stage is a unit: the shell is another, and comes before it. Both at each load of the table, the second when it fits together. */
COLD void breakpoint_add_unit(void);
COLD void breakpoint_order(void);
/* Starts the shell. Returns its pid or -errno. */
COLD pid_t breakpoint_shell(const char *stage);

/* ---- client.c: poweroff, reboot, halt, shutdown */

COLD int client_main(int argc, char **argv);

#endif
