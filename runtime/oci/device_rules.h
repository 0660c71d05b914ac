/* device_rules.h - linux.resources.devices: which devices a container may use.
 *
 * The rules are v1's language: applied in order, "a" forgets what was before.
 * They are reduced to a default and a table of exceptions, which v1 takes as
 * few writes and v2 as a BPF program. After the container's rules come the
 * devices every container has (config-linux.md, "Default Devices") and mknod of
 * any, unless the rules allow everything. No rules at all means: only those. */
#ifndef CORACLE_OCI_DEVICE_RULES_H
#define CORACLE_OCI_DEVICE_RULES_H

#include <linux/bpf.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

#define DEVICE_RULES_MAX 256
#define DEVICE_INSNS_MAX (DEVICE_RULES_MAX * 10 + 16)

struct device_rules {
	bool allow;		/* what happens to a device that no exception names */
	struct spec_device_rule exception[DEVICE_RULES_MAX];	/* access: what differs from the default */
	int n;
};

int device_rules_reduce(struct device_rules *out, const struct spec_device_rule *rules, size_t n, struct err *err);
/* BPF_PROG_TYPE_CGROUP_DEVICE. Returns the number of instructions (at most DEVICE_INSNS_MAX). */
int device_rules_compile(const struct device_rules *d, struct bpf_insn *out);

int device_rules_write_v1(int dir, const struct spec_device_rule *rules, size_t n, struct err *err);
/* fresh: the group is new, so there are no programs of an earlier container to replace. */
int device_rules_attach_v2(int dir, const struct spec_device_rule *rules, size_t n, bool fresh, struct err *err);

#endif
