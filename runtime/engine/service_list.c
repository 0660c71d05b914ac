/* service_list.c - containers.json as a whole, and services written back (coracle-engine). Pure. */
#include "service.h"

#include <errno.h>
#include <string.h>
#include <yyjson.h>

#include "jw.h"
#include "path.h"
#include "service_fields.h"

static void write_mounts(struct buf *b, const struct service *s)
{
	static const char *const types[] = { "bind", "volume", "tmpfs" };

	jw_karr(b, "volumes");
	for (size_t i = 0; i < s->mount_count; i++) {
		const struct service_mount *m = &s->mounts[i];

		jw_open(b, '{');
		jw_kstr(b, "type", types[m->type]);
		jw_kstr(b, "source", m->source);
		jw_kstr(b, "target", m->target);
		jw_kbool(b, "read_only", m->read_only);
		jw_kstrv(b, "options", m->options);
		jw_close(b, '}');
	}
	jw_close(b, ']');
	jw_karr(b, "tmpfs");
	jw_close(b, ']');
}

static void write_depends(struct buf *b, const struct service *s)
{
	static const char *const conditions[] = { "service_started", "service_completed_successfully", "service_healthy" };

	jw_karr(b, "depends_on");
	for (size_t i = 0; i < s->depend_count; i++) {
		jw_open(b, '{');
		jw_kstr(b, "name", s->depends[i].name);
		jw_kstr(b, "condition", conditions[s->depends[i].condition]);
		jw_kbool(b, "required", s->depends[i].required);
		jw_close(b, '}');
	}
	jw_close(b, ']');
}

void service_write(struct buf *b, const struct service *s, bool with_line)
{
	jw_open(b, '{');
	jw_kstr(b, "name", s->name);
	jw_kstr(b, "container_name", s->container_name);
	jw_kstr(b, "image", s->image);
	jw_kstrv(b, "command", s->command);
	jw_kstrv(b, "entrypoint", s->entrypoint);
	jw_kstrv(b, "environment", s->environment);
	jw_kstr(b, "working_dir", s->working_dir);
	jw_kstr(b, "user", s->user);
	jw_kstr(b, "hostname", s->hostname);
	write_mounts(b, s);
	jw_kbool(b, "read_only", s->read_only);
	jw_kobj(b, "restart");
	jw_kstr(b, "policy", restart_policy_name(s->restart.policy));
	jw_kint(b, "max_retries", s->restart.max_retries);
	jw_close(b, '}');
	write_depends(b, s);
	jw_kstr(b, "network_mode", s->network_mode);
	jw_kbool(b, "privileged", s->privileged);
	jw_kstrv(b, "cap_add", s->cap_add);
	jw_kstrv(b, "cap_drop", s->cap_drop);
	jw_kmap(b, "labels", s->labels);
	jw_kstr(b, "stop_signal", s->stop_signal);
	jw_kint(b, "stop_grace_period_ms", s->stop_grace_ms);
	jw_kbool(b, "tty", s->tty);
	service_write_wanted(b, s);
	if (with_line)
		jw_kint(b, "line", s->line);
	jw_close(b, '}');
}

static int parse_volume_names(struct service_list *l, yyjson_val *arr, struct err *err)
{
	size_t i, max;
	yyjson_val *v;

	if (!yyjson_is_arr(arr))
		return err_set(err, 0, "\"volumes\" must be an array");
	l->volumes = arena_strv(&l->mem, yyjson_arr_size(arr));
	if (!l->volumes)
		return err_set(err, ENOMEM, "volumes");
	yyjson_arr_foreach(arr, i, max, v) {
		const char *name = yyjson_get_str(yyjson_obj_get(v, "name"));

		if (!name || !path_component_ok(name) || yyjson_obj_size(v) != 1)
			return err_set(err, 0, "volumes: each must be {\"name\": NAME}");
		l->volumes[i] = arena_strdup(&l->mem, name);
		if (!l->volumes[i])
			return err_set(err, ENOMEM, "volumes");
	}
	return 0;
}

static int check_unique(const struct service_list *l, struct err *err)
{
	for (size_t i = 0; i < l->count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(l->v[i].name, l->v[k].name) == 0 ||
			    strcmp(l->v[i].container_name, l->v[k].container_name) == 0)
				return err_set(err, 0, "line %d: service %s: the name is used twice", l->v[i].line, l->v[i].name);
	return 0;
}

static int parse_root(struct service_list *l, yyjson_val *root, struct err *err)
{
	yyjson_val *services = yyjson_obj_get(root, "services");
	size_t i, max;
	yyjson_val *key, *v;
	int r;

	if (!yyjson_is_obj(root))
		return err_set(err, 0, "not an object");
	yyjson_obj_foreach(root, i, max, key, v)
		if (strcmp(yyjson_get_str(key), "version") && strcmp(yyjson_get_str(key), "project") &&
		    strcmp(yyjson_get_str(key), "services") && strcmp(yyjson_get_str(key), "volumes"))
			return err_set(err, 0, "unknown key \"%s\"", yyjson_get_str(key));
	if (yyjson_get_int(yyjson_obj_get(root, "version")) != 1)
		return err_set(err, 0, "\"version\" must be 1");
	if (!yyjson_is_arr(services) || yyjson_arr_size(services) > SERVICES_MAX)
		return err_set(err, 0, "\"services\" must be an array of at most %d", SERVICES_MAX);
	l->v = arena_alloc(&l->mem, (yyjson_arr_size(services) + 1) * sizeof(*l->v));
	if (!l->v)
		return err_set(err, ENOMEM, "services");
	yyjson_arr_foreach(services, i, max, v) {
		r = service_parse(&l->mem, v, &l->v[l->count++], err);
		if (r < 0)
			return r;
	}
	r = parse_volume_names(l, yyjson_obj_get(root, "volumes"), err);
	return r < 0 ? r : check_unique(l, err);
}

int service_list_parse(const char *json, size_t n, struct service_list *out, struct err *err)
{
	yyjson_read_err why;
	yyjson_doc *doc;
	int r;

	*out = (struct service_list){ 0 };
	arena_init(&out->mem, 2 * (size_t)SERVICE_FILE_MAX);
	doc = yyjson_read_opts((char *)(uintptr_t)json, n, 0, NULL, &why);
	if (!doc)
		return err_set(err, 0, "byte %zu: %s", why.pos, why.msg);
	r = parse_root(out, yyjson_doc_get_root(doc), err);
	yyjson_doc_free(doc);
	return r;
}

void service_list_free(struct service_list *l)
{
	arena_free(&l->mem);
	*l = (struct service_list){ 0 };
}
