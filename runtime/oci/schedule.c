/* schedule.c - straight system calls, so that what works depends on the kernel
 * alone and not on the headers or the C library of the build. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "runtime/oci/schedule.h"

#define IOPRIO_WHO_PROCESS 1
#define UTIL_MAX 1024	/* the kernel's default for both clamps is the whole range */

/* sched_setattr(2), SCHED_ATTR_SIZE_VER1 */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static int set_scheduler(const struct spec_scheduler *c, struct err *err)
{
	static const char *const POLICIES[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE" };
	struct attr a = {
		.size = sizeof a, .policy = c->policy, .flags = c->flags, .nice = c->nice, .priority = c->priority,
		.runtime = c->runtime, .deadline = c->deadline, .period = c->period, .util_max = UTIL_MAX,
	};

	if (syscall(SYS_sched_setattr, 0, &a, 0) == 0)
		return 0;
	return err_set(err, errno, "set process.scheduler to %s%s", POLICIES[c->policy],
		       errno == EPERM && c->priority ? " (where cpu cgroups have real-time budgets it takes linux.resources.cpu.realtimeRuntime)" : "");
}

static int set_memory_policy(const struct spec_memory_policy *m, struct err *err)
{
	/* the kernel counts one bit less than it is told */
	if (syscall(SYS_set_mempolicy, m->mode, m->nodes, m->nodes ? SPEC_NODE_WORDS * 64 + 1 : 0) < 0)
		return err_set(err, errno, "set linux.memoryPolicy to %s", spec_memory_mode_name((size_t)(m->mode & 0xfff)));
	return 0;
}

int schedule_apply(const struct spec *s, struct err *err)
{
	int r;

	if (s->process.scheduler.present && (r = set_scheduler(&s->process.scheduler, err)) < 0)
		return r;
	if (s->process.has_ioprio && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, s->process.ioprio) < 0)
		return err_set(err, errno, "set process.ioPriority");
	if (s->memory_policy.present && (r = set_memory_policy(&s->memory_policy, err)) < 0)
		return r;
	if (s->has_personality && personality(s->personality32 ? PER_LINUX32 : PER_LINUX) < 0)
		return err_set(err, errno, "set linux.personality");
	return 0;
}

int schedule_affinity(const uint64_t *cpus, const char *where, struct err *err)
{
	uint64_t all[SPEC_CPU_WORDS];

	memset(all, 0xff, sizeof all);
	if (cpus)
		memcpy(all, cpus, sizeof all);
	if (syscall(SYS_sched_setaffinity, 0, sizeof all, all) < 0)
		return err_set(err, errno, "set %s", where);
	return 0;
}
