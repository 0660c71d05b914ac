/* cmd_ps.c - ps: the processes of a container, by numbers or through the host's ps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "lib/cdefs.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

#define PIDS_MAX 32768

struct pids {
	pid_t *pid;
	size_t n;
};

static int collect(pid_t pid, void *arg)
{
	struct pids *p = arg;

	if (p->n == PIDS_MAX)
		return -E2BIG;
	p->pid[p->n++] = pid;
	return 0;
}

static bool listed(const struct pids *p, long pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->pid[i] == pid)
			return true;
	return false;
}

/* Which word of the heading is PID. */
static int pid_column(char *heading)
{
	char *save = NULL, *w = strtok_r(heading, " \t\n", &save);

	for (int i = 0; w; i++, w = strtok_r(NULL, " \t\n", &save))
		if (!strcmp(w, "PID"))
			return i;
	return -1;
}

static long word_number(const char *line, int column)
{
	line += strspn(line, " \t");
	while (column--) {
		line += strcspn(line, " \t");
		line += strspn(line, " \t");
	}
	return atol(line);
}

static int table(const struct pids *p, int argc, char **argv, struct err *err)
{
	char command[4096] = "ps", line[8192], heading[8192];
	size_t n = 2;
	FILE *f;
	int column;

	if (!argc)
		n += (size_t)snprintf(command + n, sizeof command - n, " -ef");
	for (int i = 0; i < argc; i++) {
		if (strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-,=+:.") != strlen(argv[i]))
			return err_set(err, 0, "ps option \"%s\": only plain words", argv[i]);
		n += (size_t)snprintf(command + n, sizeof command - n, " %s", argv[i]);
		if (n >= sizeof command)
			return err_set(err, 0, "ps options: too long");
	}
	f = popen(command, "r");
	if (!f || !fgets(line, sizeof line, f))
		return err_set(err, f ? ENOENT : errno, "run %s", command);
	strcpy(heading, line);
	column = pid_column(heading);
	fputs(line, stdout);
	while (column >= 0 && fgets(line, sizeof line, f))
		if (listed(p, word_number(line, column)))
			fputs(line, stdout);
	pclose(f);
	return column < 0 ? err_set(err, 0, "couldn't find PID field in ps output") : 0;
}

static void json(const struct pids *p)
{
	putchar('[');
	for (size_t i = 0; i < p->n; i++)
		printf("%s%d", i ? "," : "", (int)p->pid[i]);
	puts("]");
}

int verb_ps(const struct globals *g, int argc, char **argv, struct err *err)
{
	const char *format = "table";
	const struct args_option options[] = { { "format", 'f', ARGS_VALUE, &format } };
	int r, n = args_parse(argc, argv, options, ARRAY_SIZE(options), true, err);
	struct pids p = { NULL, 0 };
	struct cgroup cg = { .base = -1 };
	struct state s;

	if (n < 0)
		return n;
	if (strcmp(format, "table") && strcmp(format, "json"))
		return err_set(err, 0, "invalid format option");
	if (n < 1)
		return verb_usage(err, "ps [--format table|json] ID [PS-OPTION]...");
	if ((r = state_load(&s, g->root, argv[0], err)) < 0)
		return r;
	if (state_status(&s, NULL) == STATUS_STOPPED)
		return err_set(err, 0, "container not running");
	p.pid = malloc(PIDS_MAX * sizeof *p.pid);
	if (!p.pid)
		return err_set(err, ENOMEM, "ps");
	if ((r = state_open_cgroup(&s, &cg, err)) < 0 || (r = cgroup_each_pid(&cg, collect, &p, err)) < 0)
		return r;
	if (n > 1 && !strcmp(argv[1], "--")) {
		argv++;
		n--;
	}
	if (!strcmp(format, "json"))
		json(&p);
	else
		r = table(&p, n - 1, argv + 1, err);
	free(p.pid);
	cgroup_fini(&cg);
	state_fini(&s);
	return r < 0 ? r : 0;
}
