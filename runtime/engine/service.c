/* service.c - strict reading of containers.json (coracle-engine). Pure: no files, no system calls. */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "path.h"
#include "service_fields.h"

/* Every key of the object is known, and (all) every known key is there. */
static int check_keys(yyjson_val *obj, const char *const *known, size_t n, const char *what, struct err *err)
{
	size_t i, max;
	yyjson_val *key, *val;

	if (!yyjson_is_obj(obj))
		return err_set(err, 0, "%s must be an object", what);
	yyjson_obj_foreach(obj, i, max, key, val) {
		size_t k = 0;

		(void)val;
		while (k < n && strcmp(known[k], yyjson_get_str(key)) != 0)
			k++;
		if (k == n)
			return err_set(err, 0, "%s: unknown key \"%s\"", what, yyjson_get_str(key));
	}
	for (size_t k = 0; k < n; k++)
		if (!yyjson_obj_get(obj, known[k]))
			return err_set(err, 0, "%s: key \"%s\" is missing", what, known[k]);
	return 0;
}

static int parse_volume(struct arena *mem, yyjson_val *v, struct service_mount *m, struct err *err)
{
	static const char *const keys[] = { "type", "source", "target", "read_only", "options" };
	static const char *const types[] = { "bind", "volume", "tmpfs" };
	yyjson_val *source;
	const char *type;
	size_t t = 0;
	int r = check_keys(v, keys, ARRAY_SIZE(keys), "volume", err);

	if (r < 0)
		return r;
	type = yyjson_get_str(yyjson_obj_get(v, "type"));
	while (t < ARRAY_SIZE(types) && (!type || strcmp(type, types[t]) != 0))
		t++;
	if (t == ARRAY_SIZE(types))
		return service_bad(err, "type", "bind, volume or tmpfs");
	m->type = (enum mount_type)t;
	source = yyjson_obj_get(v, "source");
	m->source = service_take_str(mem, source);
	m->target = service_take_str(mem, yyjson_obj_get(v, "target"));
	m->options = service_take_strv(mem, yyjson_obj_get(v, "options"));
	m->read_only = yyjson_get_bool(yyjson_obj_get(v, "read_only"));
	if (!m->target || m->target[0] != '/')
		return service_bad(err, "target", "an absolute path");
	if (!m->source && !yyjson_is_null(source))
		return service_bad(err, "source", "a string or null");
	if (m->type == MOUNT_BIND && (!m->source || m->source[0] != '/'))
		return err_set(err, 0, "%s: the source of a bind mount must be an absolute path", m->target);
	if (m->type == MOUNT_VOLUME && m->source && !path_component_ok(m->source))
		return err_set(err, 0, "%s: \"%s\" cannot be a volume's name", m->target, m->source);
	m->anonymous = m->type == MOUNT_VOLUME && !m->source;
	if (!m->options || !yyjson_is_bool(yyjson_obj_get(v, "read_only")))
		return err_set(err, 0, "%s: \"options\" must be an array of strings and \"read_only\" true or false", m->target);
	return 0;
}

static int parse_mounts(struct arena *mem, yyjson_val *volumes, yyjson_val *tmpfs, struct service *s, struct err *err)
{
	static const char *const keys[] = { "target", "options" };
	size_t i, max;
	yyjson_val *v;
	int r;

	if (!yyjson_is_arr(volumes) || !yyjson_is_arr(tmpfs))
		return err_set(err, 0, "\"volumes\" and \"tmpfs\" must be arrays");
	s->mounts = arena_alloc(mem, (yyjson_arr_size(volumes) + yyjson_arr_size(tmpfs) + 1) * sizeof(*s->mounts));
	if (!s->mounts)
		return err_set(err, ENOMEM, "mounts");
	yyjson_arr_foreach(volumes, i, max, v) {
		r = parse_volume(mem, v, &s->mounts[s->mount_count++], err);
		if (r < 0)
			return r;
	}
	yyjson_arr_foreach(tmpfs, i, max, v) {
		struct service_mount *m = &s->mounts[s->mount_count++];

		r = check_keys(v, keys, ARRAY_SIZE(keys), "tmpfs", err);
		if (r < 0)
			return r;
		m->type = MOUNT_TMPFS;
		m->target = service_take_str(mem, yyjson_obj_get(v, "target"));
		m->options = service_take_strv(mem, yyjson_obj_get(v, "options"));
		if (!m->target || m->target[0] != '/' || !m->options)
			return err_set(err, 0, "tmpfs: \"target\" must be an absolute path, \"options\" an array of strings");
	}
	return 0;
}

