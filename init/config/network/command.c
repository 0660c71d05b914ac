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
#include "boot.h"

static void print_problems(struct run *r)
{
	CLEANUP_BUF struct buf out = { 0 };

	buf_init(&out, (size_t)4 << 20);
	diags_render(&r->diags, &out);
	fputs(out.data, stderr);
}

static int print_plan(struct run *r, const struct network_plan *plan)
{
	size_t len;

	fputs(network_text(&r->ctx, plan, &len), stdout);
	return 0;
}

/* In the network namespace of the caller; no file is written. */
static int apply_plan(struct run *r, const struct network_plan *plan)
{
	struct applier a = { .ctx = &r->ctx, .plan = plan, .nl = { .fd = -1 } };

	if (network_apply(&a) == 0)
		printf("%u changes%s\n", a.changes, a.routes_later ? ", and routes that wait for DHCP" : "");
	network_apply_end(&a);
	return 0;
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
	if (!plan)
		fprintf(stderr, "coracle-config: %s says nothing about the network\n", file);
	else if (!strcmp(mode, "--apply"))
		apply_plan(r, plan);
	else
		print_plan(r, plan);
	print_problems(r);
	return diags_errors(&r->diags) ? 1 : 0;
}

/* The plan of this boot once more: routes that waited for DHCP, and a device that appeared (name; NULL: none). */
static int again(struct run *r, const char *name)
{
	CLEANUP_FREE char *text = NULL;
	struct err err = ERR_INIT;
	size_t len;
	int code;

	if (target_open(&r->target, "/", true, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	if (target_read(&r->target, NETWORK_PLAN_PATH, USERDATA_MAX, &text, &len) == 0)
		r->network = network_read(&r->ctx, NETWORK_PLAN_PATH, text, len);
	network_again(r, name);
	print_problems(r);
	code = diags_errors(&r->diags) ? 1 : 0;
	return code;
}

int command_network(int argc, char **argv)
{
	static const char *const modes[] = { "--plan", "--plan-cmdline", "--apply" };
	struct run r;
	int status = -1;

	for (size_t i = 0; argc == 3 && i < ARRAY_SIZE(modes); i++)
		if (!strcmp(argv[1], modes[i])) {
			run_init(&r);
			status = run(&r, argv[1], argv[2]);
			run_fini(&r);
		}
	if (status < 0 && ((argc == 2 && !strcmp(argv[1], "--again")) || (argc == 3 && !strcmp(argv[1], "--device")))) {
		run_init(&r);
		status = again(&r, argc == 3 ? argv[2] : NULL);
		run_fini(&r);
	}
	if (status >= 0)
		return status;
	fprintf(stderr, "usage: coracle-config network --plan FILE | --plan-cmdline FILE | --apply FILE | --again | --device NAME\n");
	return 1;
}
