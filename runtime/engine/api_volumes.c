/* api_volumes.c - /volumes: list, create, inspect, remove, prune (coracle-engine). */
#include "apiint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "api.h"
#include "engine.h"
#include "events.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "path.h"
#include "service_fields.h"
#include "text.h"
#include "volumeopts.h"
#include "volumes.h"

#define ANONYMOUS "com.docker.volume.anonymous="

static void write_volume(struct buf *b, const struct volume *v)
{
	char time[GOTIME_MAX], path[700];

	jw_open(b, '{');
	jw_kstr(b, "CreatedAt", gotime_format(v->created_ns / 1000000000 * 1000000000, time));
	jw_kstr(b, "Driver", "local");
	if (v->labels && v->labels[0])
		jw_kmap(b, "Labels", v->labels);
	else
		jw_kraw(b, "Labels", "null");
	text_set(path, sizeof(path), "%s/volumes/%s/_data", engine.opt.root, v->name);
	jw_kstr(b, "Mountpoint", path);
	jw_kstr(b, "Name", v->name);
	if (v->options && v->options[0])
		jw_kmap(b, "Options", v->options);
	else
		jw_kraw(b, "Options", "null");
	jw_kstr(b, "Scope", "local");
	jw_close(b, '}');
}

/* A volume that the engine named and nobody labelled is anonymous too. */
static bool is_anonymous(const struct volume *v)
{
	for (char **l = v->labels; l && *l; l++)
		if (strncmp(*l, ANONYMOUS, strlen(ANONYMOUS)) == 0)
			return true;
	return !v->labels && strlen(v->name) == 64 && strspn(v->name, "0123456789abcdef") == 64;
}

static bool name_matches(const char *want, const void *arg)
{
	return filters_regex(want, ((const struct volume *)arg)->name);
}

static bool has_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct volume *)arg)->labels);
}

static bool lacks_label(const char *want, const void *arg)
{
	return !has_label(want, arg);
}

static bool is_local(const char *want, const void *arg)
{
	(void)arg;
	return strcmp(want, "local") == 0;
}

static bool dangling(const char *want, const void *arg)
{
	bool yes = strcmp(want, "true") == 0 || strcmp(want, "1") == 0;

	return yes == !volume_user(((const struct volume *)arg)->name, NULL);
}

/* Calls each() for every volume; it may remove the one it has. */
static void walk(void (*each)(const struct volume *v, void *arg), void *arg)
{
	char path[600];
	DIR *d;

	text_set(path, sizeof(path), "%s/volumes", engine.opt.root);
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct volume v;

		if (e->d_name[0] == '.' || volume_load(e->d_name, &v, NULL) < 0)
			continue;
		each(&v, arg);
		volume_free(&v);
	}
	if (d)
		closedir(d);
}

struct listing {
	struct filters filters;
	struct buf b;
	bool all;
};

static void list_one(const struct volume *v, void *arg)
{
	struct listing *l = arg;

	if (filters_any(&l->filters, "name", name_matches, v) && filters_all(&l->filters, "label", has_label, v) &&
	    filters_any(&l->filters, "driver", is_local, v) && filters_any(&l->filters, "dangling", dangling, v))
		write_volume(&l->b, v);
}

