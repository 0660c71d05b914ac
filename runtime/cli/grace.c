/* grace.c - the option -t SECONDS (coracle). */
#include "grace.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int grace_option(int argc, char **argv, char *query, size_t size)
{
	int o;

	query[0] = '\0';
	while ((o = getopt(argc, argv, "t:")) != -1) {
		char *end;
		long t;

		if (o != 't')
			return -1;
		t = strtol(optarg, &end, 10);
		if (*end || end == optarg || t < -1)
			return -1;
		snprintf(query, size, "?t=%ld", t);
	}
	return optind;
}
