/* recover.h - PID 1's state outside of its memory, and its way back after a fault (docs/design/recovery.md).
 *
 * The state lies in a memfd under a fixed number: a header with the times of crashes, a journal, two slots (state.h). The loop commits the
 * tables; between two commits the journal says what was done. A commit or a record that fails is reported once and nothing waits for it. */
#ifndef CORACLE_INIT_RECOVER_H
#define CORACLE_INIT_RECOVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "cdefs.h"
#include "init/pid1/state.h"

#define RECOVER_FD 3		/* fixed: the fault handler must not look for it in memory that may be damaged */

#define RECOVER_BOX_AT 4096
#define RECOVER_JOURNAL_AT 8192
#define RECOVER_JOURNAL_MAX 1024
#define RECOVER_SLOTS_AT 65536	/* two of STATE_SLOT_MAX: commit n goes into slot n mod 2 */

/* What is done between two commits. Each is written at once: before the deed where it says "about to", else after it. */
enum recover_kind {
	RECOVER_NOTHING,
	RECOVER_STARTED,	/* unit, pid: a process of it was made */
	RECOVER_REAP,		/* pid, status: is about to be reaped */
	RECOVER_READY,		/* unit: said READY=1 */
	RECOVER_MAIN_PID,	/* unit, pid: said MAINPID= */
	RECOVER_REQUEST,	/* client: a request of it is about to be handled */
	RECOVER_ANSWERED,	/* client: what it was owed was sent */
	RECOVER_WATCH,		/* client, pid: watches it, and is owed "ok" */
	RECOVER_FORGET,		/* client, pid: the same */
	RECOVER_TOLD,		/* client, pid: was told of the end of the process */
};

/* A page of the memfd that is mapped: what a system call did is written there by the kernel before it returns, so that there is no instant at
 * which only our memory knows. One of each: it counts as the last record of the journal while nothing came after it. */
struct recover_box {
	struct recover_box_place {
		uint32_t sequence;
		int32_t journal_n;
		uint16_t kind;
		int16_t index;
		int32_t pid;
	} sent, received, started;	/* started.pid is written by clone3(CLONE_PARENT_SETTID) */
	struct {
		struct msghdr header;
		unsigned n;		/* what sendmmsg(2) and recvmmsg(2) have moved */
	} out, in;
};

struct recover_record {
	uint32_t sequence;	/* of the commit that it follows */
	uint16_t kind;
	int16_t index;		/* unit or client */
	int32_t pid;
	int32_t status;
};

/* ---- recover.c */

/* Makes the memfd. Without one a fault ends in a reboot. */
COLD void recover_open(void);
/* Writes the tables when they have changed since the last time. Only between events: what is half done must not become the state. After a
 * descriptor was closed that a table names, it has to come before any other can be opened under the same number. */
void recover_commit(void);
/* A record for the journal. */
void recover_note(enum recover_kind kind, int index, pid_t pid, int status);
/* send(2) and recv(2) whose success is in the journal as this record. Return as those do. */
ssize_t recover_send(int fd, const void *text, size_t n, enum recover_kind kind, int index, pid_t pid);
ssize_t recover_receive(int fd, void *text, size_t n, enum recover_kind kind, int index);
/* Where clone3(CLONE_PARENT_SETTID) writes the pid of a process of the unit. */
pid_t *recover_starting(int unit);
/* Commits when the journal is half full: for whoever does many small things in a turn, between two of them. */
void recover_make_room(void);

/* Commits follow that number from now on, and the journal its first records. */
COLD void recover_go_on(uint64_t last, int records);
/* What the box says beyond the journal of that commit, which has so many records. Returns how many, at most 3. */
COLD int recover_box_records(uint64_t of, int records, struct recover_record *out);

/* ---- restore.c */

/* For X_restored(): true when fd is open and nobody else has claimed it. Descriptors that nobody claims are closed in the end: those of the image
 * before are not close-on-exec until they are claimed, and what this one opens is from birth. */
COLD int recover_keep(int fd);

/* PID 1 was executed again; the event loop is there. Takes the tables, makes them live, and does what the journal and the world say. Returns
 * NULL, or why the machine has to go down (then it may have taken them, or not). */
COLD const char *recover_restore(void);
/* The unit is to be started: its process that the journal names and nobody has asked for yet, 0: none. */
pid_t recover_adopt(int unit);

/* True when a program has run as recover_check() since this was asked last. */
COLD int recover_take_checked(void);
/* init --check-state FD: the exit code, 0 when this program can take over what is there. */
COLD int recover_check(const char *fd);

/* The tables and what makes each live, in the files that own them. */
extern const struct recover_part {
	const struct state_section *sections;	/* NULL: end */
	void (*restored)(void);
} recover_parts[];
extern const struct state_section main_state[], condition_state[], services_state[], perform_state[], pidtab_state[], fdstore_state[], sockets_state[], timers_state[],
	network_state[], logpipe_state[],
	notify_state[], control_state[], cgroup_state[], shutdown_state[], power_state[], devices_state[], limits_state[], times_state[], console_state[],
	watchdog_state[], reason_state[];
COLD void main_restored(void);
COLD void perform_restored(void);
COLD void pidtab_restored(void);
COLD void fdstore_restored(void);
COLD void sockets_restored(void);
COLD void timers_restored(void);
COLD void network_restored(void);
COLD void logpipe_restored(void);
COLD void notify_restored(void);
COLD void control_restored(void);
COLD void cgroup_restored(void);
COLD void power_restored(void);
COLD void limits_restored(void);
COLD void watchdog_restored(void);

/* What the journal's records mean to their owners. */
COLD void reap_replay(pid_t pid, int status);
COLD void notify_replay_main_pid(int unit, pid_t pid);
/* A request that crashed PID 1 is answered with an error, and not tried again. */
COLD void control_replay(enum recover_kind kind, int client, pid_t pid);
/* After the journal: what the world says. */
COLD void control_reconcile(void);
COLD void cgroup_reconcile(void);
COLD void shutdown_reconcile(void);
COLD void condition_reconcile(void);

#endif
