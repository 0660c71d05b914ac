/* cmd_list.c - list: all containers below --root. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

static void print_json(const struct state *s, const char *status, int pid, bool first)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 1 << 20);
	buf_puts(&b, first ? "[{\"ociVersion\":" : ",{\"ociVersion\":");
	buf_json_string(&b, s->version, strlen(s->version));
	buf_puts(&b, ",\"id\":");
	buf_json_string(&b, s->id, strlen(s->id));
	buf_printf(&b, ",\"pid\":%d,\"status\":\"%s\",\"bundle\":", pid, status);
	buf_json_string(&b, s->bundle, strlen(s->bundle));
	buf_puts(&b, ",\"rootfs\":");
	buf_json_string(&b, s->rootfs, strlen(s->rootfs));
	buf_puts(&b, ",\"created\":");
	buf_json_string(&b, s->created, strlen(s->created));
	buf_puts(&b, ",\"owner\":\"root\"}");
	fputs(b.data, stdout);
}

static void print_one(const struct globals *g, const char *id, bool quiet, bool json, int *n)
{
	struct cgroup cg = { .base = -1 };
	struct err ignored;
	struct state s;
	enum state_status st;

	if (state_load(&s, g->root, id, &ignored) < 0) {
		state_fini(&s);
		return;
	}
	st = state_status(&s, NULL);
	if (st == STATUS_RUNNING && state_open_cgroup(&s, &cg, &ignored) == 0)
		st = state_status(&s, &cg);
	if (quiet)
		puts(id);
	else if (json)
		print_json(&s, state_status_name(st), st == STATUS_STOPPED ? 0 : (int)s.pid, !*n);
	else
		printf("%-19s %-11d %-11s %-24s %-30s root\n", id, st == STATUS_STOPPED ? 0 : (int)s.pid, state_status_name(st), s.bundle, s.created);
	++*n;
	cgroup_fini(&cg);
	state_fini(&s);
}

int verb_list(const struct globals *g, int argc, char **argv, struct err *err)
{
	bool quiet = false, json;
	const char *format = "table";
	const struct args_option options[] = { { "quiet", 'q', ARGS_FLAG, &quiet }, { "format", 'f', ARGS_VALUE, &format } };
	int count = 0, n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	struct dirent *e;
	DIR *d;

	if (n < 0)
		return n;
	json = !strcmp(format, "json");
	if (n || (!json && strcmp(format, "table")))
		return n ? verb_usage(err, "list [--quiet] [--format table|json]") : err_set(err, 0, "invalid format option");
	d = opendir(g->root);
	if (!d && errno != ENOENT)
		return err_set(err, errno, "open %s", g->root);
	if (!quiet && !json)
		printf("%-19s %-11s %-11s %-24s %-30s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			print_one(g, e->d_name, quiet, json, &count);
	if (d)
		closedir(d);
	if (json && !quiet)
		puts(count ? "]" : "null");
	return 0;
}
