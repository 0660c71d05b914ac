/* explain.c - coracle explain: what failed in this boot, its last lines, what depends on it, what to do next; a screenful.
 *
 * A client of init, never in it: the console may take nothing, and init must not wait. With --boot (the unit `explain` of the image) it waits until the boot has ended one way or the other and writes to the console, only when it has
 * failed. Where there is a rescue shell it leaves the screen to whoever is there, and says one line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "explain.h"
#include "fd.h"
#include "report.h"

#define LIMIT_S 180		/* a boot that is not final by then is explained, too */
#define LAST_LINES 7
#define SOME_LINES 3		/* of what waits for it */
#define PROBLEM_LINES 3

struct tail {
	size_t seen;
	struct {
		double at;
		char text[200];
	} line[LAST_LINES];
};

static void keep(double at, const char *text, void *arg)
{
	struct tail *t = arg;
	size_t i = t->seen++ % LAST_LINES;

	t->line[i].at = at;
	snprintf(t->line[i].text, sizeof(t->line[i].text), "%s", text);
}

static void add_last_lines(struct explain_screen *s, const char *name)
{
	struct tail t = { 0 };
	size_t first;

	explain_line(s, "Its last lines (seconds after the kernel's start)");
	cli_unit_each(name, keep, &t);
	first = t.seen > LAST_LINES ? t.seen - LAST_LINES : 0;
	for (size_t i = first; i < t.seen; i++)
		explain_line(s, "  %9.3f  %s", t.line[i % LAST_LINES].at, t.line[i % LAST_LINES].text);
	if (!t.seen)
		explain_line(s, "  none: it has printed nothing");
}

/* What the machine has instead of the disk that is missing. */
static void add_devices(struct explain_screen *s)
{
	char path[512], text[4096], *save = NULL;
	int n = 0;

	explain_line(s, "The file systems that were found");
	snprintf(path, sizeof(path), "%s/devices", cli.run);
	if (fd_read_small(AT_FDCWD, path, text, sizeof(text)) <= 0)
		text[0] = '\0';
	for (const char *line = strtok_r(text, "\n", &save); line && n < LAST_LINES; line = strtok_r(NULL, "\n", &save), n++)
		explain_line(s, "  %s", line);
	if (!n)
		explain_line(s, "  none");
}

static void add_state(struct explain_screen *s, const struct explain_facts *f, struct explain_verdict v)
{
	const struct explain_unit *u = &f->unit[v.unit];
	bool again = !strcmp(u->state, "backoff");
	char restarts[40] = "";

	if (u->restarts)
		snprintf(restarts, sizeof(restarts), ", restarted %u times", u->restarts);
	switch (v.kind) {
	case EXPLAIN_NO_DATA:
		explain_line(s, "  data: no file system labelled CORACLE-DATA: /var is in memory, not kept");
		break;
	case EXPLAIN_CONFIG:
		explain_line(s, "  config: the boot configuration has %d error%s; what is right in it is applied", f->config_errors,
			     f->config_errors == 1 ? "" : "s");
		break;
	default:
		explain_line(s, "  %s %s%s%s%s%s", u->name, again ? "waits for its next start" : "is ", again ? "" : u->state, restarts,
			     u->status[0] ? ": " : "", u->status);
	}
	if (v.problem >= 0)
		explain_text(s, PROBLEM_LINES, "  at %.3f s: %s", f->problem[v.problem].at, f->problem[v.problem].message);
}

static void add_waiting(struct explain_screen *s, const struct explain_facts *f, int unit)
{
	char line[256] = " ";
	int lines = 0;

	explain_line(s, "What depends on it");
	for (int i = 0; i < f->n; i++) {
		char one[96];

		if (i == unit || !explain_waits(f, i, unit))
			continue;
		snprintf(one, sizeof(one), " %s (%s)", f->unit[i].name, f->unit[i].state);
		if (strlen(line) + strlen(one) > EXPLAIN_COLUMNS && lines++ < SOME_LINES - 1) {
			explain_line(s, "%s", line);
			line[1] = '\0';
		}
		strncat(line, one, sizeof(line) - strlen(line) - 1);
	}
	explain_line(s, "%s", line[1] ? line : "  nothing");
}

