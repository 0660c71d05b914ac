/* services.c - coracle services: what init supervises. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

static void on_line(const char *text, void *arg)
{
	char name[64] = "", state[64] = "", pid[24] = "", restarts[24] = "", status[160] = "";

	sscanf(text, "%63s %63s %23s %23s %159[^\n]", name, state, pid, restarts, status);
	table_add(arg, (const char *[]){ cli_safe(name), cli_safe(state), cli_safe(pid), cli_safe(restarts), cli_safe(status) });
}

static void on_answer(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

/* "start NAME": for services, as `coracle start` is for containers. */
static int command(const char *verb, const char *name)
{
	struct err err = ERR_INIT;
	char text[128];

	if (strcmp(verb, "start") && strcmp(verb, "stop") && strcmp(verb, "restart"))
		return cli_usage("services [start|stop|restart NAME]");
	snprintf(text, sizeof(text), "%s %.64s", verb, name);
	return cli_init(text, on_answer, NULL, &err) < 0 ? cli_fail(&err) : 0;
}

int verb_services(int argc, char **argv)
{
	static const char *const head[] = { "NAME", "STATE", "PID", "RESTARTS", "STATUS" };
	struct err err = ERR_INIT;
	struct table t;
	int r;

	if (argc == 3)
		return command(argv[1], argv[2]);
	if (argc > 1)
		return cli_usage("services [start|stop|restart NAME]");
	table_init(&t, ARRAY_SIZE(head));
	table_add(&t, head);
	r = cli_init("services", on_line, &t, &err);
	table_print(&t, 0);
	return r < 0 ? cli_fail(&err) : 0;
}
