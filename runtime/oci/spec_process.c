/* spec_process.c - the process section of config.json, also what `exec
 * --process` reads. Runs in coracle-runtime; only parses. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include "runtime/oci/caps.h"
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

static const struct { const char *name; int resource; } RLIMITS[] = {
	{ "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE }, { "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA }, { "RLIMIT_FSIZE", RLIMIT_FSIZE }, { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "RLIMIT_NPROC", RLIMIT_NPROC }, { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO }, { "RLIMIT_RTTIME", RLIMIT_RTTIME }, { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};

static int rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(RLIMITS); i++)
		if (!strcmp(RLIMITS[i].name, name))
			return RLIMITS[i].resource;
	return -1;
}

const char *spec_rlimit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(RLIMITS); i++)
		if (RLIMITS[i].resource == resource)
			return RLIMITS[i].name;
	return "?";
}

static int parse_rlimits(struct spec *s, yyjson_val *p, const char *where, struct err *err)
{
	struct spec_process *out = &s->process;
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	uint32_t seen = 0;
	int r = jsonv_array(p, where, "rlimits", &arr, err);

	if (r <= 0)
		return r;
	out->rlimits = arena_array(&s->arena, yyjson_arr_size(arr), sizeof *out->rlimits);
	if (!out->rlimits)
		return err_set(err, ENOMEM, "process.rlimits");
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct spec_rlimit *l = &out->rlimits[out->rlimits_n];
		const char *type = "";

		if ((r = jsonv_string(v, "process.rlimits[]", "type", &type, err)) < 0 ||
		    (r = jsonv_uint(v, "process.rlimits[]", "soft", &l->soft, UINT64_MAX, err)) < 0 ||
		    (r = jsonv_uint(v, "process.rlimits[]", "hard", &l->hard, UINT64_MAX, err)) < 0)
			return r;
		l->resource = rlimit_number(type);
		if (l->resource < 0)
			return err_set(err, 0, "process.rlimits: unknown type \"%s\"", type);
		if (seen & 1u << l->resource)
			return err_set(err, 0, "process.rlimits: %s is there twice", type);
		seen |= 1u << l->resource;
		out->rlimits_n++;
	}
	return 0;
}

static int parse_user(struct spec *s, yyjson_val *p, struct err *err)
{
	struct spec_process *out = &s->process;
	yyjson_val *user = NULL, *groups = NULL, *v;
	yyjson_arr_iter it;
	uint64_t n;
	int r = jsonv_object(p, "process", "user", &user, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_uint(user, "process.user", "uid", &n, UINT32_MAX - 1, err)) < 0)
		return r;
	if (r)
		out->uid = (uid_t)n;
	if ((r = jsonv_uint(user, "process.user", "gid", &n, UINT32_MAX - 1, err)) < 0)
		return r;
	if (r)
		out->gid = (gid_t)n;
	if ((r = jsonv_uint(user, "process.user", "umask", &n, 07777, err)) < 0)
		return r;
	if (r) {
		out->umask = (mode_t)n;
		out->has_umask = true;
	}
	if ((r = jsonv_array(user, "process.user", "additionalGids", &groups, err)) <= 0)
		return r;
	out->groups = arena_array(&s->arena, yyjson_arr_size(groups), sizeof *out->groups);
	if (!out->groups || yyjson_arr_size(groups) > 65536)
		return err_set(err, 0, "process.user.additionalGids: too many");
	yyjson_arr_iter_init(groups, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		if (!yyjson_is_uint(v) || yyjson_get_uint(v) >= UINT32_MAX)
			return err_set(err, 0, "process.user.additionalGids: expected group numbers");
		out->groups[out->groups_n++] = (gid_t)yyjson_get_uint(v);
	}
	return 0;
}

/* Names that this kernel or we do not know are left out: the specification wants
 * a warning at most for a capability that cannot be granted. */
