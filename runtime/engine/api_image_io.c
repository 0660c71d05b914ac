/* api_image_io.c - archives in and out over the API: load, save, import, export (coracle-engine). The work is done in children. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

#include "api_image.h"
#include "engine.h"
#include "fd.h"
#include "gotime.h"
#include "imagejob.h"
#include "jw.h"
#include "runtime/image/changes.h"
#include "text.h"

#define NAMES_MAX 1024

/* -- parameters that may come several times ------------------------------ */

struct values {
	const char *key;
	char **v;
	size_t n, max;
	struct arena *mem;
};

static enum MHD_Result take_value(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct values *all = cls;

	(void)kind;
	if (strcmp(key, all->key) == 0 && value && all->n < all->max)
		all->v[all->n++] = arena_strdup(all->mem, value);
	return MHD_YES;
}

char **api_queries(struct request *r, const char *key, size_t max, size_t *n)
{
	struct values all = { .key = key, .v = arena_strv(&r->mem, max), .max = max, .mem = &r->mem };

	*n = 0;
	if (!all.v)
		return NULL;
	MHD_get_connection_values(r->conn, MHD_GET_ARGUMENT_KIND, take_value, &all);
	*n = all.n;
	return all.v;
}

/* -- load ---------------------------------------------------------------- */

/* The archive goes to an unnamed file first: read from there its members need not be copied, and the store's import begins when the
 * client has sent all of it. */
static void load(const struct imagejob_io *io, void *arg)
{
	struct store_import_options opt = { .nameless = 1 };
	struct store_import_result result = { 0, NULL };
	struct err err = ERR_INIT;
	char name[512];
	int file = store_scratch(engine.store, &err), e = file;

	(void)arg;
	if (e >= 0)
		e = store_spool(io->in, file, &err);
	if (e == 0)
		e = store_import_fd(engine.store, file, "image", &opt, &result, &err);
	if (e < 0) {
		imagejob_fail(io, e == -EBADMSG || e == -EINVAL ? 400 : 500, "%s", err.text);
		return;
	}
	imagejob_begin(io);
	for (size_t i = 0; i < result.count; i++)
		if (result.image[i].name[0])
			imagejob_line(io, "stream", "Loaded image: %s\n", api_familiar(result.image[i].name, name, sizeof(name)));
		else
			imagejob_line(io, "stream", "Loaded image ID: %s\n", result.image[i].id);
}

void api_load_body(struct request *r)
{
	imagejob_start(r, "application/json", true, load, NULL);
}

void api_load(struct request *r)
{
	if (!r->state && !r->response)
		api_load_body(r);
	if (r->state)
		imagejob_respond(r);
}

/* -- save ---------------------------------------------------------------- */

struct save {
	struct store_save_item *item;
	size_t n;
};

static void save(const struct imagejob_io *io, void *arg)
{
	const struct save *v = arg;
	struct err err = ERR_INIT;

	if (store_save_check(engine.store, v->item, v->n, &err) < 0) {
		imagejob_fail(io, 500, "%s", err.text);
		return;
	}
	imagejob_begin(io);
	/* the connection is cut in the middle then, as nothing else tells the client */
	if (store_save(engine.store, v->item, v->n, io->out, &err) < 0)
		_exit(1);
}

static bool has_tag(const char *name)
{
	const char *last = strrchr(name, '/');

	return strchr(last ? last : name, ':') || strchr(name, '@');
}

/* A name without a tag means all tags of its repository; false: answered. */
static bool add_item(struct request *r, struct save *v, const char *name, struct store_image **img)
{
	const char *hex = strncmp(name, "sha256:", 7) ? name : name + 7;
	struct image_ref ref, have;
	char full[IMAGE_REF_SIZE];
	size_t before = v->n;

	*img = api_image(r, name);
	if (!*img)
		return false;
	if (image_ref_parse(name, &ref, NULL) == 0 && !ref.digest[0] && strncmp((*img)->id + 7, hex, strlen(hex)) != 0) {
		image_ref_full(&ref, full);
		for (size_t i = 0; i < (*img)->name_count && v->n < NAMES_MAX; i++)
			if (strcmp((*img)->name[i], full) == 0 ||
			    (!has_tag(name) && image_ref_parse((*img)->name[i], &have, NULL) == 0 &&
			     strcmp(have.repository, ref.repository) == 0))
				v->item[v->n++] = (struct store_save_item){ *img, (*img)->name[i] };
	}
	if (v->n == before && v->n < NAMES_MAX)
		v->item[v->n++] = (struct store_save_item){ *img, NULL };
	return true;
}

