/* args.h - command line options, as runc's library takes them: --name VALUE,
 * --name=VALUE, -n VALUE, -n=VALUE, and one dash for long names too. */
#ifndef CORACLE_OCI_ARGS_H
#define CORACLE_OCI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

#define ARGS_LIST_MAX 256

struct args_list {
	const char *item[ARGS_LIST_MAX];
	size_t n;
};

enum args_kind { ARGS_FLAG, ARGS_VALUE, ARGS_LIST, ARGS_NUMBER, ARGS_IGNORED_VALUE };

struct args_option {
	const char *name;
	char letter;		/* 0: none */
	enum args_kind kind;
	void *out;		/* bool *, const char **, struct args_list *, int *; NULL: accepted and not used */
};

/* Moves the positional arguments to the front of argv (argv[0] is the first one
 * looked at, the last one is followed by NULL as
 * argv[argc] is) and returns how many there are, or -EINVAL. stop: options end at the first positional argument. */
int args_parse(int argc, char **argv, const struct args_option *options, size_t n, bool stop, struct err *err);

/* path, or the working directory joined to it; the caller keeps it (heap). NULL stays NULL. */
const char *args_absolute(const char *path);

#endif