void api_volumes(struct request *r)
{
	static const char *const known[] = { "name", "label", "driver", "dangling", NULL };
	struct err err = ERR_INIT;
	struct listing l = { 0 };

	if (filters_parse(&r->mem, api_query(r, "filters"), known, &l.filters, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	buf_init(&l.b, API_REPLY_MAX);
	jw_open(&l.b, '{');
	jw_karr(&l.b, "Volumes");
	walk(list_one, &l);
	jw_close(&l.b, ']');
	jw_kraw(&l.b, "Warnings", "null");
	jw_close(&l.b, '}');
	api_json(r, 200, &l.b);
}

static void answer(struct request *r, unsigned status, const struct volume *v)
{
	struct buf b;

	buf_init(&b, API_REPLY_MAX);
	write_volume(&b, v);
	api_json(r, status, &b);
}

void api_volume_inspect(struct request *r)
{
	struct err err = ERR_INIT;
	struct volume v;

	if (volume_load(r->arg, &v, &err) < 0) {
		api_error(r, 404, "get %s: no such volume", r->arg);
		return;
	}
	answer(r, 200, &v);
	volume_free(&v);
}

/* An object of strings as k=v; false: it is not one. */
static bool take_pairs(struct arena *mem, yyjson_val *obj, char ***out)
{
	size_t i, max;
	yyjson_val *key, *val;

	*out = arena_strv(mem, yyjson_is_obj(obj) ? yyjson_obj_size(obj) : 0);
	if (!*out || (obj && !yyjson_is_obj(obj) && !yyjson_is_null(obj)))
		return false;
	yyjson_obj_foreach(obj, i, max, key, val) {
		if (!yyjson_is_str(val) || strchr(yyjson_get_str(key), '='))
			return false;
		(*out)[i] = arena_printf(mem, "%s=%s", yyjson_get_str(key), yyjson_get_str(val));
		if (!(*out)[i])
			return false;
	}
	return true;
}

static bool name_ok(const char *s)
{
	return path_component_ok(s) && s[1] && s[0] != '.' && s[0] != '_' && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s);
}

static void make(struct request *r, char *name, char **labels, char **options)
{
	static const char *const attributes[] = { "driver=local", NULL };
	struct err err = ERR_INIT;
	struct volume v;
	int code;

	if (volume_load(name, &v, NULL) == 0) {
		answer(r, 201, &v);	/* as dockerd: it is there, and stays as it is */
		volume_free(&v);
		return;
	}
	code = volumeopts_check(options, &err);
	if (code < 0) {
		api_error(r, 400, "create %s: %s", name, err.text);
		return;
	}
	if (volume_make(name, labels, options, &err) < 0 || volume_load(name, &v, &err) < 0) {
		api_error(r, 500, "create %s: %s", name, err.text);
		return;
	}
	event_add("volume", "create", name, attributes);
	answer(r, 201, &v);
	volume_free(&v);
}

void api_volume_create(struct request *r)
{
	yyjson_doc *doc = yyjson_read(r->body.data, r->body.len, 0);
	yyjson_val *root = yyjson_doc_get_root(doc);
	const char *driver = yyjson_get_str(yyjson_obj_get(root, "Driver"));
	char *name = service_take_str(&r->mem, yyjson_obj_get(root, "Name")), **labels = NULL, **options = NULL;
	char random[65];
	bool ok = (!doc || yyjson_is_obj(root)) && take_pairs(&r->mem, yyjson_obj_get(root, "Labels"), &labels) &&
		  take_pairs(&r->mem, yyjson_obj_get(root, "DriverOpts"), &options);

	if (ok && (!name || !name[0])) {
		container_random_hex(random, 64);
		name = random;
		labels = NULL;	/* anonymous, by its name */
	}
	if (!ok || (r->body.len > 0 && !doc))
		api_error(r, 400, "invalid JSON: Name, Driver, Labels and DriverOpts (objects of strings) are known");
	else if (driver && driver[0] && strcmp(driver, "local") != 0)
		api_error(r, 404, "error looking up volume plugin %s: plugin \"%s\" not found", driver, driver);
	else if (!name_ok(name))
		api_error(r, 400, "create %s: \"%s\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If "
			  "you intended to pass a host directory, use absolute path", name, name);
	else
		make(r, name, labels ? labels : arena_strv(&r->mem, 0), options);
	yyjson_doc_free(doc);
}

void api_volume_remove(struct request *r)
{
	struct err err = ERR_INIT;
	struct volume v;
	int code;

	if (volume_load(r->arg, &v, NULL) < 0) {
		if (api_flag(r, "force"))
			api_empty(r, 204);
		else
			api_error(r, 404, "get %s: no such volume", r->arg);
		return;
	}
	volume_free(&v);
	code = volume_remove(r->arg, &err);
	if (code == 0)
		api_empty(r, 204);
	else
		api_error(r, code == -EBUSY ? 409 : 500, "%s", err.text);
}

static void prune_one(const struct volume *v, void *arg)
{
	struct listing *l = arg;
	struct err err = ERR_INIT;

	if (volume_user(v->name, NULL) || (!l->all && !is_anonymous(v)) || !filters_all(&l->filters, "label", has_label, v) ||
	    !filters_all(&l->filters, "label!", lacks_label, v))
		return;
	if (volume_remove(v->name, &err) == 0)
		jw_str(&l->b, v->name);
}

void api_volume_prune(struct request *r)
{
	static const char *const known[] = { "label", "label!", "all", NULL };
	char *const *all;
	struct err err = ERR_INIT;
	struct listing l = { 0 };

	if (filters_parse(&r->mem, api_query(r, "filters"), known, &l.filters, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	all = filters_get(&l.filters, "all");
	l.all = r->minor < 42 || (all && all[0] && (strcmp(all[0], "true") == 0 || strcmp(all[0], "1") == 0));
	buf_init(&l.b, API_REPLY_MAX);
	jw_open(&l.b, '{');
	jw_karr(&l.b, "VolumesDeleted");
	walk(prune_one, &l);
	jw_close(&l.b, ']');
	jw_kint(&l.b, "SpaceReclaimed", 0);	/* the files go later, in a child */
	jw_close(&l.b, '}');
	api_json(r, 200, &l.b);
}
