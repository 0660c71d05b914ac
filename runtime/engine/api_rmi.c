/* api_rmi.c - DELETE /images/NAME: names first, then the image, as dockerd decides it (coracle-engine).
 *
 * One rule is stricter than Docker's: an image that a container has, stopped or not, stays (without a name) also when it is
 * forced, as the container could not be started again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api_image.h"
#include "engine.h"
#include "imagegc.h"
#include "imagejob.h"
#include "jw.h"
#include "text.h"

size_t image_users(const struct store_image *img, const struct container **one, bool *runs)
{
	size_t n = 0;

	*one = NULL;
	*runs = false;
	for (const struct container *c = engine.containers; c; c = c->next) {
		bool up = c->phase != PHASE_DOWN || c->status == CONTAINER_RUNNING || c->status == CONTAINER_PAUSED ||
			  c->status == CONTAINER_RESTARTING;

		if (strcmp(c->image_id, img->id) != 0)
			continue;
		if (!*one || (up && !*runs))
			*one = c;
		*runs |= up;
		n++;
	}
	return n;
}

static void record(struct buf *b, const char *key, const char *value)
{
	jw_open(b, '{');
	jw_kstr(b, key, value);
	jw_close(b, '}');
}

static bool has_layer(const struct store_image *img, const char *chain)
{
	for (size_t i = 0; i < img->config.layer_count; i++)
		if (strcmp(img->chain_id[i], chain) == 0)
			return true;
	return false;
}

/* Topmost first, those that no other image has. */
static void record_layers(struct buf *b, const struct store_image *img)
{
	struct store_image **all = NULL;

	if (store_images(engine.store, &all, NULL) < 0)
		return;
	for (size_t i = img->config.layer_count; i-- > 0;) {
		bool kept = false;

		for (struct store_image **o = all; *o && !kept; o++)
			kept = strcmp((*o)->id, img->id) != 0 && has_layer(*o, img->chain_id[i]);
		if (kept)
			break;
		record(b, "Deleted", img->chain_id[i]);
	}
	store_images_free(all);
}

static void record_names(struct buf *b, const struct store_image *img)
{
	char text[512];

	for (size_t i = 0; i < img->name_count; i++)
		record(b, "Untagged", api_familiar(img->name[i], text, sizeof(text)));
}

int image_drop(struct buf *b, const struct store_image *img, struct err *err)
{
	int e = store_image_remove(engine.store, img->id, err);

	if (e < 0)
		return e;
	record_names(b, img);
	record(b, "Deleted", img->id);
	record_layers(b, img);
	return 0;
}

static void take_names(struct request *r, struct buf *b, const struct store_image *img)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < img->name_count; i++)
		if (store_untag(engine.store, img->name[i], &err) < 0) {
			api_error(r, 500, "%s", err.text);
			return;
		}
	record_names(b, img);
}

/* As dockerd: all its names are in one repository and at most one is a tag. */
static bool is_one_name(const struct store_image *img)
{
	return img->name_count <= 1;
}

/* -- the decision -------------------------------------------------------- */

static void sweep(const struct imagejob_io *io, void *arg)
{
	struct err err = ERR_INIT;
	int e = store_sweep(engine.store, NULL, &err);

	/* an import is under way: what has no name any more goes with the next sweep */
	if (e < 0 && e != -EBUSY)
		imagejob_fail(io, 500, "%s", err.text);
	else
		imagejob_answer(io, arg, strlen(arg));
}

/* Answers with the records, after a sweep where something was deleted. */
static void finish(struct request *r, struct buf *b, bool deleted)
{
	char *text;

	jw_close(b, ']');
	if (r->response) {
		buf_free(b);
		return;
	}
	if (!deleted) {
		api_json(r, 200, b);
		return;
	}
	imagegc_sweep_later();
	text = buf_error(b) ? NULL : arena_strdup(&r->mem, b->data);
	buf_free(b);
	if (!text)
		api_error(r, 500, "the reply is too large");
	else
		imagejob_start(r, "application/json", false, sweep, text);
}

static const char *short_id(const char *id, char out[13])
{
	text_set(out, 13, "%.12s", strncmp(id, "sha256:", 7) ? id : id + 7);
	return out;
}

/* False: answered 409. */
static bool may_delete(struct request *r, const struct store_image *img, const struct container *user, bool runs, bool force)
{
	char id[13], cid[13];

	short_id(img->id, id);
	if (runs)
		api_error(r, 409, "conflict: unable to delete %s (cannot be forced) - image is being used by running container %s", id,
			  short_id(user->id, cid));
	else if (user && !force)
		api_error(r, 409, "conflict: unable to delete %s (must be forced) - image is being used by stopped container %s", id,
			  short_id(user->id, cid));
	else if (!is_one_name(img) && !force)
		api_error(r, 409, "conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", id);
	return !r->response;
}

static void remove_by_id(struct request *r, struct store_image *img, bool force)
{
	const struct container *user;
	struct err err = ERR_INIT;
	struct buf b;
	bool runs;

	image_users(img, &user, &runs);
	if (!may_delete(r, img, user, runs, force))
		return;
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	if (user)
		take_names(r, &b, img);
	else if (image_drop(&b, img, &err) < 0)
		api_error(r, 500, "%s", err.text);
	finish(r, &b, !user);
}

/* The name of the image that text means; NULL: text is its id. */
static const char *name_meant(const struct store_image *img, const char *text)
{
	const char *hex = strncmp(text, "sha256:", 7) ? text : text + 7;
	char full[IMAGE_REF_SIZE];
	struct image_ref ref;

	if (image_ref_parse(text, &ref, NULL) == 0 && !ref.digest[0])
		for (size_t i = 0; i < img->name_count; i++)
			if (strcmp(img->name[i], image_ref_full(&ref, full)) == 0)
				return img->name[i];
	if (strncmp(img->id + 7, hex, strlen(hex)) == 0)
		return NULL;
	/* by name@digest: the first name of that repository */
	for (size_t i = 0; i < img->name_count; i++) {
		struct image_ref have;

		if (image_ref_parse(img->name[i], &have, NULL) == 0 && strcmp(have.repository, ref.repository) == 0)
			return img->name[i];
	}
	return NULL;
}

static void remove_by_name(struct request *r, struct store_image *img, const char *name, bool force)
{
	const struct container *user;
	struct err err = ERR_INIT;
	char text[512], id[13], cid[13];
	struct buf b;
	bool runs, deleted = false;

	image_users(img, &user, &runs);
	if (!force && user && is_one_name(img)) {
		api_error(r, 409, "conflict: unable to remove repository reference \"%s\" (must force) - container %s is using its referenced image %s",
			  r->arg, short_id(user->id, cid), short_id(img->id, id));
		return;
	}
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	if (img->name_count > 1 || user) {
		if (store_untag(engine.store, name, &err) < 0)
			api_error(r, 500, "%s", err.text);
		record(&b, "Untagged", api_familiar(name, text, sizeof(text)));
	} else {
		deleted = image_drop(&b, img, &err) == 0;
		if (!deleted)
			api_error(r, 500, "%s", err.text);
	}
	finish(r, &b, deleted);
}

void api_image_remove(struct request *r)
{
	struct store_image *img = api_image(r, r->arg);
	const char *name;

	if (!img)
		return;
	name = name_meant(img, r->arg);
	if (name)
		remove_by_name(r, img, name, api_flag(r, "force"));
	else
		remove_by_id(r, img, api_flag(r, "force"));
	store_image_free(img);
}
