/* recover.c - commits, journal, and what the next image makes of them: see recover.h.
 *
 * Runs in PID 1. Writes go to a memfd with pwrite(2), which is not mapped: its pages are not PID 1's memory, and no
 * stray pointer reaches them. */
#include "init/pid1/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/pid1/init.h"
#include "report.h"
#include "sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u	/* Linux 6.3 */
#endif

#define JOURNAL_AT 4096
#define JOURNAL_MAX 1024
#define SLOTS_AT 65536

struct record {
	uint32_t sequence;	/* of the commit that it follows */
	uint16_t kind;
	int16_t index;
	int32_t pid;
	int32_t status;
};

/* In the order in which they are restored. */
static const struct part {
	const struct state_section *sections;
	void (*restored)(void);
} parts[] = {
	{ main_state, main_restored },
	{ services_state, NULL },
	{ perform_state, perform_restored },
	{ pidtab_state, pidtab_restored },
	{ cgroup_state, cgroup_restored },
	{ limits_state, limits_restored },
	{ fdstore_state, fdstore_restored },
	{ logpipe_state, logpipe_restored },
	{ notify_state, notify_restored },
	{ control_state, control_restored },
	{ shutdown_state, NULL },
	{ power_state, power_restored },
	{ devices_state, NULL },
};

static int usable;		/* the memfd is there */
static int complained;
static uint64_t sequence;	/* of the last commit */
static int journal_n;		/* records since then */
static struct state_head committed[STATE_SECTIONS_MAX];

static int all_sections(const struct state_section *list[STATE_SECTIONS_MAX])
{
	int n = 0;

	for (size_t p = 0; p < ARRAY_SIZE(parts); p++)
		for (const struct state_section *s = parts[p].sections; s->tag && n < STATE_SECTIONS_MAX; s++)
			list[n++] = s;
	return n;
}

void recover_open(void)
{
	int fd = sys_memfd_create("init-state", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd == -EINVAL)
		fd = sys_memfd_create("init-state", MFD_CLOEXEC);
	if (fd >= 0 && fd != RECOVER_FD && fcntl(RECOVER_FD, F_GETFD) < 0) {
		dup3(fd, RECOVER_FD, O_CLOEXEC);
		close(fd);
		fd = RECOVER_FD;
	}
	usable = fd == RECOVER_FD;
	if (!usable)
		report_problem("init", "keep the state: %s; a crash of init will be a reboot", err_name(fd < 0 ? -fd : EBADF));
}

static void complain(int code)
{
	if (!complained)
		report_problem("init", "keep the state: %s; after a crash of init it would be an older one", err_name(code));
	complained = 1;
}

static int write_slot(const struct state_section *const *list, int n, const struct state_slot *slot, const struct state_head *heads)
{
	struct iovec v[STATE_SECTIONS_MAX + 2];
	ssize_t written;
	int c = 0;

	v[c++] = (struct iovec){ (void *)(uintptr_t)slot, sizeof(*slot) };
	v[c++] = (struct iovec){ (void *)(uintptr_t)heads, (size_t)n * sizeof(*heads) };
	for (int i = 0; i < n; i++)
		if (heads[i].count)
			v[c++] = (struct iovec){ list[i]->table, (size_t)heads[i].size * heads[i].count };
	written = pwritev(RECOVER_FD, v, c, SLOTS_AT + (off_t)(slot->sequence & 1) * STATE_SLOT_MAX);
	if (written == (ssize_t)slot->bytes)
		return 0;
	return written < 0 ? -errno : -ENOSPC;
}

void recover_commit(void)
{
	const struct state_section *list[STATE_SECTIONS_MAX];
	struct state_head heads[STATE_SECTIONS_MAX];
	struct state_slot slot;
	int n;
	int r;

	if (!usable)
		return;
	n = all_sections(list);
	r = state_encode(list, n, sequence + 1, &slot, heads);
	if (r > 0 && journal_n == 0 && !memcmp(heads, committed, (size_t)n * sizeof(heads[0])))
		return;
	if (r > 0)
		r = write_slot(list, n, &slot, heads);
	if (r < 0) {
		complain(-r);
		return;
	}
	sequence++;
	journal_n = 0;
	memcpy(committed, heads, (size_t)n * sizeof(heads[0]));
}

void recover_note(enum recover_kind kind, int index, pid_t pid, int status)
{
	struct record r = { (uint32_t)sequence, (uint16_t)kind, (int16_t)index, pid, status };

	if (!usable || journal_n == JOURNAL_MAX)
		return;
	if (pwrite(RECOVER_FD, &r, sizeof(r), JOURNAL_AT + journal_n * (off_t)sizeof(r)) == (ssize_t)sizeof(r))
		journal_n++;
	else
		complain(errno);
}

void recover_make_room(void)
{
	if (journal_n > JOURNAL_MAX / 2)
		recover_commit();
}

int recover_keep(int fd)
{
	(void)fd;
	return 0;
}
