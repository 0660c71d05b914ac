/* service_pull.c - pulls for services: policy, pauses, what is told (coracle-engine). */
#include "service_pull.h"

#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "orchestrate.h"
#include "pulls.h"
#include "report.h"
#include "text.h"

#define PAUSE_MS 1000u
#define PAUSE_MAX_MS 60000u

struct wanted_image {
	const struct service *svc;
	struct pull_listener listener;
	struct loop_timer timer;
	unsigned failed;		/* tries in a row */
	bool begun, over;
	char why[1200];			/* of the last failure; "" */
	struct wanted_image *next;
};

static struct wanted_image *images;

static struct wanted_image *find(const struct service *svc)
{
	struct wanted_image *w = images;

	while (w && w->svc != svc)
		w = w->next;
	return w;
}

static void begin(struct wanted_image *w);

static void on_time(void *arg)
{
	begin(arg);
}

static void on_done(int code, const char *text, void *arg)
{
	struct wanted_image *w = arg;
	const struct service *svc = w->svc;
	unsigned pause = PAUSE_MS << MIN(w->failed, 6u);

	w->over = code == 0 || !pulls_may_pass(code);
	text_set(w->why, sizeof(w->why), "%s", code ? text : "");
	if (code == 0) {
		report_note("engine", "service %s: image %s is pulled", svc->name, svc->image);
	} else if (!w->over) {
		/* the first time it is news, later a reminder for who reads the log */
		if (w->failed++ == 0)
			report_problem("engine", "service %s (image %s, line %d) waits for its image: %s; it is tried again", svc->name, svc->image,
				       svc->line, text);
		else
			report_note("engine", "service %s: %s; it is tried again", svc->name, text);
		loop_timer_set(&w->timer, MIN(pause, PAUSE_MAX_MS));
	}
	orchestrate_step();
}

static void begin(struct wanted_image *w)
{
	struct err err = ERR_INIT;

	w->begun = true;
	if (pulls_join(&w->listener, w->svc->image, NULL, NULL, &err) < 0) {
		w->over = true;
		text_set(w->why, sizeof(w->why), "%s", err.text);
	}
}

static struct wanted_image *add(const struct service *svc)
{
	struct wanted_image *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->svc = svc;
	w->listener = (struct pull_listener){ .done = on_done, .arg = w };
	w->timer = (struct loop_timer){ .fire = on_time, .arg = w };
	w->next = images;
	images = w;
	return w;
}

enum service_image service_pull(const struct service *svc, bool have, bool runs, const char **why)
{
	bool always = svc->pull_policy && !strcmp(svc->pull_policy, "always");
	struct wanted_image *w = find(svc);

	*why = "";
	if (runs || (have && !always))
		return SERVICE_IMAGE_USE;
	if (svc->pull_policy && !strcmp(svc->pull_policy, "never")) {
		*why = "its image is not in the store, and its pull_policy is never";
		return SERVICE_IMAGE_NONE;
	}
	if (!w && !(w = add(svc)))
		return have ? SERVICE_IMAGE_USE : SERVICE_IMAGE_NONE;
	if (!w->begun)
		begin(w);
	/* a newer one was to be looked for: what is there serves when that cannot be */
	if (have && (w->over || w->failed))
		return SERVICE_IMAGE_USE;
	*why = w->why;
	return w->over ? SERVICE_IMAGE_NONE : SERVICE_IMAGE_COMING;
}

bool service_pull_delayed(const struct service *svc)
{
	const struct wanted_image *w = find(svc);

	return w && w->failed > 0;
}
