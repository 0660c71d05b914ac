/* createbody.c - "Config" of a create body, and what all parts of the reading share (coracle-engine). Pure. */
#include "createbody.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "jw.h"
#include "service_fields.h"
#include "signals.h"

int create_refuse(struct create_body *x, unsigned status, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	x->status = status;
	return err_set(x->err, 0, "%s", text);
}

void create_warn(struct create_body *x, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (x->warning_count < CREATE_WARNINGS_MAX)
		x->warnings[x->warning_count++] = arena_strdup(x->mem, text);
}

bool create_unset(yyjson_val *v)
{
	return !v || yyjson_is_null(v) || yyjson_equals_str(v, "") || (yyjson_is_arr(v) && yyjson_arr_size(v) == 0) ||
	       (yyjson_is_obj(v) && yyjson_obj_size(v) == 0) || (yyjson_is_int(v) && yyjson_get_int(v) == 0) || yyjson_is_false(v);
}

char *create_json(struct create_body *x, yyjson_val *v)
{
	size_t n = 0;
	char *text = yyjson_val_write(v, 0, &n), *copy = text ? arena_strndup(x->mem, text, n) : NULL;

	free(text);
	return copy;
}

static char **take_map(struct create_body *x, yyjson_val *obj, const char *name, int *r)
{
	char **out = yyjson_is_obj(obj) ? arena_strv(x->mem, yyjson_obj_size(obj)) : NULL;
	size_t i, max;
	yyjson_val *key, *val;

	*r = out ? 0 : create_refuse(x, 400, "invalid value for %s: an object of strings is needed", name);
	if (!out)
		return NULL;
	yyjson_obj_foreach(obj, i, max, key, val) {
		const char *k = yyjson_get_str(key), *v = yyjson_get_str(val);

		if (!v || strlen(k) != yyjson_get_len(key) || strlen(v) != yyjson_get_len(val) || !k[0] || strchr(k, '=')) {
			*r = create_refuse(x, 400, "invalid value for %s: \"%.60s\"", name, k);
			return NULL;
		}
		out[i] = arena_printf(x->mem, "%s=%s", k, v);
	}
	return out;
}

static int take_key(struct create_body *x, const struct create_key *key, yyjson_val *v)
{
	void *at = (char *)&x->svc + key->offset;
	int r = 0;

	switch (key->kind) {
	case CREATE_BOOL:
		if (!yyjson_is_bool(v))
			return create_refuse(x, 400, "invalid value for %s: true or false is needed", key->name);
		*(bool *)at = yyjson_get_bool(v);
		return 0;
	case CREATE_INT:
		if (!yyjson_is_int(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) > INT64_MAX))
			return create_refuse(x, 400, "invalid value for %s: a whole number is needed", key->name);
		*(int64_t *)at = yyjson_get_sint(v);
		return 0;
	case CREATE_STR:
		*(char **)at = service_take_str(x->mem, v);
		return *(char **)at ? 0 : create_refuse(x, 400, "invalid value for %s: a string is needed", key->name);
	case CREATE_STRV:
		/* old clients give one word as a string */
		if (yyjson_is_str(v)) {
			char **one = arena_strv(x->mem, 1);

			if (one)
				one[0] = service_take_str(x->mem, v);
			*(char ***)at = one && one[0] ? one : NULL;
		} else {
			*(char ***)at = service_take_strv(x->mem, v);
		}
		return *(char ***)at ? 0 : create_refuse(x, 400, "invalid value for %s: an array of strings is needed", key->name);
	case CREATE_MAP:
		*(char ***)at = take_map(x, v, key->name, &r);
		return r;
	}
	return 0;
}

int create_take_keys(struct create_body *x, yyjson_val *obj, const struct create_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		yyjson_val *v = yyjson_obj_get(obj, keys[i].name);
		int r = create_unset(v) ? 0 : take_key(x, &keys[i], v);

		if (r < 0)
			return r;
	}
	return 0;
}

#define KEY(name, kind, member) { name, CREATE_##kind, offsetof(struct service, member) }

