/* test_oci_seccomp_peer.c - our filters beside libseccomp's: random profiles go
 * through both compilers, and both programs are asked about many calls. Where
 * they may differ by design (ENOSYS for calls above all that a profile names,
 * which runc puts in front of libseccomp's program) the test does as runc does. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <seccomp.h>
#include "lib/buf.h"
#include "runtime/oci/seccomp.h"
#include "tests/unit/bpf_helper.h"

#define PROFILES 400
#define CALLS 600		/* asked of each */
#define X32_BIT 0x40000000

/* Numbers in every range of the tables, calls that i386 multiplexes, some that x86_64 lacks, one that nobody has. Not those that i386 has
 * multiplexed only (send, semop): 2.6.0 forgets to load the call's number behind them, and test_oci_seccomp.c has them. */
static const char *const NAMES[] = {
	"socket", "connect", "accept4", "sendto", "sendmsg", "recvfrom", "bind", "listen", "setsockopt", "socketpair", "shutdown",
	"recvmmsg", "semget", "msgsnd", "msgctl", "shmat", "shmctl", "socketcall", "ipc", "read", "write", "open", "close",
	"mmap", "ioctl", "clone", "fork", "execve", "kill", "personality", "ptrace", "mount", "umount2", "keyctl", "openat", "unshare",
	"prlimit64", "setns", "getrandom", "bpf", "statx", "clone3", "openat2", "faccessat2", "futex_waitv", "chown32", "stat64", "nosuchcall",
};
#define NAMES_N (sizeof NAMES / sizeof *NAMES)
#define MULTIPLEXED 17		/* the first of them, without socketcall and ipc themselves */

static const struct { const char *name; enum scmp_compare op; } OPS[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};
static const struct { const char *json; uint32_t action; bool permissive; } ACTIONS[] = {
	{ "\"SCMP_ACT_ALLOW\"", SCMP_ACT_ALLOW, true }, { "\"SCMP_ACT_ERRNO\"", SCMP_ACT_ERRNO(EPERM), false },
	{ "\"SCMP_ACT_ERRNO\",\"%s\":38", SCMP_ACT_ERRNO(ENOSYS), false }, { "\"SCMP_ACT_KILL\"", SCMP_ACT_KILL_THREAD, false },
	{ "\"SCMP_ACT_KILL_THREAD\"", SCMP_ACT_KILL_THREAD, false }, { "\"SCMP_ACT_KILL_PROCESS\"", SCMP_ACT_KILL_PROCESS, false },
	{ "\"SCMP_ACT_TRAP\"", SCMP_ACT_TRAP, false }, { "\"SCMP_ACT_TRACE\",\"%s\":7", SCMP_ACT_TRACE(7), true },
	{ "\"SCMP_ACT_LOG\"", SCMP_ACT_LOG, true }, { "\"SCMP_ACT_NOTIFY\"", SCMP_ACT_NOTIFY, false },
};
#define ACTIONS_N (sizeof ACTIONS / sizeof *ACTIONS)

static uint32_t seed;

static uint32_t roll(uint32_t below)
{
	/* xorshift32: the same profiles on every run */
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static uint64_t value(void)
{
	static const uint64_t VALUES[] = {
		0, 1, 2, 3, 5, 8, 15, 16, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x100000000), UINT64_C(0x100000001),
		UINT64_C(0x500000005), UINT64_C(0x7fffffffffffffff), UINT64_MAX,
	};

	return VALUES[roll(sizeof VALUES / sizeof *VALUES)] + (roll(4) == 0);
}

struct profile {
	struct buf json;
	scmp_filter_ctx ctx[ARCH_COUNT];	/* one each: in a filter for several, 2.6.0 goes astray at names that one of them lacks */
	unsigned fallback;
	bool arch[ARCH_COUNT];
	int act[NAMES_N];	/* the action of the calls' conditional rules, -1: none yet. Where rules with different actions overlap,
				 * which comes first is each compiler's own: the specification does not say. */
	unsigned index[NAMES_N];	/* the argument that all of a call's rules compare, for equality; 0: it has one rule, with any comparisons.
				 * libseccomp 2.6.0 merges other combinations wrongly at times: with ERRNO for "a2 < 8" and for
				 * "a2 <= 0x100000001" it lets 255 through. */
	int last[ARCH_COUNT];	/* largest number named */
};

static void put_action(struct buf *b, const char *key, const char *errno_key, unsigned i)
{
	buf_printf(b, "\"%s\":", key);
	buf_printf(b, ACTIONS[i].json[strlen(ACTIONS[i].json) - 1] == '"' ? "%s" : "", ACTIONS[i].json);
	if (ACTIONS[i].json[strlen(ACTIONS[i].json) - 1] != '"') {
		const char *cut = strstr(ACTIONS[i].json, "%s");

		buf_printf(b, "%.*s%s%s", (int)(cut - ACTIONS[i].json), ACTIONS[i].json, errno_key, cut + 2);
	}
}

