/* pull_cli.c - the command `coracle-engine pull`: images of registries into a store, without the daemon. It prints, which libraries must not. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "runtime/registry/client/pull.h"

#define ROOT_DEFAULT "/var/lib/coracle"

struct arguments {
	const char *root, *platform;
	struct store_options store;
	struct pull_options pull;
	int quiet, first;
};

static int usage(FILE *to)
{
	fputs("usage: coracle-engine pull [--root DIR] [--registries FILE] [--docker-config FILE] [--platform OS/ARCH[/VARIANT]]\n"
	      "       [--quiet] [--keep-blobs yes|no] [--fetch PROGRAM] NAME...\n"
	      "Gets images from registries into a store (" ROOT_DEFAULT ") that no engine uses. Prints NAME ID DIGEST per image.\n", to);
	return to == stdout ? 0 : 2;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	*a = (struct arguments){ .root = ROOT_DEFAULT, .pull.config = { PULL_REGISTRIES, PULL_DOCKER_CONFIG, NULL } };
	for (a->first = 1; a->first < argc && argv[a->first][0] == '-'; a->first++) {
		const char *option = argv[a->first], *value;

		if (!strcmp(option, "--quiet")) {
			a->quiet = 1;
			continue;
		}
		if (a->first + 1 >= argc)
			return -1;
		value = argv[++a->first];
		if (!strcmp(option, "--root"))
			a->root = value;
		else if (!strcmp(option, "--platform"))
			a->platform = value;
		else if (!strcmp(option, "--registries"))
			a->pull.config.registries = value;
		else if (!strcmp(option, "--docker-config"))
			a->pull.config.docker = value;
		else if (!strcmp(option, "--fetch"))
			a->store.fetch = value;
		else if (!strcmp(option, "--keep-blobs"))
			a->store.keep_blobs = value[0] == 'y' ? 1 : -1;
		else
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
	fprintf(stderr, "\r\033[K%s: %zu/%zu layers, %llu/%llu kB", p->image, p->layer, p->layers, (unsigned long long)(p->bytes / 1000),
		(unsigned long long)(p->total / 1000));
}

static int pull_one(struct store *s, struct arguments *a, const char *name)
{
	struct store_import_result result = { 0, NULL };
	char digest[IMAGE_DIGEST_SIZE] = "";
	struct err err = ERR_INIT;
	struct image_ref ref;
	int tty = !a->quiet && isatty(STDERR_FILENO), r;

	a->pull.import.warning = show_warning;
	a->pull.import.progress = tty ? show_progress : NULL;
	r = image_ref_parse(name, &ref, &err);
	if (r == 0)
		r = pull_image(s, &ref, &a->pull, &result, digest, &err);
	if (tty)
		fputs("\r\033[K", stderr);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	for (size_t i = 0; i < result.count; i++)
		printf("%s %s %s%s\n", result.image[i].name, result.image[i].id, digest, result.image[i].known ? " (known)" : "");
	free(result.image);
	return r;
}

int pull_main(int argc, char **argv)
{
	struct image_platform platform = image_platform_host();
	struct arguments a;
	struct store *s = NULL;
	struct err err = ERR_INIT;
	int failed = 0;

	if (argc > 1 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	if (parse(argc, argv, &a) < 0)
		return usage(stderr);
	signal(SIGPIPE, SIG_IGN);
	if ((a.platform && image_platform_parse(a.platform, &platform, &err) < 0) || store_open(&s, a.root, &a.store, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	a.pull.import.platform = &platform;
	for (int i = a.first; i < argc; i++)
		failed |= pull_one(s, &a, argv[i]) < 0;
	store_close(s);
	return failed;
}
