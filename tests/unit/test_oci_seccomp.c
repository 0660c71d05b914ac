/* test_oci_seccomp.c - seccomp programs are run by an interpreter of classic
 * BPF (bpf_helper.h), over every call number, and compared with the rules they come from. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "runtime/oci/seccomp.h"
#include "tests/unit/bpf_helper.h"

#define EPERM_RET (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_RET (SECCOMP_RET_ERRNO | ENOSYS)

static int steps;

static uint32_t interpret(const struct seccomp_program *p, const struct seccomp_data *d)
{
	const char *wrong;
	long r = bpf_run(p->filter, p->len, d, &wrong);

	steps = bpf_steps;
	if (wrong)
		fail_msg("%s", wrong);
	return (uint32_t)r;
}

static uint32_t call(const struct seccomp_program *p, uint32_t arch, int nr, uint64_t a0, uint64_t a1)
{
	struct seccomp_data d = { .nr = nr, .arch = arch, .args = { a0, a1 } };

	return interpret(p, &d);
}

static void compile(struct spec *s, const char *json, struct seccomp_program *out)
{
	struct err err = ERR_INIT;
	size_t n = strlen(json);

	memset(s, 0, sizeof *s);
	s->doc = yyjson_read(json, n, 0);
	assert_non_null(s->doc);
	s->seccomp = yyjson_doc_get_root(s->doc);
	if (seccomp_compile(s, out, &err) < 0)
		fail_msg("%s", err.text);
}

static void default_profile_agrees_with_its_rules(void **state)
{
	static const uint64_t CAPS[] = { 0, UINT64_C(0xa80425fb), UINT64_MAX };
	static const uint32_t ARCH[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 };

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		struct arena a = { 0 };
		struct seccomp_set set = { 0 };
		struct seccomp_program p = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(seccomp_default_set(&a, CAPS[c], true, &set, &err), 0);
		assert_int_equal(seccomp_assemble(&a, &set, &p, &err), 0);
		for (int arch = 0; arch < ARCH_COUNT; arch++)
			for (int nr = 0; nr < 1000; nr++) {
				uint32_t want = set.fallback, got;
				int end = 0, conditional = 0;

				for (size_t i = 0; i < set.n[arch]; i++) {
					if (set.rules[arch][i].nr >= end)
						end = set.rules[arch][i].nr + 1;
					if (set.rules[arch][i].nr != nr)
						continue;
					if (set.rules[arch][i].args_n)
						conditional = 1;
					else
						want = set.rules[arch][i].action;
				}
				if (nr >= end)
					want = set.unknown;
				if (arch == ARCH_X32)
					want = ENOSYS_RET;
				got = call(&p, ARCH[arch], arch == ARCH_X32 ? nr | 0x40000000 : nr, 0, 0);
				assert_true(steps < 40);
				if (!conditional)
					assert_int_equal(got, want);
			}
		arena_free(&a);
	}
}

static void default_profile_by_name(void **state)
{
	struct arena a = { 0 };
	struct seccomp_set set = { 0 };
	struct seccomp_program p = { 0 };
	struct err err = ERR_INIT;
	uint32_t x64 = AUDIT_ARCH_X86_64;

	(void)state;
	assert_int_equal(seccomp_default_set(&a, 0, true, &set, &err), 0);
	assert_int_equal(seccomp_assemble(&a, &set, &p, &err), 0);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "read"), 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "mount"), 0, 0), EPERM_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "keyctl"), 0, 0), EPERM_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "io_uring_setup"), 0, 0), EPERM_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "clone3"), 0, 0), ENOSYS_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "clone"), 17, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "clone"), 0x10000000 | 17, 0), EPERM_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "personality"), 0x20008, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "personality"), 0x0400000, 0), EPERM_RET);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "socket"), 2, 1), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, x64, seccomp_number(ARCH_X86_64, "socket"), 40, 1), EPERM_RET);
	assert_int_equal(call(&p, x64, 900, 0, 0), ENOSYS_RET);
	assert_int_equal(call(&p, AUDIT_ARCH_AARCH64, 0, 0, 0), ENOSYS_RET);
	assert_int_equal(call(&p, x64, -1, 0, 0), EPERM_RET);
	/* 11 is execve on i386 and munmap on x86_64: each by its own table */
	assert_int_equal(call(&p, AUDIT_ARCH_I386, seccomp_number(ARCH_X86, "umount2"), 0, 0), EPERM_RET);
	arena_free(&a);
}

