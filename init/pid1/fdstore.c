/* fdstore.c - descriptors that services leave with PID 1 and get back on their next start.
 *
 * Runs in PID 1: a fixed table, in the order of arrival. A descriptor that is in the store already under
 * the same name is not stored twice, so that a service may store again what it was given. One whose other side has gone (EPOLLHUP,
 * EPOLLERR) is of no use to anyone and is dropped, unless its service does not want that (FDPOLL=0). */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdefs.h"
#include "init/pid1/recover.h"

SPARSE static struct stored {
	int fd;
	int unit;
	char name[FDNAME_MAX];
	int polled;
} store[INIT_STORED_MAX];
static int stored;

const struct state_section fdstore_state[] = { STATE_TABLE("fdst", store, &stored), STATE_END };

/* What cannot be watched (a file) cannot hang up. */
static void watch(struct stored *e, int poll)
{
	e->polled = poll && loop_add(e->fd, WATCH_STORED, e->fd, 0) == 0;
}

static void drop(const struct stored *e)
{
	/* its service may have it open too: then closing it does not end the watch */
	if (e->polled)
		loop_remove(e->fd);
	close(e->fd);
}

void fdstore_restored(void)
{
	int kept = 0;

	for (int i = 0; i < stored; i++) {
		if (!recover_keep(store[i].fd))
			continue;
		store[kept] = store[i];
		watch(&store[kept], store[kept].polled);
		kept++;
	}
	stored = kept;
}

int fdstore_count(void)
{
	return stored;
}

/* The same open end of the same object. Both ends of a pipe are one inode, told apart by their access mode. */
static int is_same(int a, int b)
{
	struct stat sa;
	struct stat sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino &&
	       (fcntl(a, F_GETFL) & O_ACCMODE) == (fcntl(b, F_GETFL) & O_ACCMODE);
}

int fdstore_add(int unit, const char *name, int fd, int poll)
{
	int own = 0;
	int r = 0;

	for (int i = 0; i < stored; i++) {
		if (store[i].unit != unit)
			continue;
		if (!strcmp(store[i].name, name) && is_same(store[i].fd, fd)) {
			close(fd);
			return 0;
		}
		own++;
	}
	if (stored == INIT_STORED_MAX || own >= units.service[unit].fdstore_max)
		r = -ENOSPC;
	else if (!notify_fdname_ok(name))
		r = -EINVAL;
	if (r < 0) {
		close(fd);
		return r;
	}
	store[stored].fd = fd;
	store[stored].unit = unit;
	snprintf(store[stored].name, sizeof(store[stored].name), "%s", name);
	watch(&store[stored], poll);
	stored++;
	return 0;
}

/* Those of the unit with the name; or, without a name, the one with the number fd. */
static void remove_matching(int unit, const char *name, int fd)
{
	int kept = 0;

	for (int i = 0; i < stored; i++) {
		if (name ? store[i].unit == unit && !strcmp(store[i].name, name) : store[i].fd == fd) {
			drop(&store[i]);
			continue;
		}
		if (kept != i)
			store[kept] = store[i];
		kept++;
	}
	stored = kept;
}

void fdstore_remove(int unit, const char *name)
{
	remove_matching(unit, name, -1);
}

void fdstore_on_hangup(int fd)
{
	remove_matching(-1, NULL, fd);
	recover_commit();
}

int fdstore_collect(int unit, int *fds, int max, char *names, size_t size)
{
	size_t len = 0;
	int n = 0;

	if (size)
		names[0] = '\0';
	for (int i = 0; i < stored && n < max; i++) {
		int w;

		if (store[i].unit != unit)
			continue;
		w = snprintf(names + len, size - len, "%s%s", n ? ":" : "", store[i].name);
		if (w < 0 || (size_t)w >= size - len)
			break;
		len += (size_t)w;
		fds[n++] = store[i].fd;
	}
	return n;
}
