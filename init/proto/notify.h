/* notify.h - messages of the service notification protocol (sd_notify(3)).
 *
 * A message is a datagram of at most NOTIFY_TEXT_MAX bytes: lines KEY=VALUE, separated by
 * newlines. Keys that are not known here are ignored, as the protocol asks. Pure; no heap. */
#ifndef CORACLE_INIT_NOTIFY_H
#define CORACLE_INIT_NOTIFY_H

#include <stddef.h>
#include <sys/types.h>

#define NOTIFY_TEXT_MAX 4096
#define NOTIFY_STATUS_MAX 128
#define FDNAME_MAX 64		/* with the NUL; the protocol allows 255, we 63 */

enum {
	NOTIFY_READY = 1 << 0,
	NOTIFY_STOPPING = 1 << 1,
	NOTIFY_RELOADING = 1 << 2,
	NOTIFY_WATCHDOG = 1 << 3,
	NOTIFY_FDSTORE = 1 << 4,
	NOTIFY_FDSTOREREMOVE = 1 << 5,
	NOTIFY_MAINPID = 1 << 6,
	NOTIFY_STATUS = 1 << 7,
};

struct notify_message {
	unsigned seen;			/* NOTIFY_... bits */
	pid_t main_pid;			/* with NOTIFY_MAINPID */
	char status[NOTIFY_STATUS_MAX];	/* with NOTIFY_STATUS; cut, control characters replaced by '?' */
	char fdname[FDNAME_MAX];	/* FDNAME=, else "stored", as the protocol says */
};

/* Parses text (n bytes, no NUL needed). Returns 0; -EINVAL when a value that we
 * use is malformed (MAINPID that is no positive number, FDNAME with a character
 * outside [A-Za-z0-9_.:-] or too long); -E2BIG when n is above NOTIFY_TEXT_MAX. */
int notify_parse(const char *text, size_t n, struct notify_message *out);

/* True when s is a legal name for a stored descriptor. */
int notify_fdname_ok(const char *s);

#endif
