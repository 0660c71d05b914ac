/* storage_names.c - what people call a device: vdb, /dev/vdb, NAME.1, ephemeral0, LABEL=, an alias.
 *
 * The rules are those of cloud-init (cc_mounts.sanitize_devname, util.expand_dotted_devname). Runs in coracle-config; looks into /dev only where it is told to. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage.h"

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* sda, xvdb1, vdc, hdd2, sr0, nvme0n1p2, mmcblk0p1: a name in /dev, written without it. */
static bool is_kernel_name(const char *s)
{
	const char *p = s + (s[0] == 'x');

	if (*p && strchr("shv", *p) && p[1] == 'd' && islower((unsigned char)p[2]))
		return p[3 + digits(p + 3)] == '\0';
	if (!strncmp(s, "sr", 2))
		return s[2] && s[2 + digits(s + 2)] == '\0';
	if (!strncmp(s, "nvme", 4) && digits(s + 4)) {
		p = s + 4 + digits(s + 4);
		if (*p != 'n' || !digits(p + 1))
			return false;
		p += 1 + digits(p + 1);
	} else if (!strncmp(s, "mmcblk", 6) && digits(s + 6)) {
		p = s + 6 + digits(s + 6);
	} else {
		return false;
	}
	if (*p == 'p' && digits(p + 1))
		p += 1 + digits(p + 1);
	return *p == '\0';
}

/* Names that a cloud gives to disks in its meta-data. */
static bool is_cloud_name(const char *s)
{
	return !strcmp(s, "ami") || !strcmp(s, "root") || !strcmp(s, "swap") || !strncmp(s, "ephemeral", 9) || !strncmp(s, "ebs", 3);
}

const char *storage_partition_name(struct ctx *ctx, const char *disk, unsigned n)
{
	size_t len = strlen(disk);
	bool by_path = !strncmp(disk, "/dev/disk/", 10);

	return arena_printf(ctx->arena, "%s%s%u", disk, by_path ? "-part" : len && isdigit((unsigned char)disk[len - 1]) ? "p" : "", n);
}

static bool is_device(const char *path)
{
	return access(path, F_OK) == 0;
}

static const char *alias_of(const struct storage *s, const char *name)
{
	for (const struct storage_alias *a = s->aliases; a; a = a->next)
		if (!strcmp(a->name, name))
			return a->path;
	return name;
}

/* "NAME.N": cuts the number off the copy in name. Returns it, 0 when there is none. */
static unsigned cut_number(char *name)
{
	char *dot = strrchr(name, '.');
	size_t n = dot ? digits(dot + 1) : 0;

	if (!dot || n == 0 || n > 3 || dot[1 + n] || dot == name)
		return 0;
	*dot = '\0';
	return (unsigned)strtoul(dot + 1, NULL, 10);
}

const char *storage_device(struct ctx *ctx, const struct storage *s, const char *name, bool look)
{
	char *base = arena_printf(ctx->arena, "%s%s", name, !strcmp(name, "ephemeral") ? "0" : "");
	unsigned number;
	const char *path;
	const char *first;

	if (strchr(name, ':') || strchr(name, '='))
		return name; /* host:/path, LABEL=data */
	number = cut_number(base);
	path = alias_of(s, base);
	if (path == base && is_cloud_name(base))
		return NULL;
	if (is_kernel_name(path))
		path = arena_printf(ctx->arena, "/dev/%s", path);
	if (strncmp(path, "/dev/", 5) != 0)
		return path == base ? name : path; /* tmpfs, a file, a directory to bind */
	if (number)
		return storage_partition_name(ctx, path, number);
	first = look ? storage_partition_name(ctx, path, 1) : NULL;
	return first && is_device(path) && is_device(first) ? first : path;
}
