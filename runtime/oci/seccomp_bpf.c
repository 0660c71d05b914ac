/* seccomp_bpf.c - seccomp rules to a classic BPF program. Pure: no system calls.
 *
 * Layout: architecture, then per architecture a binary search over runs of
 * calls that are treated alike, each leaf a return or a list of argument tests.
 * Only instructions that the kernel's constant evaluation understands are used
 * before the leaves (seccomp_is_const_allow), so allowed calls skip the filter. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include "runtime/oci/seccomp.h"

#define NR_MAX 1024
#define X32_BIT 0x40000000u
#define OFF_NR ((uint32_t)offsetof(struct seccomp_data, nr))
#define OFF_ARCH ((uint32_t)offsetof(struct seccomp_data, arch))

struct run {
	int start;		/* first call number */
	int head;		/* first rule of the call, -1: none */
	uint32_t action;	/* where no rule looks at arguments */
};

struct builder {
	struct sock_filter *f;
	int n;
	bool full;
	const struct seccomp_rule *rules;
	const short *next;	/* rules of the same call, in order */
	uint32_t fallback;
	bool narrow;		/* arguments have 32 bits */
	const struct run *runs;
};

static int emit(struct builder *b, unsigned code, uint32_t k, unsigned jt, unsigned jf)
{
	if (b->n == SECCOMP_PROGRAM_MAX) {
		b->full = true;
		return 0;
	}
	b->f[b->n] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
	return b->n++;
}

static void load(struct builder *b, uint32_t offset)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

#define PASS 254	/* placeholders patched by end_argument and end_rule */
#define FAIL 255

static void argument32(struct builder *b, const struct seccomp_arg *a)
{
	uint32_t k = (uint32_t)a->value;

	load(b, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * a->index));
	switch (a->op) {
	case OP_MASKED_EQ:
		emit(b, BPF_ALU | BPF_AND | BPF_K, k, 0, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)a->value_two & k, 0, FAIL);
		break;
	case OP_EQ: emit(b, BPF_JMP | BPF_JEQ | BPF_K, k, 0, FAIL); break;
	case OP_NE: emit(b, BPF_JMP | BPF_JEQ | BPF_K, k, FAIL, 0); break;
	case OP_GT: emit(b, BPF_JMP | BPF_JGT | BPF_K, k, 0, FAIL); break;
	case OP_GE: emit(b, BPF_JMP | BPF_JGE | BPF_K, k, 0, FAIL); break;
	case OP_LT: emit(b, BPF_JMP | BPF_JGE | BPF_K, k, FAIL, 0); break;
	case OP_LE: emit(b, BPF_JMP | BPF_JGT | BPF_K, k, FAIL, 0); break;
	}
}

/* One 64-bit comparison as tests of the high, then the low word. */
static void argument64(struct builder *b, const struct seccomp_arg *a)
{
	uint32_t at = (uint32_t)(offsetof(struct seccomp_data, args) + 8 * a->index);
	uint32_t hi = (uint32_t)(a->value >> 32), lo = (uint32_t)a->value;
	int from = b->n;

	load(b, at + 4);
	switch (a->op) {
	case OP_MASKED_EQ:
		emit(b, BPF_ALU | BPF_AND | BPF_K, hi, 0, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(a->value_two >> 32) & hi, 0, FAIL);
		load(b, at);
		emit(b, BPF_ALU | BPF_AND | BPF_K, lo, 0, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)a->value_two & lo, 0, FAIL);
		break;
	case OP_EQ:
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, hi, 0, FAIL);
		load(b, at);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, lo, 0, FAIL);
		break;
	case OP_NE:
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, hi, 0, PASS);
		load(b, at);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, lo, FAIL, 0);
		break;
	case OP_GT:
	case OP_GE:
		emit(b, BPF_JMP | BPF_JGT | BPF_K, hi, PASS, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, hi, 0, FAIL);
		load(b, at);
		emit(b, BPF_JMP | (a->op == OP_GT ? BPF_JGT : BPF_JGE) | BPF_K, lo, 0, FAIL);
		break;
	case OP_LT:
	case OP_LE:
		emit(b, BPF_JMP | BPF_JGT | BPF_K, hi, FAIL, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, hi, 0, PASS);
		load(b, at);
		emit(b, BPF_JMP | (a->op == OP_LT ? BPF_JGE : BPF_JGT) | BPF_K, lo, FAIL, 0);
		break;
	}
	for (int i = from; i < b->n; i++) {
		if (BPF_CLASS(b->f[i].code) != BPF_JMP)
			continue;
		if (b->f[i].jt == PASS)
			b->f[i].jt = (uint8_t)(b->n - i - 1);
		if (b->f[i].jf == PASS)
			b->f[i].jf = (uint8_t)(b->n - i - 1);
	}
}

