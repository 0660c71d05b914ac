/* init.h - what the files of PID 1 share: the services and the way events reach the supervisor.
 *
 * Everything here is one thread, fixed tables, no heap. INIT_... are limits. */
#ifndef CORACLE_INIT_INIT_H
#define CORACLE_INIT_INIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/proto/notify.h"
#include "init/supervise/supervise.h"

#define INIT_RUN "/run/coracle"
#define INIT_DATA_LABEL "CORACLE-DATA"
#define INIT_ARGS_MAX 16
#define INIT_CLIENTS_MAX 16
#define INIT_WATCHED_MAX 4096
#define INIT_STORED_MAX 1024

/* ---- services.c: the table of units; sup_unit i belongs to service i */

enum { SERVICE_CONSOLE = 1 << 0, SERVICE_STORES = 1 << 1 };

struct service {
	const char *argv[INIT_ARGS_MAX];
	const char *when_exists;	/* skipped unless this path exists; NULL: no condition */
	const char *unless_exists;	/* skipped when this path exists */
	const char *stamp_started;	/* report_stamp() names, NULL: none */
	const char *stamp_ready;
	int oom_score_adj;
	unsigned flags;			/* SERVICE_CONSOLE: stdio is the console; SERVICE_STORES: may store descriptors */
};

extern struct sup_unit init_units[SUP_UNITS_MAX];
extern struct service init_services[SUP_UNITS_MAX];
extern int init_units_n;
extern struct sup init_sup;

struct options;
/* Fills the table. have_data: a data file system was found. */
void services_fill(const struct options *o, int have_data);
/* Index of the unit or -1. */
int services_find(const char *name);
/* True for the one-shot that mounts /var. */
int services_is_data(int unit);

/* ---- main.c */

struct options {
	int rescue;		/* coracle.rescue */
	int wait_data;		/* coracle.data=wait */
	int exit_debug;		/* coracle.exit=debug */
	int small;		/* too little memory for containers and networks */
};
extern struct options init_options;

/* epoll: who a descriptor belongs to; index is the owner's own. */
enum watch { WATCH_SIGNALS, WATCH_NOTIFY, WATCH_CONTROL, WATCH_CLIENT, WATCH_LOG, WATCH_CGROUP, WATCH_UEVENT, WATCH_POWER, WATCH_PIDFD };

int loop_add(int fd, enum watch who, int index, unsigned events);
int loop_modify(int fd, enum watch who, int index, unsigned events);
/* Milliseconds of CLOCK_MONOTONIC. */
int64_t loop_now(void);
/* Devices are known: fill the table and start the units. */
void boot_units(int have_data);

/* The engine has been started, or could not be: now there is time for the rest. */
void boot_is_done(void);

/* ---- perform.c: events go into the supervisor, its actions are carried out; answers are fed back */

int init_event(const struct sup_event *ev);
/* A tmpfs on /var: this machine has no data file system, or none that works. */
void var_fall_back(void);

/* ---- early.c: from the initramfs to the root; returns only when this is no initramfs */

void early_switch_root(void);

/* ---- root.c: mounts of the running system, console-less descriptors, command line */

void root_prepare(struct options *o);
/* Kernel log on the console, whatever `quiet` says; no problem record. */
void root_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- cgroup.c */

void cgroup_prepare(void);
void cgroup_move_init(void);
/* A descriptor of the cgroup of the unit, made when missing; -errno. Stays open, the caller does not close it.
 * *clone_into: whether clone3 may put a process into it; otherwise the process has to move itself. */
int cgroup_open(int unit, int *clone_into);
/* True when processes are left in it; then WATCH_CGROUP tells when not any more. */
int cgroup_is_busy(int unit);
void cgroup_on_event(int unit);
void cgroup_kill(int unit);
/* Kills every process outside init's own cgroup. */
void cgroup_kill_all(void);
/* The unit in whose cgroup the process is, or -1. */
int cgroup_unit_of(pid_t pid);

/* ---- devices.c */

/* Writes /run/coracle/devices and mounts media. Returns true when a data file system is among them. */
int devices_scan(void);
/* A netlink socket of the kernel's device events, or -errno. */
int devices_events_open(void);
/* Drains it. Returns true when a block device came. */
int devices_events_read(int fd);

/* ---- net.c */

void net_loopback_up(void);
/* Physical Ethernet interfaces, set up. Returns how many names were written. */
int net_find_ethernet(char names[][16], int max);

/* ---- spawn.c */

/* Starts the service. Returns its pid or -errno (also when exec failed). */
pid_t spawn_service(int unit);
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
void pidtab_clear(void);

/* ---- notify.c and fdstore.c */

void notify_open(void);
void notify_on_readable(void);
#define NOTIFY_PATH INIT_RUN "/notify"

/* Takes fd. Returns 0, or -errno and closes it. */
int fdstore_add(int unit, const char *name, int fd);
void fdstore_remove(int unit, const char *name);
/* Copies the unit's descriptors (at most max) and the value of LISTEN_FDNAMES. Returns how many. */
int fdstore_collect(int unit, int *fds, int max, char *names, size_t size);
int fdstore_count(void);

/* ---- control.c */

void control_open(void);
void control_on_connect(void);
void control_on_client(int client, unsigned events);
/* A watched process that was not our child changed; reap_children() has been called. */
void control_on_pidfd(pid_t pid);
/* A watched process ended: tell who watches. */
void control_tell(struct pidtab_entry *e);

/* ---- shutdown.c, unmount.c, power.c */

enum shutdown_kind { SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT, SHUTDOWN_HALT };
void shutdown_begin(enum shutdown_kind kind, const char *why);
/* SIGINT: Ctrl-Alt-Del; seven of them within two seconds do not wait. */
void shutdown_on_ctrl_alt_del(void);
void shutdown_on_all_down(void);
/* A child that is nobody's service ended. */
void shutdown_on_child(pid_t pid, int status);
/* Called every turn; returns when it wants to be called again, SUP_NEVER: not. */
int64_t shutdown_turn(int64_t now);
extern int shutdown_exit_code;
/* Unmounts everything, deepest first. Returns the number of file systems that stayed; the last of them is reported. */
int unmount_all(void);
void power_open_buttons(void);
void power_on_event(int index);

/* ---- client.c: poweroff, reboot, halt, shutdown */

int client_main(int argc, char **argv);

#endif
