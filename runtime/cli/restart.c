/* restart.c - coracle restart. */
#include "cli.h"
#include "grace.h"

int verb_restart(int argc, char **argv)
{
	char query[32];
	int used = grace_option(argc, argv, query, sizeof(query));

	if (used < 0 || used >= argc)
		return cli_usage("restart [-t SECONDS] NAME...");
	return cli_each(argc - used, argv + used, "restart", query);
}
