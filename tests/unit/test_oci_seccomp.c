/* test_oci_seccomp.c - seccomp programs are run by an interpreter of classic
 * BPF written from its documentation, over every call number, and compared
 * with the rules they come from. */
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

#define EPERM_RET (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_RET (SECCOMP_RET_ERRNO | ENOSYS)

static uint32_t word(const struct seccomp_data *d, uint32_t k)
{
	uint32_t v;

	assert_true(k % 4 == 0 && k + 4 <= sizeof *d);
	memcpy(&v, (const char *)d + k, 4);
	return v;
}

static int steps;

static uint32_t interpret(const struct seccomp_program *p, const struct seccomp_data *d)
{
	uint32_t a = 0;

	steps = 0;
	for (unsigned pc = 0; pc < p->len; pc++) {
		const struct sock_filter *f = &p->filter[pc];
		int yes;

		steps++;
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS: a = word(d, f->k); continue;
		case BPF_ALU | BPF_AND | BPF_K: a &= f->k; continue;
		case BPF_RET | BPF_K: return f->k;
		case BPF_JMP | BPF_JA: pc += f->k; continue;
		case BPF_JMP | BPF_JEQ | BPF_K: yes = a == f->k; break;
		case BPF_JMP | BPF_JGT | BPF_K: yes = a > f->k; break;
		case BPF_JMP | BPF_JGE | BPF_K: yes = a >= f->k; break;
		default: fail_msg("unexpected instruction %#x at %u", f->code, pc); return 0;
		}
		pc += yes ? f->jt : f->jf;
	}
	fail_msg("the program runs off its end");
	return 0;
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
	assert_int_equal(call(&p, AUDIT_ARCH_I386, 3, 1, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(call(&p, AUDIT_ARCH_X86_64, 0x40000000, 1, 0), SECCOMP_RET_KILL_PROCESS);
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

static void bad_values_are_named(void **state)
{
	static const struct { const char *json, *text; } CASES[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_NOPE\"}", "unknown action \"SCMP_ACT_NOPE\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"F\"]}", "linux.seccomp.flags: unknown value \"F\"" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"PDP11\"]}", "unknown value \"PDP11\"" },
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
		cmocka_unit_test(bad_values_are_named),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
