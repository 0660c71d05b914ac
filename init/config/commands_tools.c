/* commands_tools.c - what else people and scripts call cloud-init for: clean, analyze, and words for what does not exist here.
 *
 * clean runs as root and removes files below /var/lib/cloud, /run/cloud-init and its own logs; analyze only reads. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "options.h"
#include "path.h"
#include "run.h"
#include "sys.h"

struct clean {
	const char *root;
	bool logs;
	bool seed;
	bool machine_id;
	bool wrong;
};

/* Removes the tree, a file or a link. What is not there is removed already. */
static int remove_tree(const struct target *t, const char *path)
{
	const char *base;
	CLEANUP_FD int parent = path_open_parent_in(t->rootfd, path, 0, &base);
	int r = parent < 0 ? parent : path_remove_tree(parent, base);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		fprintf(stderr, "coracle-config: remove %s: %s\n", path, err_name(-r));
	return r;
}

static int clean(const struct target *t, const struct clean *c)
{
	static const char *const always[] = {
		"/var/lib/cloud/instance", "/var/lib/cloud/instances", "/var/lib/cloud/data", "/var/lib/cloud/sem", "/run/cloud-init",
	};
	static const char *const logs[] = { "/var/log/cloud-init.log", "/var/log/cloud-init-output.log" };
	struct err err = ERR_INIT;
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		failed |= remove_tree(t, always[i]);
	for (size_t i = 0; c->logs && i < ARRAY_SIZE(logs); i++)
		failed |= remove_tree(t, logs[i]);
	if (c->seed)
		failed |= remove_tree(t, "/var/lib/cloud/seed");
	/* as machine-id(5) has it for images: made anew at the next boot */
	if (c->machine_id && target_put(t, "/etc/machine-id", "uninitialized\n", 0444, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		failed = -1;
	}
	return failed ? 1 : 0;
}

int command_clean(int argc, char **argv)
{
	struct options o = { .argc = argc, .argv = argv };
	struct clean c = { .root = "/" };
	struct err err = ERR_INIT;
	struct target t;
	int code;

	for (o.i = 1; o.i < argc; o.i++) {
		if (option_flag(&o, "-l", "--logs"))
			c.logs = true;
		else if (option_flag(&o, "-s", "--seed"))
			c.seed = true;
		else if (option_flag(&o, NULL, "--machine-id"))
			c.machine_id = true;
		else if (option_value(&o, NULL, "--root", &c.root))
			c.wrong |= !c.root;
		else
			c.wrong = true;
	}
	if (c.wrong) {
		fprintf(stderr, "usage: coracle-config clean [--logs] [--seed] [--machine-id] [--root DIR]\n"
				"The next boot then applies everything again, as for a new instance.\n");
		return 1;
	}
	if (target_open(&t, c.root, false, &err) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text);
		return 1;
	}
	code = clean(&t, &c);
	target_close(&t);
	return code;
}

static uint64_t spent(const struct status_times *t)
{
	return t->finished > t->start ? t->finished - t->start : 0;
}

/* One line for each stage, with its time; blame: only what took time, the longest first. */
static void show(const struct status *s, bool blame)
{
	uint64_t total = 0;
	bool told[STAGE_COUNT] = { false };

	for (int n = 0; n < STAGE_COUNT; n++) {
		int at = n;

		for (int i = 0; blame && i < STAGE_COUNT; i++)
			if (!told[i] && (told[at] || spent(&s->stage[i]) > spent(&s->stage[at])))
				at = i;
		told[at] = true;
		total += spent(&s->stage[at]);
		printf("     %02u.%06us (%s)\n", (unsigned)(spent(&s->stage[at]) / 1000000), (unsigned)(spent(&s->stage[at]) % 1000000),
		       status_stage_name((enum status_stage)at));
	}
	printf("Total Time: %u.%06u seconds\n", (unsigned)(total / 1000000), (unsigned)(total % 1000000));
}

int command_analyze(int argc, char **argv)
{
	struct options o = { .argc = argc, .argv = argv };
	struct err err = ERR_INIT;
	const char *root = "/";
	const char *what = NULL;
	struct run r;
	int code = 0;

	for (o.i = 1; o.i < argc; o.i++)
		if (!option_value(&o, NULL, "--root", &root))
			what = what ? "" : argv[o.i];
	if (!root || !what || (strcmp(what, "show") != 0 && strcmp(what, "blame") != 0)) {
		fprintf(stderr, "usage: coracle-config analyze show|blame [--root DIR]\n");
		return 1;
	}
	run_init(&r);
	if (target_open(&r.target, root, false, &err) < 0 || status_read(&r.ctx, &r.target, &r.status) < 0) {
		fprintf(stderr, "coracle-config: %s\n", err.text[0] ? err.text : "the configuration was not applied yet: no /run/cloud-init/status.json");
		code = 1;
	} else {
		show(&r.status, !strcmp(what, "blame"));
	}
	run_fini(&r);
	return code;
}

int command_absent(int argc, char **argv)
{
	static const struct { const char *name, *text; } words[] = {
		{ "init", "the boot applies the configuration once, all stages in one run; to have it applied again: cloud-init clean, then reboot" },
		{ "modules", "the boot applies the configuration once, all stages in one run; to have it applied again: cloud-init clean, then reboot" },
		{ "single", "modules cannot be run one by one; to have all applied again: cloud-init clean, then reboot" },
		{ "collect-logs", "the logs are /var/log/cloud-init.log, /var/log/cloud-init-output.log and what `cloud-init status --long` prints" },
		{ "features", "there are no optional features" },
		{ "devel", "there are no development tools here; `cloud-init schema` checks a configuration on any Linux" },
	};

	(void)argc;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(argv[0], words[i].name))
			fprintf(stderr, "coracle-config: `cloud-init %s` does nothing on Coracle: %s\n", argv[0], words[i].text);
	return 1;
}