static void add_advice(struct explain_screen *s, const struct explain_facts *f, struct explain_verdict v)
{
	const struct explain_unit *u = &f->unit[v.unit];
	const char *dir = u->local ? "/etc/coracle/units" : "/usr/lib/coracle/units";

	explain_line(s, "What to do next");
	switch (v.kind) {
	case EXPLAIN_NO_DATA:
		explain_line(s, "  cat /proc/partitions     the disks: attach the right one, then: reboot");
		explain_line(s, "  mke2fs -t ext4 -L CORACLE-DATA /dev/DISK     a new one: DISK is emptied");
		break;
	case EXPLAIN_DATA:
		explain_line(s, "  coracle logs data");
		explain_line(s, "  e2fsck -f %s         check and repair it; then: reboot", f->data_node[0] ? f->data_node : "/dev/DISK");
		break;
	case EXPLAIN_CONFIG:
		explain_line(s, "  coracle-config status --long      every error");
		explain_line(s, "  coracle-config schema -c FILE     check what you have corrected; then: reboot");
		break;
	default:
		explain_line(s, "  coracle logs %s; coracle services", u->name);
		explain_line(s, "  cat %s/%s.unit%s", dir, u->name, u->local ? "     change it, then: coracle reload" : "");
		explain_line(s, "  coracle restart %s", u->name);
	}
	if (!f->rescue)
		explain_line(s, "  no shell here? boot with coracle.rescue on the kernel command line");
}

static const char *title(enum explain_kind kind)
{
	switch (kind) {
	case EXPLAIN_UNFINISHED:
		return "this boot is not finished";
	case EXPLAIN_UNIT:
		return "this boot is up, and a unit has failed";
	default:
		return "this boot failed";
	}
}

static void make_screen(struct explain_screen *s, const struct explain_facts *f, struct explain_verdict v)
{
	memset(s, 0, sizeof(*s));
	explain_line(s, "coracle explain: %s (%.0f s after the kernel's start)", title(v.kind), f->uptime);
	explain_line(s, v.kind == EXPLAIN_UNFINISHED ? "What is not ready" : "What failed first");
	add_state(s, f, v);
	if (v.kind == EXPLAIN_NO_DATA)
		add_devices(s);
	else
		add_last_lines(s, f->unit[v.unit].name);
	add_waiting(s, f, v.unit);
	add_advice(s, f, v);
}

/* The kernel's messages, too, go there: the lines in one write(2) are the least torn apart. */
static int write_console(const struct explain_screen *s)
{
	CLEANUP_FD int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct err err = ERR_INIT;
	int r = fd < 0 ? -errno : fd_write_full(fd, s->text, s->n);

	if (r < 0) {
		err_set(&err, -r, "write to /dev/console");
		return cli_fail(&err);
	}
	return 0;
}

static int tell_console(const struct explain_facts *f, struct explain_verdict v)
{
	static const char hint[] = "<3>coracle: explain: this boot failed: `coracle explain` says what, and what to do\n";
	struct explain_screen s;

	if (f->rescue)
		return report_kernel(hint, sizeof(hint) - 1) < 0 ? 1 : 0;
	make_screen(&s, f, v);
	return write_console(&s);
}

/* Once a second, as nobody tells; it is over when it is the same twice. */
static int watch_boot(double limit)
{
	static struct explain_facts facts[2];
	struct timespec second = { 1, 0 };
	bool again = false;

	for (unsigned turn = 0;; turn++) {
		struct explain_facts *now = &facts[turn % 2];
		struct explain_verdict v;

		explain_gather(now);
		v = explain_judge(now, turn ? &facts[(turn + 1) % 2] : NULL);
		if (now->n > 0 && (v.kind == EXPLAIN_FINE || v.kind == EXPLAIN_UNIT)) {
			if (again)
				return 0;
			again = true;
		} else if (now->n > 0 && (v.kind != EXPLAIN_UNFINISHED || now->uptime >= limit)) {
			return tell_console(now, v);
		} else {
			again = false;
		}
		nanosleep(&second, NULL);
	}
}

int verb_explain(int argc, char **argv)
{
	static struct explain_facts facts;
	struct explain_screen s;
	struct explain_verdict v;
	struct err err = ERR_INIT;

	if (argc > 1 && argc < 4 && !strcmp(argv[1], "--boot"))
		return watch_boot(argc == 3 ? strtod(argv[2], NULL) : LIMIT_S);
	if (argc > 1)
		return cli_usage("explain [--boot [SECONDS]]");
	explain_gather(&facts);
	if (facts.n == 0) {
		err_set(&err, 0, "init does not answer on %s/init.sock", cli.run);
		return cli_fail(&err);
	}
	v = explain_judge(&facts, NULL);
	if (v.kind == EXPLAIN_FINE) {
		puts(facts.problems_n ? "nothing failed in this boot; problems that were met: coracle status" : "nothing failed in this boot");
		return 0;
	}
	make_screen(&s, &facts, v);
	fputs(s.text, stdout);
	return 3;
}
