/* seccomp_names.c - system call numbers by name. Pure. The tables are made from
 * the kernel's own headers at build time (module.mk), sorted by name. */
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/seccomp.h"

struct name {
	const char *name;
	short nr;
};

static const struct name X86_64[] = {
#include "seccomp_x86_64.inc"
};
static const struct name X86[] = {
#include "seccomp_x86.inc"
};
static const struct name X32[] = {
#include "seccomp_x32.inc"
};

static const struct { const struct name *list; size_t n; } TABLES[ARCH_COUNT] = {
	[ARCH_X86_64] = { X86_64, ARRAY_SIZE(X86_64) },
	[ARCH_X86] = { X86, ARRAY_SIZE(X86) },
	[ARCH_X32] = { X32, ARRAY_SIZE(X32) },
};

#define STEPS 12	/* about what a binary search would take */

int seccomp_number_near(enum seccomp_arch arch, const char *name, size_t *near)
{
	const struct name *list = TABLES[arch].list;
	size_t low = 0, high = TABLES[arch].n;

	for (size_t i = *near; i < high && i < *near + STEPS; i++) {
		int c = strcmp(name, list[i].name);

		if (c > 0) {
			low = i + 1;
			continue;
		}
		if (c < 0 && i == *near)
			break;	/* before the last one: anywhere */
		*near = i;
		return c ? -1 : list[i].nr;
	}
	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strcmp(name, list[mid].name);

		if (!c) {
			*near = mid;
			return list[mid].nr;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}

int seccomp_number(enum seccomp_arch arch, const char *name)
{
	size_t near = 0;

	return seccomp_number_near(arch, name, &near);
}
