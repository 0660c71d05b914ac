/* start.c - coracle start. */
#include "cli.h"

int verb_start(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage("start NAME...");
	return cli_each(argc - 1, argv + 1, "start", "");
}
