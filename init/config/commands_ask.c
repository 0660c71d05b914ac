/* commands_ask.c - the commands that only look: status, query. */
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

/* Waits until a file appears in /run/cloud-init (or the folder itself). */
static void wait_for_change(int watcher)
{
	struct pollfd p = { .fd = watcher, .events = POLLIN };
	char events[4096];

	if (poll(&p, 1, 10000) > 0)
		(void)!read(watcher, events, sizeof(events));
}

static void watch(int watcher, const char *root)
{
	static const char *const dirs[] = { "/run/cloud-init", "/run" };
	char path[4096];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if ((size_t)snprintf(path, sizeof(path), "%s%s", strcmp(root, "/") ? root : "", dirs[i]) < sizeof(path))
			inotify_add_watch(watcher, path, IN_CREATE | IN_MOVED_TO);
}

struct status_options {
	const char *root;
	bool wait;
	bool extended;
	bool json;
};

/* Reads status.json until the last stage is over, if that is asked for. Returns 0 or what status_read said. */
static int current_status(struct run *r, const struct status_options *o)
{
	CLEANUP_FD int watcher = o->wait ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1;
	bool dots = false;
	int e;

	for (;;) {
		/* the watch is there before we look, so no change is missed */
		if (watcher >= 0)
			watch(watcher, o->root);
		e = status_read(&r->ctx, &r->target, &r->status);
		if (!o->wait || (e == 0 && r->status.stage[STAGE_FINAL].finished > 0))
			break;
		dots = true;
		fputc('.', stdout);
		fflush(stdout);
		wait_for_change(watcher);
	}
	if (dots)
		fputc('\n', stdout);
	return e;
}

static int status(struct run *r, const struct status_options *o)
{
	struct err err = ERR_INIT;
	CLEANUP_BUF struct buf out = { 0 };
	int e;

	if (target_open(&r->target, o->root, false, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	e = current_status(r, o);
	if (e == 0)
		status_add_problems(&r->ctx, &r->target, &r->status);
	buf_init(&out, OUTPUT_MAX);
	status_print(e == 0 ? &r->status : NULL, o->extended, o->json, &out);
	fputs(out.data, stdout);
	return e == 0 ? status_exit(&r->status) : 0;
}

int command_status(int argc, char **argv)
{
	struct status_options o = { .root = "/" };
	struct run r;
	int code;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--wait") || !strcmp(argv[i], "-w")) {
			o.wait = true;
		} else if (!strcmp(argv[i], "--long") || !strcmp(argv[i], "-l")) {
			o.extended = true;
		} else if (i + 1 < argc && !strcmp(argv[i], "--format")) {
			o.json = !strcmp(argv[i + 1], "json");
			if (!o.json && strcmp(argv[i + 1], "tabular") != 0)
				break;
			i++;
		} else if (!strcmp(argv[i], "--format=json")) {
			o.json = true;
		} else if (i + 1 < argc && !strcmp(argv[i], "--root")) {
			o.root = argv[++i];
		} else {
			argc = -1;
		}
	}
	if (argc < 0) {
		fprintf(stderr, "usage: coracle-config status [--wait] [--long] [--format json|tabular] [--root DIR]\n");
		return 1;
	}
	run_init(&r);
	code = status(&r, &o);
	run_fini(&r);
	return code;
}

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
