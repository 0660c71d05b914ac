/* seccomp_names.c - system call numbers by name. Pure. The tables are made from
 * the kernel's own headers at build time (module.mk), sorted by name. */
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/seccomp.h"

struct name {
	const char *name;
	short nr[ARCH_COUNT];	/* as enum seccomp_arch */
};

static const struct name NAMES[] = {
#include "seccomp_names.inc"
};

#define STEPS 12	/* about what a binary search would take */

const short *seccomp_numbers_near(const char *name, size_t *near)
{
	size_t low = 0, high = ARRAY_SIZE(NAMES);

	for (size_t i = *near; i < high && i < *near + STEPS; i++) {
		int c = strcmp(name, NAMES[i].name);

		if (c > 0) {
			low = i + 1;
			continue;
		}
		if (c < 0 && i == *near)
			break;	/* before the last one: anywhere */
		*near = i;
		return c ? NULL : NAMES[i].nr;
	}
	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strcmp(name, NAMES[mid].name);

		if (!c) {
			*near = mid;
			return NAMES[mid].nr;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

int seccomp_number(enum seccomp_arch arch, const char *name)
{
	size_t near = 0;
	const short *nr = seccomp_numbers_near(name, &near);

	return nr ? nr[arch] : -1;
}
