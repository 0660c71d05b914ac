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
#include <sys/syscall.h>
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

/* In the order in which they are restored. */
const struct recover_part recover_parts[] = {
	{ main_state, main_restored },
	{ services_state, NULL },
	{ perform_state, perform_restored },
	{ condition_state, NULL },
	{ times_state, NULL },
	{ pidtab_state, pidtab_restored },
	{ cgroup_state, cgroup_restored },
	{ limits_state, limits_restored },
	{ fdstore_state, fdstore_restored },
	{ sockets_state, sockets_restored },
	{ timers_state, timers_restored },
	{ network_state, network_restored },
	{ logpipe_state, logpipe_restored },
	{ notify_state, notify_restored },
	{ control_state, control_restored },
	{ shutdown_state, NULL },
	{ power_state, power_restored },
	{ devices_state, NULL },
	{ console_state, NULL },
	{ watchdog_state, watchdog_restored },
	{ reason_state, NULL },
	{ NULL, NULL },
};

static int usable;		/* the memfd is there */
static int complained;
static uint64_t sequence;	/* of the last commit */
static int journal_n;		/* records since then */
static struct recover_box no_box;
static struct recover_box *box = &no_box;
static struct state_head committed[STATE_SECTIONS_MAX];

static int all_sections(const struct state_section *list[STATE_SECTIONS_MAX])
{
	int n = 0;

	for (const struct recover_part *p = recover_parts; p->sections; p++)
		for (const struct state_section *s = p->sections; s->tag && n < STATE_SECTIONS_MAX; s++)
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
	if (fd == RECOVER_FD)
		recover_go_on(0, 0);
	else
		report_problem("init", "keep the state: %s; a crash of init will be a reboot", err_name(fd < 0 ? -fd : EBADF));
}

void recover_go_on(uint64_t last, int records)
{
	void *page;

	sequence = last;
	journal_n = records;
	usable = 1;
	(void)!ftruncate(RECOVER_FD, RECOVER_SLOTS_AT + 2 * (off_t)STATE_SLOT_MAX);
	page = mmap(NULL, sizeof(*box), PROT_READ | PROT_WRITE, MAP_SHARED, RECOVER_FD, RECOVER_BOX_AT);
	if (page != MAP_FAILED)
		box = page;
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
	written = pwritev(RECOVER_FD, v, c, RECOVER_SLOTS_AT + (off_t)(slot->sequence & 1) * STATE_SLOT_MAX);
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
	struct recover_record r = { (uint32_t)sequence, (uint16_t)kind, (int16_t)index, pid, status };

	if (!usable || kind == RECOVER_NOTHING || journal_n == RECOVER_JOURNAL_MAX)
		return;
	if (pwrite(RECOVER_FD, &r, sizeof(r), RECOVER_JOURNAL_AT + journal_n * (off_t)sizeof(r)) == (ssize_t)sizeof(r))
		journal_n++;
	else
		complain(errno);
}

static void open_place(struct recover_box_place *p, enum recover_kind kind, int index, pid_t pid)
{
	*p = (struct recover_box_place){ (uint32_t)sequence, journal_n, (uint16_t)kind, (int16_t)index, pid };
}

/* The kernel's struct mmsghdr; musl's functions of these names make other system calls. Its lengths are wider than musl's, whose padding is 0. */
ssize_t recover_send(int fd, const void *text, size_t n, enum recover_kind kind, int index, pid_t pid)
{
	struct iovec v = { (void *)(uintptr_t)text, n };

	memset(&box->out, 0, sizeof(box->out));
	box->out.header.msg_iov = &v;
	box->out.header.msg_iovlen = 1;
	open_place(&box->sent, kind, index, pid);
	if (syscall(SYS_sendmmsg, fd, &box->out, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return -1;
	recover_note(kind, index, pid, 0);
	return (ssize_t)box->out.n;
}

ssize_t recover_receive(int fd, void *text, size_t n, enum recover_kind kind, int index)
{
	struct iovec v = { text, n };

	memset(&box->in, 0, sizeof(box->in));
	box->in.header.msg_iov = &v;
	box->in.header.msg_iovlen = 1;
	open_place(&box->received, kind, index, 0);
	if (syscall(SYS_recvmmsg, fd, &box->in, 1, MSG_DONTWAIT, NULL) != 1)
		return -1;
	if (box->in.n)
		recover_note(kind, index, 0, 0);
	return (ssize_t)box->in.n;
}

pid_t *recover_starting(int unit)
{
	open_place(&box->started, RECOVER_STARTED, unit, 0);
	return &box->started.pid;
}

static int is_last(const struct recover_box_place *p, uint64_t of, int records)
{
	return p->kind && p->sequence == (uint32_t)of && p->journal_n == records;
}

int recover_box_records(uint64_t of, int records, struct recover_record *out)
{
	const struct recover_box_place *const places[] = { &box->received, &box->started, &box->sent };
	const unsigned done[] = { box->in.n, (unsigned)box->started.pid, box->out.n };
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (is_last(places[i], of, records) && done[i])
			out[n++] = (struct recover_record){ (uint32_t)of, places[i]->kind, places[i]->index, places[i]->pid, 0 };
	return n;
}

void recover_make_room(void)
{
	if (journal_n > RECOVER_JOURNAL_MAX / 2)
		recover_commit();
}