static void operators(void **state)
{
	static const struct { const char *op; uint64_t value, two, arg; int match; } CASES[] = {
		{ "EQ", 5, 0, 5, 1 }, { "EQ", 5, 0, UINT64_C(0x100000005), 0 }, { "NE", 5, 0, 5, 0 }, { "NE", 5, 0, UINT64_C(0x100000005), 1 },
		{ "GT", UINT64_C(0x100000000), 0, UINT64_C(0x100000000), 0 }, { "GT", UINT64_C(0x100000000), 0, UINT64_C(0x100000001), 1 },
		{ "GT", 7, 0, UINT64_C(0x200000000), 1 }, { "GE", 7, 0, 7, 1 }, { "GE", 7, 0, 6, 0 }, { "LT", 7, 0, 6, 1 }, { "LT", 7, 0, 7, 0 },
		{ "LT", UINT64_C(0x100000000), 0, 9, 1 }, { "LT", 9, 0, UINT64_C(0x100000000), 0 }, { "LE", 7, 0, 7, 1 }, { "LE", 7, 0, 8, 0 },
		{ "MASKED_EQ", UINT64_C(0xf0000000f), 3, UINT64_C(0xf3), 1 }, { "MASKED_EQ", UINT64_C(0xf0000000f), 3, UINT64_C(0x1000000f3), 0 },
		{ "MASKED_EQ", UINT64_C(0xf0000000f), 3, UINT64_C(0x10000000f3), 1 }, { "MASKED_EQ", 15, 3, 4, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct seccomp_program p;
		struct spec s;
		char json[512];

		snprintf(json, sizeof json, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\","
			 "\"errnoRet\":9,\"args\":[{\"index\":1,\"op\":\"SCMP_CMP_%s\",\"value\":%llu,\"valueTwo\":%llu}]}]}", CASES[i].op,
			 (unsigned long long)CASES[i].value, (unsigned long long)CASES[i].two);
		compile(&s, json, &p);
		assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 77, CASES[i].arg), CASES[i].match ? (SECCOMP_RET_ERRNO | 9) : SECCOMP_RET_ALLOW);
		spec_free(&s);
	}
}

static void all_arguments_must_hold_but_repeated_ones_are_alternatives(void **state)
{
	struct seccomp_program p;
	struct spec s;

	(void)state;
	compile(&s, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":1},{\"index\":1,\"op\":\"SCMP_CMP_EQ\",\"value\":2}]}]}", &p);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 1, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 1, 3), EPERM_RET);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 3, 2), EPERM_RET);
	spec_free(&s);
	compile(&s, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		"{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":1},{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":2}]}]}", &p);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 1, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 2, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 3, 0), EPERM_RET);
	/* only what was asked for: other architectures are not this filter's */
	assert_int_equal(call(&p, AUDIT_ARCH_I386, 3, 1, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0x40000000, 1, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, -1, 1, 0), EPERM_RET);
	spec_free(&s);
}

/* Many conditional rules make blocks longer than a conditional jump reaches. */
static void long_programs_jump_right(void **state)
{
	static char json[65536];
	struct seccomp_program p;
	struct spec s;
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(json, sizeof json, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[");
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(json + n, sizeof json - n, "%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_EQ\",\"value\":%d}]}",
				      i ? "," : "", i % 4 == 0 ? "read" : i % 4 == 1 ? "fork" : i % 4 == 2 ? "exit" : "statx", i);
	snprintf(json + n, sizeof json - n, "]}");
	compile(&s, json, &p);
	assert_true(p.len > 600);
	for (int i = 0; i < 210; i++) {
		static const char *const NAMES[] = { "read", "fork", "exit", "statx" };

		for (int k = 0; k < 4; k++)
			assert_int_equal(call(&p, AUDIT_ARCH_X86_64, seccomp_number(ARCH_X86_64, NAMES[k]), (uint64_t)i, 0),
					 i < 200 && i % 4 == k ? SECCOMP_RET_ALLOW : EPERM_RET);
		assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 1, (uint64_t)i, 0), EPERM_RET);
	}
	spec_free(&s);
}

