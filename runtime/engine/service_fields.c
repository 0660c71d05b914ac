/* service_fields.c - the keys of a service, by a table: which must be there, what each holds (coracle-engine). Pure. */
#include "service_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jw.h"

/* What a key must hold, and where it goes. Kinds ending in _N also take null; WANTED: the key may be missing. */
enum kind { K_STR, K_STR_N, K_STRV, K_STRV_N, K_BOOL, K_INT, K_INT64, K_MAP, K_JSON, K_OTHER };

struct field {
	const char *key;
	enum kind kind;
	size_t offset;
	bool wanted;
};

#define FIELD(key, kind, member) { key, kind, offsetof(struct service, member), false }
#define WANTED(key, kind, member) { key, kind, offsetof(struct service, member), true }
#define OTHER(key) { key, K_OTHER, 0, false }

static const struct field fields[] = {
	FIELD("name", K_STR, name), FIELD("container_name", K_STR, container_name), FIELD("image", K_STR, image),
	FIELD("command", K_STRV_N, command), FIELD("entrypoint", K_STRV_N, entrypoint),
	FIELD("environment", K_STRV, environment), FIELD("working_dir", K_STR_N, working_dir),
	FIELD("user", K_STR_N, user), FIELD("hostname", K_STR_N, hostname),
	OTHER("volumes"), OTHER("tmpfs"), OTHER("restart"), OTHER("depends_on"),
	FIELD("read_only", K_BOOL, read_only), FIELD("network_mode", K_STR, network_mode),
	FIELD("privileged", K_BOOL, privileged), FIELD("cap_add", K_STRV, cap_add), FIELD("cap_drop", K_STRV, cap_drop),
	FIELD("labels", K_MAP, labels), FIELD("stop_signal", K_STR_N, stop_signal),
	OTHER("stop_grace_period_ms"), FIELD("tty", K_BOOL, tty), FIELD("line", K_INT, line),

	WANTED("init", K_BOOL, init), WANTED("stdin_open", K_BOOL, stdin_open), WANTED("domainname", K_STR, domainname),
	WANTED("group_add", K_STRV, group_add), WANTED("mem_limit", K_INT64, mem_limit),
	WANTED("mem_reservation", K_INT64, mem_reservation), WANTED("memswap_limit", K_INT64, memswap_limit),
	WANTED("cpu_quota", K_INT64, cpu_quota), WANTED("cpu_period", K_INT64, cpu_period), WANTED("cpu_shares", K_INT64, cpu_shares),
	WANTED("cpuset", K_STR, cpuset), WANTED("pids_limit", K_INT64, pids_limit), WANTED("oom_score_adj", K_INT64, oom_score_adj),
	WANTED("shm_size", K_INT64, shm_size), WANTED("ulimits", K_STRV, ulimits), WANTED("sysctls", K_MAP, sysctls),
	WANTED("devices", K_STRV, devices), WANTED("device_cgroup_rules", K_STRV, device_rules),
	WANTED("security_opt", K_STRV, security_opt), WANTED("pid", K_STR, pid), WANTED("ipc", K_STR, ipc), WANTED("uts", K_STR, uts),
	WANTED("cgroup", K_STR, cgroup), WANTED("dns", K_STRV, dns), WANTED("dns_search", K_STRV, dns_search),
	WANTED("dns_opt", K_STRV, dns_opt), WANTED("extra_hosts", K_STRV, extra_hosts), WANTED("annotations", K_MAP, annotations),
	WANTED("pull_policy", K_STR, pull_policy), WANTED("healthcheck", K_JSON, healthcheck),
};

_Static_assert(ARRAY_SIZE(fields) <= 64, "seen in service_take_fields() has a bit for each");

int service_bad(struct err *err, const char *key, const char *want)
{
	return err_set(err, 0, "\"%s\" must be %s", key, want);
}

char *service_take_str(struct arena *mem, yyjson_val *v)
{
	if (!yyjson_is_str(v) || strlen(yyjson_get_str(v)) != yyjson_get_len(v))
		return NULL;
	return arena_strndup(mem, yyjson_get_str(v), yyjson_get_len(v));
}

char **service_take_strv(struct arena *mem, yyjson_val *v)
{
	size_t i, max;
	yyjson_val *item;
	char **out;

	if (!yyjson_is_arr(v))
		return NULL;
	out = arena_strv(mem, yyjson_arr_size(v));
	if (!out)
		return NULL;
	yyjson_arr_foreach(v, i, max, item) {
		out[i] = service_take_str(mem, item);
		if (!out[i])
			return NULL;
	}
	return out;
}