static void rule(struct builder *b, const struct seccomp_rule *r)
{
	int from = b->n;

	for (unsigned i = 0; i < r->args_n; i++)
		if (b->narrow)
			argument32(b, &r->args[i]);
		else
			argument64(b, &r->args[i]);
	emit(b, BPF_RET | BPF_K, r->action, 0, 0);
	for (int i = from; i < b->n; i++) {
		if (BPF_CLASS(b->f[i].code) != BPF_JMP)
			continue;
		if (b->f[i].jt == FAIL)
			b->f[i].jt = (uint8_t)(b->n - i - 1);
		if (b->f[i].jf == FAIL)
			b->f[i].jf = (uint8_t)(b->n - i - 1);
	}
}

static void leaf(struct builder *b, const struct run *run)
{
	uint32_t last = run->action;

	if (run->head >= 0) {
		for (int i = run->head; i >= 0; i = b->next[i])
			rule(b, &b->rules[i]);
		last = b->fallback;
	}
	emit(b, BPF_RET | BPF_K, last, 0, 0);
}

/* Runs low..high; the accumulator holds the call number. */
static void search(struct builder *b, int low, int high)
{
	int mid = low + (high - low + 1) / 2, at, size;

	if (low == high) {
		leaf(b, &b->runs[low]);
		return;
	}
	at = emit(b, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)b->runs[mid].start, 0, 0);
	search(b, low, mid - 1);
	if (b->full)
		return;
	size = b->n - at - 1;
	if (size <= 255) {
		b->f[at].jt = (uint8_t)size;
	} else {
		/* too far for eight bits: an unconditional jump goes between; what moves is relative in itself */
		emit(b, 0, 0, 0, 0);
		if (b->full)
			return;
		memmove(&b->f[at + 2], &b->f[at + 1], (size_t)size * sizeof b->f[0]);
		b->f[at].jf = 1;
		b->f[at + 1] = (struct sock_filter){ BPF_JMP | BPF_JA, 0, 0, (uint32_t)size };
	}
	search(b, mid, high);
}

/* Puts the rules of each call in a list; a rule without arguments ends it: it is the general one. */
static int chain(const struct seccomp_set *set, enum seccomp_arch arch, short *head, short *next, struct err *err)
{
	const struct seccomp_rule *rules = set->rules[arch];
	short tail[NR_MAX];
	int end = 0;

	memset(head, 0xff, NR_MAX * sizeof *head);
	if (set->n[arch] > 32000)
		return err_set(err, 0, "linux.seccomp: too many rules");
	for (size_t i = 0; i < set->n[arch]; i++) {
		int nr = rules[i].nr;

		if (nr < 0 || nr >= NR_MAX)
			return err_set(err, 0, "linux.seccomp: call number %d", nr);
		next[i] = -1;
		if (nr >= end)
			end = nr + 1;
		if (!rules[i].args_n) {
			if (head[nr] < 0 || rules[head[nr]].args_n)
				head[nr] = (short)i;
		} else if (head[nr] < 0) {
			head[nr] = (short)i;
		} else if (rules[head[nr]].args_n) {
			next[tail[nr]] = (short)i;
		} else
			continue;
		tail[nr] = (short)i;
	}
	return end;
}