/* Nine actions; errnoRet for the two that take one. */
static void every_action_and_its_errno(void **state)
{
	static const struct { const char *rule; uint32_t ret; } CASES[] = {
		{ "\"SCMP_ACT_ALLOW\"", SECCOMP_RET_ALLOW }, { "\"SCMP_ACT_ERRNO\"", EPERM_RET }, { "\"SCMP_ACT_ERRNO\",\"errnoRet\":0", SECCOMP_RET_ERRNO },
		{ "\"SCMP_ACT_ERRNO\",\"errnoRet\":28", SECCOMP_RET_ERRNO | 28 }, { "\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD },
		{ "\"SCMP_ACT_KILL_THREAD\"", SECCOMP_RET_KILL_THREAD }, { "\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS },
		{ "\"SCMP_ACT_TRAP\"", SECCOMP_RET_TRAP }, { "\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM },
		{ "\"SCMP_ACT_TRACE\",\"errnoRet\":77", SECCOMP_RET_TRACE | 77 }, { "\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
		{ "\"SCMP_ACT_NOTIFY\",\"errnoRet\":null", SECCOMP_RET_USER_NOTIF },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct seccomp_program p;
		struct spec s;
		char json[512];

		snprintf(json, sizeof json, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5,\"listenerPath\":\"/x\",\"syscalls\":["
			 "{\"names\":[\"read\"],\"action\":%s}]}", CASES[i].rule);
		compile(&s, json, &p);
		assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 0, 0), CASES[i].ret);
		assert_int_equal(p.notify, CASES[i].ret == SECCOMP_RET_USER_NOTIF);
		spec_free(&s);
	}
}

static void flags(void **state)
{
	static const struct { const char *flags; unsigned want; } CASES[] = {
		{ "", SECCOMP_FILTER_FLAG_SPEC_ALLOW }, { ",\"flags\":[]", 0 }, { ",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]", 0 },
		{ ",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]", SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ ",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]", 0 },
		{ ",\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"listenerPath\":\"/x\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]",
		  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct seccomp_program p;
		struct spec s;
		char json[512];

		snprintf(json, sizeof json, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"%s}", CASES[i].flags);
		compile(&s, json, &p);
		assert_int_equal(p.flags, CASES[i].want);
		spec_free(&s);
	}
}

static void the_specifications_architectures_are_accepted(void **state)
{
	struct seccomp_program p;
	struct spec s;

	(void)state;
	compile(&s, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_ARM\","
		"\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_MIPS\",\"SCMP_ARCH_MIPS64\",\"SCMP_ARCH_MIPS64N32\",\"SCMP_ARCH_MIPSEL\",\"SCMP_ARCH_MIPSEL64\","
		"\"SCMP_ARCH_MIPSEL64N32\",\"SCMP_ARCH_PPC\",\"SCMP_ARCH_PPC64\",\"SCMP_ARCH_PPC64LE\",\"SCMP_ARCH_S390\",\"SCMP_ARCH_S390X\","
		"\"SCMP_ARCH_PARISC\",\"SCMP_ARCH_PARISC64\",\"SCMP_ARCH_RISCV64\",\"SCMP_ARCH_LOONGARCH64\",\"SCMP_ARCH_M68K\",\"SCMP_ARCH_SH\","
		"\"SCMP_ARCH_SHEB\"],\"syscalls\":[{\"names\":[\"read\",\"futex_waitv\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", &p);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0x40000000, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&p, AUDIT_ARCH_AARCH64, 63, 0, 0), SECCOMP_RET_KILL_THREAD);
	spec_free(&s);
}

/* runc's rule: numbers above all that the profile names give ENOSYS, also those of rules that say the default. */
static void calls_newer_than_the_profile(void **state)
{
	static const struct { const char *json; int nr; uint32_t want; } CASES[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"statx\",\"fromthefuture\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", 333, ENOSYS_RET },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"statx\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", 331, EPERM_RET },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":[\"statx\"],\"action\":\"SCMP_ACT_ERRNO\"}]}", 332, EPERM_RET },
		{ "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", 1, ENOSYS_RET },
		{ "{\"defaultAction\":\"SCMP_ACT_TRACE\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", 1, SECCOMP_RET_TRACE | EPERM },
		{ "{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}", 900, SECCOMP_RET_LOG },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\"}]}", 900, SECCOMP_RET_ALLOW },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", 900, EPERM_RET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct seccomp_program p;
		struct spec s;

		compile(&s, CASES[i].json, &p);
		assert_int_equal(call(&p, AUDIT_ARCH_X86_64, CASES[i].nr, 0, 0), CASES[i].want);
		spec_free(&s);
	}
}

