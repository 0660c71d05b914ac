/* api_commit.c - POST /commit: a container becomes an image (coracle-engine; the work in a child).
 *
 * The container is not paused: the layer is as a power cut at that moment would leave its files, file by file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "api_image.h"
#include "api_shared.h"
#include "engine.h"
#include "gotime.h"
#include "imagejob.h"
#include "jw.h"
#include "runtime/image/changes.h"
#include "text.h"

struct order {
	const struct container *c;
	struct store_image *base;
	char **change;
	size_t changes;
	const char *author, *comment, *body;
	size_t body_len;
	char name[IMAGE_REF_SIZE];	/* "": none */
};

static void set(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *key, yyjson_mut_val *v)
{
	yyjson_mut_obj_remove_key(config, key);
	if (v)
		yyjson_mut_obj_add_val(doc, config, key, v);
}

static yyjson_mut_val *list(yyjson_mut_doc *doc, char *const *v)
{
	yyjson_mut_val *out = v && *v ? yyjson_mut_arr(doc) : NULL;

	for (; out && *v; v++)
		yyjson_mut_arr_add_strcpy(doc, out, *v);
	return out;
}

static yyjson_mut_val *map(yyjson_mut_doc *doc, char *const *v)
{
	yyjson_mut_val *out = v && *v ? yyjson_mut_obj(doc) : NULL;

	for (; out && *v; v++) {
		size_t n = strcspn(*v, "=");

		yyjson_mut_obj_add(out, yyjson_mut_strncpy(doc, *v, n), yyjson_mut_strcpy(doc, (*v)[n] ? *v + n + 1 : ""));
	}
	return out;
}

/* What the container was started with, over what its image says. */
static void take_container(yyjson_mut_doc *doc, yyjson_mut_val *config, const struct service *s)
{
	set(doc, config, "Cmd", list(doc, s->command));
	set(doc, config, "Entrypoint", list(doc, s->entrypoint));
	set(doc, config, "Env", list(doc, s->environment));
	set(doc, config, "Labels", map(doc, s->labels));
	set(doc, config, "WorkingDir", s->working_dir ? yyjson_mut_strcpy(doc, s->working_dir) : NULL);
	set(doc, config, "User", s->user ? yyjson_mut_strcpy(doc, s->user) : NULL);
	set(doc, config, "StopSignal", s->stop_signal ? yyjson_mut_strcpy(doc, s->stop_signal) : NULL);
}

/* The request's body may be a configuration whose fields count more. */
static void take_body(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *body, size_t n)
{
	static const char *const keys[] = {
		"Cmd", "Entrypoint", "Env", "ExposedPorts", "Healthcheck", "Labels", "OnBuild", "StopSignal", "User", "Volumes", "WorkingDir",
	};
	yyjson_doc *read = n ? yyjson_read(body, n, 0) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		yyjson_val *v = yyjson_obj_get(yyjson_doc_get_root(read), keys[i]);

		if ((yyjson_is_str(v) && yyjson_get_len(v)) || (yyjson_is_ctn(v) && yyjson_get_len(v)))
			set(doc, config, keys[i], yyjson_val_mut_copy(doc, v));
	}
	yyjson_doc_free(read);
}

static char *make_config(const struct order *o, const char *json, size_t n, struct err *err)
{
	yyjson_doc *read = yyjson_read(json, n, 0);
	yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc), *config;
	char when[GOTIME_MAX], *out = NULL;
	int e = 0;

	yyjson_doc_free(read);
	if (!yyjson_mut_is_obj(root)) {
		err_set(err, ENOMEM, "read the image's configuration");
		yyjson_mut_doc_free(doc);
		return NULL;
	}
	set(doc, root, "created", yyjson_mut_strcpy(doc, gotime_format(wall_now(), when)));
	set(doc, root, "author", o->author && *o->author ? yyjson_mut_str(doc, o->author) : NULL);
	set(doc, root, "comment", NULL);
	set(doc, root, "container_config", NULL);
	config = yyjson_mut_obj_get(root, "config");
	if (!yyjson_mut_is_obj(config)) {
		config = yyjson_mut_obj(doc);
		set(doc, root, "config", config);
	}
	take_container(doc, config, &o->c->svc);
	take_body(doc, config, o->body, o->body_len);
	for (size_t i = 0; e == 0 && i < o->changes; i++)
		e = image_change(doc, config, o->change[i], err);
	if (e == 0)
		out = yyjson_mut_write(doc, 0, NULL);
	yyjson_mut_doc_free(doc);
	return out;
}

static void commit(const struct imagejob_io *io, void *arg)
{
	const struct order *o = arg;
	struct store_commit c = { .base = o->base, .id = o->c->id, .author = o->author, .comment = o->comment,
		.name = o->name[0] ? o->name : NULL };
	struct store_imported made;
	struct err err = ERR_INIT;
	struct arena mem;
	char *json = NULL, *config, text[256];
	size_t n = 0;

	arena_init(&mem, 1 << 20);
	if (store_config_read(engine.store, o->base, &json, &n, &err) < 0) {
		imagejob_fail(io, 500, "%s", err.text);
		return;
	}
	config = make_config(o, json, n, &err);
	if (!config) {
		imagejob_fail(io, 400, "%s", err.text);
		return;
	}
	c.config = config;
	c.created_by = api_command(o->c, &mem);
	if (store_commit(engine.store, &c, &made, &err) < 0) {
		imagejob_fail(io, 500, "%s", err.text);
		return;
	}
	text_set(text, sizeof(text), "201\n{\"Id\":\"%s\"}\n", made.id);
	(void)!write(io->out, text, strlen(text));
}

void api_commit(struct request *r)
{
	const char *name = api_query(r, "container"), *repo = api_query(r, "repo");
	struct order *o = arena_alloc(&r->mem, sizeof(*o));
	struct err err = ERR_INIT;
	struct container *c;

	r->arg = name ? name : "";
	c = api_container(r);
	if (!c || !o || (repo && *repo && !api_image_name(r, repo, api_query(r, "tag"), o->name)))
		return;
	if (!c->image_id[0] || store_image_lookup(engine.store, c->image_id, &o->base, &err) < 0) {
		api_error(r, 500, "commit %s: its image is not there%s%s", c->svc.container_name, err.text[0] ? ": " : "", err.text);
		return;
	}
	o->c = c;
	o->change = api_queries(r, "changes", CHANGES_MAX, &o->changes);
	o->author = api_query(r, "author");
	o->comment = api_query(r, "comment");
	o->body = r->body.data;
	o->body_len = r->body.len;
	imagejob_start(r, "application/json", false, commit, o);
	store_image_free(o->base);
}
