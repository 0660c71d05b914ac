/* memory.c - what PID 1 gives back: pages that were needed to start, or to read unit files, and are not for what follows.
 *
 * Runs in PID 1. Code that runs seldom lies in one piece (init.ld); when its pages are needed again, they come out of the root's image, which is
 * in memory, so nobody waits for a disk: not so the code of another init, executed from a disk, which stays. The fault handler and its stack are not
 * among them. */
#include "init/pid1/init.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cdefs.h"

#define PAGE ((uintptr_t)4096)
#define STACK_DEPTH ((uintptr_t)128 * 1024)	/* as deep as ours has ever been; beyond it there is nothing mapped, which does no harm */

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24	/* Linux 5.18 */
#endif

/* of init.ld */
extern char __ehdr_start[], cold_end[], scratch_begin[], scratch_end[];

/* Whole pages only. A kernel that cannot do it leaves all as it was. */
static void give_back(uintptr_t from, uintptr_t to)
{
	from = (from + PAGE - 1) & -PAGE;
	to &= -PAGE;
	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED_LOCKED);
}

static int code_is_in_memory(void)
{
	char path[64];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return 0;
	path[n] = '\0';
	return !path_may_wait(path);
}

/* A frame of its own, which is small: below the page that it ends in, nothing of the stack is in use. */
NOINLINE void memory_give_back(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) - PAGE;

	if (code_is_in_memory())
		give_back((uintptr_t)__ehdr_start, (uintptr_t)cold_end);
	give_back((uintptr_t)scratch_begin, (uintptr_t)scratch_end);
	give_back(here - STACK_DEPTH, here);
}
