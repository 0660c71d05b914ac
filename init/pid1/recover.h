/* recover.h - PID 1's state outside of its memory, and its way back after a fault (docs/design/recovery.md).
 *
 * The state lies in a memfd under a fixed number: a header with the times of crashes, a journal, two slots (state.h). The loop commits the
 * tables; between two commits the journal says what was done. A commit or a record that fails is reported once and nothing waits for it. */
#ifndef CORACLE_INIT_RECOVER_H
#define CORACLE_INIT_RECOVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/pid1/state.h"

#define RECOVER_FD 3		/* fixed: the fault handler must not look for it in memory that may be damaged */

/* What is done between two commits. Each is written at once: before the deed where it says "about to", else after it. */
enum recover_kind {
	RECOVER_START = 1,	/* unit: a process of it is about to be made */
	RECOVER_STARTED,	/* unit, pid: it was */
	RECOVER_REAP,		/* pid, status: is about to be reaped */
	RECOVER_READY,		/* unit: said READY=1 */
	RECOVER_MAIN_PID,	/* unit, pid: said MAINPID= */
	RECOVER_REQUEST,	/* client: a request of it is about to be handled */
	RECOVER_ANSWERED,	/* client: what it was owed was sent */
	RECOVER_TOLD,		/* client, pid: was told of the end of the process */
};

/* ---- recover.c */

/* Makes the memfd. Without one a fault ends in a reboot. */
void recover_open(void);
/* Writes the tables when they have changed since the last time. Only between events: what is half done must not become the state. After a
 * descriptor was closed that a table names, it has to come before any other can be opened under the same number. */
void recover_commit(void);
/* A record for the journal. */
void recover_note(enum recover_kind kind, int index, pid_t pid, int status);
/* Commits when the journal is half full: for whoever does many small things in a turn, between two of them. */
void recover_make_room(void);

/* For X_restored(): true when fd is open and nobody else has claimed it. Descriptors that nobody claims are closed in the end. */
int recover_keep(int fd);

/* PID 1 was executed again; the event loop is there. Takes the tables, makes them live, and does what the journal and the world say.
 * Returns NULL, or why that is not possible. */
const char *recover_restore(void);

/* init --check-state FD: the exit code, 0 when this program can take over what is there. */
int recover_check(const char *fd);

/* The tables and what makes each live, in the files that own them. */
extern const struct state_section main_state[], services_state[], perform_state[], pidtab_state[], fdstore_state[], logpipe_state[],
	notify_state[], control_state[], cgroup_state[], shutdown_state[], power_state[], devices_state[], limits_state[];
void main_restored(void);
void perform_restored(void);
void pidtab_restored(void);
void fdstore_restored(void);
void logpipe_restored(void);
void notify_restored(void);
void control_restored(void);
void cgroup_restored(void);
void power_restored(void);
void limits_restored(void);

/* What the journal's records mean to their owners. */
void reap_replay(pid_t pid, int status);
void control_replay_told(int client, pid_t pid);
void control_replay_answered(int client);
/* A request crashed PID 1: it is answered with an error, and not tried again. */
void control_replay_request(int client);

#endif