/* An object of strings, as k=v. */
static char **take_map(struct arena *mem, yyjson_val *obj)
{
	size_t i, max;
	yyjson_val *key, *val;
	char **out;

	if (!yyjson_is_obj(obj))
		return NULL;
	out = arena_strv(mem, yyjson_obj_size(obj));
	yyjson_obj_foreach(obj, i, max, key, val) {
		if (!out || !yyjson_is_str(val))
			return NULL;
		out[i] = arena_printf(mem, "%s=%s", yyjson_get_str(key), yyjson_get_str(val));
		if (!out[i])
			return NULL;
	}
	return out;
}

static char *take_json(struct arena *mem, yyjson_val *v)
{
	size_t n = 0;
	char *text = yyjson_is_obj(v) ? yyjson_val_write(v, 0, &n) : NULL;
	char *copy = text ? arena_strndup(mem, text, n) : NULL;

	free(text);
	return copy;
}

static int take_pointer(struct arena *mem, const struct field *f, yyjson_val *v, void *at, struct err *err)
{
	static const char *const words[] = {
		[K_STR] = "a string", [K_STR_N] = "a string", [K_STRV] = "an array of strings", [K_STRV_N] = "an array of strings",
		[K_MAP] = "an object of strings", [K_JSON] = "an object",
	};

	if (yyjson_is_null(v) && (f->kind == K_STR_N || f->kind == K_STRV_N))
		return 0;
	if (f->kind == K_STR || f->kind == K_STR_N)
		*(char **)at = service_take_str(mem, v);
	else if (f->kind == K_JSON)
		*(char **)at = take_json(mem, v);
	else
		*(char ***)at = f->kind == K_MAP ? take_map(mem, v) : service_take_strv(mem, v);
	return *(void **)at ? 0 : service_bad(err, f->key, words[f->kind]);
}

static int take_field(struct arena *mem, const struct field *f, yyjson_val *v, struct service *s, struct err *err)
{
	void *at = (char *)s + f->offset;

	switch (f->kind) {
	case K_BOOL:
		if (!yyjson_is_bool(v))
			return service_bad(err, f->key, "true or false");
		*(bool *)at = yyjson_get_bool(v);
		return 0;
	case K_INT:
	case K_INT64:
		if (!yyjson_is_int(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX))
			return service_bad(err, f->key, "a whole number");
		if (f->kind == K_INT)
			*(int *)at = yyjson_get_int(v);
		else
			*(int64_t *)at = yyjson_get_sint(v);
		return 0;
	case K_OTHER:
		return 0;
	default:
		return take_pointer(mem, f, v, at, err);
	}
}

int service_take_fields(struct arena *mem, yyjson_val *v, struct service *s, struct err *err)
{
	size_t i, max;
	yyjson_val *key, *val;
	uint64_t seen = 0;

	if (!yyjson_is_obj(v))
		return err_set(err, 0, "a service must be an object");
	yyjson_obj_foreach(v, i, max, key, val) {
		size_t k = 0;
		int r;

		while (k < ARRAY_SIZE(fields) && strcmp(fields[k].key, yyjson_get_str(key)) != 0)
			k++;
		if (k == ARRAY_SIZE(fields))
			return err_set(err, 0, "unknown key \"%s\"", yyjson_get_str(key));
		seen |= 1ULL << k;
		r = take_field(mem, &fields[k], val, s, err);
		if (r < 0)
			return r;
	}
	for (size_t k = 0; k < ARRAY_SIZE(fields); k++)
		if (!fields[k].wanted && !(seen & 1ULL << k))
			return err_set(err, 0, "key \"%s\" is missing", fields[k].key);
	return 0;
}

/* A record of an older version has none of these, and the hash of its service must stay what it was. */
void service_write_wanted(struct buf *b, const struct service *s)
{
	for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
		const struct field *f = &fields[k];
		const void *at = (const char *)s + f->offset;

		if (!f->wanted)
			continue;
		if (f->kind == K_BOOL && *(const bool *)at)
			jw_kbool(b, f->key, true);
		else if (f->kind == K_INT64 && *(const int64_t *)at)
			jw_kint(b, f->key, *(const int64_t *)at);
		else if (f->kind == K_STR && *(char *const *)at)
			jw_kstr(b, f->key, *(char *const *)at);
		else if (f->kind == K_JSON && *(char *const *)at)
			jw_kraw(b, f->key, *(char *const *)at);
		else if (f->kind == K_STRV && *(char **const *)at)
			jw_kstrv(b, f->key, *(char **const *)at);
		else if (f->kind == K_MAP && *(char **const *)at)
			jw_kmap(b, f->key, *(char **const *)at);
	}
}
