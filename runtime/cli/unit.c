/* unit.c - what the verbs for containers do when the name is that of a unit of init, and what units have printed (coracle logs). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fd.h"

#define RECORD_MAX 8192		/* of /dev/kmsg; a smaller buffer is EINVAL */
#define LINES_MAX 4096		/* kept for -n */
#define UNIT_FILE_MAX 16384	/* init reads no longer one */

struct wanted {
	const char *name;
	bool found;
};

static void on_unit(const char *text, void *arg)
{
	struct wanted *w = arg;
	size_t n = strlen(w->name);

	w->found |= !strncmp(text, w->name, n) && text[n] == ' ';
}

bool cli_has_unit(const char *name)
{
	struct err err = ERR_INIT;
	struct wanted w = { .name = name };

	return cli_init("services", on_unit, &w, &err) == 0 && w.found;
}

char *cli_unit_file(const char *name, bool *local)
{
	static const char *const dirs[] = { "/etc/coracle/units", "/usr/lib/coracle/units" };
	char path[160], *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%.63s.unit", dirs[i], name);
		*local = i == 0;
		if (fd_read_file(AT_FDCWD, path, UNIT_FILE_MAX, &text, NULL, NULL) == 0)
			return text;
	}
	*local = false;
	return NULL;
}

static void on_nothing(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

int cli_unit(const char *action, const char *name, struct err *err)
{
	char request[128];

	snprintf(request, sizeof(request), "%s %s", action, name);
	return cli_init(request, on_nothing, NULL, err);
}

/* A record is "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT\n". init logs what a service prints as daemon.info (30) with "NAME: " before it; what a
 * program reports itself begins with "coracle: NAME: ". Returns the rest, or NULL when it is another's. */
static const char *line_of(char *record, const char *name, bool reports, double *at)
{
	static const char service[] = "30,", report[] = "coracle: ";
	char *text = strchr(record, ';');
	char *comma = strchr(record, ',');
	size_t n = strlen(name);

	if (!text || !comma)
		return NULL;
	comma = strchr(comma + 1, ',');
	*at = comma ? strtod(comma + 1, NULL) / 1e6 : 0;
	text++;
	text[strcspn(text, "\n")] = '\0';
	if (reports && !strncmp(text, report, sizeof(report) - 1))
		text += sizeof(report) - 1;
	else if (strncmp(record, service, sizeof(service) - 1))
		return NULL;
	if (strncmp(text, name, n) || strncmp(text + n, ": ", 2))
		return NULL;
	return text + n + 2;
}

static int each_old(int fd, const char *name, bool reports, void (*line)(double at, const char *text, void *arg), void *arg)
{
	char record[RECORD_MAX];
	ssize_t n;

	/* EPIPE: what would have been next was overwritten meanwhile */
	while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		const char *text;
		double at;

		record[MAX(n, 0)] = '\0';
		if (n >= 0 && (text = line_of(record, name, reports, &at)))
			line(at, text, arg);
	}
	return 0;
}

int cli_unit_each(const char *name, void (*line)(double at, const char *text, void *arg), void *arg)
{
	CLEANUP_FD int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : each_old(fd, name, true, line, arg);
}

static void print_line(double at, const char *text, bool times)
{
	if (times)
		printf("%12.6f ", at);
	puts(cli_safe(text));
}

struct kept {
	size_t seen;
	struct {
		double at;
		char *text;
	} ring[LINES_MAX];
};

static void keep(double at, const char *text, void *arg)
{
	struct kept *k = arg;
	size_t i = k->seen++ % LINES_MAX;

	free(k->ring[i].text);
	k->ring[i].at = at;
	k->ring[i].text = strdup(text);
}

/* Everything that is in the kernel log now; the last `most` lines of it are printed. */
static int print_old(int fd, const char *name, long most, bool times)
{
	struct kept *k = calloc(1, sizeof(*k));
	size_t first;

	if (!k)
		return -ENOMEM;
	each_old(fd, name, false, keep, k);
	most = most < 0 ? LINES_MAX : MIN(most, (long)LINES_MAX);
	first = k->seen > (size_t)most ? k->seen - (size_t)most : 0;
	for (size_t i = first; i < k->seen; i++)
		print_line(k->ring[i % LINES_MAX].at, k->ring[i % LINES_MAX].text ? k->ring[i % LINES_MAX].text : "", times);
	for (size_t i = 0; i < LINES_MAX; i++)
		free(k->ring[i].text);
	free(k);
	return 0;
}

static void follow_new(int fd, const char *name, bool times)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char record[RECORD_MAX];

	fflush(stdout);
	while (poll(&p, 1, -1) >= 0 || errno == EINTR) {
		ssize_t n = read(fd, record, sizeof(record) - 1);
		const char *text;
		double at;

		if (n <= 0)
			continue;
		record[n] = '\0';
		if (!(text = line_of(record, name, false, &at)))
			continue;
		print_line(at, text, times);
		fflush(stdout);
	}
}

int cli_unit_logs(const char *name, long most, bool follow, bool times, struct err *err)
{
	CLEANUP_FD int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_set(err, errno, "open /dev/kmsg");
	r = print_old(fd, name, most, times);
	if (r < 0)
		return err_set(err, -r, "read /dev/kmsg");
	if (follow)
		follow_new(fd, name, times);
	return 0;
}
