/* cgroup_devbpf.c - device rules as a BPF program of a cgroup v2 directory.
 * Runs in coracle-runtime, outside the container. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/fd.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/device_rules.h"

/* Registers: r1 context, r2 kind of device, r3 access, r4 major, r5 minor, r0 result. */
struct program {
	struct bpf_insn *insn;
	int n;
};

static struct bpf_insn *emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	struct bpf_insn *i = &p->insn[p->n++];

	memset(i, 0, sizeof *i);
	i->code = code;
	i->dst_reg = dst & 0xfU;
	i->src_reg = src & 0xfU;
	i->off = off;
	i->imm = imm;
	return i;
}

static void prologue(struct program *p)
{
	emit(p, BPF_LDX | BPF_W | BPF_MEM, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(p, BPF_ALU64 | BPF_MOV | BPF_X, 3, 2, 0, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	emit(p, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16);
	emit(p, BPF_LDX | BPF_W | BPF_MEM, 4, 1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(p, BPF_LDX | BPF_W | BPF_MEM, 5, 1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static int kernel_access(unsigned access)
{
	return (access & 1 ? BPF_DEVCG_ACC_READ : 0) | (access & 2 ? BPF_DEVCG_ACC_WRITE : 0) | (access & 4 ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* One exception: every test that fails jumps over the block. */
static void block(struct program *p, const struct spec_device_rule *e, bool allow)
{
	struct bpf_insn *jump[5];
	int at[5], jumps = 0, access = kernel_access(e->access);

#define SKIP_UNLESS(code, reg, value) (at[jumps] = p->n, jump[jumps++] = emit(p, BPF_JMP | (code) | BPF_K, reg, 0, 0, value))
	SKIP_UNLESS(BPF_JNE, 2, e->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
	if (e->major >= 0)
		SKIP_UNLESS(BPF_JNE, 4, (int32_t)e->major);
	if (e->minor >= 0)
		SKIP_UNLESS(BPF_JNE, 5, (int32_t)e->minor);
	if (e->access != 7 && allow) {
		/* everything that is asked for must be allowed */
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0);
		emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0, ~access & 7);
		SKIP_UNLESS(BPF_JNE, 0, 0);
	} else if (e->access != 7) {
		/* one denied kind of access is enough */
		emit(p, BPF_ALU64 | BPF_MOV | BPF_X, 0, 3, 0, 0);
		emit(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, 0, access);
		SKIP_UNLESS(BPF_JEQ, 0, 0);
	}
#undef SKIP_UNLESS
	emit(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, allow);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (int i = 0; i < jumps; i++)
		jump[i]->off = (int16_t)(p->n - at[i] - 1);
}

int device_rules_compile(const struct device_rules *d, struct bpf_insn *out)
{
	struct program p = { out, 0 };

	if (d->n)
		prologue(&p);
	for (int i = 0; i < d->n; i++)
		block(&p, &d->exception[i], !d->allow);
	emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, d->allow);
	emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return p.n;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, cmd, attr, sizeof *attr);

	return r < 0 ? -errno : (int)r;
}

#define ATTACHED_MAX 64	/* BPF_CGROUP_MAX_PROGS */

/* Takes programs off a group that was there before: those of the container that
 * used it last. All programs of a group must agree, and a group holds 64. */
static void detach(int dir, const uint32_t *ids, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		union bpf_attr attr;
		CLEANUP_FD int prog = -1;

		memset(&attr, 0, sizeof attr);
		attr.prog_id = ids[i];
		prog = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (prog < 0)
			continue;
		memset(&attr, 0, sizeof attr);
		attr.target_fd = (uint32_t)dir;
		attr.attach_bpf_fd = (uint32_t)prog;
		attr.attach_type = BPF_CGROUP_DEVICE;
		bpf(BPF_PROG_DETACH, &attr);
	}
}

static uint32_t attached(int dir, uint32_t ids[ATTACHED_MAX])
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ATTACHED_MAX;
	return bpf(BPF_PROG_QUERY, &attr) < 0 ? 0 : attr.query.prog_cnt;
}

static int load_program(const struct device_rules *d)
{
	static struct bpf_insn insns[DEVICE_INSNS_MAX];
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insn_cnt = (uint32_t)device_rules_compile(d, insns);
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)"Dual BSD/GPL";
	return bpf(BPF_PROG_LOAD, &attr);
}

int device_rules_attach_v2(int dir, const struct spec_device_rule *rules, size_t n, bool fresh, struct err *err)
{
	static struct device_rules d;
	CLEANUP_FD int prog = -1;
	uint32_t old[ATTACHED_MAX];
	union bpf_attr attr;
	int r = device_rules_reduce(&d, rules, n, err);

	if (r < 0)
		return r;
	if (!fresh)
		detach(dir, old, attached(dir, old));
	if (d.allow && !d.n)
		return 0;
	prog = load_program(&d);
	if (prog == -EPERM && cgroup_in_userns())
		return 0;	/* nobody may there; the rules of the groups above still hold */
	if (prog < 0)
		return err_set(err, -prog, "load the device program");
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t)dir;
	attr.attach_bpf_fd = (uint32_t)prog;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	r = bpf(BPF_PROG_ATTACH, &attr);
	return r < 0 ? err_set(err, -r, "attach the device program") : 0;
}
