/* container.c - finding containers and waiting for what happens to them (coracle-engine). */
#include "container.h"

#include <string.h>

#include "engine.h"

static const char *const status_names[] = {
	"created", "running", "paused", "restarting", "removing", "exited", "dead",
};

const char *container_status_name(enum container_status s)
{
	return status_names[s];
}

struct container *container_by_name(const char *name)
{
	for (struct container *c = engine.containers; c; c = c->next)
		if (strcmp(c->svc.container_name, name) == 0)
			return c;
	return NULL;
}

struct container *container_find(const char *what, bool *ambiguous)
{
	struct container *found;
	size_t n;

	*ambiguous = false;
	if (*what == '/')
		what++;
	n = strlen(what);
	for (struct container *c = engine.containers; c; c = c->next)
		if (strcmp(c->id, what) == 0)
			return c;
	found = container_by_name(what);
	if (found || n == 0)
		return found;
	for (struct container *c = engine.containers; c; c = c->next) {
		if (strncmp(c->id, what, n) != 0)
			continue;
		if (found) {
			*ambiguous = true;
			return NULL;
		}
		found = c;
	}
	return found;
}

void container_wait(struct container *c, struct container_waiter *w)
{
	w->next = c->waiters;
	w->added = true;
	c->waiters = w;
}

void container_unwait(struct container *c, struct container_waiter *w)
{
	if (!w->added)
		return;
	w->added = false;
	for (struct container_waiter **p = &c->waiters; *p; p = &(*p)->next) {
		if (*p == w) {
			*p = w->next;
			return;
		}
	}
}

void container_fire(struct container *c, enum container_event e, int result)
{
	struct container_waiter *due = NULL, **end = &due;

	for (struct container_waiter **p = &c->waiters; *p;) {
		struct container_waiter *w = *p;

		if (!(w->events & (int)e)) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		w->next = NULL;
		w->added = false;
		*end = w;
		end = &w->next;
	}
	while (due) {
		struct container_waiter *w = due;

		due = w->next;
		w->fire(c, e, result, w->arg);
	}
}
