/* orchestrate.c - from wanted services to running containers (coracle-engine). Decides when; lifecycle.c knows how. */
#include "orchestrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "fd.h"
#include "graph.h"
#include "images.h"
#include "lifecycle.h"
#include "report.h"
#include "text.h"

enum want { WANT_WAITING, WANT_STARTING, WANT_DONE, WANT_FAILED };

struct wanted {
	const struct service *svc;
	struct container *c;
	enum want want;
	int level;
	bool replacing;			/* an old container is being removed */
	struct container_waiter waiter;
};

static struct service_list list;
static struct wanted *wanted;
static size_t *order;
static size_t count;
static void (*on_settled)(void);

static struct wanted *find_wanted(const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(wanted[i].svc->name, name) == 0)
			return &wanted[i];
	return NULL;
}

static void fail(struct wanted *w, const char *why, const char *way_out)
{
	w->want = WANT_FAILED;
	report_problem("engine", "service %s (image %s, line %d) is not started: %s%s%s", w->svc->name, w->svc->image,
		       w->svc->line, why, way_out[0] ? "; " : "", way_out);
}

static enum graph_state state_of(const struct wanted *w)
{
	if (w->want == WANT_FAILED)
		return GRAPH_NOT_STARTED;
	if (w->want != WANT_DONE || !w->c)
		return GRAPH_PENDING;
	if (w->c->status == CONTAINER_EXITED)
		return w->c->exit_code == 0 ? GRAPH_DONE : GRAPH_ENDED_BADLY;
	return GRAPH_RUNNING;
}

static void listen_to(struct wanted *w);

static void on_event(struct container *c, enum container_event e, int result, void *arg)
{
	struct wanted *w = arg;

	if (e == EVENT_REMOVED) {
		w->c = NULL;
		if (!w->replacing)
			return;
		w->replacing = false;
		w->want = WANT_WAITING;
		orchestrate_step();
		return;
	}
	if (e == EVENT_STARTED && w->want == WANT_STARTING) {
		w->want = WANT_DONE;
		if (result < 0)
			fail(w, c->error, "see `docker inspect` or `coracle inspect` of it");
	}
	listen_to(w);
	orchestrate_step();
}

static void listen_to(struct wanted *w)
{
	w->waiter.events = EVENT_STARTED | EVENT_EXITED | EVENT_REMOVED;
	w->waiter.fire = on_event;
	w->waiter.arg = w;
	container_wait(w->c, &w->waiter);
}

static void start(struct wanted *w)
{
	int r;

	w->want = WANT_STARTING;
	r = lifecycle_start(w->c, true);
	if (r == -EALREADY)
		w->want = WANT_DONE;
}

/* An old container that is what is wanted stays; else it goes and a new one comes. */
static bool is_same(const struct container *c, const char *hash, const struct store_image *img)
{
	return strcmp(c->config_hash, hash) == 0 && (!img || strcmp(c->image_id, img->id) == 0);
}

/* Gives w its container. Returns 1 when it has one, 0: later, -1: failed. */
static int provide(struct wanted *w)
{
	char hash[SHA256_HEX_LEN + 1];
	struct err err = ERR_INIT;
	struct store_image *img = NULL;
	struct container *old = w->c ? w->c : container_by_name(w->svc->container_name);
	int r = images_lookup(w->svc->image, &img, &err);

	if (r < 0 && images_importing())
		return 0;
	container_config_hash(w->svc, hash);
	if (old && (old->image_id[0] || !img) && is_same(old, hash, img)) {
		if (!w->c) {
			w->c = old;
			listen_to(w);
		}
	} else if (old) {
		report_note("engine", "%s: its configuration or image has changed: it is made anew", w->svc->container_name);
		w->replacing = true;
		w->c = old;
		container_unwait(old, &w->waiter);
		listen_to(w);
		lifecycle_remove(old, true);
		store_image_free(img);
		return 0;
	} else if (container_create(w->svc, img, hash, &w->c, &err) < 0) {
		fail(w, err.text, "");
		store_image_free(img);
		return -1;
	} else {
		listen_to(w);
	}
	store_image_free(img);
	return 1;
}

static void missing_image(struct wanted *w)
{
	struct container *c = w->c;

	if (!c->ever_started) {
		text_set(c->error, sizeof(c->error), "No such image: %s", w->svc->image);
		c->exit_code = 125;
		container_save_state(c);
	}
	engine.last_failed_code = 125;
	fail(w, "its image is not in the store",
	     "give the machine a disk labelled CORACLE_IMAGES with an archive of it, or check the image's name");
}

/* 1: go, 0: wait, -1: never (reported). */
static int dependencies(struct wanted *w)
{
	int verdict = 1;

	for (size_t i = 0; i < w->svc->depend_count; i++) {
		const struct service_depend *d = &w->svc->depends[i];
		struct wanted *on = find_wanted(d->name);
		char why[300];

		if (!on)
			continue;	/* not required: graph_order() has checked */
		switch (graph_verdict(d, state_of(on))) {
		case GRAPH_NEVER:
			text_set(why, sizeof(why), "it depends on %s, which %s", d->name,
				 on->want == WANT_FAILED ? "could not be started" : "did not complete successfully");
			fail(w, why, "");
			return -1;
		case GRAPH_WAIT:
			verdict = 0;
			break;
		case GRAPH_GO:
			break;
		}
	}
	return verdict;
}