static void save_names(struct request *r, char **names, size_t n)
{
	struct store_image **held = arena_alloc(&r->mem, (n + 1) * sizeof(*held));
	struct save *v = arena_alloc(&r->mem, sizeof(*v));
	bool ok = held && v && (v->item = arena_alloc(&r->mem, NAMES_MAX * sizeof(*v->item)));

	for (size_t i = 0; ok && i < n; i++)
		ok = add_item(r, v, names[i], &held[i]);
	if (ok && v->n == 0)
		api_error(r, 400, "no image was named");
	else if (ok)
		imagejob_start(r, "application/x-tar", false, save, v);	/* the child has its own copies */
	for (size_t i = 0; held && i < n; i++)
		store_image_free(held[i]);
}

void api_save(struct request *r)
{
	size_t n;
	char **names = api_queries(r, "names", NAMES_MAX, &n);

	if (names)
		save_names(r, names, n);
}

void api_save_one(struct request *r)
{
	char *name = arena_strdup(&r->mem, r->arg);

	if (name)
		save_names(r, &name, 1);
}

/* -- import -------------------------------------------------------------- */

struct import_order {
	char **change;
	size_t changes;
	const char *comment;
	char name[IMAGE_REF_SIZE];	/* "": none */
	struct image_platform platform;
};

static char *import_config(const struct import_order *o, struct err *err)
{
	yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *config;
	char when[GOTIME_MAX], *out = NULL;
	int e = 0;

	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "created", gotime_format(wall_now(), when));
	yyjson_mut_obj_add_str(doc, root, "architecture", o->platform.architecture);
	if (o->platform.variant[0])
		yyjson_mut_obj_add_str(doc, root, "variant", o->platform.variant);
	yyjson_mut_obj_add_str(doc, root, "os", o->platform.os);
	config = yyjson_mut_obj_add_obj(doc, root, "config");
	for (size_t i = 0; e == 0 && i < o->changes; i++)
		e = image_change(doc, config, o->change[i], err);
	if (e == 0)
		out = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return out;
}

static void import(const struct imagejob_io *io, void *arg)
{
	const struct import_order *o = arg;
	struct store_imported made;
	struct err err = ERR_INIT;
	char *config = import_config(o, &err);

	if (!config) {
		imagejob_fail(io, 400, "%s", err.text);
		return;
	}
	if (store_import_root(engine.store, io->in, config, o->comment, o->name[0] ? o->name : NULL, &made, &err) < 0) {
		imagejob_fail(io, 500, "%s", err.text);
		return;
	}
	imagejob_begin(io);
	imagejob_line(io, "status", "%s", made.id);
}

/* Only with fromSrc=-: a source that the engine would have to fetch is no body. */
void api_import_body(struct request *r)
{
	struct import_order *o = arena_alloc(&r->mem, sizeof(*o));
	const char *from = api_query(r, "fromSrc"), *repo = api_query(r, "repo"), *platform = api_query(r, "platform");
	const char *message = api_query(r, "message");
	struct err err = ERR_INIT;

	if (!o || !from || strcmp(from, "-") != 0)
		return;
	o->platform = image_platform_host();
	if (repo && *repo && !api_image_name(r, repo, api_query(r, "tag"), o->name))
		return;
	if (platform && *platform && image_platform_parse(platform, &o->platform, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	o->change = api_queries(r, "changes", CHANGES_MAX, &o->changes);
	o->comment = message && *message ? message : "Imported from -";
	imagejob_start(r, "application/json", true, import, o);
}

/* POST /images/create with fromSrc; true: it was that. */
bool api_import(struct request *r)
{
	const char *from = api_query(r, "fromSrc");

	if (!from || !*from)
		return false;
	if (strcmp(from, "-") != 0)
		api_error(r, 400, "images are imported from the client's archive only (docker import - or a file), not from %s", from);
	else if (!r->state && !r->response)
		api_import_body(r);
	if (r->state)
		imagejob_respond(r);
	return true;
}

/* -- export -------------------------------------------------------------- */

struct export_order {
	struct store_image *image;
	char id[CONTAINER_ID_LEN + 1];
};

static void export(const struct imagejob_io *io, void *arg)
{
	const struct export_order *o = arg;
	struct err err = ERR_INIT;

	imagejob_begin(io);
	if (store_export(engine.store, o->image, o->id, io->out, &err) < 0)
		_exit(1);
}

void api_export(struct request *r)
{
	struct container *c = api_container(r);
	struct export_order *o = arena_alloc(&r->mem, sizeof(*o));
	struct err err = ERR_INIT;

	if (!c || !o)
		return;
	text_set(o->id, sizeof(o->id), "%s", c->id);
	if (!c->image_id[0] || store_image_lookup(engine.store, c->image_id, &o->image, &err) < 0) {
		api_error(r, 500, "export %s: its image is not there%s%s", c->svc.container_name, err.text[0] ? ": " : "", err.text);
		return;
	}
	imagejob_start(r, "application/octet-stream", false, export, o);
	store_image_free(o->image);
}

/* A pull (fromImage) is the registry client's. */
void api_images_create(struct request *r)
{
	if (!api_import(r))
		api_pull(r);
}
