/* spec_schedule.c - how the kernel is to schedule a process: scheduler,
 * ioPriority and execCPUAffinity of process. Runs in coracle-runtime; only
 * parses. The numbers are the kernel's own, so nothing depends on the headers of the build. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/oci/jsonv.h"
#include "runtime/oci/spec.h"

enum { POLICY_FIFO = 1, POLICY_RR = 2, POLICY_DEADLINE = 6 };

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

int spec_parse_list(struct spec *s, const char *text, const char *where, size_t words, uint64_t **out, struct err *err)
{
	uint64_t *bits = arena_array(&s->arena, words, sizeof *bits);
	const char *p = text;

	if (!bits)
		return err_set(err, ENOMEM, "%s", where);
	for (;;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;

		if (*p < '0' || *p > '9')
			break;
		if (*end == '-') {
			p = end + 1;
			if (*p < '0' || *p > '9')
				break;
			last = strtoul(p, &end, 10);
		}
		if (last < first || last >= words * 64)
			break;
		for (; first <= last; first++)
			bits[first / 64] |= UINT64_C(1) << first % 64;
		if (!*end) {
			*out = bits;
			return 0;
		}
		if (*end != ',')
			break;
		p = end + 1;
	}
	return err_set(err, 0, "%s: \"%s\" is not a list of numbers such as 0-3,7, each below %zu", where, text, words * 64);
}

static int parse_flags(struct spec *s, yyjson_val *o, struct spec_scheduler *out, struct err *err)
{
	static const char *const NAMES[] = {
		"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
		"SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
	};
	char **flags = NULL;
	int i, r = jsonv_strings(o, "process.scheduler", "flags", &s->arena, &flags, NULL, err);

	if (r < 0)
		return r;
	for (; flags && *flags; flags++) {
		if ((i = index_of(NAMES, ARRAY_SIZE(NAMES), *flags)) < 0)
			return err_set(err, 0, "process.scheduler.flags: unknown flag \"%s\"", *flags);
		out->flags |= UINT64_C(1) << i;
	}
	return 0;
}

static int parse_scheduler(struct spec *s, yyjson_val *p, struct err *err)
{
	static const char *const POLICIES[] = {
		"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
	};
	struct spec_scheduler *out = &s->process.scheduler;
	yyjson_val *o = NULL;
	const char *policy = "";
	int64_t nice = 0, priority = 0;
	int i, r = jsonv_object(p, "process", "scheduler", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_string(o, "process.scheduler", "policy", &policy, err)) < 0 ||
	    (r = jsonv_int(o, "process.scheduler", "nice", &nice, -20, 19, err)) < 0 ||
	    (r = jsonv_int(o, "process.scheduler", "priority", &priority, 0, 99, err)) < 0 ||
	    (r = jsonv_uint(o, "process.scheduler", "runtime", &out->runtime, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_uint(o, "process.scheduler", "deadline", &out->deadline, UINT64_MAX, err)) < 0 ||
	    (r = jsonv_uint(o, "process.scheduler", "period", &out->period, UINT64_MAX, err)) < 0 ||
	    (r = parse_flags(s, o, out, err)) < 0)
		return r;
	if (!*policy)
		return err_set(err, 0, "process.scheduler.policy: scheduler policy is required");
	if ((i = index_of(POLICIES, ARRAY_SIZE(POLICIES), policy)) < 0)
		return err_set(err, 0, "process.scheduler.policy: unknown value \"%s\"", policy);
	if (priority && i != POLICY_FIFO && i != POLICY_RR)
		return err_set(err, 0, "process.scheduler.priority: can only be specified for SCHED_FIFO or SCHED_RR");
	if ((out->runtime || out->deadline || out->period) && i != POLICY_DEADLINE)
		return err_set(err, 0, "process.scheduler: runtime, deadline and period can only be specified for SCHED_DEADLINE");
	out->policy = (uint32_t)i;
	out->priority = (uint32_t)priority;
	out->nice = (int32_t)nice;
	out->present = true;
	return 0;
}

static int parse_ioprio(struct spec *s, yyjson_val *p, struct err *err)
{
	static const char *const CLASSES[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE" };
	yyjson_val *o = NULL;
	const char *class = "";
	int64_t prio = 0;
	int i, r = jsonv_object(p, "process", "ioPriority", &o, err);

	if (r <= 0)
		return r;
	if ((r = jsonv_string(o, "process.ioPriority", "class", &class, err)) < 0 ||
	    (r = jsonv_int(o, "process.ioPriority", "priority", &prio, 0, 7, err)) < 0)
		return r;
	if ((i = index_of(CLASSES, ARRAY_SIZE(CLASSES), class)) < 0)
		return err_set(err, 0, "process.ioPriority.class: unknown value \"%s\"", class);
	s->process.ioprio = (i + 1) << 13 | (int)prio;
	s->process.has_ioprio = true;
	return 0;
}

static int parse_cpus(struct spec *s, yyjson_val *o, const char *key, uint64_t **out, struct err *err)
{
	char where[48] = "process.execCPUAffinity.";
	const char *text = "";
	int r = jsonv_string(o, "process.execCPUAffinity", key, &text, err);

	if (r < 0 || !*text)
		return r;
	strcat(where, key);
	return spec_parse_list(s, text, where, SPEC_CPU_WORDS, out, err);
}

int spec_parse_schedule(struct spec *s, yyjson_val *p, const char *where, struct err *err)
{
	yyjson_val *o = NULL;
	int r;

	if ((r = parse_scheduler(s, p, err)) < 0 ||
	    (r = parse_ioprio(s, p, err)) < 0 ||
	    (r = jsonv_object(p, where, "execCPUAffinity", &o, err)) <= 0)
		return r;
	if ((r = parse_cpus(s, o, "initial", &s->process.cpus_initial, err)) < 0)
		return r;
	return parse_cpus(s, o, "final", &s->process.cpus_final, err);
}