static void note_name(struct profile *p, const char *name)
{
	for (int a = 0; a < ARCH_COUNT; a++) {
		int nr = seccomp_number((enum seccomp_arch)a, name);

		if (nr > p->last[a])
			p->last[a] = nr;
	}
}

static bool exists(int arch, const char *name)
{
	return seccomp_number((enum seccomp_arch)arch, name) >= 0;
}

static void add_peer_rule(struct profile *p, const char *name, uint32_t action, unsigned n, const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);

	for (int a = 0; a < ARCH_COUNT; a++) {
		int r = p->arch[a] && exists(a, name) ? seccomp_rule_add_array(p->ctx[a], action, nr, n, args) : 0;

		/* the same rule once more changes nothing */
		assert_true(r == 0 || r == -EEXIST);
	}
}

/* runc's matchCall: one rule, or one for each comparison when an argument is there twice. */
static void add_peer(struct profile *p, const char *name, unsigned action, const struct scmp_arg_cmp *args, unsigned n)
{
	unsigned seen = 0;
	bool twice = false;

	if (ACTIONS[action].action == ACTIONS[p->fallback].action)
		return;
	for (unsigned i = 0; i < n; i++) {
		twice |= seen >> args[i].arg & 1;
		seen |= 1u << args[i].arg;
	}
	if (!twice) {
		add_peer_rule(p, name, ACTIONS[action].action, n, args);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		add_peer_rule(p, name, ACTIONS[action].action, 1, &args[i]);
}

static void add_call(struct profile *p)
{
	struct scmp_arg_cmp args[4];
	unsigned which = roll(NAMES_N), n = roll(3) ? roll(4) : 0, action = roll(ACTIONS_N), one = roll(2) ? 1 + roll(2) : 0;

	if (ACTIONS[action].action == SCMP_ACT_NOTIFY && !strcmp(NAMES[which], "write"))
		action = 1;
	/* where i386 has a call twice, libseccomp 2.6.0 does not always let the rule without comparisons win */
	if (which < MULTIPLEXED + 2)
		n = which < MULTIPLEXED && which % 2 ? n + (n == 0) : 0;
	if (n) {
		if (p->act[which] < 0) {
			p->act[which] = (int)action;
			p->index[which] = one;
		} else if (!p->index[which])
			return;
		action = (unsigned)p->act[which];
		one = p->index[which];
	}
	buf_printf(&p->json, "%s{\"names\":[\"%s\"],", p->json.data[p->json.len - 1] == '[' ? "" : ",", NAMES[which]);
	put_action(&p->json, "action", "errnoRet", action);
	buf_puts(&p->json, ",\"args\":[");
	for (unsigned i = 0; i < n; i++) {
		unsigned op = one ? 3 : roll(sizeof OPS / sizeof *OPS);

		args[i] = (struct scmp_arg_cmp){ one ? one : i, OPS[op].op, value(), OPS[op].op == SCMP_CMP_MASKED_EQ ? value() : 0 };
		buf_printf(&p->json, "%s{\"index\":%u,\"op\":\"%s\",\"value\":%llu,\"valueTwo\":%llu}", i ? "," : "", args[i].arg, OPS[op].name,
			   (unsigned long long)args[i].datum_a, (unsigned long long)args[i].datum_b);
	}
	buf_puts(&p->json, "]}");
	note_name(p, NAMES[which]);
	add_peer(p, NAMES[which], action, args, n);
}

static void make_profile(struct profile *p)
{
	unsigned n = roll(40);

	memset(p, 0, sizeof *p);
	memset(p->act, 0xff, sizeof p->act);
	memset(p->last, 0xff, sizeof p->last);
	buf_init(&p->json, 1 << 20);
	do
		p->fallback = roll(ACTIONS_N);
	while (ACTIONS[p->fallback].action == SCMP_ACT_NOTIFY);
	for (int a = 0; a < ARCH_COUNT; a++) {
		p->arch[a] = a == ARCH_X86_64 || roll(2);
		p->ctx[a] = seccomp_init(ACTIONS[p->fallback].action);
		assert_non_null(p->ctx[a]);
		if (a == ARCH_X86_64)
			continue;
		assert_int_equal(seccomp_arch_add(p->ctx[a], a == ARCH_X86 ? SCMP_ARCH_X86 : SCMP_ARCH_X32), 0);
		assert_int_equal(seccomp_arch_remove(p->ctx[a], SCMP_ARCH_X86_64), 0);
	}
	buf_putc(&p->json, '{');
	put_action(&p->json, "defaultAction", "defaultErrnoRet", p->fallback);
	buf_printf(&p->json, ",\"listenerPath\":\"/x\",\"architectures\":[\"SCMP_ARCH_X86_64\"%s%s],\"syscalls\":[", p->arch[ARCH_X86] ? ",\"SCMP_ARCH_X86\"" : "",
		   p->arch[ARCH_X32] ? ",\"SCMP_ARCH_X32\"" : "");
	for (unsigned i = 0; i < n; i++)
		add_call(p);
	buf_puts(&p->json, "]}");
	assert_int_equal(buf_error(&p->json), 0);
}

static bool yes(void)
{
	return true;
}

static void compile_ours(struct profile *p, struct arena *a, struct seccomp_program *out)
{
	yyjson_doc *doc = yyjson_read(p->json.data, p->json.len, 0);
	struct seccomp_set set = { 0 };
	struct err err = ERR_INIT;

	assert_non_null(doc);
	if (seccomp_parse(a, yyjson_doc_get_root(doc), yes, &set, &err) < 0 || seccomp_assemble(a, &set, out, &err) < 0)
		fail_msg("%s\n%s", err.text, p->json.data);
	yyjson_doc_free(doc);
}

static unsigned compile_peer(scmp_filter_ctx ctx, struct sock_filter *out, size_t size)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	n = pread(fd, out, size, 0);
	assert_true(n > 0 && (size_t)n < size);
	close(fd);
	return (unsigned)((size_t)n / sizeof *out);
}

