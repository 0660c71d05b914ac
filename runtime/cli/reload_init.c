/* reload_init.c - coracle reload-init: init executes a newer one of itself; everything that it runs goes on. */
#include <stdio.h>

#include "cli.h"

static void on_line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

int verb_reload_init(int argc, char **argv)
{
	struct err err = ERR_INIT;
	char request[300] = "reload-init";

	if (argc > 2 || (argc == 2 && argv[1][0] != '/'))
		return cli_usage("reload-init [/PATH]");
	if (argc == 2 && (size_t)snprintf(request, sizeof(request), "reload-init %s", argv[1]) >= sizeof(request))
		return cli_usage("reload-init [/PATH]");
	return cli_init(request, on_line, NULL, &err) < 0 ? cli_fail(&err) : 0;
}
