/* nocloud.c - cloud-init's NoCloud: a labelled disk, the kernel command line, the SMBIOS serial, a directory, an address.
 *
 * Layers in cloud-init's order (sources/DataSourceNoCloud.py): serial, command line,
 * seed directories, labelled device, and what seedfrom names last. Of meta-data the earlier layer wins key by key, of the
 * other files the later one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "datasource.h"
#include "fd.h"
#include "seedfrom.h"
#include "sys.h"

bool nocloud_label_ok(const char *type, const char *label)
{
	return (!strcmp(type, "vfat") || !strcmp(type, "iso9660")) && (!strcmp(label, "cidata") || !strcmp(label, "CIDATA"));
}

/* k=v of `ds=nocloud;k=v;...`: short names as cloud-init's parse_cmdline_data. */
static void take_pair(char *pair, struct nocloud_line *out)
{
	char *value = strchr(pair, '=');

	if (!value)
		return;
	*value++ = '\0';
	if (!strcmp(pair, "s") || !strcmp(pair, "seedfrom"))
		out->seedfrom = value;
	else if (!strcmp(pair, "h") || !strcmp(pair, "local-hostname"))
		out->local_hostname = value;
	else if (!strcmp(pair, "i") || !strcmp(pair, "instance-id"))
		out->instance_id = value;
}

int nocloud_parse_line(struct arena *a, const char *line, struct nocloud_line *out)
{
	char *copy = arena_strndup(a, line, strlen(line));
	char *save = NULL;
	char *found = NULL;

	for (char *word = strtok_r(copy, " \t\r\n", &save); word; word = strtok_r(NULL, " \t\r\n", &save)) {
		size_t n = strcspn(word, ";");

		if ((n == 10 && !memcmp(word, "ds=nocloud", 10)) || (n == 14 && !memcmp(word, "ds=nocloud-net", 14)))
			found = word;
	}
	if (!found)
		return 0;
	for (char *part = strtok_r(found, ";", &save); part; part = strtok_r(NULL, ";", &save))
		take_pair(part, out);
	return 1;
}

/* A line's own meta-data, and where it says that the rest is. */
static int read_line(struct machine_facts *f, enum fact which, struct seed *seed, const char **seedfrom)
{
	struct nocloud_line l = { NULL, NULL, NULL };

	if (!nocloud_parse_line(f->ctx->arena, facts_get(f, which), &l))
		return 0;
	meta_set_instance_id(f->ctx, facts_name(which), l.instance_id, &seed->meta);
	meta_set_hostname(f->ctx, facts_name(which), l.local_hostname, &seed->meta);
	if (l.seedfrom && !*seedfrom)
		*seedfrom = l.seedfrom;
	return 1;
}

static int read_directory(struct machine_facts *f, const char *path, struct seed *seed)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? 0 : seed_read_dir(f->ctx, fd, path, true, seed);
}

static const char *read_devices(struct machine_facts *f, struct seed *seed)
{
	facts_list_devices(f);
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct device *d = &f->devices[i];
		int found;
		int fd;

		if (!nocloud_label_ok(d->type, d->label) || (fd = device_open(f, d)) < 0)
			continue;
		found = seed_read_dir(f->ctx, fd, d->node, true, seed);
		device_close(f, &fd);
		if (found)
			return d->node;
	}
	return NULL;
}

int nocloud_read(struct machine_facts *f, struct seed *seed)
{
	struct arena *a = f->ctx->arena;
	const char *seedfrom = NULL;
	const char *where = NULL;
	const char *device;

	if (read_line(f, FACT_PRODUCT_SERIAL, seed, &seedfrom))
		where = "dmi";
	if (read_line(f, FACT_CMDLINE, seed, &seedfrom))
		where = where ? "dmi,cmdline" : "cmdline";
	for (unsigned i = 0; i < 2; i++) {
		const char *dir = arena_printf(a, "%s/%s", f->places->seed_dir, i ? "nocloud-net" : "nocloud");

		if (read_directory(f, dir, seed))
			where = dir;
	}
	device = read_devices(f, seed);
	if (device)
		where = device;
	if (seedfrom) {
		const char *from = seedfrom_read(f, seedfrom, seed);

		if (from)
			where = arena_printf(a, "%s,%s", where, from);
	}
	if (!where)
		return 0;
	if (!seed->meta.instance_id)
		seed->meta.instance_id = "nocloud";
	seed->name = arena_printf(a, "DataSourceNoCloud [seed=%s]", where);
	seed->why = arena_printf(a, "seed=%s", where);
	seed->cloud_name = seed->platform = "nocloud";
	seed->subplatform = arena_printf(a, "seed-dir (%s)", where);
	return 1;
}
