/* cmd_update.c - update: other limits for a container that is there. Runs in
 * coracle-runtime; writes the container's control groups, device rules excepted. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <yyjson.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/intelrdt.h"
#include "runtime/oci/log.h"
#include "runtime/oci/systemd.h"
#include "runtime/oci/verbs.h"

#define RESOURCES_BYTES_MAX (1u << 20)

struct flags {
	const char *resources, *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime, *cpu_idle;
	const char *cpus, *mems, *memory, *reservation, *swap, *kernel, *kernel_tcp, *pids, *l3, *bandwidth;
};

static int read_stdin(struct buf *b)
{
	char part[4096];
	ssize_t n;

	while ((n = sys_read(0, part, sizeof part)) > 0)
		buf_add(b, part, (size_t)n);
	return n < 0 ? (int)n : buf_error(b);
}

static int from_file(struct spec *s, const char *name, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_FREE char *text = NULL;
	yyjson_read_err e = { 0 };
	size_t n = 0;
	int r;

	buf_init(&b, RESOURCES_BYTES_MAX);
	if (!strcmp(name, "-")) {
		if ((r = read_stdin(&b)) < 0)
			return err_set(err, -r, "--resources -: read standard input");
		s->doc = yyjson_read_opts(b.data, b.len, 0, NULL, &e);
	} else {
		if ((r = fd_read_file(AT_FDCWD, name, RESOURCES_BYTES_MAX, &text, &n, err)) < 0)
			return err_wrap(err, r, "--resources");
		s->doc = yyjson_read_opts(text, n, 0, NULL, &e);
	}
	if (!s->doc || !yyjson_is_obj(yyjson_doc_get_root(s->doc)))
		return err_set(err, 0, "--resources %s: %s at byte %zu", name, e.msg ? e.msg : "not a JSON object", e.pos);
	r = spec_parse_resources(s, yyjson_doc_get_root(s->doc), err);
	return r < 0 ? err_wrap(err, r, "--resources %s", name) : 0;
}

static int number(const char *option, const char *text, bool *has, int64_t *out, struct err *err)
{
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*out = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return err_set(err, 0, "invalid value for %s: \"%s\" is not a whole number", option, text);
	*has = true;
	return 0;
}

static int unsigned_number(const char *option, const char *text, bool *has, uint64_t *out, struct err *err)
{
	int64_t value = 0;
	int r = number(option, text, has, &value, err);

	if (r < 0)
		return r;
	if (value < 0)
		return err_set(err, 0, "invalid value for %s: \"%s\" is below zero", option, text);
	if (text)
		*out = (uint64_t)value;
	return 0;
}

/* "-1", "1048576", "64M", "1.5g", "64MiB": always powers of 1024. */
static int bytes(const char *option, const char *text, bool *has, int64_t *out, struct err *err)
{
	static const char UNITS[] = "bkmgtp";
	const char *unit;
	double value;
	char *end;

	if (!text)
		return 0;
	*has = true;
	*out = -1;
	if (!strcmp(text, "-1"))
		return 0;
	value = strtod(text, &end);
	if (end == text || value < 0 || strspn(text, "0123456789.") != (size_t)(end - text))
		return err_set(err, 0, "invalid value for %s: \"%s\" is not a size (such as 67108864, 64M or -1)", option, text);
	end += strspn(end, " ");
	unit = *end ? strchr(UNITS, *end | 0x20) : UNITS;
	if (!unit || (*end && strcasecmp(end + 1, "") && strcasecmp(end + 1, "b") && strcasecmp(end + 1, "ib")))
		return err_set(err, 0, "invalid value for %s: \"%s\" has an unknown unit", option, text);
	value *= (double)(1LL << 10 * (unit - UNITS));
	if (value >= (double)INT64_MAX)
		return err_set(err, 0, "invalid value for %s: \"%s\" is too large", option, text);
	*out = (int64_t)value;
	return 0;
}

static int from_flags(struct spec_resources *x, const struct flags *f, struct err *err)
{
	bool ignored = false;
	int64_t none;
	int r;

	x->cpus = f->cpus;
	x->mems = f->mems;
	if ((r = unsigned_number("blkio-weight", f->blkio_weight, &x->has_weight, &x->weight, err)) < 0 ||
	    (r = unsigned_number("cpu-period", f->cpu_period, &x->has_period, &x->period, err)) < 0 ||
	    (r = unsigned_number("cpu-burst", f->cpu_burst, &x->has_burst, &x->burst, err)) < 0 ||
	    (r = unsigned_number("cpu-share", f->cpu_share, &x->has_shares, &x->shares, err)) < 0 ||
	    (r = unsigned_number("cpu-rt-period", f->cpu_rt_period, &x->has_rt_period, &x->rt_period, err)) < 0 ||
	    (r = number("cpu-quota", f->cpu_quota, &x->has_quota, &x->quota, err)) < 0 ||
	    (r = number("cpu-rt-runtime", f->cpu_rt_runtime, &x->has_rt_runtime, &x->rt_runtime, err)) < 0 ||
	    (r = number("cpu-idle", f->cpu_idle, &x->has_idle, &x->idle, err)) < 0 ||
	    (r = number("pids-limit", f->pids, &x->has_pids, &x->pids, err)) < 0 ||
	    (r = bytes("memory", f->memory, &x->has_mem_limit, &x->mem_limit, err)) < 0 ||
	    (r = bytes("memory-swap", f->swap, &x->has_mem_swap, &x->mem_swap, err)) < 0 ||
	    (r = bytes("memory-reservation", f->reservation, &x->has_mem_reservation, &x->mem_reservation, err)) < 0 ||
	    (r = bytes("kernel-memory", f->kernel, &ignored, &none, err)) < 0 ||
	    (r = bytes("kernel-memory-tcp", f->kernel_tcp, &ignored, &none, err)) < 0)
		return r;
	if (ignored)
		log_warning("Setting --kernel-memory and --kernel-memory-tcp is ignored and will be removed");
	return 0;
}

