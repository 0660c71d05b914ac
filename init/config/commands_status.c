/* commands_status.c - `coracle-config status`, which is `cloud-init status`: how the configuration went, at once or when it is over.
 *
 * Runs as anybody. Only reads: /run/cloud-init/status.json, and with --wait the events of its folder. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "fd.h"
#include "options.h"
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
	enum status_format format;
	bool wait;
	bool extended;
	bool wrong;	/* an option that is not known */
};

/* Why nothing is to be configured at all (cloud-init, cmd/status.py: get_bootstatus), or NULL. The kernel command line is this machine's. */
static const char *disabled_by(struct run *r, const struct status_options *o)
{
	static const char marker[] = "/etc/cloud/cloud-init.disabled";
	CLEANUP_FREE char *cmdline = NULL;
	char *save = NULL;

	if (target_exists(&r->target, marker))
		return "disabled-by-marker-file";
	if (strcmp(o->root, "/") != 0 || fd_read_file(AT_FDCWD, "/proc/cmdline", 65536, &cmdline, NULL, NULL) < 0)
		return NULL;
	for (char *word = strtok_r(cmdline, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		if (!strcmp(word, "cloud-init=disabled"))
			return "disabled-by-kernel-command-line";
	return NULL;
}

/* A status that does not fit is no reason to write one, as a boot would. */
static void too_large(void *arg)
{
	(void)arg;
	fprintf(stderr, "coracle-config: the status is larger than %u MiB\n", (unsigned)(RUN_MEMORY_MAX >> 20));
	_exit(1);
}

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
		/* in JSON and YAML a dot would be an error */
		if (o->format == STATUS_TABULAR) {
			dots = true;
			fputc('.', stdout);
			fflush(stdout);
		}
		wait_for_change(watcher);
		/* however long it takes: what was read before is read again */
		arena_fini(&r->arena);
		arena_init(&r->arena, RUN_MEMORY_MAX, too_large, NULL);
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
	r->arena.exhausted = too_large;
	r->status.disabled = disabled_by(r, o);
	buf_init(&out, OUTPUT_MAX);
	if (r->status.disabled) {
		status_print(&r->status, o->extended, o->format, &out);
		fputs(out.data, stdout);
		return 0;
	}
	e = current_status(r, o);
	if (e == 0)
		status_add_problems(&r->ctx, &r->target, &r->status);
	status_print(e == 0 ? &r->status : NULL, o->extended, o->format, &out);
	fputs(out.data, stdout);
	return e == 0 ? status_exit(&r->status) : 0;
}

static bool read_format(const char *word, enum status_format *out)
{
	static const char *const names[] = { [STATUS_TABULAR] = "tabular", [STATUS_JSON] = "json", [STATUS_YAML] = "yaml" };

	for (size_t i = 0; word && i < ARRAY_SIZE(names); i++)
		if (!strcmp(word, names[i])) {
			*out = (enum status_format)i;
			return true;
		}
	return false;
}

static void read_options(struct options *words, struct status_options *o)
{
	const char *format = NULL;

	for (words->i = 1; words->i < words->argc; words->i++) {
		if (option_flag(words, "-w", "--wait"))
			o->wait = true;
		else if (option_flag(words, "-l", "--long"))
			o->extended = true;
		else if (option_flag(words, "-wl", "-lw"))
			o->wait = o->extended = true;
		else if (option_value(words, NULL, "--format", &format))
			o->wrong |= !read_format(format, &o->format);
		else if (option_value(words, NULL, "--root", &o->root))
			o->wrong |= !o->root;
		else
			o->wrong = true;
	}
}

int command_status(int argc, char **argv)
{
	struct options words = { .argc = argc, .argv = argv };
	struct status_options o = { .root = "/" };
	struct run r;
	int code;

	read_options(&words, &o);
	if (o.wrong) {
		fprintf(stderr, "usage: coracle-config status [--wait] [--long] [--format json|yaml|tabular] [--root DIR]\n");
		return 1;
	}
	run_init(&r);
	code = status(&r, &o);
	run_fini(&r);
	return code;
}