static int parse_cap_set(struct spec *s, yyjson_val *caps, const char *key, uint64_t *mask, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(caps, "process.capabilities", key, &arr, err);

	if (r <= 0)
		return r;
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		int n;

		if (!jsonv_is_plain(v))
			return err_set(err, 0, "process.capabilities.%s: expected names, found %s", key, jsonv_type(v));
		n = caps_number(yyjson_get_str(v));
		if (n >= 0)
			*mask |= UINT64_C(1) << n;
		else
			spec_warn(s, "ignoring unknown capability process.capabilities.%s: \"%s\"", key, yyjson_get_str(v));
	}
	return 0;
}

static int parse_caps(struct spec *s, yyjson_val *p, struct err *err)
{
	struct spec_caps *c = &s->process.caps;
	yyjson_val *caps = NULL;
	int r = jsonv_object(p, "process", "capabilities", &caps, err);

	if (r <= 0)
		return r;
	s->process.has_caps = true;
	if ((r = parse_cap_set(s, caps, "bounding", &c->bounding, err)) < 0 ||
	    (r = parse_cap_set(s, caps, "effective", &c->effective, err)) < 0 ||
	    (r = parse_cap_set(s, caps, "inheritable", &c->inheritable, err)) < 0 ||
	    (r = parse_cap_set(s, caps, "permitted", &c->permitted, err)) < 0 ||
	    (r = parse_cap_set(s, caps, "ambient", &c->ambient, err)) < 0)
		return r;
	return 0;
}

static int parse_console_size(struct spec *s, yyjson_val *p, struct err *err)
{
	yyjson_val *o = NULL;
	uint64_t h = 0, w = 0;
	int r = jsonv_object(p, "process", "consoleSize", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_uint(o, "process.consoleSize", "height", &h, 65535, err)) < 0 ||
	    (r = jsonv_uint(o, "process.consoleSize", "width", &w, 65535, err)) < 0)
		return r;
	s->process.console_height = (unsigned)h;
	s->process.console_width = (unsigned)w;
	return 0;
}

int spec_parse_process(struct spec *s, yyjson_val *p, const char *where, struct err *err)
{
	struct spec_process *out = &s->process;
	int64_t oom;
	int r;

	out->cwd = NULL;
	if ((r = jsonv_bool(p, where, "terminal", &out->terminal, err)) < 0 ||
	    (r = jsonv_bool(p, where, "noNewPrivileges", &out->no_new_privs, err)) < 0 ||
	    (r = parse_console_size(s, p, err)) < 0 ||
	    (r = parse_user(s, p, err)) < 0 ||
	    (r = jsonv_strings(p, where, "args", &s->arena, &out->args, NULL, err)) < 0 ||
	    (r = jsonv_strings(p, where, "env", &s->arena, &out->env, NULL, err)) < 0 ||
	    (r = jsonv_string(p, where, "cwd", &out->cwd, err)) < 0 ||
	    (r = parse_rlimits(s, p, where, err)) < 0 ||
	    (r = parse_caps(s, p, err)) < 0 ||
	    (r = spec_parse_schedule(s, p, where, err)) < 0 ||
	    (r = jsonv_string(p, where, "apparmorProfile", &out->apparmor, err)) < 0 ||
	    (r = jsonv_string(p, where, "selinuxLabel", &out->selinux, err)) < 0 ||
	    (r = jsonv_int(p, where, "oomScoreAdj", &oom, -1000, 1000, err)) < 0)
		return r;
	if (r) {
		out->oom_score_adj = (int)oom;
		out->has_oom = true;
	}
	if (!out->cwd || out->cwd[0] != '/')
		return err_set(err, 0, "%s.cwd: \"%s\" is not an absolute path", where, out->cwd ? out->cwd : "");
	if (out->args && !out->args[0])
		return err_set(err, 0, "%s.args: must not be empty", where);
	if (!out->env && !(out->env = arena_array(&s->arena, 1, sizeof *out->env)))
		return err_set(err, ENOMEM, "%s.env", where);
	s->has_process = true;
	return 0;
}
