/* fdstore.c - descriptors that services leave with PID 1 and get back on their next start.
 *
 * Runs in PID 1: a fixed table, in the order of arrival. A descriptor that is in the store already under
 * the same name is not stored twice, so that a service may store again what it was given. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cdefs.h"

static struct stored {
	int fd;
	int unit;
	char name[FDNAME_MAX];
} store[INIT_STORED_MAX];
static int stored;

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

int fdstore_add(int unit, const char *name, int fd)
{
	int r = 0;

	for (int i = 0; i < stored; i++) {
		if (store[i].unit == unit && !strcmp(store[i].name, name) && is_same(store[i].fd, fd)) {
			close(fd);
			return 0;
		}
	}
	if (stored == INIT_STORED_MAX)
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
	stored++;
	return 0;
}

void fdstore_remove(int unit, const char *name)
{
	int kept = 0;

	for (int i = 0; i < stored; i++) {
		if (store[i].unit == unit && !strcmp(store[i].name, name)) {
			close(store[i].fd);
			continue;
		}
		if (kept != i)
			store[kept] = store[i];
		kept++;
	}
	stored = kept;
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
