/* restore.c - PID 1 was executed again: its state, its journal, and what the world says of both (docs/design/recovery.md).
 *
 * Runs in PID 1, before the loop goes on, and recover_check() in a child of it. Nothing here waits. */
#include "init/pid1/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/crash.h"
#include "init/pid1/init.h"
#include "report.h"
#include "sys.h"

#define CRASHES 8		/* of which the time is kept */
#define CRASHES_REBOOT 5	/* within CRASHES_MS: the machine goes down in order */
#define CRASHES_NO_STATE 6	/* the same without what may be the cause */
#define CRASHES_MS 60000
#define CHECKS 100	/* of a state that another process changes */
#define UNKNOWN_STATUS (255 << 8)	/* nobody knows how it ended: as if with code 255 */

/* At the beginning of the memfd; at CRASH_AT follows what the handler writes. */
struct header {
	uint64_t checked;	/* the sequence that a program can take over, as it said */
	int32_t crashes_n;	/* times that are kept */
	int32_t crashes_all;	/* since boot */
};

/* Behind struct crash: milliseconds of CLOCK_MONOTONIC, oldest first. */
#define TIMES_AT 128

static struct recover_record started[SUP_UNITS_MAX];	/* of the journal, not yet asked for */
static int started_n;

static int read_state(const struct state_source *src, void *buf, size_t n, uint64_t at)
{
	ssize_t r = pread(*(const int *)src->bytes, buf, n, (off_t)(src->begin + at));

	return r == (ssize_t)n ? 0 : r < 0 ? -errno : -EIO;
}

/* The newest slot that is whole. Returns 0 or -errno. */
static int find_slot(struct state_source *src, struct state_slot *slot, struct state_head *heads)
{
	struct state_slot other;
	uint64_t best = 0;
	int which = 0;
	int r;

	for (int i = 0; i < 2; i++) {
		src->begin = RECOVER_SLOTS_AT + (uint64_t)i * STATE_SLOT_MAX;
		if (state_check(src, &other, heads) == 0 && other.sequence > best) {
			best = other.sequence;
			which = i;
		}
	}
	if (!best)
		return -ENODATA;
	src->begin = RECOVER_SLOTS_AT + (uint64_t)which * STATE_SLOT_MAX;
	r = state_check(src, slot, heads);
	return r;
}

static int take_tables(int fd, uint64_t *sequence)
{
	struct state_source src = { .read = read_state, .bytes = &fd };
	struct state_head heads[STATE_HEADS_MAX];
	struct state_slot slot;
	int r = find_slot(&src, &slot, heads);

	for (const struct recover_part *p = recover_parts; r == 0 && p->sections; p++)
		for (const struct state_section *s = p->sections; r == 0 && s->tag; s++)
			r = MIN(state_decode(&src, &slot, heads, s), 0);
	if (r == 0)
		*sequence = slot.sequence;
	return r;
}

/* The other one goes on with its commits, and the second after the one that we read is written over that. */
static int is_there_still(int fd, uint64_t sequence)
{
	struct state_slot slot;

	return pread(fd, &slot, sizeof(slot), RECOVER_SLOTS_AT + (off_t)(sequence & 1) * STATE_SLOT_MAX) == (ssize_t)sizeof(slot) &&
	       slot.sequence == sequence;
}

int recover_check(const char *number)
{
	int fd = atoi(number);
	uint64_t sequence = 0;
	int tries = CHECKS;

	while (take_tables(fd, &sequence) < 0 || !is_there_still(fd, sequence))
		if (--tries == 0)
			return 1;
	if (init_sup.n > units.n)
		return 1;
	/* an exit code of 0 is what any program has */
	return pwrite(fd, &sequence, sizeof(sequence), offsetof(struct header, checked)) == (ssize_t)sizeof(sequence) ? 0 : 1;
}

int recover_take_checked(void)
{
	static const uint64_t none;
	uint64_t checked = 0;

	(void)!pread(RECOVER_FD, &checked, sizeof(checked), offsetof(struct header, checked));
	return pwrite(RECOVER_FD, &none, sizeof(none), offsetof(struct header, checked)) == (ssize_t)sizeof(none) && checked;
}

int recover_keep(int fd)
{
	return fd >= RECOVER_FD && fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* What was opened after the commit, or is of the image before: nobody knows it. What has been opened since then is close-on-exec. */
static void close_others(void)
{
	uint64_t buf[128];
	long n;
	int dir = sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0)
		return;
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const char *entry = (const char *)buf + at;
			unsigned short length;
			int fd = atoi(entry + 19); /* struct linux_dirent64: ino, off, reclen, type, name */

			memcpy(&length, entry + 16, sizeof(length));
			at += length;
			if (fd >= RECOVER_FD && fcntl(fd, F_GETFD) == 0)
				close(fd);
		}
	}
	close(dir);
}

pid_t recover_adopt(int unit)
{
	for (int i = 0; i < started_n; i++) {
		pid_t pid = started[i].pid;

		if (pid > 0 && started[i].index == unit) {
			started[i].pid = 0;
			return pid;
		}
	}
	return 0;
}

/* A start whose cause the journal does not tell (time had passed, somebody had asked): the supervisor learns of it as of its own. */
static void adopt_before(int end)
{
	for (int i = 0; i < end; i++) {
		int unit = started[i].index;
		pid_t pid = started[i].pid;
		struct sup_run *r;

		if (pid <= 0 || unit < 0 || unit >= init_sup.n)
			continue;
		started[i].pid = 0;
		r = &init_sup.run[unit];
		r->state = SUP_STARTING;
		r->why = SUP_WHY_NONE;
		r->pid = 0;
		r->busy = 0;
		r->started = loop_now();
		r->deadline = units.sup[unit].start_ms ? r->started + units.sup[unit].start_ms : SUP_NEVER;
		pidtab_set_unit(pid, unit);
		init_event(&(struct sup_event){ .type = SUP_EV_STARTED, .unit = unit, .pid = pid });
	}
}