static void consider(struct wanted *w)
{
	int r;

	if (w->want != WANT_WAITING || w->replacing)
		return;
	r = dependencies(w);
	if (r <= 0)
		return;
	r = provide(w);
	if (r <= 0)
		return;
	if (!w->c->image_id[0]) {
		missing_image(w);
		return;
	}
	if (w->c->phase != PHASE_DOWN && w->c->phase != PHASE_CLEANING) {
		w->want = WANT_DONE;	/* the engine was restarted, it runs */
		return;
	}
	if ((w->c->ever_started || w->c->restart.stopped_by_hand) &&
	    !restart_at_engine_start(&w->c->svc.restart, &w->c->restart, w->c->exit_code, !w->c->this_boot)) {
		w->want = WANT_DONE;
		return;
	}
	start(w);
}

void orchestrate_step(void)
{
	static bool inside, again;
	bool all = true;

	again = true;
	if (inside || engine.stopping)
		return;
	inside = true;
	while (again) {
		again = false;
		for (size_t i = 0; i < count; i++) {
			enum want before = wanted[order[i]].want;

			consider(&wanted[order[i]]);
			again = again || wanted[order[i]].want != before;
		}
	}
	inside = false;
	for (size_t i = 0; i < count; i++)
		all = all && (wanted[i].want == WANT_DONE || wanted[i].want == WANT_FAILED);
	if (all && on_settled) {
		void (*settled)(void) = on_settled;

		on_settled = NULL;
		settled();
	}
}

static int read_list(struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE int *levels = NULL;
	size_t n = 0;
	int r = fd_read_file(AT_FDCWD, engine.opt.config, SERVICE_FILE_MAX, &text, &n, err);

	if (r < 0)
		return r;
	r = service_list_parse(text, n, &list, err);
	if (r < 0)
		return r;
	wanted = calloc(list.count + 1, sizeof(*wanted));
	order = calloc(list.count + 1, sizeof(*order));
	levels = calloc(list.count + 1, sizeof(*levels));
	if (!wanted || !order || !levels)
		return err_set(err, ENOMEM, "services");
	r = graph_order(list.v, list.count, order, levels, err);
	if (r < 0)
		return r;
	count = list.count;
	for (size_t i = 0; i < count; i++) {
		wanted[i].svc = &list.v[i];
		wanted[i].level = levels[i];
	}
	return 0;
}

static void say_unhealthy(void)
{
	for (size_t i = 0; i < count; i++)
		for (size_t d = 0; d < wanted[i].svc->depend_count; d++)
			if (wanted[i].svc->depends[d].condition == DEPEND_HEALTHY)
				report_note("engine", "service %s: healthchecks are not done yet: waits until %s is started",
					    wanted[i].svc->name, wanted[i].svc->depends[d].name);
}

void orchestrate_begin(void (*settled)(void))
{
	struct err err = ERR_INIT;
	char path[512];
	int r = read_list(&err);

	on_settled = settled;
	if (r < 0 && r != -ENOENT)
		report_problem("engine", "%s: %s: no container is started", engine.opt.config, err.text);
	for (char **v = list.volumes; count > 0 && v && *v; v++)
		if (store_volume(engine.store, *v, path, sizeof(path), &err) < 0)
			report_problem("engine", "volume %s: %s", *v, err.text);
	say_unhealthy();
	orchestrate_step();
}

/* -- shutdown ------------------------------------------------------------ */

static void (*on_stopped)(void);

static int level_of(const struct container *c)
{
	for (size_t i = 0; i < count; i++)
		if (wanted[i].c == c)
			return wanted[i].level;
	return 0;
}

static void stop_next(void);

static void on_down(struct container *c, enum container_event e, int result, void *arg)
{
	(void)c;
	(void)e;
	(void)result;
	free(arg);
	stop_next();
}

static void stop_one(struct container *c)
{
	struct container_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return;
	*w = (struct container_waiter){ .events = EVENT_DOWN | EVENT_REMOVED, .fire = on_down, .arg = w };
	c->stopping = true;
	container_wait(c, w);
	if (lifecycle_stop(c, LIFECYCLE_DEFAULT_GRACE, 0, false) < 0) {
		container_unwait(c, w);
		free(w);
	}
}

/* A container is stopped when nothing that depends on it is left: the highest level that has any goes next. */
static void stop_next(void)
{
	int highest = -1;
	bool waiting = false;

	for (struct container *c = engine.containers; c; c = c->next)
		if (c->phase != PHASE_DOWN || c->status == CONTAINER_RESTARTING)
			highest = MAX(highest, level_of(c));
	for (struct container *c = engine.containers, *next; c; c = next) {
		next = c->next;
		if (level_of(c) != highest || (c->phase == PHASE_DOWN && c->status != CONTAINER_RESTARTING))
			continue;
		waiting = true;
		if (!c->stopping)
			stop_one(c);
	}
	if (!waiting && on_stopped) {
		void (*stopped)(void) = on_stopped;

		on_stopped = NULL;
		stopped();
	}
}

void orchestrate_stop_all(void (*stopped)(void))
{
	engine.stopping = true;
	on_stopped = stopped;
	stop_next();
}
