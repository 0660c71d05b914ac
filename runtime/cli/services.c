/* services.c - coracle services: what init supervises. */
#include <stdio.h>

#include "cli.h"
#include "table.h"

static void on_line(const char *text, void *arg)
{
	char name[64] = "", state[64] = "", pid[24] = "", restarts[24] = "";

	sscanf(text, "%63s %63s %23s %23s", name, state, pid, restarts);
	table_add(arg, (const char *[]){ cli_safe(name), cli_safe(state), cli_safe(pid), cli_safe(restarts) });
}

int verb_services(int argc, char **argv)
{
	static const char *const head[] = { "NAME", "STATE", "PID", "RESTARTS" };
	struct err err = ERR_INIT;
	struct table t;
	int r;

	(void)argv;
	if (argc > 1)
		return cli_usage("services");
	table_init(&t, ARRAY_SIZE(head));
	table_add(&t, head);
	r = cli_init("services", on_line, &t, &err);
	table_print(&t, 0);
	return r < 0 ? cli_fail(&err) : 0;
}
