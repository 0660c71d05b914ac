/* boottime.c - coracle boot-time: how long what took from power-on, and what waited for what. */
#include "boottime.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"

static int write_svg(const struct boot *b, const char *path)
{
	struct err err = ERR_INIT;
	FILE *to = fopen(path, "we");
	int bad;

	if (!to)
		return err_set(&err, errno, "write %s", path), cli_fail(&err);
	boot_draw_svg(b, to);
	bad = ferror(to);
	if (fclose(to) != 0 || bad)
		return err_set(&err, errno, "write %s", path), cli_fail(&err);
	return 0;
}

int verb_boot_time(int argc, char **argv)
{
	static const char how[] = "boot-time [-o FILE.svg] [UNIT]";
	static struct boot b;
	struct err err = ERR_INIT;
	const char *svg = NULL;
	int unit = -1, o;

	while ((o = getopt(argc, argv, "o:")) != -1) {
		if (o != 'o')
			return cli_usage(how);
		svg = optarg;
	}
	if (argc - optind > 1)
		return cli_usage(how);
	if (boot_gather(&b, getenv("CORACLE_EFIVARS"), &err) < 0)
		return cli_fail(&err);
	if (err.text[0])
		cli_fail(&err);
	if (optind < argc && (unit = boot_find(&b, argv[optind])) < 0)
		return err_set(&err, 0, "init has no unit %s (see `coracle services`)", argv[optind]), cli_fail(&err);
	if (svg)
		return write_svg(&b, svg);
	boot_print(&b, unit);
	return err.text[0] ? 1 : 0;
}