static void replay(const struct recover_record *r, int *begun)
{
	int unit = r->index;

	switch (r->kind) {
	case RECOVER_STARTED:
		(*begun)++;
		return;
	case RECOVER_REAP:
	case RECOVER_READY:
	case RECOVER_MAIN_PID:
		adopt_before(MIN(*begun, started_n));
		break;
	default:
		control_replay((enum recover_kind)r->kind, r->index, r->pid);
		return;
	}
	if (r->kind == RECOVER_REAP)
		reap_replay(r->pid, r->status);
	else if (unit < 0 || unit >= init_sup.n)
		return;
	else if (r->kind == RECOVER_READY)
		init_event(&(struct sup_event){ .type = SUP_EV_READY, .unit = unit });
	else
		notify_replay_main_pid(unit, r->pid);
}

static int read_record(int i, uint64_t sequence, struct recover_record *r)
{
	return i < RECOVER_JOURNAL_MAX && pread(RECOVER_FD, r, sizeof(*r), RECOVER_JOURNAL_AT + i * (off_t)sizeof(*r)) == (ssize_t)sizeof(*r) &&
	       r->kind && r->sequence == (uint32_t)sequence;
}

/* The journal goes on where it ended: a crash while it is replayed finds it as it was. Returns how many records it has now. */
static int continue_journal(uint64_t sequence)
{
	struct recover_record r[3];
	int records = 0;
	int more;

	while (read_record(records, sequence, &r[0]))
		records++;
	recover_go_on(sequence, records);
	more = recover_box_records(sequence, records, r);
	for (int i = 0; i < more; i++)
		recover_note((enum recover_kind)r[i].kind, r[i].index, r[i].pid, r[i].status);
	return records + more;
}

/* What was done after the commit is done again, with the processes that it made. */
static void replay_journal(uint64_t sequence, int records)
{
	struct recover_record r;
	int begun = 0;

	for (int i = 0; i < records && read_record(i, sequence, &r); i++)
		if (r.kind == RECOVER_STARTED && started_n < SUP_UNITS_MAX)
			started[started_n++] = r;
	for (int i = 0; i < records && read_record(i, sequence, &r); i++)
		replay(&r, &begun);
	init_event(&(struct sup_event){ .type = SUP_EV_TICK });
	adopt_before(started_n);
	started_n = 0;
}

/* A main process that is gone without a record ended while nobody looked. */
static void reconcile_processes(void)
{
	for (int i = 0; i < init_sup.n; i++) {
		pid_t pid = init_sup.run[i].pid;

		if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
			reap_replay(pid, UNKNOWN_STATUS);
	}
}

/* How often within CRASHES_MS, this time included. */
static int count_crash(void)
{
	struct header h = { .crashes_n = 0 };
	int64_t times[CRASHES];
	int64_t now = loop_now();
	int n = 0;

	(void)!pread(RECOVER_FD, &h, sizeof(h), 0);
	(void)!pread(RECOVER_FD, times, sizeof(times), TIMES_AT);
	if (h.crashes_n < 0 || h.crashes_n > CRASHES)
		h.crashes_n = 0;
	if (h.crashes_n == CRASHES)
		memmove(times, times + 1, (size_t)--h.crashes_n * sizeof(times[0]));
	times[h.crashes_n++] = now;
	h.crashes_all++;
	(void)!pwrite(RECOVER_FD, &h, sizeof(h), 0);
	(void)!pwrite(RECOVER_FD, times, sizeof(times), TIMES_AT);
	for (int i = 0; i < h.crashes_n; i++)
		n += now - times[i] <= CRASHES_MS;
	return n;
}

/* How often init has crashed in a row, 0: it was replaced by a newer one. */
static int look_at_crash(struct crash *crash)
{
	static const struct crash none;

	if (pread(RECOVER_FD, crash, sizeof(*crash), CRASH_AT) != (ssize_t)sizeof(*crash) || !crash->signo)
		return 0;
	(void)!pwrite(RECOVER_FD, &none, sizeof(none), CRASH_AT);
	return count_crash();
}

const char *recover_restore(void)
{
	static char why[160];
	struct crash crash = { 0 };
	uint64_t sequence;
	int crashes;
	int records;
	int r;

	/* A fault before this line is the third one without a count; from here on none is. */
	crashes = look_at_crash(&crash);
	if (crashes == CRASHES)
		crash_reboot();
	recover_keep(RECOVER_FD);
	snprintf(why, sizeof(why), "init crashed (%d within %d s): signal %d (%s) at 0x%llx, address 0x%llx", crashes, CRASHES_MS / 1000, crash.signo,
		 strsignal(crash.signo), (unsigned long long)crash.at, (unsigned long long)crash.address);
	if (crash.signo)
		report_problem("init", "%s, and was executed again", why);
	if (crashes >= CRASHES_NO_STATE)
		return why;
	if ((r = take_tables(RECOVER_FD, &sequence)) < 0)
		return "init crashed, and there is no state that it could go on with";
	records = continue_journal(sequence);
	for (const struct recover_part *p = recover_parts; p->sections; p++)
		if (p->restored)
			p->restored();
	close_others();
	replay_journal(sequence, records);
	reconcile_processes();
	control_reconcile();
	cgroup_reconcile();
	shutdown_reconcile();
	condition_reconcile();
	recover_commit();
	report_note("init", "went on with %d units", units.n);
	return crashes >= CRASHES_REBOOT ? why : NULL;
}
