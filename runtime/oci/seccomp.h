/* seccomp.h - linux.seccomp as a classic BPF program.
 *
 * Our own compiler instead of libseccomp: that takes 10 to 18 ms for Docker's
 * profile and emits a linear list. Here the system calls of each architecture
 * become runs of equal treatment and a binary search over them, so the kernel's
 * own pass over the filter (it evaluates every call number once when the filter
 * is installed, seccomp_cache_prepare) and every uncached call take about eight
 * steps instead of hundreds. */
#ifndef CORACLE_OCI_SECCOMP_H
#define CORACLE_OCI_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

#define SECCOMP_PROGRAM_MAX 4096	/* BPF_MAXINSNS */

struct seccomp_program {
	struct sock_filter *filter;	/* NULL: no filter wanted */
	unsigned short len;
	unsigned flags;			/* SECCOMP_FILTER_FLAG_* */
	bool notify;			/* a rule is SCMP_ACT_NOTIFY: installing gives a listener */
	int report;			/* notify: the socket to the runtime, which takes the listener (notify.h) */
	bool by_message;		/* notify: it may not take it, so it is sent */
};

enum seccomp_arch { ARCH_X86_64, ARCH_X86, ARCH_X32, ARCH_COUNT };

enum seccomp_op { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

struct seccomp_arg {
	unsigned index;		/* 0..5 */
	enum seccomp_op op;
	uint64_t value;		/* MASKED_EQ: the mask */
	uint64_t value_two;	/* MASKED_EQ: what must be left */
};

/* One rule for one system call: all args must hold. */
struct seccomp_rule {
	int nr;			/* x32: without the bit */
	uint32_t action;	/* SECCOMP_RET_* with its data */
	const struct seccomp_arg *args;
	unsigned args_n;
};

struct seccomp_set {
	uint32_t fallback;	/* defaultAction */
	uint32_t unknown;	/* for call numbers above all that the rules name: ENOSYS or the same as fallback */
	uint32_t foreign;	/* for calls of an architecture that is not in the set */
	bool arch[ARCH_COUNT];
	struct seccomp_rule *rules[ARCH_COUNT];
	size_t n[ARCH_COUNT];
	int end[ARCH_COUNT];	/* above the largest number named, also by rules that say the same as fallback; 0: none is */
	bool notify, notify_sendmsg;
};

/* Compiles linux.seccomp or the built-in profile, whichever s has; memory from
 * the spec's arena. out->filter stays NULL when there is none. caps: what the built-in profile depends on. */
int seccomp_compile(struct spec *s, struct seccomp_program *out, struct err *err);
/* Installs it in the calling thread; with notify, returns when the runtime has given the listener to the agent. */
int seccomp_install(const struct seccomp_program *p, struct err *err);

/* seccomp_words.c: the words of linux.seccomp. data: errnoRet, has_data: it was there. */
int seccomp_parse_action(const char *where, const char *name, bool has_data, uint64_t data, uint32_t *out, struct err *err);
int seccomp_parse_flags(yyjson_val *sec, unsigned *flags, struct err *err);
/* Fills set->arch. ia32: whether the kernel runs 32-bit programs, asked when it matters. */
int seccomp_parse_archs(yyjson_val *sec, bool (*ia32)(void), struct seccomp_set *set, struct err *err);
/* seccomp_rules.c: all of linux.seccomp but the flags. */
int seccomp_parse(struct arena *a, yyjson_val *sec, bool (*ia32)(void), struct seccomp_set *set, struct err *err);

/* seccomp_bpf.c: rules to program, rules sorted or not. */
int seccomp_assemble(struct arena *a, const struct seccomp_set *set, struct seccomp_program *out, struct err *err);
/* seccomp_default.c: the built-in profile for a bounding set of capabilities. ia32: the kernel runs 32-bit programs. */
int seccomp_default_set(struct arena *a, uint64_t caps, bool ia32, struct seccomp_set *out, struct err *err);
/* seccomp_names.c: -1 when the architecture has no such call. */
int seccomp_number(enum seccomp_arch arch, const char *name);
/* The numbers of all architectures (-1: has no such call), or NULL; quicker for names that come in order: *near (0 at first) is where the
 * last one was. */
const short *seccomp_numbers_near(const char *name, size_t *near);

#endif
