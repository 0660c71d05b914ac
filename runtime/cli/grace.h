/* grace.h - the option -t SECONDS of stop and restart. */
#ifndef CORACLE_CLI_GRACE_H
#define CORACLE_CLI_GRACE_H

#include <stddef.h>

/* Writes "?t=SECONDS" or "" to query. Returns the index of the first name in argv, or -1. */
int grace_option(int argc, char **argv, char *query, size_t size);

#endif
