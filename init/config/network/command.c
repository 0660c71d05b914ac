/* command.c - `coracle-config network`: shows a plan, carries one out, configures a device that appeared.
 *
 * Runs in coracle-config, on any Linux (--plan), and wherever the caller may change the network (--apply). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "fd.h"
#include "plan.h"

static int print_plan(struct run *r, const char *file, const struct network_plan *plan)
{
	CLEANUP_BUF struct buf out = { 0 };
	size_t len;

	buf_init(&out, (size_t)4 << 20);
	diags_render(&r->diags, &out);
	fputs(out.data, stderr);
	if (!plan)
		fprintf(stderr, "coracle-config: %s says nothing about the network\n", file);
	else
		fputs(network_text(&r->ctx, plan, &len), stdout);
	return diags_errors(&r->diags) ? 1 : 0;
}

static int run(struct run *r, const char *mode, const char *file)
{
	CLEANUP_FREE char *text = NULL;
	struct err err = ERR_INIT;
	struct network_plan *plan;
	size_t len;

	if (fd_read_file(AT_FDCWD, file, USERDATA_MAX, &text, &len, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	plan = !strcmp(mode, "--plan-cmdline") ? network_from_cmdline(&r->ctx, text) : network_read(&r->ctx, file, text, len);
	return print_plan(r, file, plan);
}

int command_network(int argc, char **argv)
{
	struct run r;
	int status;

	if (argc != 3 || (strcmp(argv[1], "--plan") != 0 && strcmp(argv[1], "--plan-cmdline") != 0)) {
		fprintf(stderr, "usage: coracle-config network --plan FILE\n");
		return 1;
	}
	run_init(&r);
	status = run(&r, argv[1], argv[2]);
	run_fini(&r);
	return status;
}
