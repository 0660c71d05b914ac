/* schedule.h - processor, input/output and memory scheduling of the container's
 * processes. Runs in the container's process while it is still privileged. */
#ifndef CORACLE_OCI_SCHEDULE_H
#define CORACLE_OCI_SCHEDULE_H

#include "lib/err.h"
#include "runtime/oci/spec.h"

/* process.scheduler, process.ioPriority, linux.memoryPolicy, linux.personality: what is not given costs nothing. */
int schedule_apply(const struct spec *s, struct err *err);
/* sched_setaffinity of the caller. cpus: SPEC_CPU_WORDS words, NULL: all that its cpuset allows. where: the property, for messages. */
int schedule_affinity(const uint64_t *cpus, const char *where, struct err *err);

#endif
