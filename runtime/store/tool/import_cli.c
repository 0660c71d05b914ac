/* import_cli.c - the command `import`, of coracle-engine and of coracle-import: archives into a
 * store, on any host. It prints, which libraries must not; hence a folder of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "runtime/store/store.h"

#define ROOT_DEFAULT "/var/lib/coracle"

struct arguments {
	const char *root, *name, *platform;
	struct store_options store;
	int force, quiet, first;	/* first archive in argv */
};

static void usage(const char *program, FILE *to)
{
	fprintf(to, "usage: %s [--root DIR] [--platform OS/ARCH[/VARIANT]] [--name NAME] [--force] [--quiet]\n"
		"       [--jobs N] [--keep-blobs yes|no] [--fetch PROGRAM] ARCHIVE-OR-LAYOUT...\n"
		"Imports OCI archives, docker-archives (also compressed) and OCI layout directories into a store (" ROOT_DEFAULT ").\n"
		"\"-\" reads an archive from standard input. Prints NAME ID per image.\n", program);
}

static int take_option(struct arguments *a, const char *option, const char *value)
{
	if (!strcmp(option, "--root"))
		a->root = value;
	else if (!strcmp(option, "--name"))
		a->name = value;
	else if (!strcmp(option, "--platform"))
		a->platform = value;
	else if (!strcmp(option, "--fetch"))
		a->store.fetch = value;
	else if (!strcmp(option, "--jobs") && (a->store.jobs = atoi(value)) > 0)
		return 0;
	else if (!strcmp(option, "--keep-blobs") && (!strcmp(value, "yes") || !strcmp(value, "no")))
		a->store.keep_blobs = value[0] == 'y' ? 1 : -1;
	else
		return -1;
	return 0;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	memset(a, 0, sizeof(*a));
	a->root = ROOT_DEFAULT;
	for (a->first = 1; a->first < argc && argv[a->first][0] == '-' && argv[a->first][1]; a->first++) {
		const char *option = argv[a->first];

		if (!strcmp(option, "--force"))
			a->force = 1;
		else if (!strcmp(option, "--quiet"))
			a->quiet = 1;
		else if (a->first + 1 >= argc || take_option(a, option, argv[++a->first]) < 0)
			return -1;
	}
	return a->first < argc ? 0 : -1;
}

static void show_warning(const char *text, void *arg UNUSED)
{
	fprintf(stderr, "warning: %s\n", text);
}

static void show_progress(const struct store_progress *p, void *arg UNUSED)
{
	fprintf(stderr, "\r\033[K%s: %s %zu/%zu layers, %llu/%llu kB", p->image, p->step, p->layer, p->layers,
		(unsigned long long)(p->bytes / 1000), (unsigned long long)(p->total / 1000));
}

static int import_one(struct store *s, const struct arguments *a, const struct image_platform *platform, const char *path)
{
	struct store_import_options opt = { .platform = platform, .name = a->name, .force = a->force,
		.warning = show_warning };
	struct store_import_result result = { 0, NULL };
	struct err err = ERR_INIT;
	int tty = !a->quiet && isatty(STDERR_FILENO), r;

	if (tty)
		opt.progress = show_progress;
	if (!strcmp(path, "-"))
		r = store_import_fd(s, STDIN_FILENO, "stdin", &opt, &result, &err);
	else
		r = store_import(s, path, &opt, &result, &err);
	if (tty)
		fputs("\r\033[K", stderr);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	for (size_t i = 0; i < result.count; i++)
		printf("%s %s%s\n", result.image[i].name, result.image[i].id, result.image[i].known ? " (known)" : "");
	free(result.image);
	return r;
}

int store_import_main(int argc, char **argv)
{
	struct image_platform platform = image_platform_host();
	struct arguments a;
	struct store *s = NULL;
	struct err err = ERR_INIT;
	int failed = 0;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		usage(argv[0], stdout);
		return 0;
	}
	if (parse(argc, argv, &a) < 0) {
		usage(argv[0], stderr);
		return 2;
	}
	if ((a.platform && image_platform_parse(a.platform, &platform, &err) < 0) ||
	    store_open(&s, a.root, &a.store, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	for (int i = a.first; i < argc; i++)
		failed |= import_one(s, &a, &platform, argv[i]) < 0;
	store_close(s);
	return failed;
}
