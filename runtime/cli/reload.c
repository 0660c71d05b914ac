/* reload.c - coracle reload: init reads its unit files again, or a service its configuration (Type=notify-reload), and says when it has. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"

#define ASK_MS 50
#define WITHIN_MS 90000

/* A row of `services`. */
struct row {
	const char *name;
	char state[16];
	int pid;
};

static void on_row(const char *text, void *arg)
{
	struct row *row = arg;
	char name[64], state[16];
	int pid;

	if (sscanf(text, "%63s %15s %d", name, state, &pid) < 3 || strcmp(name, row->name))
		return;
	memcpy(row->state, state, sizeof(state));
	row->pid = pid;
}

static void on_line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

static int reload_service(const char *name, struct err *err)
{
	struct timespec pause = { 0, ASK_MS * 1000000L };
	struct row before = { .name = name }, now = { .name = name, .state = "reloading" };
	int r;

	if ((r = cli_init("services", on_row, &before, err)) < 0 || (r = cli_unit("reload", name, err)) < 0)
		return r;
	for (int ms = 0; r == 0 && !strcmp(now.state, "reloading"); ms += ASK_MS) {
		if (ms >= WITHIN_MS)
			return err_set(err, 0, "%s does not say that it has reloaded within %d s", name, WITHIN_MS / 1000);
		nanosleep(&pause, NULL);
		r = cli_init("services", on_row, &now, err);
	}
	if (r == 0 && (now.pid != before.pid || strcmp(now.state, "running")))
		return err_set(err, 0, "%s ended when it was to reload, and is %s", name, now.state);
	return r;
}

int verb_reload(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int r;

	if (argc > 2)
		return cli_usage("reload [NAME]");
	r = argc == 2 ? reload_service(argv[1], &err) : cli_init("reload", on_line, NULL, &err);
	return r < 0 ? cli_fail(&err) : 0;
}