static const struct create_key config_keys[] = {
	KEY("Hostname", STR, hostname), KEY("Domainname", STR, domainname), KEY("User", STR, user), KEY("Tty", BOOL, tty),
	KEY("OpenStdin", BOOL, stdin_open), KEY("StdinOnce", BOOL, stdin_once), KEY("Env", STRV, environment), KEY("Cmd", STRV, command),
	KEY("Entrypoint", STRV, entrypoint), KEY("Image", STR, image), KEY("WorkingDir", STR, working_dir), KEY("Labels", MAP, labels),
	KEY("StopSignal", STR, stop_signal),
};

/* Docker's nanoseconds as our milliseconds. */
static int take_time(struct create_body *x, struct buf *b, yyjson_val *h, const char *from, const char *to)
{
	yyjson_val *v = yyjson_obj_get(h, from);
	int64_t ns = yyjson_get_sint(v);

	if (create_unset(v))
		return 0;
	if (!yyjson_is_int(v) || ns < 1000000)
		return create_refuse(x, 400, "%s in Healthcheck cannot be less than 1ms", from);
	jw_kint(b, to, ns / 1000000);
	return 0;
}

static int take_health(struct create_body *x, yyjson_val *h)
{
	CLEANUP_BUF struct buf b = { 0 };
	char **test = service_take_strv(x->mem, yyjson_obj_get(h, "Test"));
	int64_t retries = yyjson_get_sint(yyjson_obj_get(h, "Retries"));
	int r;

	if (create_unset(h))
		return 0;
	if (test && test[0] && strcmp(test[0], "NONE") != 0 && strcmp(test[0], "CMD") != 0 && strcmp(test[0], "CMD-SHELL") != 0)
		return create_refuse(x, 400, "Unknown healthcheck type: %.60s", test[0]);
	if (retries < 0)
		return create_refuse(x, 400, "Retries in Healthcheck cannot be negative");
	buf_init(&b, 65536);
	jw_open(&b, '{');
	if (test && test[0])
		jw_kstrv(&b, "test", test);
	else
		jw_kraw(&b, "test", "null");
	r = take_time(x, &b, h, "Interval", "interval_ms");
	r = r ? r : take_time(x, &b, h, "Timeout", "timeout_ms");
	r = r ? r : take_time(x, &b, h, "StartPeriod", "start_period_ms");
	r = r ? r : take_time(x, &b, h, "StartInterval", "start_interval_ms");
	if (retries)
		jw_kint(&b, "retries", retries);
	jw_close(&b, '}');
	x->svc.healthcheck = buf_error(&b) ? NULL : arena_strdup(x->mem, b.data);
	return r ? r : x->svc.healthcheck ? 0 : create_refuse(x, 400, "Healthcheck is too large");
}

static int take_exposed(struct create_body *x, yyjson_val *ports)
{
	size_t i, max;
	yyjson_val *key, *val;

	if (create_unset(ports))
		return 0;
	x->svc.expose = arena_strv(x->mem, yyjson_obj_size(ports));
	if (!x->svc.expose)
		return create_refuse(x, 400, "invalid value for ExposedPorts");
	yyjson_obj_foreach(ports, i, max, key, val) {
		(void)val;
		x->svc.expose[i] = arena_printf(x->mem, "%s%s", yyjson_get_str(key), strchr(yyjson_get_str(key), '/') ? "" : "/tcp");
	}
	return 0;
}

/* NAME without '=' takes it from the image's environment, which has no meaning in a record. */
static int take_environment(struct create_body *x)
{
	size_t n = 0;

	for (char **e = x->svc.environment; e && *e; e++) {
		if (**e == '=')
			return create_refuse(x, 400, "invalid environment variable: %.60s", *e);
		if (strchr(*e, '='))
			x->svc.environment[n++] = *e;
		else
			create_warn(x, "the variable %.60s without a value is left away", *e);
	}
	if (x->svc.environment)
		x->svc.environment[n] = NULL;
	else
		x->svc.environment = arena_strv(x->mem, 0);
	return 0;
}

