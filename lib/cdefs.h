/* cdefs.h - the compiler extensions we allow, each behind one name.
 *
 * Everything outside this file is plain C11. */
#ifndef CORACLE_CDEFS_H
#define CORACLE_CDEFS_H

#include <stddef.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define PACKED __attribute__((packed))
#define COLD __attribute__((cold))		/* runs seldom: what only it calls is seldom too; kept away from the rest (init/pid1/init.ld) */
#define SPARSE __attribute__((section(".bss.sparse"), aligned(4096)))	/* a large table of which mostly only the beginning is in use */
#define SCRATCH __attribute__((section(".bss.scratch")))	/* holds nothing between two uses: may be all zero at any time in between */
#define HOT __attribute__((hot, noinline))
#define NOINLINE __attribute__((noinline))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Owned resources that end with their scope.
 *	CLEANUP_FD int fd = -1;		closed when >= 0
 *	CLEANUP_FREE char *p = NULL;	free()d
 * Ownership leaves with fd_take(&fd) (lib/fd.h) and ptr_take(&p). */
#define CLEANUP_FD CLEANUP(fd_cleanup)
#define CLEANUP_FREE CLEANUP(free_cleanup)
#define CLEANUP_BUF CLEANUP(buf_free)

void fd_cleanup(int *fd);
void free_cleanup(void *p);

/* Gives the pointer away: returns it and leaves NULL behind. */
#define ptr_take(pp) ((__typeof__(*(pp)))ptr_take_void(pp))
void *ptr_take_void(void *pp);

#endif
