/* notify.h - messages of the service notification protocol (sd_notify(3)).
 *
 * A message is a datagram of at most NOTIFY_TEXT_MAX bytes: lines KEY=VALUE, separated by newlines. Keys that are not known here
 * (BUSERROR=, EXIT_STATUS=, X_...) are ignored, as the protocol asks. Pure; no heap. */
#ifndef CORACLE_INIT_NOTIFY_H
#define CORACLE_INIT_NOTIFY_H

#include <stddef.h>
#include <stdint.h>
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
	NOTIFY_TRIGGER = 1 << 8,	/* WATCHDOG=trigger */
	NOTIFY_WATCHDOG_USEC = 1 << 9,
	NOTIFY_EXTEND = 1 << 10,	/* EXTEND_TIMEOUT_USEC= */
	NOTIFY_ERRNO = 1 << 11,
	NOTIFY_NO_POLL = 1 << 12,	/* FDPOLL=0 */
	NOTIFY_BARRIER = 1 << 13,	/* BARRIER=1, and nothing else: with anything else it is ignored, as the rest of the message */
};

struct notify_message {
	unsigned seen;			/* NOTIFY_... bits */
	pid_t main_pid;			/* with NOTIFY_MAINPID */
	int error;			/* with NOTIFY_ERRNO: 0 to 4095 */
	int64_t watchdog_ms;		/* with NOTIFY_WATCHDOG_USEC, rounded up; 0: none any more */
	int64_t extend_ms;		/* with NOTIFY_EXTEND, rounded up */
	int64_t monotonic_ms;		/* MONOTONIC_USEC=, rounded up; 0: not there */
	char status[NOTIFY_STATUS_MAX];	/* with NOTIFY_STATUS; cut, control characters replaced by '?' */
	char fdname[FDNAME_MAX];	/* FDNAME=, else "stored", as the protocol says */
	char bad[24];			/* the first key whose value is malformed: it counts as not there; "": none */
};

/* Parses text (n bytes, no NUL needed). Returns 0; -E2BIG when n is above NOTIFY_TEXT_MAX. */
int notify_parse(const char *text, size_t n, struct notify_message *out);

/* True when s is a legal name for a stored descriptor: printable ASCII without ":", which separates them in LISTEN_FDNAMES. */
int notify_fdname_ok(const char *s);

#endif