static int find_runs(const struct seccomp_set *set, enum seccomp_arch arch, const short *head, int end, struct run *runs)
{
	const struct seccomp_rule *rules = set->rules[arch];
	int n = 0;

	for (int nr = 0; nr <= end; nr++) {
		bool above = set->end[arch] && nr >= set->end[arch];
		struct run r = { nr, -1, above ? set->unknown : set->fallback };

		if (nr < end && head[nr] >= 0 && !above) {
			if (rules[head[nr]].args_n)
				r.head = head[nr];
			else
				r.action = rules[head[nr]].action;
		}
		if (n && runs[n - 1].head < 0 && r.head < 0 && runs[n - 1].action == r.action)
			continue;
		runs[n++] = r;
	}
	return n;
}

static int arch_block(struct builder *b, struct arena *a, const struct seccomp_set *set, enum seccomp_arch arch, struct err *err)
{
	short head[NR_MAX];
	short *next = arena_array(a, set->n[arch] + 1, sizeof *next);
	struct run *runs = arena_array(a, NR_MAX + 1, sizeof *runs);
	int end;

	if (!next || !runs)
		return err_set(err, ENOMEM, "linux.seccomp");
	end = chain(set, arch, head, next, err);
	if (end < 0)
		return end;
	b->narrow = arch != ARCH_X86_64;
	b->rules = set->rules[arch];
	b->next = next;
	b->runs = runs;
	if (arch == ARCH_X32)
		emit(b, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
	if (end < set->end[arch])
		end = set->end[arch];
	search(b, 0, find_runs(set, arch, head, end, runs) - 1);
	return 0;
}

/* Emits "if (A test k) goto TARGET" with the target's distance to be filled in
 * by land(): always through a JA, as the blocks are larger than 255. */
static int branch(struct builder *b, unsigned test, uint32_t k)
{
	emit(b, BPF_JMP | test | BPF_K, k, 0, 1);
	return emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void land(struct builder *b, int at)
{
	b->f[at].k = (uint32_t)(b->n - at - 1);
}

int seccomp_assemble(struct arena *a, const struct seccomp_set *set, struct seccomp_program *out, struct err *err)
{
	struct builder b = { .fallback = set->fallback };
	int x86, native, x32, r;

	b.f = arena_array(a, SECCOMP_PROGRAM_MAX, sizeof *b.f);
	if (!b.f)
		return err_set(err, ENOMEM, "linux.seccomp");
	load(&b, OFF_ARCH);
	native = branch(&b, BPF_JEQ, AUDIT_ARCH_X86_64);
	x86 = set->arch[ARCH_X86] ? branch(&b, BPF_JEQ, AUDIT_ARCH_I386) : -1;
	emit(&b, BPF_RET | BPF_K, set->foreign, 0, 0);
	land(&b, native);
	load(&b, OFF_NR);
	x32 = branch(&b, BPF_JGE, X32_BIT);
	if ((r = arch_block(&b, a, set, ARCH_X86_64, err)) < 0)
		return r;
	land(&b, x32);
	/* -1 is a call that a tracer has cancelled */
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 0, 1);
	emit(&b, BPF_RET | BPF_K, set->fallback, 0, 0);
	if (!set->arch[ARCH_X32])
		emit(&b, BPF_RET | BPF_K, set->foreign, 0, 0);
	else if ((r = arch_block(&b, a, set, ARCH_X32, err)) < 0)
		return r;
	if (x86 >= 0) {
		land(&b, x86);
		load(&b, OFF_NR);
		if ((r = arch_block(&b, a, set, ARCH_X86, err)) < 0)
			return r;
	}
	if (b.full)
		return err_set(err, 0, "linux.seccomp: needs more than %d BPF instructions", SECCOMP_PROGRAM_MAX);
	out->filter = b.f;
	out->len = (unsigned short)b.n;
	return 0;
}
