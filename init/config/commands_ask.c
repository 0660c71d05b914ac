/* commands_ask.c - `coracle-config query`: single facts about the instance. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "fd.h"
#include "run.h"
#include "sys.h"

#define OUTPUT_MAX ((size_t)4 << 20)

static int print_file(const struct run *r, const char *path)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;

	if (target_read(&r->target, path, USERDATA_MAX, &text, &len) < 0)
		return 1;
	fwrite(text, 1, len, stdout);
	return 0;
}

static int query(struct run *r, const char *root, const char *name)
{
	static const struct { const char *name, *path; } known[] = {
		{ "v1.instance_id", "/run/cloud-init/.instance-id" }, { "instance_id", "/run/cloud-init/.instance-id" },
		{ "v1.local_hostname", "/etc/hostname" }, { "local_hostname", "/etc/hostname" },
	};
	struct err err = ERR_INIT;

	if (target_open(&r->target, root, false, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i].name)) {
			if (print_file(r, known[i].path) == 0)
				return 0;
			fprintf(stderr, "coracle-config: %s is not known before the configuration is applied\n", name);
			return 1;
		}
	fprintf(stderr, "coracle-config: query knows instance_id and local_hostname, not \"%s\"\n", name);
	return 1;
}

int command_query(int argc, char **argv)
{
	const char *root = "/";
	const char *name = NULL;
	struct run r;
	int code;

	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && !strcmp(argv[i], "--root"))
			root = argv[++i];
		else
			name = argv[i];
	}
	if (!name) {
		fprintf(stderr, "usage: coracle-config query [--root DIR] NAME\n");
		return 1;
	}
	run_init(&r);
	code = query(&r, root, name);
	run_fini(&r);
	return code;
}
