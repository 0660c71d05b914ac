/* reload.c - coracle reload: init reads its unit files again. */
#include "cli.h"

static void on_line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

int verb_reload(int argc, char **argv)
{
	struct err err = ERR_INIT;

	(void)argv;
	if (argc > 1)
		return cli_usage("reload");
	return cli_init("reload", on_line, NULL, &err) < 0 ? cli_fail(&err) : 0;
}