static int take_config(struct create_body *x, yyjson_val *config)
{
	yyjson_val *timeout = yyjson_obj_get(config, "StopTimeout");
	int r = create_take_keys(x, config, config_keys, ARRAY_SIZE(config_keys));

	if (r < 0)
		return r;
	if (!x->svc.image)
		return create_refuse(x, 400, "no image was given: Image");
	/* --entrypoint "": none, and not the image's */
	if (x->svc.entrypoint && x->svc.entrypoint[0] && !x->svc.entrypoint[0][0] && !x->svc.entrypoint[1])
		x->svc.entrypoint[0] = NULL;
	x->svc.stop_grace_ms = 10000;
	if (yyjson_is_int(timeout)) {
		int64_t s = yyjson_get_sint(timeout);

		if (s > 1000000000)
			return create_refuse(x, 400, "invalid value for StopTimeout");
		x->svc.stop_grace_ms = s < 0 ? -1 : s * 1000;
	}
	if (x->svc.stop_signal && signal_parse(x->svc.stop_signal) <= 0)
		return create_refuse(x, 400, "Invalid signal: %.40s", x->svc.stop_signal);
	if (x->svc.working_dir && x->svc.working_dir[0] != '/')
		return create_refuse(x, 400, "the working directory '%.100s' is invalid, it needs to be an absolute path", x->svc.working_dir);
	if (yyjson_is_true(yyjson_obj_get(config, "NetworkDisabled")))
		x->svc.network_mode = arena_strdup(x->mem, "none");
	r = take_environment(x);
	r = r ? r : take_exposed(x, yyjson_obj_get(config, "ExposedPorts"));
	return r ? r : take_health(x, yyjson_obj_get(config, "Healthcheck"));
}

/* The networks read it (service.h); the record keeps it whole. */
static int take_networking(struct create_body *x, yyjson_val *root, yyjson_val *host)
{
	static const char *const of_host[] = { "NetworkMode", "PortBindings", "PublishAllPorts", "Links" };
	yyjson_val *endpoints = yyjson_obj_get(yyjson_obj_get(root, "NetworkingConfig"), "EndpointsConfig");
	yyjson_val *mac = yyjson_obj_get(root, "MacAddress");
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 262144);
	jw_open(&b, '{');
	for (size_t i = 0; i < ARRAY_SIZE(of_host); i++) {
		yyjson_val *v = yyjson_obj_get(host, of_host[i]);

		if (!create_unset(v))
			jw_kraw(&b, of_host[i], create_json(x, v));
	}
	if (!create_unset(endpoints))
		jw_kraw(&b, "EndpointsConfig", create_json(x, endpoints));
	if (!create_unset(mac))
		jw_kraw(&b, "MacAddress", create_json(x, mac));
	jw_close(&b, '}');
	if (b.len > 2)
		x->svc.networking = arena_strdup(x->mem, b.data);
	return buf_error(&b) ? create_refuse(x, 400, "the networks of the request are too large") : 0;
}

static int fill_in(struct create_body *x)
{

	if (!x->svc.cap_add)
		x->svc.cap_add = arena_strv(x->mem, 0);
	if (!x->svc.cap_drop)
		x->svc.cap_drop = arena_strv(x->mem, 0);
	if (!x->svc.labels)
		x->svc.labels = arena_strv(x->mem, 0);
	return x->svc.cap_add && x->svc.cap_drop && x->svc.labels ? 0 : create_refuse(x, 400, "the request is too large");
}

int create_body_parse(struct arena *mem, const char *json, size_t n, struct create_body *out, struct err *err)
{
	yyjson_read_err why;
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)json, n, 0, NULL, &why);
	yyjson_val *root = yyjson_doc_get_root(doc), *host = yyjson_obj_get(root, "HostConfig");
	int r;

	*out = (struct create_body){ .mem = mem, .err = err, .status = 400 };
	if (!yyjson_is_obj(root)) {
		yyjson_doc_free(doc);
		return create_refuse(out, 400, "invalid JSON: %s", doc ? "an object is needed" : why.msg);
	}
	r = take_config(out, root);
	r = r ? r : create_take_host(out, host);
	r = r ? r : create_take_mounts(out, root, host);
	r = r ? r : take_networking(out, root, host);
	r = r ? r : fill_in(out);
	yyjson_doc_free(doc);
	return r;
}
