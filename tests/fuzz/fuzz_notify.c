/* fuzz_notify.c - any bytes as a notification of a service: notify_parse(). What it makes of them must be whole, and a line end at the end says
 * nothing new. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/proto/notify.h"

int fuzz_notify(const uint8_t *data, size_t n);

#define SURE(x) do { if (!(x)) abort(); } while (0)

/* A text that ends, and has nothing in it that a terminal would obey. */
static void sure_text(const char *s, size_t size)
{
	SURE(memchr(s, '\0', size));
	for (; *s; s++)
		SURE((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void sure_message(const struct notify_message *m)
{
	sure_text(m->status, sizeof(m->status));
	sure_text(m->fdname, sizeof(m->fdname));
	sure_text(m->bad, sizeof(m->bad));
	SURE(notify_fdname_ok(m->fdname));
	SURE(!(m->seen & NOTIFY_MAINPID) || m->main_pid > 0);
	SURE(!(m->seen & NOTIFY_ERRNO) || (m->error >= 0 && m->error <= 4095));
	/* what is added to a clock in milliseconds */
	SURE(m->watchdog_ms >= 0 && m->extend_ms >= 0 && m->watchdog_ms <= INT64_MAX / 2 && m->extend_ms <= INT64_MAX / 2);
	SURE(!(m->seen & NOTIFY_BARRIER) || m->seen == NOTIFY_BARRIER);
}

int fuzz_notify(const uint8_t *data, size_t n)
{
	struct notify_message m;
	struct notify_message with_end;
	/* exactly as long as the message, so that a sanitizer sees a step beyond */
	char *text = calloc(1, n + 1);
	int r;

	if (!text)
		return 0;
	if (n)
		memcpy(text + 1, data, n);
	r = notify_parse(text + 1, n, &m);
	SURE(r == (n > NOTIFY_TEXT_MAX ? -E2BIG : 0));
	sure_message(&m);
	if (n < NOTIFY_TEXT_MAX) {
		memmove(text, text + 1, n);
		text[n] = '\n';
		SURE(notify_parse(text, n + 1, &with_end) == 0 && !memcmp(&m, &with_end, sizeof(m)));
	}
	free(text);
	return 0;
}
