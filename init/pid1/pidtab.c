/* pidtab.c - from a pid to what PID 1 knows about it: its unit, who watches it, its kept exit status.
 *
 * Runs in PID 1. The entries lie close together in a fixed array, so that memory is touched only for pids that are there; an
 * open-addressing hash table of their indices finds one in a few steps whatever happens. It uses as much of its array as it needs. */
#include "init/pid1/init.h"

#include <string.h>
#include <unistd.h>

#include "cdefs.h"
#include "init/pid1/recover.h"

#define ENTRIES_MAX (INIT_WATCHED_MAX + SUP_UNITS_MAX)
#define SLOTS 8192u	/* a power of two; about half of it can be in use */
#define SLOTS_FIRST 256u

SPARSE static struct pidtab_entry entries[ENTRIES_MAX];
static int count;
static int watched;
static unsigned mask = SLOTS_FIRST - 1;
SPARSE static uint16_t slots[SLOTS];	/* index of the entry plus 1, 0: free */

const struct state_section pidtab_state[] = { STATE_TABLE("pids", entries, &count), STATE_END };

/* Pids are dense numbers: they hash to themselves. */
static unsigned home_of(pid_t pid)
{
	return (unsigned)pid & mask;
}

/* The slot of the pid, or the free one where it belongs. */
static unsigned slot_of(pid_t pid)
{
	unsigned i = home_of(pid);

	while (slots[i] && entries[slots[i] - 1].pid != pid)
		i = (i + 1) & mask;
	return i;
}

struct pidtab_entry *pidtab_find(pid_t pid)
{
	unsigned i = slot_of(pid);

	return slots[i] ? &entries[slots[i] - 1] : NULL;
}

/* Twice as many slots: at most half of them are in use, or the steps would become many. Some thousand steps, and only ever once per size. */
static void grow(void)
{
	mask = 2 * mask + 1;
	memset(slots, 0, (mask + 1) * sizeof(slots[0]));
	for (int i = 0; i < count; i++)
		slots[slot_of(entries[i].pid)] = (uint16_t)(i + 1);
}

static struct pidtab_entry *find_or_add(pid_t pid)
{
	unsigned i = slot_of(pid);
	struct pidtab_entry *e;

	if (slots[i])
		return &entries[slots[i] - 1];
	if (count == ENTRIES_MAX)
		return NULL;
	if ((unsigned)count > mask / 2 && mask < SLOTS - 1) {
		grow();
		i = slot_of(pid);
	}
	e = &entries[count++];
	slots[i] = (uint16_t)count;
	*e = (struct pidtab_entry){ .pid = pid, .unit = -1, .pidfd = -1 };
	return e;
}

/* Removal without tombstones (Knuth 6.4, algorithm R): later indices of the run that belong at or before the hole move into it. */
static void free_slot(unsigned hole)
{
	unsigned i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (!slots[i])
			break;
		if (((i - home_of(entries[slots[i] - 1].pid)) & mask) >= ((i - hole) & mask)) {
			slots[hole] = slots[i];
			hole = i;
		}
	}
	slots[hole] = 0;
}

/* The last entry takes the place of the one that goes. */
static void remove_entry(struct pidtab_entry *e)
{
	struct pidtab_entry *last = &entries[count - 1];

	if (e->pidfd >= 0)
		close(e->pidfd);
	free_slot(slot_of(e->pid));
	if (e != last) {
		slots[slot_of(last->pid)] = (uint16_t)(e - entries + 1);
		*e = *last;
	}
	count--;
}

int pidtab_set_unit(pid_t pid, int unit)
{
	struct pidtab_entry *e = find_or_add(pid);

	if (!e)
		return -1;
	/* A kept status of an earlier process with this pid is no news of this one, but it may still be asked for. */
	e->unit = (int16_t)unit;
	return 0;
}

void pidtab_forget_unit(struct pidtab_entry *e)
{
	e->unit = -1;
	if (!e->watched)
		remove_entry(e);
}

struct pidtab_entry *pidtab_watch(pid_t pid, int client)
{
	struct pidtab_entry *e = pidtab_find(pid);

	if (!e || !e->watched) {
		if (watched == INIT_WATCHED_MAX || !(e = find_or_add(pid)))
			return NULL;
		e->watched = 1;
		watched++;
	}
	e->watchers = (uint16_t)(e->watchers | 1u << client);
	e->told = (uint16_t)(e->told & ~(1u << client));
	return e;
}

void pidtab_forget(pid_t pid)
{
	struct pidtab_entry *e = pidtab_find(pid);

	if (!e || !e->watched)
		return;
	watched--;
	e->watched = 0;
	if (e->unit < 0)
		remove_entry(e);
}

void pidtab_forget_client(int client)
{
	for (int i = 0; i < count; i++)
		entries[i].watchers = (uint16_t)(entries[i].watchers & ~(1u << client));
}

struct pidtab_entry *pidtab_untold(int client, unsigned *at)
{
	for (; *at < (unsigned)count; (*at)++) {
		struct pidtab_entry *e = &entries[*at];

		if (e->ended && (e->watchers & ~e->told & (1u << client)))
			return e;
	}
	return NULL;
}

struct pidtab_entry *pidtab_next(unsigned *at)
{
	return *at < (unsigned)count ? &entries[(*at)++] : NULL;
}

void pidtab_end(struct pidtab_entry *e, int status)
{
	e->ended = 1;
	e->status = status;
	if (e->pidfd >= 0) {
		close(e->pidfd);
		e->pidfd = -1;
	}
}

void pidtab_clear(void)
{
	memset(slots, 0, sizeof(slots));
	mask = SLOTS_FIRST - 1;
	count = 0;
	watched = 0;
}

/* The index is made again: it follows from the entries. */
void pidtab_restored(void)
{
	int n = count;

	pidtab_clear();
	for (int i = 0; i < n; i++) {
		struct pidtab_entry e = entries[i];

		if (e.pid <= 0 || pidtab_find(e.pid))
			continue;
		e.pidfd = -1; /* control_reconcile() opens it again */
		*find_or_add(e.pid) = e;
		watched += e.watched != 0;
	}
}