/* Intel RDT: the class of config.json; else one of the container's own, made where there is none yet. */
static int resctrl(const struct state *s, const struct flags *f, struct err *err)
{
	struct spec_rdt want = { .l3 = f->l3, .bandwidth = f->bandwidth };
	struct rdt rdt = { .group = "" };
	char root[PATH_MAX] = "";
	static struct spec spec;
	struct err none;
	int r;

	if (!f->l3 && !f->bandwidth)
		return 0;
	if (rdt_find(root, sizeof root, &none) < 0)
		*root = '\0';
	if ((r = spec_load(&spec, s->dir, "config.json", err)) >= 0)
		r = rdt_update(&rdt, root, &spec.rdt, &want, s->id, s->pid, err);
	if (r >= 0 && rdt.made_group && (r = state_add_rdt(s, &rdt, err)) < 0)
		rdt_undo(&rdt);
	spec_free(&spec);
	return r;
}

/* What has been written is taken back when the rest fails. systemd is last: it takes all or nothing. */
static int write_all(const struct state *st, const struct cgroup *cg, const struct spec_resources *x, const struct flags *f, struct err *err)
{
	int r;

	cgroup_journal_begin();
	r = cgroup_update(cg, x, err);
	if (r >= 0)
		r = resctrl(st, f, err);
	if (r >= 0 && *st->unit)
		r = systemd_update(cg, st->unit, x, err);
	cgroup_journal_end(r < 0);
	return r;
}

static int update(const struct globals *g, const char *id, const struct flags *f, struct err *err)
{
	static struct spec s;
	struct cgroup cg = { .base = -1 };
	struct state st;
	int r = state_load(&st, g->root, id, err);

	if (r < 0)
		return r;
	if (state_status(&st, NULL) == STATUS_STOPPED)
		return err_set(err, 0, "container not running");
	if ((r = f->resources ? from_file(&s, f->resources, err) : from_flags(&s.resources, f, err)) < 0)
		return r;
	log_spec_warnings(&s);
	/* as runc: devices are not update's to change */
	s.resources.no_devices = true;
	if ((r = state_open_cgroup(&st, &cg, err)) < 0 || (r = cgroup_open(&cg, err)) < 0)
		return r;
	return write_all(&st, &cg, &s.resources, f, err);
}

int verb_update(const struct globals *g, int argc, char **argv, struct err *err)
{
	static struct flags f;
	const struct args_option options[] = {
		{ "resources", 'r', ARGS_VALUE, &f.resources }, { "blkio-weight", 0, ARGS_VALUE, &f.blkio_weight },
		{ "cpu-period", 0, ARGS_VALUE, &f.cpu_period }, { "cpu-quota", 0, ARGS_VALUE, &f.cpu_quota },
		{ "cpu-burst", 0, ARGS_VALUE, &f.cpu_burst }, { "cpu-share", 0, ARGS_VALUE, &f.cpu_share },
		{ "cpu-rt-period", 0, ARGS_VALUE, &f.cpu_rt_period }, { "cpu-rt-runtime", 0, ARGS_VALUE, &f.cpu_rt_runtime },
		{ "cpu-idle", 0, ARGS_VALUE, &f.cpu_idle }, { "cpuset-cpus", 0, ARGS_VALUE, &f.cpus },
		{ "cpuset-mems", 0, ARGS_VALUE, &f.mems }, { "memory", 0, ARGS_VALUE, &f.memory },
		{ "memory-reservation", 0, ARGS_VALUE, &f.reservation }, { "memory-swap", 0, ARGS_VALUE, &f.swap },
		{ "kernel-memory", 0, ARGS_VALUE, &f.kernel }, { "kernel-memory-tcp", 0, ARGS_VALUE, &f.kernel_tcp },
		{ "pids-limit", 0, ARGS_VALUE, &f.pids }, { "l3-cache-schema", 0, ARGS_VALUE, &f.l3 },
		{ "mem-bw-schema", 0, ARGS_VALUE, &f.bandwidth },
	};
	int n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);

	if (n < 0)
		return n;
	if (n != 1)
		return verb_usage(err, "update [--resources FILE | --memory BYTES ...] ID");
	return update(g, argv[0], &f, err);
}
