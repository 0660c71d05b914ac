/* loop.h - the engine's one thread: descriptors, timers and nothing else.
 *
 * Everything in coracle-engine runs inside loop_run(); a callback must not
 * block. A watch or timer is embedded in its owner and may be removed, and its
 * owner freed, from any callback: events of it that wait in the same round are dropped. */
#ifndef CORACLE_ENGINE_LOOP_H
#define CORACLE_ENGINE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop_watch {
	int fd;				/* not owned */
	void (*ready)(uint32_t events, void *arg);
	void *arg;
	bool added;
};

struct loop_timer {
	void (*fire)(void *arg);
	void *arg;
	uint64_t at;			/* CLOCK_MONOTONIC, milliseconds */
	struct loop_timer *next;
	bool armed;
};

int loop_init(void);

/* events: EPOLLIN, EPOLLOUT (level triggered). Returns 0 or -errno. */
int loop_add(struct loop_watch *w, uint32_t events);
int loop_change(struct loop_watch *w, uint32_t events);
void loop_remove(struct loop_watch *w);

/* Fires once, delay milliseconds from now; a second call moves it. */
void loop_timer_set(struct loop_timer *t, uint64_t delay);
void loop_timer_cancel(struct loop_timer *t);

uint64_t loop_now(void);		/* CLOCK_MONOTONIC, milliseconds */
int64_t wall_now(void);			/* CLOCK_REALTIME, nanoseconds */

/* Runs until loop_quit(). Returns 0 or -errno. */
int loop_run(void);
void loop_quit(void);

#endif
