/* imagegc.c - garbage of the store, by policy (coracle-engine).
 *
 * Looked at once a minute: when less than --gc-free per cent of the disk is free, the image that came in first of those that no container
 * has (running or not) and no configuration names goes, then its layers; and so on until half as much again is free. It
 * runs one step at a time, the removal in a child, so that each decision sees the containers of that moment. */
#include "imagegc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "api_image.h"
#include "engine.h"
#include "imagejob.h"
#include "loop.h"
#include "orchestrate.h"
#include "report.h"

#define PERIOD_MS 60000
#define POKED_MS 500

static struct loop_timer timer;
static bool sweeping, sweep_due, in_need, told;

static void look(void *arg);

static int free_percent(void)
{
	struct statvfs fs;

	if (statvfs(store_root(engine.store), &fs) < 0 || fs.f_blocks == 0)
		return 100;
	return (int)(fs.f_bavail * 100 / fs.f_blocks);
}

bool imagegc_is_wanted(const struct store_image *img)
{
	char full[IMAGE_REF_SIZE];
	struct image_ref ref;

	for (size_t i = 0; i < img->name_count; i++)
		if (orchestrate_wants(img->name[i]))
			return true;
	for (const struct container *c = engine.containers; c; c = c->next) {
		if (strcmp(c->image_id, img->id) == 0)
			return true;
		if (!c->svc.image || image_ref_parse(c->svc.image, &ref, NULL) < 0)
			continue;
		image_ref_full(&ref, full);
		for (size_t i = 0; i < img->name_count; i++)
			if (strcmp(img->name[i], full) == 0)
				return true;
	}
	return false;
}

/* -- sweep ---------------------------------------------------------------- */

static void sweep(void)
{
	struct store_swept swept;
	struct err err = ERR_INIT;
	int e = store_sweep(engine.store, &swept, &err);

	if (e < 0 && e != -EBUSY)
		report_problem("engine", "clean up the store: %s", err.text);
	else if (e == 0 && swept.layers + swept.blobs)
		report_note("engine", "cleaned up the store: %zu layers and %zu blobs that no image needs, %llu MB", swept.layers,
			    swept.blobs, (unsigned long long)((swept.bytes + 500000) / 1000000));
}

static void swept(int status)
{
	(void)status;
	sweeping = false;
	if (in_need)
		look(NULL);
}

static void start_sweep(void)
{
	struct err err = ERR_INIT;

	sweep_due = false;
	if (imagejob_background(sweep, swept, &err) < 0)
		report_problem("engine", "clean up the store: %s", err.text);
	else
		sweeping = true;
}

/* -- policy ---------------------------------------------------------------- */

static bool goes_before(const struct store_image *a, const struct store_image *b)
{
	if ((a->name_count == 0) != (b->name_count == 0))
		return a->name_count == 0;
	return store_image_arrived(engine.store, a) < store_image_arrived(engine.store, b);
}

/* Takes the oldest unused image out. False: there is none. */
static bool drop_oldest(int percent)
{
	struct store_image **all = NULL, *oldest = NULL;
	struct err err = ERR_INIT;
	bool dropped = false;

	if (store_images(engine.store, &all, &err) < 0) {
		report_problem("engine", "clean up the store: %s", err.text);
		return false;
	}
	for (struct store_image **i = all; *i; i++)
		if (!imagegc_is_wanted(*i) && (!oldest || goes_before(*i, oldest)))
			oldest = *i;
	if (oldest && store_image_remove(engine.store, oldest->id, &err) == 0) {
		report_problem("engine", "the disk is nearly full (%d %% free): removed image %s, which no container uses", percent,
			    oldest->name_count ? oldest->name[0] : oldest->id);
		dropped = true;
	} else if (oldest) {
		report_problem("engine", "the disk is nearly full (%d %% free): remove image %s: %s", percent, oldest->id, err.text);
	}
	store_images_free(all);
	return dropped;
}

/* One step: decides, and lets a child do it; its end brings us back here. */
static void look(void *arg)
{
	int limit = engine.opt.gc_free, percent = free_percent();

	(void)arg;
	loop_timer_set(&timer, PERIOD_MS);
	if (sweeping || engine.stopping)
		return;
	/* nothing would become free, and the next image would have to go for nothing: when the import is over we are called again */
	if (store_is_busy(engine.store)) {
		in_need = false;
		return;
	}
	in_need = limit > 0 && percent < (in_need ? limit + limit / 2 : limit);
	if (in_need && drop_oldest(percent)) {
		start_sweep();
		return;
	}
	if (in_need && percent < limit && !told) {
		told = true;
		report_problem("engine", "the disk is nearly full (%d %% free), and there is no image left that no container uses: "
			       "remove containers (docker container prune) or volumes, or use a larger disk", percent);
	}
	told = told && percent < limit;
	in_need = false;
	if (sweep_due)
		start_sweep();
}

void imagegc_sweep_later(void)
{
	sweep_due = true;
}

void imagegc_poke(void)
{
	if (timer.armed)
		loop_timer_set(&timer, POKED_MS);
}

void imagegc_begin(void)
{
	timer.fire = look;
	sweep_due = true;
	look(NULL);
}
