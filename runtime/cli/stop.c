/* stop.c - coracle stop. */
#include "cli.h"
#include "grace.h"

int verb_stop(int argc, char **argv)
{
	char query[32];
	int used = grace_option(argc, argv, query, sizeof(query));

	if (used < 0 || used >= argc)
		return cli_usage("stop [-t SECONDS] NAME...");
	return cli_each(argc - used, argv + used, "stop", query);
}
