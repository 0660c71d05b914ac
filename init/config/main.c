/* main.c - coracle-config: the boot configuration, read, checked and applied.
 *
 * One-shot, started by init as root (boot, final), or by anybody on any Linux (schema, apply, status, query). Also called
 * cloud-init, for tools that expect that name. It must never stay resident, and never write a secret into a log. */
#include <stdio.h>
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
	{ "query", command_query, "query NAME", "instance_id or local_hostname" },
};

static void help(void)
{
	printf("usage: coracle-config COMMAND\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-42s %s\n", commands[i].usage, commands[i].text);
	printf("  %-42s %s\n  %-42s %s\n", "--help", "this text", "--version", "the version");
}

int main(int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help();
		return argc < 2;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-v")) {
		printf("coracle-config %s\n", CORACLE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "coracle-config: there is no command \"%s\"; see --help\n", argv[1]);
	return 1;
}
