/* pidtab.c - from a pid to what PID 1 knows about it: its unit, who watches it, its kept exit status.
 *
 * Runs in PID 1. A fixed open-addressing hash table with room for every watched pid and every unit, at most about half full, so a
 * look-up takes a few steps whatever happens. Pids hash to themselves: neighbours share a page, and untouched pages cost nothing. */
#include "init/pid1/init.h"

#include <string.h>
#include <unistd.h>

#include "cdefs.h"

#define SLOTS 8192	/* a power of two; about half of it can be in use: INIT_WATCHED_MAX + SUP_UNITS_MAX */

static struct pidtab_entry table[SLOTS];
static unsigned watched;

static unsigned slot_of(pid_t pid)
{
	return (unsigned)pid & (SLOTS - 1);
}

struct pidtab_entry *pidtab_find(pid_t pid)
{
	for (unsigned i = slot_of(pid); table[i].pid; i = (i + 1) & (SLOTS - 1))
		if (table[i].pid == pid)
			return &table[i];
	return NULL;
}

/* Cannot fail: at most INIT_WATCHED_MAX + SUP_UNITS_MAX entries exist, far below SLOTS. */
static struct pidtab_entry *find_or_add(pid_t pid)
{
	unsigned i = slot_of(pid);

	while (table[i].pid && table[i].pid != pid)
		i = (i + 1) & (SLOTS - 1);
	if (!table[i].pid) {
		memset(&table[i], 0, sizeof(table[i]));
		table[i].pid = pid;
		table[i].unit = -1;
		table[i].pidfd = -1;
	}
	return &table[i];
}

/* Removal without tombstones (Knuth 6.4, algorithm R): later entries of the run that hash at or before the hole move into it. */
static void remove_entry(struct pidtab_entry *e)
{
	unsigned hole = (unsigned)(e - table);
	unsigned i = hole;

	if (e->pidfd >= 0)
		close(e->pidfd);
	for (;;) {
		i = (i + 1) & (SLOTS - 1);
		if (!table[i].pid)
			break;
		if (((i - slot_of(table[i].pid)) & (SLOTS - 1)) >= ((i - hole) & (SLOTS - 1))) {
			table[hole] = table[i];
			hole = i;
		}
	}
	table[hole].pid = 0;
}

int pidtab_set_unit(pid_t pid, int unit)
{
	struct pidtab_entry *e = find_or_add(pid);

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
		if (watched == INIT_WATCHED_MAX)
			return NULL;
		e = find_or_add(pid);
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
	for (unsigned i = 0; watched && i < SLOTS; i++)
		if (table[i].watchers & (1u << client)) /* reading an untouched page costs no memory, writing does */
			table[i].watchers = (uint16_t)(table[i].watchers & ~(1u << client));
}

struct pidtab_entry *pidtab_untold(int client, unsigned *at)
{
	for (; *at < SLOTS; (*at)++) {
		struct pidtab_entry *e = &table[*at];

		if (e->pid && e->ended && (e->watchers & ~e->told & (1u << client)))
			return e;
	}
	return NULL;
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
	memset(table, 0, sizeof(table));
	watched = 0;
}
