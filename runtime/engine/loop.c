/* loop.c - epoll and timers of coracle-engine. Never blocks but in epoll_wait. */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define ROUND 32

static int epoll_fd = -1;
static struct epoll_event batch[ROUND];
static int batch_at, batch_n;
static struct loop_timer *timers;	/* sorted, soonest first */
static bool quit;

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int64_t wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -errno : 0;
}

static int control(int op, struct loop_watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	return epoll_ctl(epoll_fd, op, w->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop_watch *w, uint32_t events)
{
	int r = control(EPOLL_CTL_ADD, w, events);

	w->added = r == 0;
	return r;
}

int loop_change(struct loop_watch *w, uint32_t events)
{
	return w->added ? control(EPOLL_CTL_MOD, w, events) : -ENOENT;
}

void loop_remove(struct loop_watch *w)
{
	if (!w->added)
		return;
	control(EPOLL_CTL_DEL, w, 0);
	w->added = false;
	for (int i = batch_at; i < batch_n; i++)
		if (batch[i].data.ptr == w)
			batch[i].data.ptr = NULL;
}

void loop_timer_set(struct loop_timer *t, uint64_t delay)
{
	struct loop_timer **p = &timers;

	loop_timer_cancel(t);
	t->at = loop_now() + delay;
	while (*p && (*p)->at <= t->at)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	t->armed = true;
}

void loop_timer_cancel(struct loop_timer *t)
{
	if (!t->armed)
		return;
	for (struct loop_timer **p = &timers; *p; p = &(*p)->next) {
		if (*p == t) {
			*p = t->next;
			break;
		}
	}
	t->armed = false;
}

static void fire_timers(void)
{
	uint64_t now = loop_now();

	while (timers && timers->at <= now) {
		struct loop_timer *t = timers;

		timers = t->next;
		t->armed = false;
		t->fire(t->arg);
	}
}

static int wait_time(void)
{
	uint64_t now;

	if (!timers)
		return -1;
	now = loop_now();
	if (timers->at <= now)
		return 0;
	return timers->at - now > 3600000 ? 3600000 : (int)(timers->at - now);
}

int loop_run(void)
{
	quit = false;
	while (!quit) {
		int n = epoll_wait(epoll_fd, batch, ROUND, wait_time());

		if (n < 0 && errno != EINTR)
			return -errno;
		batch_n = n < 0 ? 0 : n;
		for (batch_at = 0; batch_at < batch_n;) {
			struct epoll_event *ev = &batch[batch_at++];
			struct loop_watch *w = ev->data.ptr;

			if (w)
				w->ready(ev->events, w->arg);
		}
		batch_n = 0;
		fire_timers();
	}
	return 0;
}

void loop_quit(void)
{
	quit = true;
}