static int parse_restart(yyjson_val *v, struct restart_rule *rule, struct err *err)
{
	static const char *const keys[] = { "policy", "max_retries" };
	const char *policy;
	int p, r = check_keys(v, keys, ARRAY_SIZE(keys), "restart", err);

	if (r < 0)
		return r;
	policy = yyjson_get_str(yyjson_obj_get(v, "policy"));
	p = policy ? restart_policy_parse(policy) : -1;
	if (p < 0)
		return service_bad(err, "policy", "no, always, on-failure or unless-stopped");
	rule->policy = (enum restart_policy)p;
	rule->max_retries = yyjson_get_int(yyjson_obj_get(v, "max_retries"));
	return yyjson_is_int(yyjson_obj_get(v, "max_retries")) && rule->max_retries >= 0
		? 0 : service_bad(err, "max_retries", "a whole number, at least 0");
}

static int parse_depends(struct arena *mem, yyjson_val *arr, struct service *s, struct err *err)
{
	static const char *const keys[] = { "name", "condition", "required" };
	static const char *const conditions[] = { "service_started", "service_completed_successfully", "service_healthy" };
	size_t i, max;
	yyjson_val *v;

	if (!yyjson_is_arr(arr))
		return service_bad(err, "depends_on", "an array");
	s->depends = arena_alloc(mem, (yyjson_arr_size(arr) + 1) * sizeof(*s->depends));
	if (!s->depends)
		return err_set(err, ENOMEM, "depends_on");
	yyjson_arr_foreach(arr, i, max, v) {
		struct service_depend *d = &s->depends[s->depend_count++];
		size_t c = 0;
		const char *condition;
		int r = check_keys(v, keys, ARRAY_SIZE(keys), "depends_on", err);

		if (r < 0)
			return r;
		d->name = service_take_str(mem, yyjson_obj_get(v, "name"));
		condition = yyjson_get_str(yyjson_obj_get(v, "condition"));
		while (c < ARRAY_SIZE(conditions) && (!condition || strcmp(condition, conditions[c]) != 0))
			c++;
		d->condition = (enum depend_condition)c;
		d->required = yyjson_get_bool(yyjson_obj_get(v, "required"));
		if (!d->name || c == ARRAY_SIZE(conditions) || !yyjson_is_bool(yyjson_obj_get(v, "required")))
			return err_set(err, 0, "depends_on: \"name\", \"condition\" or \"required\" is not valid");
	}
	return 0;
}

static int check_values(const struct service *s, struct err *err)
{
	if (!path_component_ok(s->container_name))
		return service_bad(err, "container_name", "a legal name");
	if (strcmp(s->network_mode, "host") != 0 && strcmp(s->network_mode, "none") != 0)
		return service_bad(err, "network_mode", "host or none");
	for (char **e = s->environment; *e; e++)
		if (!strchr(*e, '=') || **e == '=')
			return service_bad(err, "environment", "an array of NAME=VALUE");
	return 0;
}

int service_parse(struct arena *mem, yyjson_val *v, struct service *out, struct err *err)
{
	yyjson_val *grace;
	int r;

	*out = (struct service){ 0 };
	r = service_take_fields(mem, v, out, err);
	if (r == 0)
		r = parse_mounts(mem, yyjson_obj_get(v, "volumes"), yyjson_obj_get(v, "tmpfs"), out, err);
	if (r == 0)
		r = parse_restart(yyjson_obj_get(v, "restart"), &out->restart, err);
	if (r == 0)
		r = parse_depends(mem, yyjson_obj_get(v, "depends_on"), out, err);
	if (r == 0)
		r = check_values(out, err);
	if (r < 0)
		return err_wrap(err, r, "service %s", out->name ? out->name : "?");
	grace = yyjson_obj_get(v, "stop_grace_period_ms");
	out->stop_grace_ms = yyjson_get_sint(grace);
	if (!yyjson_is_int(grace) || out->stop_grace_ms < -1)
		return service_bad(err, "stop_grace_period_ms", "a whole number");
	return 0;
}
