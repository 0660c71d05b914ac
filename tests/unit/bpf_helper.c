/* bpf_helper.c - see bpf_helper.h. */
#include "tests/unit/bpf_helper.h"

#include <stdint.h>
#include <string.h>

int bpf_steps;

static const char *step(const struct sock_filter *f, const struct seccomp_data *d, uint32_t *a, unsigned *pc)
{
	int yes;

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (f->k % 4 || f->k + 4 > sizeof *d)
			return "a load outside of seccomp_data";
		memcpy(a, (const char *)d + f->k, 4);
		return NULL;
	case BPF_ALU | BPF_AND | BPF_K: *a &= f->k; return NULL;
	case BPF_JMP | BPF_JA: *pc += f->k; return NULL;
	case BPF_JMP | BPF_JEQ | BPF_K: yes = *a == f->k; break;
	case BPF_JMP | BPF_JGT | BPF_K: yes = *a > f->k; break;
	case BPF_JMP | BPF_JGE | BPF_K: yes = *a >= f->k; break;
	case BPF_JMP | BPF_JSET | BPF_K: yes = (*a & f->k) != 0; break;
	default: return "an instruction that seccomp does not know";
	}
	*pc += yes ? f->jt : f->jf;
	return NULL;
}

long bpf_run(const struct sock_filter *filter, unsigned len, const struct seccomp_data *d, const char **wrong)
{
	uint32_t a = 0;

	bpf_steps = 0;
	*wrong = NULL;
	for (unsigned pc = 0; pc < len && !*wrong; pc++) {
		bpf_steps++;
		if (filter[pc].code == (BPF_RET | BPF_K))
			return filter[pc].k;
		*wrong = step(&filter[pc], d, &a, &pc);
	}
	if (!*wrong)
		*wrong = "the program runs off its end";
	return -1;
}

const char *bpf_check(const struct sock_filter *filter, unsigned len)
{
	static const struct seccomp_data none;

	if (!len || len > BPF_MAXINSNS || BPF_CLASS(filter[len - 1].code) != BPF_RET)
		return "no return at the end";
	for (unsigned pc = 0; pc < len; pc++) {
		const struct sock_filter *f = &filter[pc];
		unsigned next = pc;
		uint32_t a = 0;
		const char *wrong = f->code == (BPF_RET | BPF_K) ? NULL : step(f, &none, &a, &next);

		if (wrong)
			return wrong;
		if (f->code == (BPF_JMP | BPF_JA) && f->k >= len - pc - 1)
			return "a jump beyond the end";
		if (BPF_CLASS(f->code) == BPF_JMP && f->code != (BPF_JMP | BPF_JA) && (pc + 1 + f->jt >= len || pc + 1 + f->jf >= len))
			return "a conditional jump beyond the end";
	}
	return NULL;
}
