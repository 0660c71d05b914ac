/* reboot.c - coracle reboot: init takes the machine down in order. */
#include "cli.h"

static void on_line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

int verb_reboot(int argc, char **argv)
{
	struct err err = ERR_INIT;

	(void)argv;
	if (argc > 1)
		return cli_usage("reboot");
	return cli_init("reboot", on_line, NULL, &err) < 0 ? cli_fail(&err) : 0;
}
