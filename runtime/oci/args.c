/* args.c - parses command lines. Pure but for args_absolute. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "runtime/oci/args.h"

static const struct args_option *find(const struct args_option *options, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (len == strlen(options[i].name) && !strncmp(options[i].name, name, len))
			return &options[i];
		if (len == 1 && options[i].letter && options[i].letter == *name)
			return &options[i];
	}
	return NULL;
}

static int set_flag(const struct args_option *o, const char *value, struct err *err)
{
	bool on = !value || !strcmp(value, "true") || !strcmp(value, "1");

	if (!on && strcmp(value, "false") && strcmp(value, "0"))
		return err_set(err, 0, "--%s: \"%s\" is neither true nor false", o->name, value);
	if (o->out)
		*(bool *)o->out = on;
	return 0;
}

static int set_value(const struct args_option *o, const char *value, struct err *err)
{
	struct args_list *list = o->out;
	char *end;
	long n;

	switch (o->kind) {
	case ARGS_VALUE:
		*(const char **)o->out = value;
		return 0;
	case ARGS_LIST:
		if (list->n == ARGS_LIST_MAX)
			return err_set(err, 0, "--%s: given more than %d times", o->name, ARGS_LIST_MAX);
		list->item[list->n++] = value;
		return 0;
	case ARGS_NUMBER:
		errno = 0;
		n = strtol(value, &end, 10);
		if (errno || end == value || *end || n < 0 || n > INT_MAX)
			return err_set(err, 0, "--%s: \"%s\" is not a number", o->name, value);
		*(int *)o->out = (int)n;
		return 0;
	default:
		return 0;
	}
}

int args_parse(int argc, char **argv, const struct args_option *options, size_t n, bool stop, struct err *err)
{
	int kept = 0, i, r;

	for (i = 0; i < argc; i++) {
		const char *a = argv[i], *value;
		const struct args_option *o;

		if (a[0] != '-' || !a[1]) {
			argv[kept++] = argv[i];
			if (!stop)
				continue;
			i++;
			break;
		}
		if (!strcmp(a, "--")) {
			i++;
			break;
		}
		a += a[1] == '-' ? 2 : 1;
		value = strchr(a, '=');
		o = find(options, n, a, value ? (size_t)(value - a) : strlen(a));
		if (!o)
			return err_set(err, 0, "flag provided but not defined: %s", argv[i]);
		value = value ? value + 1 : NULL;
		if (o->kind == ARGS_FLAG) {
			if ((r = set_flag(o, value, err)) < 0)
				return r;
			continue;
		}
		if (!value && ++i == argc)
			return err_set(err, 0, "flag needs an argument: --%s", o->name);
		if ((r = set_value(o, value ? value : argv[i], err)) < 0)
			return r;
	}
	while (i < argc)
		argv[kept++] = argv[i++];
	if (kept < argc)
		argv[kept] = NULL;
	return kept;
}

const char *args_absolute(const char *path)
{
	char cwd[PATH_MAX];
	char *out;
	size_t n;

	if (!path || *path == '/' || !getcwd(cwd, sizeof cwd))
		return path;
	n = strlen(cwd) + strlen(path) + 2;
	out = malloc(n);
	if (out)
		snprintf(out, n, "%s/%s", cwd, path);
	return out ? out : path;
}
