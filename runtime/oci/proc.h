/* proc.h - what /proc tells about a process of the host. */
#ifndef CORACLE_OCI_PROC_H
#define CORACLE_OCI_PROC_H

#include <stdint.h>
#include <sys/types.h>
#include "lib/err.h"

struct proc_info {
	char state;		/* R S D Z T X... */
	uint64_t start_time;	/* clock ticks after boot */
};

/* Returns 0 or -errno; -ENOENT when there is no such process. */
int proc_read(pid_t pid, struct proc_info *out);
/* 0 when the process is gone. */
uint64_t proc_start_time(pid_t pid);
/* Writes text to /proc/PID/FILE. */
int proc_write(pid_t pid, const char *file, const char *text);

/* process.oomScoreAdj; pid 0: of the caller. */
int proc_set_oom(pid_t pid, int value, struct err *err);

#endif
