/* nocloud.c - cloud-init's NoCloud: a labelled disk, the kernel command line, the SMBIOS serial, a directory.
 *
 * Layers in cloud-init's order (sources/DataSourceNoCloud.py): serial, command line,
 * seed directories, labelled device, and what seedfrom names last. Of meta-data the earlier layer wins key by key, of the
 * other files the later one. Devices are mounted read-only in a private place and unmounted at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "blkid.h"
#include "datasource.h"
#include "fd.h"
#include "path.h"
#include "sys.h"

#define LINE_MAX_BYTES 4096
#define CANDIDATES_MAX 16

struct candidate {
	const char *node;
	const char *type;
};

struct candidates {
	struct arena *arena;
	struct candidate list[CANDIDATES_MAX];
	size_t n;
};

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
static int read_line(struct ctx *ctx, const char *path, struct seed *seed, const char **seedfrom)
{
	struct nocloud_line l = { NULL, NULL, NULL };
	char line[LINE_MAX_BYTES];

	if (fd_read_small(AT_FDCWD, path, line, sizeof(line)) < 0 || !nocloud_parse_line(ctx->arena, line, &l))
		return 0;
	if (l.instance_id && !seed->meta.instance_id) {
		if (path_component_ok(l.instance_id))
			seed->meta.instance_id = l.instance_id;
		else
			diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s cannot be an instance-id", path,
				 diag_quote(ctx->arena, l.instance_id, strlen(l.instance_id)));
	}
	if (l.local_hostname && !seed->meta.local_hostname) {
		if (config_hostname_ok(l.local_hostname))
			seed->meta.local_hostname = l.local_hostname;
		else
			diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s is not a host name", path,
				 diag_quote(ctx->arena, l.local_hostname, strlen(l.local_hostname)));
	}
	if (l.seedfrom && !*seedfrom)
		*seedfrom = l.seedfrom;
	return 1;
}

static int read_directory(struct ctx *ctx, const char *path, struct seed *seed)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? 0 : seed_read_dir(ctx, fd, path, true, seed);
}

static void read_seedfrom(struct ctx *ctx, const char *from, struct seed *seed)
{
	const char *path = !strncmp(from, "file://", 7) ? from + 7 : from;

	if (path[0] == '/') {
		if (!read_directory(ctx, path, seed))
			diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "seedfrom: there is no seed in %s", diag_quote(ctx->arena, path, strlen(path)));
		return;
	}
	if (!strncmp(from, "http://", 7) || !strncmp(from, "https://", 8))
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, "put the seed on a disk labelled cidata, or give it by fw_cfg",
			 "seedfrom: not supported yet: a seed that is fetched over the network");
	else
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, "a path that begins with /", "seedfrom: %s cannot be read",
			 diag_quote(ctx->arena, from, strlen(from)));
}

static void add_candidate(struct candidates *c, const char *node, const char *type)
{
	if (c->n == CANDIDATES_MAX)
		return;
	c->list[c->n++] = (struct candidate){
		arena_strndup(c->arena, node, strlen(node)), arena_strndup(c->arena, type, strlen(type)),
	};
}

static int found_device(const char *node, const struct blkid *b, void *arg)
{
	if (nocloud_label_ok(b->type, b->label))
		add_candidate(arg, node, b->type);
	return 0;
}

/* "NODE TYPE LABEL" per line; labels with blanks are never ours. */
static void list_devices(struct ctx *ctx, const struct places *p, struct candidates *c)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	c->arena = ctx->arena;
	if (fd_read_file(AT_FDCWD, p->devices, USERDATA_MAX, &text, NULL, NULL) < 0) {
		blkid_scan(found_device, c);
		return;
	}
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *type = strchr(line, ' ');
		char *label = type ? strchr(type + 1, ' ') : NULL;

		if (!label)
			continue;
		*type++ = '\0';
		*label++ = '\0';
		if (nocloud_label_ok(type, label))
			add_candidate(c, line, type);
	}
}

/* vdb before vda, as cloud-init sorts them. */
static int by_name_reversed(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)b)->node, ((const struct candidate *)a)->node);
}

static int read_device(struct ctx *ctx, const struct places *p, const struct candidate *c, struct seed *seed)
{
	CLEANUP_FD int fd = -1;
	int r = path_mkdirs(p->mount_point, 0700);
	int found;

	if (r == 0)
		r = sys_mount(c->node, p->mount_point, c->type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (r < 0) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "mount %s (%s): %s", c->node, c->type, err_name(-r));
		rmdir(p->mount_point);
		return 0;
	}
	fd = sys_openat(AT_FDCWD, p->mount_point, O_RDONLY | O_DIRECTORY, 0);
	found = fd < 0 ? 0 : seed_read_dir(ctx, fd, c->node, true, seed);
	fd_close(&fd);
	sys_umount2(p->mount_point, MNT_DETACH);
	rmdir(p->mount_point);
	return found;
}

static int read_devices(struct ctx *ctx, const struct places *p, struct seed *seed)
{
	struct candidates c = { .n = 0 };

	list_devices(ctx, p, &c);
	qsort(c.list, c.n, sizeof(c.list[0]), by_name_reversed);
	for (size_t i = 0; i < c.n; i++)
		if (read_device(ctx, p, &c.list[i], seed)) {
			seed->name = arena_printf(ctx->arena, "DataSourceNoCloud [seed=%s]", c.list[i].node);
			return 1;
		}
	return 0;
}

int nocloud_read(struct ctx *ctx, const struct places *p, struct seed *seed)
{
	const char *seedfrom = NULL;
	const char *where = NULL;
	const char *dir;

	if (read_line(ctx, p->serial, seed, &seedfrom))
		where = "dmi";
	if (read_line(ctx, p->cmdline, seed, &seedfrom))
		where = where ? "dmi,cmdline" : "cmdline";
	for (unsigned i = 0; i < 2; i++) {
		dir = arena_printf(ctx->arena, "%s/%s", p->seed_dir, i ? "nocloud-net" : "nocloud");
		if (read_directory(ctx, dir, seed))
			where = dir;
	}
	if (where)
		seed->name = arena_printf(ctx->arena, "DataSourceNoCloud [seed=%s]", where);
	if (read_devices(ctx, p, seed))
		where = seed->name;
	if (seedfrom)
		read_seedfrom(ctx, seedfrom, seed);
	if (where && !seed->meta.instance_id)
		seed->meta.instance_id = "nocloud";
	return where != NULL;
}
