/* bpf_helper.h - runs classic BPF programs of seccomp, for tests: an interpreter
 * written from the documentation, and the checks that the kernel makes. */
#ifndef CORACLE_TEST_BPF_HELPER_H
#define CORACLE_TEST_BPF_HELPER_H

#include <linux/filter.h>
#include <linux/seccomp.h>

/* Instructions of the last run. */
extern int bpf_steps;

/* The verdict of the program; -1 and *wrong (why) when it is not one that the kernel would take. */
long bpf_run(const struct sock_filter *filter, unsigned len, const struct seccomp_data *d, const char **wrong);
/* What the kernel checks when a filter is installed: known instructions, jumps inside, a return at the end. NULL, or what is wrong. */
const char *bpf_check(const struct sock_filter *filter, unsigned len);

#endif