static bool runs_ia32(void)
{
	return true;
}

/* i386 reaches send, accept and semop through socketcall and ipc alone: a rule for their names holds there. */
static void names_that_i386_multiplexes(void **state)
{
	static const char JSON[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":["
		"{\"names\":[\"send\",\"connect\",\"semop\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
	yyjson_doc *doc = yyjson_read(JSON, sizeof JSON - 1, 0);
	struct seccomp_set set = { 0 };
	struct seccomp_program p = { 0 };
	struct arena a = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(seccomp_parse(&a, yyjson_doc_get_root(doc), runs_ia32, &set, &err), 0);
	assert_int_equal(seccomp_assemble(&a, &set, &p, &err), 0);
	for (uint64_t sub = 0; sub < 30; sub++) {
		assert_int_equal(call(&p, AUDIT_ARCH_I386, seccomp_number(ARCH_X86, "socketcall"), sub, 0), sub == 3 || sub == 9 ? EPERM_RET : SECCOMP_RET_ALLOW);
		assert_int_equal(call(&p, AUDIT_ARCH_I386, seccomp_number(ARCH_X86, "ipc"), sub, 0), sub == 1 ? EPERM_RET : SECCOMP_RET_ALLOW);
	}
	assert_int_equal(call(&p, AUDIT_ARCH_I386, seccomp_number(ARCH_X86, "connect"), 0, 0), EPERM_RET);
	arena_free(&a);
	yyjson_doc_free(doc);
}

static void bad_values_are_named(void **state)
{
	static const struct { const char *json, *text; } CASES[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_NOPE\"}", "unknown action \"SCMP_ACT_NOPE\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"F\"]}", "linux.seccomp.flags: unknown value \"F\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"PDP11\"]}", "unknown value \"PDP11\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_PDP11\"]}", "linux.seccomp.architectures: unknown value \"SCMP_ARCH_PDP11\"" },
		{ "{}", "linux.seccomp.defaultAction: missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes no errno" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "SCMP_ACT_NOTIFY cannot be used as default action" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"}", "linux.seccomp.listenerMetadata: must not be set without listenerPath" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}", "SCMP_ACT_NOTIFY cannot be used for the write syscall" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}", "linux.seccomp.listenerPath: missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1}]}", "linux.seccomp.syscalls[].errnoRet: SCMP_ACT_KILL takes no errno" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"]}]}", "linux.seccomp.syscalls[].action: missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"\"],\"action\":\"SCMP_ACT_KILL\"}]}", "found an empty string" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[7]}", "linux.seccomp.syscalls[]: expected an object, found a number" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}", "index" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"op\":\"EQ\"}]}]}", "op: unknown value \"EQ\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct spec s = { 0 };
		struct seccomp_program p;
		struct err err = ERR_INIT;

		s.doc = yyjson_read(CASES[i].json, strlen(CASES[i].json), 0);
		s.seccomp = yyjson_doc_get_root(s.doc);
		assert_true(seccomp_compile(&s, &p, &err) < 0);
		assert_non_null(strstr(err.text, CASES[i].text));
		spec_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_profile_agrees_with_its_rules),
		cmocka_unit_test(default_profile_by_name),
		cmocka_unit_test(operators),
		cmocka_unit_test(all_arguments_must_hold_but_repeated_ones_are_alternatives),
		cmocka_unit_test(long_programs_jump_right),
		cmocka_unit_test(every_action_and_its_errno),
		cmocka_unit_test(flags),
		cmocka_unit_test(the_specifications_architectures_are_accepted),
		cmocka_unit_test(calls_newer_than_the_profile),
		cmocka_unit_test(names_that_i386_multiplexes),
		cmocka_unit_test(bad_values_are_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
