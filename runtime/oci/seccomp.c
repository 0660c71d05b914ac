/* seccomp.c - linux.seccomp of config.json to rules, and installing the
 * program. Parsing runs in coracle-runtime before the container's process
 * exists; seccomp_install in that process, last before execve. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/seccomp.h"

#define W "linux.seccomp"

static int parse_action(const char *name, uint32_t data, uint32_t *out, struct err *err)
{
	static const struct { const char *name; uint32_t ret; bool data; } ACTIONS[] = {
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false }, { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false }, { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false }, { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
		{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true }, { "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ACTIONS); i++)
		if (!strcmp(ACTIONS[i].name, name)) {
			*out = ACTIONS[i].ret | (ACTIONS[i].data ? data & SECCOMP_RET_DATA : 0);
			return 0;
		}
	if (!strcmp(name, "SCMP_ACT_NOTIFY"))
		return err_set(err, ENOTSUP, W ": SCMP_ACT_NOTIFY");
	return err_set(err, 0, W ": unknown action \"%s\"", name);
}

static int parse_flags(yyjson_val *sec, struct seccomp_program *out, struct err *err)
{
	static const struct { const char *name; unsigned flag; } FLAGS[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },	/* there is one thread */
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	};
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, W, "flags", &arr, err);

	if (r <= 0)
		return r;
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		size_t i = 0;

		while (i < ARRAY_SIZE(FLAGS) && !yyjson_equals_str(v, FLAGS[i].name))
			i++;
		if (i == ARRAY_SIZE(FLAGS))
			return err_set(err, 0, W ".flags: unknown value \"%s\"", yyjson_is_str(v) ? yyjson_get_str(v) : jsonv_type(v));
		out->flags |= FLAGS[i].flag;
	}
	return 0;
}

/* Compiling and installing rules for programs that cannot run costs as much as
 * for those that can; the sysctl is there exactly when the kernel has the 32-bit vDSO. */
static bool kernel_runs_ia32(void)
{
	return access("/proc/sys/abi/vsyscall32", F_OK) == 0 || access("/proc/sys/abi", F_OK) < 0;
}

/* Architectures of other machines are no error: profiles list them all. */
static int parse_archs(yyjson_val *sec, struct seccomp_set *set, struct err *err)
{
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, W, "architectures", &arr, err);

	set->arch[ARCH_X86_64] = true;
	if (r <= 0)
		return r;
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		if (!yyjson_is_str(v) || strncmp(yyjson_get_str(v), "SCMP_ARCH_", 10))
			return err_set(err, 0, W ".architectures: unknown value \"%s\"", yyjson_is_str(v) ? yyjson_get_str(v) : jsonv_type(v));
		if (yyjson_equals_str(v, "SCMP_ARCH_X86"))
			set->arch[ARCH_X86] = kernel_runs_ia32();
		if (yyjson_equals_str(v, "SCMP_ARCH_X32"))
			set->arch[ARCH_X32] = true;
	}
	return 0;
}

