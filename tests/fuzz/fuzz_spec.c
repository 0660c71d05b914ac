/* fuzz_spec.c - any bytes as config.json: everything that parses it and computes from it, nothing that acts on the host. Beyond not crashing:
 * a filter must be one that the kernel would take, an error must say something, in one line's worth of text. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <linux/mount.h>
#include <unistd.h>

#include "lib/fd.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/device_rules.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/spec.h"
#include "tests/fuzz/fuzz_oci.h"
#include "tests/unit/bpf_helper.h"

static void demand(int good)
{
	if (!good)
		abort();
}

static void check_seccomp(struct spec *s)
{
	struct seccomp_program p;
	struct err err = ERR_INIT;
	struct seccomp_data d = { .arch = 0xc000003e };
	const char *wrong;

	if (seccomp_compile(s, &p, &err) < 0) {
		demand(err.text[0] != 0);
		return;
	}
	if (!p.filter)
		return;
	demand(!bpf_check(p.filter, p.len));
	for (d.nr = -1; d.nr < 600; d.nr += 7) {
		bpf_run(p.filter, p.len, &d, &wrong);
		demand(!wrong);
	}
}

static void check_mounts(const struct spec *s)
{
	for (size_t i = 0; i < s->mounts_n; i++) {
		static struct mount_options o;
		struct mount_attr attr;
		struct err err = ERR_INIT;

		if (mount_options_parse(s->mounts[i].options, &o, &err) < 0) {
			demand(err.text[0] != 0);
			continue;
		}
		mount_options_attr(&o, &attr);
		demand((attr.attr_set & attr.attr_clr & ~(uint64_t)MOUNT_ATTR__ATIME) == 0);
	}
}

static void check_devices(const struct spec_resources *x)
{
	static struct device_rules rules;
	static struct bpf_insn program[DEVICE_INSNS_MAX];
	struct err err = ERR_INIT;

	memset(&rules, 0, sizeof rules);
	if (device_rules_reduce(&rules, x->devices, x->devices_n, &err) < 0) {
		demand(err.text[0] != 0);
		return;
	}
	demand(device_rules_compile(&rules, program) <= DEVICE_INSNS_MAX);
}

/* Limits go into files of our own that look like a group's. */
static void check_limits(const struct spec_resources *x)
{
	static const char *const FILES[] = { "memory.max", "memory.swap.max", "memory.low", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes",
		"memory.soft_limit_in_bytes", "memory.swappiness", "memory.oom_control", "memory.current" };
	struct err err = ERR_INIT;
	int dir = fuzz_oci_fence();

	for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
		int fd = openat(dir, FILES[i], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		demand(fd >= 0);
		close(fd);
	}
	cgroup_memory_v1(dir, true, x, &err);
	cgroup_memory_v2(dir, true, x, &err);
}

int fuzz_spec(const uint8_t *data, size_t n)
{
	struct spec s = { 0 };
	struct err err = ERR_INIT;
	char path[32];
	int fd = fuzz_oci_file(data, n, path);

	if (spec_load(&s, AT_FDCWD, path, &err) == 0) {
		check_seccomp(&s);
		check_mounts(&s);
		check_devices(&s.resources);
		check_limits(&s.resources);
	} else
		demand(err.text[0] != 0);
	spec_free(&s);
	close(fd);
	return 0;
}