/* A call of the profile, or any; arguments near the values that are compared. */
static struct seccomp_data question(int *arch)
{
	static const uint32_t AUDIT[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };
	struct seccomp_data d = { 0 };

	*arch = (int)roll(4);
	d.arch = AUDIT[*arch];
	d.nr = *arch < 3 ? seccomp_number((enum seccomp_arch)*arch, NAMES[roll(NAMES_N)]) : -1;
	if (d.nr < 0)
		d.nr = (int)roll(600);
	if (*arch == ARCH_X32)
		d.nr |= X32_BIT;
	for (int i = 0; i < 6; i++)
		d.args[i] = value() - (roll(4) == 0);
	/* the kernel zero-extends what a 32-bit program passes; the number of a multiplexed call is small */
	if (d.arch == AUDIT_ARCH_I386) {
		for (int i = 0; i < 6; i++)
			d.args[i] &= UINT32_MAX;
		if (d.nr == seccomp_number(ARCH_X86, "ipc") || d.nr == seccomp_number(ARCH_X86, "socketcall"))
			d.args[0] = roll(26);
	}
	return d;
}

/* libseccomp's verdict, below runc's rule for calls above all that the profile names. */
static uint32_t expected(const struct profile *p, int arch, const struct seccomp_data *d, const struct sock_filter *filter, unsigned n)
{
	const char *wrong;
	long r;

	if (arch == ARCH_COUNT || !p->arch[arch])
		return SECCOMP_RET_KILL_THREAD;
	if (!ACTIONS[p->fallback].permissive && p->last[arch] >= 0 && (d->nr & ~X32_BIT) > p->last[arch])
		return SECCOMP_RET_ERRNO | ENOSYS;
	r = bpf_run(filter, n, d, &wrong);
	assert_null(wrong);
	return (uint32_t)r;
}

static void compare(struct profile *p)
{
	static struct sock_filter filter[ARCH_COUNT + 1][16384];
	struct seccomp_program program = { 0 };
	struct arena arena = { 0 };
	unsigned n[ARCH_COUNT + 1] = { 0 };

	for (int a = 0; a < ARCH_COUNT; a++)
		n[a] = compile_peer(p->ctx[a], filter[a], sizeof filter[a]);
	compile_ours(p, &arena, &program);
	assert_null(bpf_check(program.filter, program.len));
	for (int i = 0; i < CALLS; i++) {
		int arch;
		struct seccomp_data d = question(&arch);
		const char *wrong;
		uint32_t peer = expected(p, arch, &d, filter[arch], n[arch]);
		long mine = bpf_run(program.filter, program.len, &d, &wrong);

		assert_null(wrong);
		if ((uint32_t)mine != peer)
			fail_msg("arch %#x nr %d args %#llx %#llx %#llx: ours %#lx, libseccomp %#x\n%s", d.arch, d.nr, (unsigned long long)d.args[0],
				 (unsigned long long)d.args[1], (unsigned long long)d.args[2], (unsigned long)mine, peer, p->json.data);
	}
	arena_free(&arena);
}

static void linux_seccomp_verdicts_are_libseccomps(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= PROFILES; i++) {
		struct profile p;

		seed = i * 2654435761u;
		make_profile(&p);
		compare(&p);
		for (int a = 0; a < ARCH_COUNT; a++)
			seccomp_release(p.ctx[a]);
		buf_free(&p.json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(linux_seccomp_verdicts_are_libseccomps) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
