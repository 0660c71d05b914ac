/* run.c - one run of coracle-config: its memory, reading the seed, telling what went wrong. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "formats/formats.h"
#include "http/http.h"
#include "path.h"
#include "report.h"
#include "sys.h"

#define CONSOLE_MAX 20	/* problems that are shown on the console */
#define LOG_PATH "/var/log/cloud-init.log"

/* No configuration that the limits let through comes here; if one does, the machine says so and boots on. */
static void exhausted(void *arg)
{
	struct run *r = arg;
	static const char *const text[] = { "the configuration needs more than 32 MiB of memory; nothing more of it is applied" };
	struct err err = ERR_INIT;

	report_problem("config", "%s", text[0]);
	r->status.datasource = r->seed.name ? r->seed.name : "";
	r->status.stage[STAGE_INIT].errors.v = (const char **)text;
	r->status.stage[STAGE_INIT].errors.n = 1;
	r->status.stage[STAGE_FINAL].finished = status_now();
	r->status.running = -1;
	if (r->target.rootfd >= 0 && r->target.root)
		status_write(&r->target, &r->status, &err);
	_exit(1);
}

void run_init(struct run *r)
{
	memset(r, 0, sizeof(*r));
	arena_init(&r->arena, RUN_MEMORY_MAX, exhausted, r);
	diags_init(&r->diags, &r->arena);
	r->ctx = (struct ctx){ .arena = &r->arena, .diags = &r->diags };
	config_init(&r->config);
	r->diags.stage = STAGE_INIT;
	r->target.rootfd = -1;
	r->status.running = -1;
	r->status.datasource = "";
}

void run_fini(struct run *r)
{
	http_end();
	target_close(&r->target);
	arena_fini(&r->arena);
}

void run_read_seed(struct run *r)
{
	const struct seed *s = &r->seed;

	formats_read(r);
	seed_add(&r->ctx, s, &r->config);
	config_finish(&r->ctx, &r->config);
}

static void append_log(const struct run *r, const char *text, size_t n)
{
	const char *base;
	CLEANUP_FD int dirfd = path_open_parent_in(r->target.rootfd, LOG_PATH, 0755, &base);
	CLEANUP_FD int fd = dirfd < 0 ? -1 : sys_openat(dirfd, base, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);

	if (fd >= 0)
		(void)!fd_write_full(fd, text, n); /* a full /var must not stop the boot */
}

static void add_stamp(struct buf *b)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	buf_printf(b, "%04d-%02d-%02d %02d:%02d:%02d,%03ld - config", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		   tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000);
}

void run_report(struct run *r)
{
	CLEANUP_BUF struct buf log = { 0 };
	unsigned shown = 0;
	unsigned all = r->diags.kept;

	buf_init(&log, (size_t)1 << 20);
	for (const struct diag *d = r->diags.first; d; d = d->next) {
		CLEANUP_BUF struct buf line = { 0 };

		buf_init(&line, 2048);
		diag_line(d, 1, &line);
		add_stamp(&log);
		buf_printf(&log, "[%s]: %s\n", d->level == DIAG_WARNING ? "WARNING" : "ERROR", line.data);
		if (r->target.machine && shown++ < CONSOLE_MAX)
			report_problem("config", "%s", line.data);
	}
	if (r->target.machine && all > CONSOLE_MAX)
		report_problem("config", "%u more problems: see `cloud-init status --long`", all - CONSOLE_MAX);
	if (r->seed.why || r->seed.disabled) {
		add_stamp(&log);
		buf_printf(&log, "[INFO]: %s: %s\n", r->seed.disabled ? "disabled" : r->seed.name, r->seed.disabled ? r->seed.disabled : r->seed.why);
	}
	add_stamp(&log);
	buf_printf(&log, "[INFO]: Coracle " CORACLE_VERSION ", %s: %u problems\n", r->seed.name ? r->seed.name : r->status.datasource, all);
	append_log(r, log.data, log.len);
}
