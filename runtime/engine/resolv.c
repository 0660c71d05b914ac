/* resolv.c - /etc/resolv.conf of the machine has changed (coracle-engine). */
#include "resolv.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "bundle.h"
#include "engine.h"
#include "report.h"

static struct loop_watch watch = { .fd = -1 };

static void on_change(uint32_t events, void *arg)
{
	alignas(struct inotify_event) char space[4096];
	bool changed = false;
	ssize_t n;

	(void)events;
	(void)arg;
	while ((n = read(watch.fd, space, sizeof(space))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(space + at);

			changed = changed || (e->len && strcmp(e->name, "resolv.conf") == 0);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	for (struct container *c = engine.containers; changed && c; c = c->next)
		if (c->phase >= PHASE_CREATING && c->phase <= PHASE_UP)
			bundle_refresh_resolv(c);
}

void resolv_watch(void)
{
	watch = (struct loop_watch){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .ready = on_change };
	if (watch.fd < 0 || inotify_add_watch(watch.fd, "/etc", IN_CLOSE_WRITE | IN_MOVED_TO) < 0 || loop_add(&watch, EPOLLIN) < 0)
		report_note("engine", "watch /etc/resolv.conf: %s", strerror(errno));
}
