/* commands_run.c - the commands that change something: boot, final, apply. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "network/boot.h"
#include "report.h"
#include "run.h"
#include "sys.h"

/* The status after everything but the final stage. */
static void finish_boot(struct run *r, uint64_t start, bool final)
{
	struct status *s = &r->status;
	struct err err = ERR_INIT;
	uint64_t now = status_now();

	s->datasource = r->seed.name;
	s->stage[STAGE_LOCAL].start = start;
	s->stage[STAGE_LOCAL].finished = s->stage[STAGE_INIT].start ? s->stage[STAGE_INIT].start : now;
	for (int i = STAGE_INIT; i <= STAGE_CONFIG; i++)
		if (s->stage[i].start == 0)
			s->stage[i].start = s->stage[i].finished = now;
	if (!final) {
		s->stage[STAGE_FINAL].start = now;
		s->stage[STAGE_FINAL].finished = now;
	}
	status_add_diags(&r->ctx, s);
	if (status_write(&r->target, s, &err) < 0 || seed_write_cloud_id(&r->target, &r->seed, &err) < 0)
		report_problem("config", "%s", err.text);
	run_report(r);
}

int command_boot(int argc, char **argv)
{
	uint64_t start = status_now();
	struct err err = ERR_INIT;
	struct run r;
	bool final = false;
	int found;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "coracle-config boot takes no arguments\n");
		return 1;
	}
	report_stamp("config-start");
	run_init(&r);
	if (target_open(&r.target, "/", true, &err) < 0) {
		report_problem("config", "%s", err.text);
		return 1;
	}
	r.ctx.need_network = network_need;
	found = datasource_find(&r.ctx, &machine_places, &r.seed);
	network_prepare(&r);
	if (found)
		run_read_seed(&r);
	network_boot(&r);
	if (found)
		final = apply_config(&r);
	finish_boot(&r, start, final);
	report_stamp("config-done");
	run_fini(&r);
	/* a configuration with errors was still applied as far as it goes: that is no failure of the service */
	return 0;
}

int command_final(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct run r;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "coracle-config final takes no arguments\n");
		return 1;
	}
	report_stamp("final-start");
	run_init(&r);
	if (target_open(&r.target, "/", true, &err) < 0) {
		report_problem("config", "%s", err.text);
		return 1;
	}
	final_run(&r);
	report_stamp("final-done");
	run_fini(&r);
	return 0;
}

static int read_seed_directory(struct run *r, const char *seed)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, seed, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0) {
		fprintf(stderr, "coracle-config: open %s: %s\n", seed, err_name(-fd));
		return fd;
	}
	seed_read_dir(&r->ctx, fd, seed, false, &r->seed);
	/* what is there and cannot be taken is told in the status, as at boot */
	if (!r->seed.user_data && !r->diags.first) {
		fprintf(stderr, "coracle-config: %s has no user-data\n", seed);
		return -ENOENT;
	}
	r->seed.name = arena_printf(&r->arena, "DataSourceNoCloud [seed=%s]", seed);
	r->seed.cloud_name = r->seed.platform = "nocloud";
	r->seed.subplatform = arena_printf(&r->arena, "seed-dir (%s)", seed);
	meta_complete(&r->ctx, &r->seed.meta);
	return 0;
}

/* As at boot, with DMI, command line and so on from below a directory. */
static bool detect_below(struct run *r, const char *tree)
{
	struct places *places = ARENA_NEW(&r->arena, struct places);

	*places = places_below(&r->arena, tree);
	r->cmdline_path = places->cmdline;
	return datasource_find(&r->ctx, places, &r->seed);
}

static int apply(struct run *r, const char *root, const char *seed, const char *tree)
{
	uint64_t start = status_now();
	struct err err = ERR_INIT;
	CLEANUP_BUF struct buf text = { 0 };
	bool final = false;

	if (target_open(&r->target, root, false, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	if (!tree && read_seed_directory(r, seed) < 0)
		return 1;
	if (!tree || detect_below(r, tree)) {
		network_prepare(r);
		run_read_seed(r);
		network_boot(r);
		final = apply_config(r);
	}
	finish_boot(r, start, final);
	buf_init(&text, (size_t)4 << 20);
	diags_render(&r->diags, &text);
	fputs(text.data, stderr);
	return status_exit(&r->status);
}

int command_apply(int argc, char **argv)
{
	const char *root = NULL;
	const char *seed = NULL;
	const char *tree = NULL;
	struct run r;
	int status;

	for (int i = 1; i < argc; i++) {
		if (i + 1 < argc && !strcmp(argv[i], "--root"))
			root = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--seed"))
			seed = argv[++i];
		else if (i + 1 < argc && !strcmp(argv[i], "--detect"))
			tree = argv[++i];
		else
			root = NULL, i = argc;
	}
	if (!root || !seed == !tree) {
		fprintf(stderr, "usage: coracle-config apply --root DIR --seed DIR\n"
				"       coracle-config apply --root DIR --detect TREE\n");
		return 1;
	}
	report_set_dir(""); /* this is not the machine: no console, no /run/coracle */
	run_init(&r);
	status = apply(&r, root, seed, tree);
	run_fini(&r);
	return status;
}
