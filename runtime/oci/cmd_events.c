/* cmd_events.c - events: statistics and "out of memory" of a container, one line
 * of JSON each, until the container ends. Runs in coracle-runtime; only reads. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/stats.h"
#include "runtime/oci/verbs.h"

/* Go's durations: "1s", "1.5s", "500ms", "1m30s". Milliseconds, at least 1; 0: not one. */
static long duration(const char *s)
{
	static const struct { const char *unit; double ms; } UNITS[] = {
		{ "ns", 1e-6 }, { "us", 1e-3 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
	};
	double all = 0;

	if (!*s)
		return 0;
	while (*s) {
		char *end;
		double value = strtod(s, &end);
		size_t n = strcspn(end, "0123456789."), i;

		if (end == s || value < 0)
			return 0;
		for (i = 0; i < ARRAY_SIZE(UNITS); i++)
			if (strlen(UNITS[i].unit) == n && !strncmp(end, UNITS[i].unit, n))
				break;
		if (i == ARRAY_SIZE(UNITS))
			return 0;
		all += value * UNITS[i].ms;
		s = end + n;
	}
	return all > 1e9 ? 1000000000L : all > 0 && all < 1 ? 1 : (long)all;
}

static void print(const struct state *s, const struct cgroup *cg, const char *type)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 1 << 20);
	buf_printf(&b, "{\"type\":\"%s\",\"id\":", type);
	buf_json_string(&b, s->id, strlen(s->id));
	if (cg) {
		buf_puts(&b, ",\"data\":");
		stats_json(cg, &b);
	}
	buf_puts(&b, "}\n");
	if (buf_error(&b) == 0)
		fd_write_full(1, b.data, b.len);
}

/* Where the kernel tells of missing memory. */
struct oom {
	int dir;		/* the memory group, -1: none */
	bool v2;
	int fd;			/* eventfd (v1) or inotify (v2), -1 */
	int control;		/* v1: memory.oom_control, kept open for the eventfd */
	uint64_t kills;
};

static uint64_t kills(const struct oom *o)
{
	char text[STATS_TEXT_MAX];

	return stats_line(stats_read(o->dir, o->v2 ? "memory.events" : "memory.oom_control", text), "oom_kill");
}

static void oom_open(struct oom *o, const struct cgroup *cg)
{
	const struct cgroup_hierarchy *h = cg->pure_v2 ? &cg->h[0] : cgroup_v1_find(cg, "memory");
	char text[64];

	*o = (struct oom){ .dir = h ? h->dir : -1, .v2 = cg->pure_v2, .fd = -1, .control = -1 };
	if (o->dir < 0)
		return;
	if (o->v2) {
		char path[64];

		snprintf(path, sizeof path, "/proc/self/fd/%d/memory.events", o->dir);
		o->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
		if (o->fd >= 0)
			inotify_add_watch(o->fd, path, IN_MODIFY);
	} else {
		o->control = sys_openat(o->dir, "memory.oom_control", O_RDONLY, 0);
		o->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		snprintf(text, sizeof text, "%d %d", o->fd, o->control);
		fd_write_small(o->dir, "cgroup.event_control", text);
	}
	o->kills = kills(o);
}

/* v2 delays its notice by some milliseconds: the count tells, also when the container has ended meanwhile. */
static void oom_look(struct oom *o, const struct state *s)
{
	char ignored[4096];
	uint64_t now, n = 0;
	bool told = o->fd >= 0 && read(o->fd, o->v2 ? (void *)ignored : (void *)&n, o->v2 ? sizeof ignored : sizeof n) > 0;

	if (!o->v2) {
		if (told)
			print(s, NULL, "oom");
		return;
	}
	now = kills(o);
	if (now > o->kills)
		print(s, NULL, "oom");
	o->kills = now > o->kills ? now : o->kills;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int follow(const struct state *s, const struct cgroup *cg, long interval, struct err *err)
{
	CLEANUP_FD int pidfd = state_pidfd(s);
	long next = now_ms() + interval;
	struct oom o;

	if (pidfd < 0)
		return 0;
	oom_open(&o, cg);
	for (;;) {
		struct pollfd p[3] = { { pidfd, POLLIN, 0 }, { o.fd, POLLIN, 0 }, { 1, 0, 0 } };
		long wait = next - now_ms();

		if (poll(p, 3, wait > 0 ? (int)wait : 0) < 0 && errno != EINTR)
			return err_set(err, errno, "wait for events");
		if (p[0].revents || p[1].revents)
			oom_look(&o, s);
		/* nobody reads any more, or the container has ended */
		if (p[0].revents || p[2].revents & (POLLERR | POLLHUP))
			return 0;
		if (now_ms() >= next) {
			print(s, cg, "stats");
			next += interval;
			if (next < now_ms())
				next = now_ms() + interval;
		}
	}
}

int verb_events(const struct globals *g, int argc, char **argv, struct err *err)
{
	const char *interval = "5s";
	bool once = false;
	const struct args_option options[] = { { "interval", 0, ARGS_VALUE, &interval }, { "stats", 0, ARGS_FLAG, &once } };
	int r, n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	struct cgroup cg = { .base = -1 };
	struct state s;

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, "events [--interval 5s] [--stats] ID");
	if (!duration(interval))
		return err_set(err, 0, "duration interval must be greater than 0 (\"%s\"; such as 1s or 500ms)", interval);
	if ((r = state_load(&s, g->root, argv[0], err)) < 0)
		return r;
	if (state_status(&s, NULL) == STATUS_STOPPED)
		return err_set(err, 0, "container with id %s is not running", s.id);
	if ((r = state_open_cgroup(&s, &cg, err)) < 0 || (r = cgroup_open(&cg, err)) < 0)
		return r;
	if (once)
		print(&s, &cg, "stats");
	else
		r = follow(&s, &cg, duration(interval), err);
	return r < 0 ? r : 0;
}
