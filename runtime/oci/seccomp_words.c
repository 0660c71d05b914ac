/* seccomp_words.c - the words of linux.seccomp: actions, flags, architectures.
 * Runs in coracle-runtime before the container's process exists; only parses. */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/seccomp.h"

int seccomp_parse_action(const char *where, const char *name, bool has_data, uint64_t data, uint32_t *out, struct err *err)
{
	static const struct { const char *name; uint32_t ret; bool data; } ACTIONS[] = {
		{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false }, { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
		{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false }, { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
		{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false }, { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
		{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true }, { "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
		{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ACTIONS); i++) {
		if (strcmp(ACTIONS[i].name, name))
			continue;
		/* config-linux.md: "When the action doesn't support an errno, the runtime MUST print and error and fail" */
		if (has_data && !ACTIONS[i].data)
			return err_set(err, 0, "%s: %s takes no errno (only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do)", where, name);
		*out = ACTIONS[i].ret;
		if (ACTIONS[i].data)
			*out |= (uint32_t)(has_data ? data : EPERM) & SECCOMP_RET_DATA;
		return 0;
	}
	return err_set(err, 0, "%s: unknown action \"%s\"", where, name);
}

int seccomp_parse_flags(yyjson_val *sec, unsigned *flags, struct err *err)
{
	static const struct { const char *name; unsigned flag; } FLAGS[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },	/* there is one thread */
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	};
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, "linux.seccomp", "flags", &arr, err);

	if (r < 0)
		return r;
	if (!r) {
		/* as runc: without the property the speculation mitigations, which slow programs down, stay off */
		*flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		return 0;
	}
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		size_t i = 0;

		while (i < ARRAY_SIZE(FLAGS) && !yyjson_equals_str(v, FLAGS[i].name))
			i++;
		if (i == ARRAY_SIZE(FLAGS))
			return err_set(err, 0, "linux.seccomp.flags: unknown value \"%s\"", yyjson_is_str(v) ? yyjson_get_str(v) : jsonv_type(v));
		*flags |= FLAGS[i].flag;
	}
	return 0;
}

int seccomp_parse_archs(yyjson_val *sec, bool (*ia32)(void), struct seccomp_set *set, struct err *err)
{
	/* the specification's; those that this machine cannot run need no rules */
	static const char *const ARCHS[] = {
		"X86", "X86_64", "X32", "ARM", "AARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC", "PPC64",
		"PPC64LE", "S390", "S390X", "PARISC", "PARISC64", "RISCV64", "LOONGARCH64", "M68K", "SH", "SHEB",
	};
	yyjson_val *arr = NULL, *v;
	yyjson_arr_iter it;
	int r = jsonv_array(sec, "linux.seccomp", "architectures", &arr, err);

	set->arch[ARCH_X86_64] = true;
	if (r <= 0)
		return r;
	yyjson_arr_iter_init(arr, &it);
	while ((v = yyjson_arr_iter_next(&it))) {
		const char *name = yyjson_is_str(v) ? yyjson_get_str(v) : "";
		size_t i = 0;

		if (!strncmp(name, "SCMP_ARCH_", 10))
			while (i < ARRAY_SIZE(ARCHS) && strcmp(name + 10, ARCHS[i]))
				i++;
		else
			i = ARRAY_SIZE(ARCHS);
		if (i == ARRAY_SIZE(ARCHS))
			return err_set(err, 0, "linux.seccomp.architectures: unknown value \"%s\"", yyjson_is_str(v) ? name : jsonv_type(v));
		if (i == 0)
			set->arch[ARCH_X86] = ia32();
		if (i == 2)
			set->arch[ARCH_X32] = true;
	}
	return 0;
}
