/* lock.c - what keeps several children of one engine apart. Runs in the engine and in its children.
 *
 * The store belongs to one engine (store.c's lock); its children import, save and sweep at the same time. Two files,
 * each opened anew for each use, as a lock belongs to the open file and would be shared with the parent:
 *
 *	lock.names	held while index.json is read, changed and written: a moment
 *	lock.content	shared by whoever relies on layers and blobs that have no name yet (an import) or may lose it (a
 *			save); a sweep, which removes those, needs it alone
 *
 * Order: content before names. Both end with the process. */
#include "runtime/store/storeint.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "lib/fd.h"
#include "lib/sys.h"

static int take(struct store *s, const char *name, int how, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(s->rootfd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return err_set(err, -fd, "open %s/%s", s->root, name);
	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(err, errno == EWOULDBLOCK ? EBUSY : errno, "lock %s/%s", s->root, name);
	return fd_take(&fd);
}

int store_lock_names(struct store *s, struct err *err)
{
	return take(s, "lock.names", LOCK_EX, err);
}

int store_lock_content(struct store *s, int alone, struct err *err)
{
	return take(s, "lock.content", alone ? LOCK_EX | LOCK_NB : LOCK_SH, err);
}

int store_is_busy(struct store *s)
{
	CLEANUP_FD int fd = store_lock_content(s, 1, NULL);

	return fd == -EBUSY;
}
