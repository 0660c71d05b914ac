/* spec_mounts.c - mounts and hooks of config.json. Runs in coracle-runtime;
 * only parses: what the options mean is mount_options.c's. */
#include <errno.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

int spec_parse_id_maps(struct spec *s, yyjson_val *obj, const char *where, const char *key, struct spec_id_map **out, size_t *n, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(obj, where, key, &arr, err);

	if (r <= 0)
		return r;
	if (yyjson_arr_size(arr) > 340)	/* user_namespaces(7) */
		return err_set(err, 0, "%s.%s: more than 340 lines", where, key);
	*out = arena_array(&s->arena, yyjson_arr_size(arr), sizeof **out);
	if (!*out)
		return err_set(err, ENOMEM, "%s.%s", where, key);
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		uint64_t c = 0, h = 0, size = 0;

		if ((r = jsonv_uint(v, key, "containerID", &c, UINT32_MAX, err)) < 0 ||
		    (r = jsonv_uint(v, key, "hostID", &h, UINT32_MAX, err)) < 0 ||
		    (r = jsonv_uint(v, key, "size", &size, UINT32_MAX, err)) < 0)
			return r;
		(*out)[(*n)++] = (struct spec_id_map){ (uint32_t)c, (uint32_t)h, (uint32_t)size };
	}
	return 0;
}

/* Destinations are absolute paths without "." and ".." from here on (as runc takes them), so that their names can be
 * compared; a relative one counts from "/". */
static int clean_destination(struct spec *s, struct spec_mount *m, struct err *err)
{
	const char *p = m->destination;
	char *out;
	size_t n = 0;

	if (*p == '/' && !strstr(p, "/.") && !strstr(p, "//") && (!p[1] || p[strlen(p) - 1] != '/'))
		return 0;
	out = arena_take(&s->arena, strlen(p) + 2);
	if (!out)
		return err_set(err, ENOMEM, "mounts");
	for (size_t len; p += strspn(p, "/"), *p; p += len) {
		len = strcspn(p, "/");
		if (len == 1 && *p == '.')
			continue;
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			while (n && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, p, len);
		n += len;
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	m->destination = out;
	return 0;
}

static int parse_mount(struct spec *s, yyjson_val *v, struct spec_mount *m, struct err *err)
{
	int r;

	if (!yyjson_is_obj(v))
		return err_set(err, 0, "mounts[]: expected an object, found %s", jsonv_type(v));
	if ((r = jsonv_string(v, "mounts[]", "destination", &m->destination, err)) < 0)
		return r;
	if (!r || !*m->destination)
		return err_set(err, 0, "mounts[].destination: missing");
	if ((r = jsonv_string(v, "mounts[]", "source", &m->source, err)) < 0 ||
	    (r = jsonv_string(v, "mounts[]", "type", &m->type, err)) < 0 ||
	    (r = jsonv_strings(v, "mounts[]", "options", &s->arena, &m->options, NULL, err)) < 0 ||
	    (r = spec_parse_id_maps(s, v, "mounts[]", "uidMappings", &m->uid_map, &m->uid_maps, err)) < 0 ||
	    (r = spec_parse_id_maps(s, v, "mounts[]", "gidMappings", &m->gid_map, &m->gid_maps, err)) < 0)
		return err_wrap(err, r, "mount of %s", m->destination);
	if (!m->options && !(m->options = arena_array(&s->arena, 1, sizeof *m->options)))
		return err_set(err, ENOMEM, "mounts");
	if (!m->uid_maps != !m->gid_maps)
		return err_set(err, 0, "mount of %s: uidMappings and gidMappings must be given together", m->destination);
	return clean_destination(s, m, err);
}

int spec_parse_mounts(struct spec *s, yyjson_val *top, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(top, "", "mounts", &arr, err);

	if (r <= 0)
		return r;
	s->mounts = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *s->mounts);
	if (!s->mounts)
		return err_set(err, ENOMEM, "mounts");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it)))
		if ((r = parse_mount(s, v, &s->mounts[s->mounts_n++], err)) < 0)
			return r;
	return 0;
}

static int parse_hook_list(struct spec *s, yyjson_val *hooks, const char *key, struct spec_hooks *out, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(hooks, "hooks", key, &arr, err);

	if (r <= 0)
		return r;
	out->list = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *out->list);
	if (!out->list)
		return err_set(err, ENOMEM, "hooks");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct spec_hook *h = &out->list[out->n++];
		int64_t timeout = 0;

		if ((r = jsonv_string(v, "hooks[]", "path", &h->path, err)) < 0 ||
		    (r = jsonv_strings(v, "hooks[]", "args", &s->arena, &h->args, NULL, err)) < 0 ||
		    (r = jsonv_strings(v, "hooks[]", "env", &s->arena, &h->env, NULL, err)) < 0 ||
		    (r = jsonv_int(v, "hooks[]", "timeout", &timeout, 1, INT32_MAX / 1000, err)) < 0)
			return err_wrap(err, r, "hooks.%s", key);
		if (!h->path || h->path[0] != '/')
			return err_set(err, 0, "hooks.%s[].path: \"%s\" is not an absolute path", key, h->path ? h->path : "");
		h->timeout = (int)timeout;
	}
	return 0;
}

int spec_parse_hooks(struct spec *s, yyjson_val *top, struct err *err)
{
	static const char *const NAMES[HOOK_KINDS] = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop" };
	yyjson_val *hooks = NULL;
	int r = jsonv_object(top, "", "hooks", &hooks, err);

	if (r <= 0)
		return r;
	for (int i = 0; i < HOOK_KINDS; i++)
		if ((r = parse_hook_list(s, hooks, NAMES[i], &s->hooks[i], err)) < 0)
			return r;
	return 0;
}
