/* services.c - reads the unit files into the table of what runs on this machine (init/units/unit.h).
 *
 * Runs in PID 1: the image's files before the first start, the machine's own too when the boot configuration has been applied (it
 * writes them) and at `coracle reload`. A wrong file is a problem and is left out; when it has the name of one of the image's, that one counts. */
#include "init/pid1/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define ETHERNET_MAX 16
#define TEMPLATE_DHCP "dhcp@"

/* Where no unit file can be read, there is a rescue shell all the same. */
static const char rescue[] = "[Service]\nExecStart=/bin/sh -l\nStandardInput=tty\nRestart=always\nKillSignal=HUP\nTimeoutStopSec=1\n"
			     "RestartMaxDelaySec=5\nRestartDecaySec=5\n";

const struct state_section services_state[] = {
	STATE_TABLE("usup", units.sup, &units.n), STATE_TABLE("usrv", units.service, &units.n), STATE_TABLE("usoc", units.sockets, &units.sockets_n),
	STATE_TABLE("utim", units.timers, &units.timers_n),
	STATE_TABLE("ulim", units.limits, &units.limits_n), STATE_TABLE("utxt", units.text, (int *)&units.text_n), STATE_END,
};

/* On the stack: PID 1 needs that deep a one anyway, and pages of its own would stay in memory for ever. */
struct names {
	int n;
	char name[SUP_UNITS_MAX][64];	/* without ".unit" */
};

SCRATCH char init_scratch[UNITS_FILE_MAX + 1];

/* What one load knows of its files. */
static struct load {
	int strict;		/* the first problem ends it and undoes it */
	struct err *err;	/* that problem */
	int failed;
	int out_n;
	uint32_t out[SUP_UNITS_MAX];	/* hashes of the paths of files that are wrong */
} load;

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static int is_left_out(const char *path)
{
	for (int i = 0; i < load.out_n; i++)
		if (load.out[i] == hash(path))
			return 1;
	return 0;
}

/* The file of the last error is left out from now on. */
static void leave_out(const char *path, const struct err *err)
{
	if (load.strict) {
		if (!load.failed)
			*load.err = *err;
	} else {
		report_problem("init", "%s; it is left out", err->text);
	}
	load.failed = 1;
	if (load.out_n < SUP_UNITS_MAX)
		load.out[load.out_n++] = hash(path);
}

/* One file as the unit `name`. Returns its index or -errno; what is wrong with it has been said. */
static int load_file(int dir, const char *where, const char *base, const char *name)
{
	struct err err = ERR_INIT;
	char path[128];
	ssize_t n = 0;
	int r = unit_find(name);
	CLEANUP_FD int fd = -1;

	snprintf(path, sizeof(path), "%s/%.63s.unit", where, base);
	if ((r >= 0 && units.service[r].source) || is_left_out(path))
		return -EEXIST;
	fd = sys_openat(dir, path + strlen(where) + 1, O_RDONLY | O_NONBLOCK, 0);
	/* one read takes a regular file whole */
	if (fd < 0 || (n = sys_read(fd, init_scratch, sizeof(init_scratch))) < 0)
		r = err_set(&err, fd < 0 ? -fd : (int)-n, "read %s", path);
	else if (n == (ssize_t)sizeof(init_scratch))
		r = err_set(&err, 0, "%s: longer than %d bytes", path, UNITS_FILE_MAX);
	else
		r = unit_compile(name, path, init_scratch, (size_t)n, &err);
	if (r < 0)
		leave_out(path, &err);
	return r;
}

static void add_name(struct names *names, const char *base)
{
	size_t n = strlen(base);
	int at = names->n;
	char name[64];

	if (n <= 5 || strcmp(base + n - 5, ".unit") || base[0] == '.')
		return;
	if (n - 5 >= sizeof(names->name[0]) || names->n == SUP_UNITS_MAX) {
		report_problem("init", "unit file %.80s: %s", base, n - 5 >= sizeof(names->name[0]) ? "its name is too long" : "there are too many");
		return;
	}
	/* in order of their names, whatever the directory's is */
	snprintf(name, sizeof(name), "%.*s", (int)n - 5, base);
	for (; at > 0 && strcmp(names->name[at - 1], name) > 0; at--)
		memcpy(names->name[at], names->name[at - 1], sizeof(name));
	memcpy(names->name[at], name, sizeof(name));
	names->n++;
}

/* A directory that is not there has no files: so is the machine's own, usually. */
static int list_names(const char *where, struct names *names)
{
	char buf[2048] __attribute__((aligned(8)));
	int fd = sys_openat(AT_FDCWD, where, O_RDONLY | O_DIRECTORY, 0);
	long n;

	names->n = 0;
	if (fd < 0) {
		if (fd != -ENOENT || !strcmp(where, UNITS_DIR))
			report_problem("init", "read %s: %s", where, err_name(-fd));
		return fd;
	}
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent *d = (const struct dirent *)(const void *)(buf + at);

			at += d->d_reclen;
			add_name(names, d->d_name);
		}
	}
	return fd;
}