static int parse_arg(yyjson_val *v, struct seccomp_arg *a, struct err *err)
{
	static const char *const OPS[] = {
		"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"
	};
	const char *op = "";
	uint64_t index = 0;
	int r;

	if ((r = jsonv_uint(v, W ".syscalls[].args[]", "index", &index, 5, err)) < 0 ||
	    (r = jsonv_uint(v, W ".syscalls[].args[]", "value", &a->value, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_uint(v, W ".syscalls[].args[]", "valueTwo", &a->value_two, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_string(v, W ".syscalls[].args[]", "op", &op, err)) < 0)
		return r;
	a->index = (unsigned)index;
	for (size_t i = 0; i < ARRAY_SIZE(OPS); i++)
		if (!strcmp(OPS[i], op)) {
			a->op = (enum seccomp_op)i;
			return 0;
		}
	return err_set(err, 0, W ".syscalls[].args[].op: unknown value \"%s\"", op);
}

struct group {
	yyjson_val *names;
	uint32_t action;
	struct seccomp_arg *args;
	unsigned args_n;
	bool split;	/* an argument is there twice: each test is a rule of its own (as runc) */
};

static int parse_group(struct spec *s, yyjson_val *v, struct group *g, struct err *err)
{
	yyjson_val *args = NULL, *arg;
	yyjson_arr_iter it;
	const char *action = "";
	uint64_t data = EPERM;
	unsigned seen = 0;
	int r;

	if ((r = jsonv_array(v, W ".syscalls[]", "names", &g->names, err)) < 0 ||
	    (r = jsonv_string(v, W ".syscalls[]", "action", &action, err)) < 0 ||
	    (r = jsonv_uint(v, W ".syscalls[]", "errnoRet", &data, 0xffff, err)) < 0 ||
	    (r = parse_action(action, (uint32_t)data, &g->action, err)) < 0 ||
	    (r = jsonv_array(v, W ".syscalls[]", "args", &args, err)) <= 0)
		return r;
	if (yyjson_arr_size(args) > 32)
		return err_set(err, 0, W ".syscalls[].args: more than 32");
	g->args = arena_array(&s->arena, yyjson_arr_size(args), sizeof *g->args);
	if (!g->args)
		return err_set(err, ENOMEM, W);
	yyjson_arr_iter_init(args, &it);
	while ((arg = yyjson_arr_iter_next(&it))) {
		struct seccomp_arg *a = &g->args[g->args_n++];

		if ((r = parse_arg(arg, a, err)) < 0)
			return r;
		g->split |= seen >> a->index & 1;
		seen |= 1u << a->index;
	}
	return 0;
}

static void add_rules(struct seccomp_set *set, enum seccomp_arch arch, int nr, const struct group *g)
{
	for (unsigned i = 0; i < (g->split ? g->args_n : 1); i++)
		set->rules[arch][set->n[arch]++] = (struct seccomp_rule){
			nr, g->action, g->split ? &g->args[i] : g->args, g->split ? 1 : g->args_n
		};
}

static int add_group(struct seccomp_set *set, const struct group *g, struct err *err)
{
	size_t near[ARCH_COUNT] = { 0 };
	yyjson_arr_iter it;
	yyjson_val *v;

	if (g->action == set->fallback)
		return 0;
	yyjson_arr_iter_init(g->names, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		if (!yyjson_is_str(v))
			return err_set(err, 0, W ".syscalls[].names: expected names, found %s", jsonv_type(v));
		for (int arch = 0; arch < ARCH_COUNT; arch++) {
			int nr = set->arch[arch] ? seccomp_number_near((enum seccomp_arch)arch, yyjson_get_str(v), &near[arch]) : -1;

			/* names that this architecture does not have are no error: profiles serve many kernels */
			if (nr >= 0)
				add_rules(set, (enum seccomp_arch)arch, nr, g);
		}
	}
	return 0;
}

static int parse_calls(struct spec *s, yyjson_val *sec, struct seccomp_set *set, struct err *err)
{
	yyjson_val *calls = NULL, *v;
	struct group *groups;
	size_t n = 0, total = 0;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, W, "syscalls", &calls, err);

	if (r <= 0)
		return r;
	groups = arena_array(&s->arena, yyjson_arr_size(calls), sizeof *groups);
	if (!groups)
		return err_set(err, ENOMEM, W);
	yyjson_arr_iter_init(calls, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		struct group *g = &groups[n++];

		if ((r = parse_group(s, v, g, err)) < 0)
			return r;
		total += yyjson_arr_size(g->names) * (g->split ? g->args_n : 1);
	}
	for (int arch = 0; arch < ARCH_COUNT; arch++) {
		set->rules[arch] = arena_array(&s->arena, set->arch[arch] ? total : 0, sizeof *set->rules[arch]);
		if (!set->rules[arch])
			return err_set(err, ENOMEM, W);
	}
	for (size_t i = 0; i < n; i++)
		if ((r = add_group(set, &groups[i], err)) < 0)
			return r;
	return 0;
}

static int compile_spec(struct spec *s, struct seccomp_program *out, struct err *err)
{
	struct seccomp_set set = { 0 };
	const char *action = "", *listener = "";
	uint64_t data = EPERM;
	int r;

	if ((r = jsonv_string(s->seccomp, W, "defaultAction", &action, err)) < 0 ||
	    (r = jsonv_uint(s->seccomp, W, "defaultErrnoRet", &data, 0xffff, err)) < 0 ||
	    (r = parse_action(action, (uint32_t)data, &set.fallback, err)) < 0 ||
	    (r = jsonv_string(s->seccomp, W, "listenerPath", &listener, err)) < 0 ||
	    (r = parse_archs(s->seccomp, &set, err)) < 0 ||
	    (r = parse_flags(s->seccomp, out, err)) < 0 ||
	    (r = parse_calls(s, s->seccomp, &set, err)) < 0)
		return r;
	if (*listener)
		return err_set(err, ENOTSUP, W ".listenerPath");
	/* a C library tries a new call and falls back on ENOSYS only */
	set.foreign = SECCOMP_RET_KILL_PROCESS;
	set.unknown = set.fallback == SECCOMP_RET_ALLOW || set.fallback == SECCOMP_RET_LOG ? set.fallback : SECCOMP_RET_ERRNO | ENOSYS;
	return seccomp_assemble(&s->arena, &set, out, err);
}

int seccomp_compile(struct spec *s, struct seccomp_program *out, struct err *err)
{
	struct seccomp_set set = { 0 };
	int r;

	memset(out, 0, sizeof *out);
	if (s->seccomp)
		return compile_spec(s, out, err);
	if (!s->seccomp_default)
		return 0;
	if ((r = seccomp_default_set(&s->arena, s->process.caps.bounding, kernel_runs_ia32(), &set, err)) < 0)
		return r;
	return seccomp_assemble(&s->arena, &set, out, err);
}

int seccomp_install(const struct seccomp_program *p, struct err *err)
{
	struct sock_fprog prog = { p->len, p->filter };

	if (!p->filter)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->flags, &prog) < 0)
		return err_set(err, errno, "install the seccomp filter");
	return 0;
}
