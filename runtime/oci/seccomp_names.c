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

int seccomp_number(enum seccomp_arch arch, const char *name)
{
	const struct name *list = TABLES[arch].list;
	size_t low = 0, high = TABLES[arch].n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strcmp(name, list[mid].name);

		if (!c)
			return list[mid].nr;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}

int seccomp_number_end(enum seccomp_arch arch)
{
	int end = 0;

	for (size_t i = 0; i < TABLES[arch].n; i++)
		if (TABLES[arch].list[i].nr >= end)
			end = TABLES[arch].list[i].nr + 1;
	return end;
}
