/* main.c - coracle-config: the boot configuration, read, checked and applied.
 *
 * One-shot, started by init as root (boot, final), or by anybody on any Linux (schema, apply, status, query, analyze). Also called
 * cloud-init, for tools that expect that name. It must never stay resident, and never write a secret into a log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
	const char *text;
} commands[] = {
	{ "boot", command_boot, "boot", "apply this machine's configuration (init does that)" },
	{ "final", command_final, "final", "run its commands and power state (init does that)" },
	{ "apply", command_apply, "apply --root DIR (--seed DIR | --detect TREE)", "apply a seed, or what is found as at boot, to a directory" },
	{ "schema", command_schema, "schema -c FILE [-t TYPE] [--annotate]", "check a configuration; prints every problem, exit status 1 on errors" },
	{ "network", command_network, "network --plan FILE", "show what a network-config asks for" },
	{ "status", command_status, "status [--wait] [--long] [--format json]", "0 done, 1 errors, 2 recoverable errors" },
	{ "analyze", command_analyze, "analyze show", "the time that each stage took" },
	{ "clean", command_clean, "clean [--logs] [--seed] [--machine-id]", "forget the instance: the next boot applies everything again" },
	{ "query", command_query, "query NAME | --all | --list-keys | -f TEXT", "what is known of this instance: v1.region, ds.meta_data.uuid, userdata" },
};

/* Of cloud-init, which scripts call: they say why they do nothing. */
static const char *const absent[] = { "init", "modules", "single", "collect-logs", "features", "devel" };

/* Called by the name of what it stands for, it answers by that name. */
static const char *own_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, "cloud-init") ? "cloud-init" : "coracle-config";
}

static void help(const char *name)
{
	printf("usage: %s COMMAND\n\n", name);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-42s %s\n", commands[i].usage, commands[i].text);
	printf("  %-42s %s\n  %-42s %s\n", "--help", "this text", "--version", "the version");
}

/* musl gives memory of a size back to the kernel when the last piece of it is freed, and asks again at the next use. In a program of a few
 * milliseconds these calls and the page faults behind them took a third of the time: one piece of each small size stays in use. */
static void keep_heap(void)
{
	static void *volatile kept[8]; /* else the compiler leaves them out */

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		kept[i] = malloc(((size_t)32 << i) - 4);
		if (!kept[i])
			return;
	}
}

int main(int argc, char **argv)
{
	keep_heap();
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help(own_name(argv[0]));
		return argc < 2;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v")) {
		printf("%s %s%s\n", own_name(argv[0]), CORACLE_VERSION, strcmp(own_name(argv[0]), "cloud-init") ? "" : " (Coracle's coracle-config)");
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		if (!strcmp(argv[1], absent[i]))
			return command_absent(argc - 1, argv + 1);
	fprintf(stderr, "coracle-config: there is no command \"%s\"; see --help\n", argv[1]);
	return 1;
}
