/* seccomp_rules.c - linux.seccomp of config.json to rules, with the meaning
 * that runc gives it through libseccomp. Runs in coracle-runtime before the
 * container's process exists; only parses. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/seccomp.h"

#define W "linux.seccomp"
#define CALLS W ".syscalls[]"

struct group {
	yyjson_val *names;
	uint32_t action;
	struct seccomp_arg *args;
	unsigned args_n;
	bool split;	/* an argument is there twice: each test is a rule of its own (as runc) */
};

/* i386 has its socket and System V IPC calls twice: by number, and as the first argument of socketcall and ipc. A rule for one is
 * a rule for both, or it could be walked around (libseccomp does the same). The place in the list is the argument's value. */
static const char *const SOCKETCALLS[] = {
	"", "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv", "sendto", "recvfrom",
	"shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};
static const char *const IPCS[] = {
	"", "semop", "semget", "semctl", "semtimedop", "", "", "", "", "", "", "msgsnd", "msgrcv", "msgget", "msgctl", "", "", "", "", "", "",
	"shmat", "shmdt", "shmget", "shmctl",
};

static int parse_arg(yyjson_val *v, struct seccomp_arg *a, struct err *err)
{
	static const char *const OPS[] = {
		"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"
	};
	const char *op = "";
	uint64_t index = 0;
	int r;

	if (!yyjson_is_obj(v))
		return err_set(err, 0, CALLS ".args[]: expected an object, found %s", jsonv_type(v));
	if ((r = jsonv_uint(v, CALLS ".args[]", "index", &index, 5, err)) < 0 ||
	    (r = jsonv_uint(v, CALLS ".args[]", "value", &a->value, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_uint(v, CALLS ".args[]", "valueTwo", &a->value_two, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_string(v, CALLS ".args[]", "op", &op, err)) < 0)
		return r;
	a->index = (unsigned)index;
	for (size_t i = 0; i < ARRAY_SIZE(OPS); i++)
		if (!strcmp(OPS[i], op)) {
			a->op = (enum seccomp_op)i;
			return 0;
		}
	return err_set(err, 0, CALLS ".args[].op: unknown value \"%s\"", op);
}

static int parse_args(struct arena *a, yyjson_val *args, struct group *g, struct err *err)
{
	yyjson_arr_iter it;
	yyjson_val *v;
	unsigned seen = 0;

	if (yyjson_arr_size(args) > 32)
		return err_set(err, 0, CALLS ".args: more than 32");
	g->args = arena_array(a, yyjson_arr_size(args), sizeof *g->args);
	if (!g->args)
		return err_set(err, ENOMEM, W);
	yyjson_arr_iter_init(args, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct seccomp_arg *arg = &g->args[g->args_n++];
		int r = parse_arg(v, arg, err);

		if (r < 0)
			return r;
		g->split |= seen >> arg->index & 1;
		seen |= 1u << arg->index;
	}
	return 0;
}

static int parse_group(struct arena *a, yyjson_val *v, struct group *g, struct err *err)
{
	yyjson_val *args = NULL;
	const char *action = NULL;
	uint64_t data = 0;
	int r, has;

	if (!yyjson_is_obj(v))
		return err_set(err, 0, CALLS ": expected an object, found %s", jsonv_type(v));
	if ((r = jsonv_array(v, CALLS, "names", &g->names, err)) < 0 ||
	    (r = jsonv_string(v, CALLS, "action", &action, err)) < 0 ||
	    (r = has = jsonv_uint(v, CALLS, "errnoRet", &data, SECCOMP_RET_DATA, err)) < 0)
		return r;
	if (!action)
		return err_set(err, 0, CALLS ".action: missing");
	if ((r = seccomp_parse_action(has ? CALLS ".errnoRet" : CALLS ".action", action, has, data, &g->action, err)) < 0 ||
	    (r = jsonv_array(v, CALLS, "args", &args, err)) < 0)
		return r;
	return args ? parse_args(a, args, g, err) : 0;
}

static void add_rules(struct seccomp_set *set, enum seccomp_arch arch, int nr, const struct group *g)
{
	for (unsigned i = 0; i < (g->split ? g->args_n : 1); i++)
		set->rules[arch][set->n[arch]++] = (struct seccomp_rule){
			nr, g->action, g->split ? &g->args[i] : g->args, g->split ? 1 : g->args_n
		};
}

static int member(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 1; i < n; i++)
		if (list[i][0] == name[0] && !strcmp(list[i], name))	/* most differ in the first letter: no call */
			return (int)i;
	return 0;
}

/* The same rules for "which" as first argument of a multiplexed call. */
static int add_multiplexed(struct arena *a, struct seccomp_set *set, const char *name, const struct group *g, struct err *err)
{
	int sub = member(SOCKETCALLS, ARRAY_SIZE(SOCKETCALLS), name);
	const char *call = sub ? "socketcall" : "ipc";

	if (!sub && !(sub = member(IPCS, ARRAY_SIZE(IPCS), name)))
		return 0;
	for (unsigned i = 0; i < (g->split ? g->args_n : 1); i++) {
		struct seccomp_arg *args = arena_array(a, g->args_n + 1, sizeof *args);
		unsigned n = 0;

		if (!args)
			return err_set(err, ENOMEM, W);
		args[n++] = (struct seccomp_arg){ 0, OP_EQ, (uint64_t)sub, 0 };
		for (unsigned k = g->split ? i : 0; k < (g->split ? i + 1 : g->args_n); k++)
			if (g->args[k].index)
				args[n++] = g->args[k];
		set->rules[ARCH_X86][set->n[ARCH_X86]++] = (struct seccomp_rule){ seccomp_number(ARCH_X86, call), g->action, args, n };
	}
	return 0;
}

static int add_name(struct arena *a, struct seccomp_set *set, const char *name, const struct group *g, size_t *near, struct err *err)
{
	static const short NOWHERE[ARCH_COUNT] = { -1, -1, -1 };
	const short *numbers = seccomp_numbers_near(name, near);

	if (!numbers)
		numbers = NOWHERE;	/* send: multiplexed only */
	for (int i = 0; i < ARCH_COUNT; i++) {
		enum seccomp_arch arch = (enum seccomp_arch)i;
		int nr = set->arch[arch] ? numbers[arch] : -1;
		int r;

		/* names that this architecture does not have are no error: profiles serve many kernels */
		if (nr >= set->end[arch])
			set->end[arch] = nr + 1;
		if (g->action == set->fallback)
			continue;
		if (nr >= 0)
			add_rules(set, arch, nr, g);
		if (arch == ARCH_X86 && set->arch[arch] && (r = add_multiplexed(a, set, name, g, err)) < 0)
			return r;
	}
	return 0;
}

static int add_group(struct arena *a, struct seccomp_set *set, const struct group *g, struct err *err)
{
	size_t near = 0;
	yyjson_arr_iter it;
	yyjson_val *v;
	int r;

	yyjson_arr_iter_init(g->names, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		const char *name = yyjson_get_str(v);

		if (!jsonv_is_plain(v) || !*name)
			return err_set(err, 0, CALLS ".names: expected names, found %s", name && !*name ? "an empty string" : jsonv_type(v));
		if (g->action == SECCOMP_RET_USER_NOTIF) {
			/* with it the listener's number is told to the runtime, before an agent has it */
			if (!strcmp(name, "write"))
				return err_set(err, 0, CALLS ".action: SCMP_ACT_NOTIFY cannot be used for the write syscall");
			set->notify = true;
			set->notify_sendmsg |= !strcmp(name, "sendmsg");
		}
		if ((r = add_name(a, set, name, g, &near, err)) < 0)
			return r;
	}
	return 0;
}

static int parse_calls(struct arena *a, yyjson_val *sec, struct seccomp_set *set, struct err *err)
{
	yyjson_val *calls = NULL, *v;
	struct group *groups;
	size_t n = 0, total = 0;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, W, "syscalls", &calls, err);

	if (r <= 0)
		return r;
	groups = arena_array(a, yyjson_arr_size(calls), sizeof *groups);
	if (!groups)
		return err_set(err, ENOMEM, W);
	yyjson_arr_iter_init(calls, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct group *g = &groups[n++];

		if ((r = parse_group(a, v, g, err)) < 0)
			return r;
		total += yyjson_arr_size(g->names) * (g->split ? g->args_n : 1);
	}
	for (int arch = 0; arch < ARCH_COUNT; arch++) {
		/* twice for i386: multiplexed calls */
		set->rules[arch] = arena_array(a, set->arch[arch] ? total * (arch == ARCH_X86 ? 2 : 1) : 0, sizeof *set->rules[arch]);
		if (!set->rules[arch])
			return err_set(err, ENOMEM, W);
	}
	for (size_t i = 0; i < n; i++)
		if ((r = add_group(a, set, &groups[i], err)) < 0)
			return r;
	return 0;
}

static int parse_listener(yyjson_val *sec, const struct seccomp_set *set, struct err *err)
{
	const char *path = "", *metadata = "";
	int r;

	if ((r = jsonv_string(sec, W, "listenerPath", &path, err)) < 0 ||
	    (r = jsonv_string(sec, W, "listenerMetadata", &metadata, err)) < 0)
		return r;
	if (set->notify && !*path)
		return err_set(err, 0, W ".listenerPath: missing, and SCMP_ACT_NOTIFY needs it");
	if (*metadata && !*path)
		return err_set(err, 0, W ".listenerMetadata: must not be set without listenerPath");
	return 0;
}

int seccomp_parse(struct arena *a, yyjson_val *sec, bool (*ia32)(void), struct seccomp_set *set, struct err *err)
{
	const char *action = NULL;
	uint64_t data = 0;
	int r, has;

	if ((r = jsonv_string(sec, W, "defaultAction", &action, err)) < 0 ||
	    (r = has = jsonv_uint(sec, W, "defaultErrnoRet", &data, SECCOMP_RET_DATA, err)) < 0)
		return r;
	if (!action)
		return err_set(err, 0, W ".defaultAction: missing");
	if ((r = seccomp_parse_action(has ? W ".defaultErrnoRet" : W ".defaultAction", action, has, data, &set->fallback, err)) < 0)
		return r;
	if (set->fallback == SECCOMP_RET_USER_NOTIF)
		return err_set(err, 0, W ".defaultAction: SCMP_ACT_NOTIFY cannot be used as default action");
	if ((r = seccomp_parse_archs(sec, ia32, set, err)) < 0 ||
	    (r = parse_calls(a, sec, set, err)) < 0 ||
	    (r = parse_listener(sec, set, err)) < 0)
		return r;
	/* libseccomp's SCMP_FLTATR_ACT_BADARCH */
	set->foreign = SECCOMP_RET_KILL_THREAD;
	/* A C library tries a new call and falls back on ENOSYS only, so calls above all that the profile knows get that; not where the
	 * default lets them through, or where a tracer decides (runc's rule). */
	switch (set->fallback & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
		set->unknown = set->fallback;
		break;
	default:
		set->unknown = SECCOMP_RET_ERRNO | ENOSYS;
	}
	return 0;
}
