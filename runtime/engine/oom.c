/* oom.c - kills for want of memory (coracle-engine). Reads small files of the kernel only. */
#include "oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "engine.h"
#include "events.h"
#include "fd.h"
#include "report.h"
#include "text.h"

static struct loop_watch watch = { .fd = -1 };

static char *file_of(const struct container *c, bool v2, char *out, size_t size)
{
	text_set(out, size, v2 ? "/sys/fs/cgroup/coracle/%s/memory.events" : "/sys/fs/cgroup/memory/coracle/%s/memory.oom_control", c->id);
	return out;
}

/* "oom_kill N" is in both versions' files; -1: cannot be read. */
static int64_t count(const struct container *c)
{
	char path[160], text[512], *line;

	if (fd_read_small(AT_FDCWD, file_of(c, true, path, sizeof(path)), text, sizeof(text)) < 0 &&
	    fd_read_small(AT_FDCWD, file_of(c, false, path, sizeof(path)), text, sizeof(text)) < 0)
		return -1;
	line = strstr(text, "oom_kill ");
	return line ? strtoll(line + strlen("oom_kill "), NULL, 10) : -1;
}

void oom_look(struct container *c)
{
	int64_t n = count(c);

	if (n <= c->oom_seen)
		return;
	c->oom_seen = n;
	c->oom_killed = true;
	event_container(c, "oom", NULL);
	report_note("engine", "%s: the kernel killed a process of it for want of memory", c->svc.container_name);
}

static void on_change(uint32_t events, void *arg)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)events;
	(void)arg;
	while ((n = read(watch.fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n; p += sizeof(struct inotify_event) + ((struct inotify_event *)(void *)p)->len) {
			const struct inotify_event *e = (struct inotify_event *)(void *)p;

			for (struct container *c = engine.containers; c; c = c->next)
				if (c->oom_watch == e->wd)
					oom_look(c);
		}
	}
}

void oom_begin(struct container *c)
{
	char path[160];
	int wd;

	if (watch.fd < 0) {
		watch = (struct loop_watch){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .ready = on_change };
		if (watch.fd < 0 || loop_add(&watch, EPOLLIN) < 0)
			return;
	}
	wd = inotify_add_watch(watch.fd, file_of(c, true, path, sizeof(path)), IN_MODIFY);
	c->oom_watch = wd > 0 ? wd : 0;
	oom_look(c);
}

void oom_end(struct container *c)
{
	if (c->oom_watch > 0)
		inotify_rm_watch(watch.fd, c->oom_watch);
	c->oom_watch = 0;
}