static int is_template(const char *name)
{
	return name[strlen(name) - 1] == '@';
}

static void load_directory(const char *where)
{
	struct names names;
	CLEANUP_FD int dir = list_names(where, &names);

	for (int i = 0; dir >= 0 && i < names.n && !(load.strict && load.failed); i++)
		if (!is_template(names.name[i]))
			load_file(dir, where, names.name[i], names.name[i]);
}

/* "dhcp@eth0" from the machine's dhcp@.unit, else from the image's. */
static void instantiate(const char *name)
{
	const char *at = strchr(name, '@');
	char base[64];
	struct stat st;

	if (!at)
		return;
	snprintf(base, sizeof(base), "%.*s", (int)(at - name) + 1, name);
	for (int i = 0; i < 2; i++) {
		const char *where = i ? UNITS_DIR : UNITS_DIR_LOCAL;
		CLEANUP_FD int dir = sys_openat(AT_FDCWD, where, O_PATH | O_DIRECTORY, 0);
		char path[80];

		snprintf(path, sizeof(path), "%s.unit", base);
		if (dir >= 0 && fstatat(dir, path, &st, 0) == 0 && load_file(dir, where, base, name) >= 0)
			return;
	}
}

static void load_rescue(void)
{
	struct err err = ERR_INIT;

	if (!init_options.rescue || unit_find("rescue") >= 0)
		return;
	memcpy(init_scratch, rescue, sizeof(rescue));
	unit_compile("rescue", "(init)", init_scratch, sizeof(rescue) - 1, &err);
}

/* All files once. old: a copy of the table as it was, NULL at boot; then the network devices are looked for, and only then. */
static void load_once(const struct units *old)
{
	units_begin(old);
	if (old)
		load_directory(UNITS_DIR_LOCAL);
	load_directory(UNITS_DIR);
	for (int i = 0; old && i < old->n; i++)
		if (!units.service[i].source)
			instantiate(unit_name(i));
	load_rescue();
	breakpoint_add_unit();
}

static void load_ethernet(void)
{
	char interfaces[ETHERNET_MAX][16];
	int n = net_find_ethernet(interfaces, ETHERNET_MAX);

	for (int i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), TEMPLATE_DHCP "%.15s", interfaces[i]);
		instantiate(name);
	}
}

/* Until what was read fits together: each round leaves at least one file more out. */
static int load_all(const struct units *old)
{
	struct err err = ERR_INIT;
	int bad;

	load.failed = load.out_n = 0;
	for (int round = 0; round <= SUP_UNITS_MAX; round++) {
		load_once(old);
		if (load.strict && load.failed)
			return -EINVAL;
		/* without an engine there is no container that wants a network; its receive buffers are more than such a machine has */
		if (!old && !init_options.small && access(UNITS_DIR "/" TEMPLATE_DHCP ".unit", F_OK) == 0)
			load_ethernet();
		if (units_resolve(&bad, &err) == 0) {
			breakpoint_order();
			return 0;
		}
		leave_out(unit_string(units.service[bad].source), &err);
	}
	return -EINVAL;
}

void services_load(void)
{
	int r;

	load.strict = 0;
	if (load_all(NULL) < 0)
		units.n = 0;
	if ((r = sup_init(&init_sup, units.sup, units.n)) < 0)
		report_problem("init", "the table of services is wrong: %s", err_name(-r));
	sockets_load();
	timers_load();
	loop_give_back();
}

/* The table as it was lies in pages that are there for this moment only. */
int services_reload(int strict, struct err *err)
{
	struct units *old = mmap(NULL, sizeof(units), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (old == MAP_FAILED)
		return err_set(err, errno, "make a copy of the units");
	memcpy(old, &units, sizeof(units));
	load.strict = strict;
	load.err = err;
	r = load_all(old);
	if (r == 0 && (r = sup_load(&init_sup, units.n)) < 0)
		err_set(err, -r, "take over the units");
	if (r < 0)
		memcpy(&units, old, sizeof(units));
	munmap(old, sizeof(units));
	if (r < 0)
		return r;
	sockets_load();
	timers_load();
	loop_give_back();
	network_watch();
	return init_event(&(struct sup_event){ .type = SUP_EV_BOOT });
}

void services_on_exit(int unit)
{
	struct err err = ERR_INIT;

	if (strcmp(unit_name(unit), "config") || init_sup.shutting_down || access(UNITS_DIR_LOCAL, F_OK) < 0)
		return;
	if (services_reload(0, &err) < 0)
		report_problem("init", "%s; the units in " UNITS_DIR_LOCAL " are not started", err.text);
}

int services_is_data(int unit)
{
	return !strcmp(unit_name(unit), "data");
}
