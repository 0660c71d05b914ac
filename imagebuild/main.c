/* main.c - coracle-image: the verb table, help, and whole files.
 *
 * Runs on the build machine, without root. Never reads the clock. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdefs.h"
#include "fd.h"
#include "image.h"

int image_read(const char *path, size_t max, unsigned char **out, size_t *len, struct err *err)
{
	char *data;
	int r = fd_read_file(AT_FDCWD, path, max, &data, len, err);

	if (r == 0)
		*out = (unsigned char *)data;
	return r;
}

int image_write(const char *path, const void *data, size_t len, struct err *err)
{
	return fd_replace_file(AT_FDCWD, path, data, len, 0644, err);
}

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv, struct err *err);
	const char *help;
} verbs[] = {
	{ "cpio", image_cpio, "OUT NAME=FILE[,MODE]...   an initramfs archive" },
	{ "uki", image_uki, "OUT --stub F --linux F --initrd F --cmdline F --osrel F   a Unified Kernel Image" },
	{ "gpt", image_gpt, "OUT [--spare MIB] esp|data:LABEL:FILE...   a GPT disk image" },
};

static int usage(FILE *to, int code)
{
	fprintf(to, "usage: coracle-image VERB ...\n"
		    "Assembles what a Coracle machine boots; needs no root; the same inputs give the same bytes.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(to, "  coracle-image %s %s\n", verbs[i].name, verbs[i].help);
	return code;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return usage(stdout, 0);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		if (verbs[i].run(argc - 2, argv + 2, &err) < 0) {
			fprintf(stderr, "coracle-image: %s: %s\n", verbs[i].name, err.text);
			return 1;
		}
		return 0;
	}
	return usage(stderr, 2);
}
