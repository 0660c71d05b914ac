/* storage_fs.c - which device an entry of fs_setup means, and the program that makes the file system.
 *
 * Runs in coracle-config. The choice follows cloud-init; where cloud-init would then write over something else, storage_disks.c refuses. */
#include "storage_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../run.h"
#include "fd.h"
#include "storage_probe.h"
#include "sys.h"

#define PARTITIONS_LOOKED_AT 128

/* What is on a device: 1 when the wanted file system is, 0 when not, -errno. */
static int look_at(const char *path, struct probe *p, struct err *err)
{
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return err_set(err, -fd, "open %s", path);
	r = probe_device(fd, p);
	return r < 0 ? err_set(err, -r, "read %s", path) : 0;
}

static bool same_type(const struct storage_fs *f, const struct probe *p)
{
	return f->type && !strcmp(f->type, p->type);
}

static bool same_label(const struct storage_fs *f, const struct probe *p)
{
	return !strcmp(f->label ? f->label : "", p->label);
}

static int choose_this(const struct storage_fs *f, const char *path, struct fs_choice *out, struct err *err)
{
	struct probe p;
	int r = look_at(path, &p, err);

	if (r < 0)
		return r;
	*out = (struct fs_choice){ .path = path, .is_there = same_type(f, &p) && same_label(f, &p),
				   .replace = f->replace && !strcmp(f->replace, p.type) };
	return 0;
}

/* auto: the first with this type and label; any: with this type, or with the one to be replaced. Else the first partition without a
 * file system, else the whole disk when it has neither partitions nor a file system. */
static int choose_among(struct ctx *ctx, const struct storage_fs *f, const char *disk, struct fs_choice *out, struct err *err)
{
	bool any = f->where == WHERE_ANY;
	bool used = false;
	const char *empty = NULL;

	for (unsigned n = 0; n <= PARTITIONS_LOOKED_AT; n++) {
		const char *path = n ? storage_partition_name(ctx, disk, n) : disk;
		struct probe p;
		int r;

		if (n && access(path, F_OK) < 0)
			continue;
		if ((r = look_at(path, &p, err)) < 0)
			return r;
		if (any && f->replace && !strcmp(f->replace, p.type)) {
			*out = (struct fs_choice){ .path = path, .replace = true };
			return 0;
		}
		if (same_type(f, &p) && (any || same_label(f, &p))) {
			*out = (struct fs_choice){ .path = path, .is_there = true };
			return 0;
		}
		used = used || n || p.type[0];
		if (n && !p.type[0] && !empty)
			empty = path;
	}
	if (!empty && used)
		return err_set(err, 0, "%s has no free partition", disk);
	*out = (struct fs_choice){ .path = empty ? empty : disk };
	return 0;
}

/* "NAME.2" names the partition and wins over `partition`. */
static bool has_number(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

int fs_choose(struct ctx *ctx, const struct storage *s, const struct storage_fs *f, struct fs_choice *out, struct err *err)
{
	const char *device = storage_device(ctx, s, f->device, false);

	if (!device || device[0] != '/')
		return err_set(err, 0, "there is no disk of that name here");
	if (f->where == WHERE_NUMBER && !has_number(f->device))
		device = storage_partition_name(ctx, device, f->number);
	if (f->where == WHERE_NUMBER || f->where == WHERE_NONE || has_number(f->device))
		return choose_this(f, device, out, err);
	return choose_among(ctx, f, device, out, err);
}

const char *fs_command(struct ctx *ctx, const struct storage_fs *f, const char *path)
{
	const struct { const char *name; const char *value; } names[] = {
		{ "%(label)s", f->label ? f->label : "" }, { "%(filesystem)s", f->type ? f->type : "" }, { "%(device)s", path }, { "%%", "%" },
	};
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 65536);
	for (const char *p = f->command; *p;) {
		size_t i = 0;

		while (i < ARRAY_SIZE(names) && strncmp(p, names[i].name, strlen(names[i].name)) != 0)
			i++;
		if (i < ARRAY_SIZE(names)) {
			buf_puts(&b, names[i].value);
			p += strlen(names[i].name);
		} else {
			buf_putc(&b, *p++);
		}
	}
	return buf_error(&b) ? "false" : arena_strndup(ctx->arena, b.data, b.len);
}

static int run(struct run *r, const char *const *argv, struct err *err)
{
	int status = program_run(r, argv, NULL, 0);

	if (status < 0)
		return err_set(err, -status, "run %s", argv[0]);
	if (status != 0)
		return err_set(err, 0, "%s failed with status %d (see /var/log/cloud-init-output.log)", argv[0],
			       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

int fs_make(struct run *r, const struct storage_fs *f, const char *path, struct err *err)
{
	const char *argv[MKFS_OPTIONS_MAX + 12];
	size_t n = 0;

	if (f->command) {
		const char *const shell[] = { "/bin/sh", "-c", fs_command(&r->ctx, f, path), NULL };

		return run(r, shell, err);
	}
	if (!strcmp(f->type, "ext4") || !strcmp(f->type, "ext3") || !strcmp(f->type, "ext2")) {
		argv[n++] = "/usr/bin/mke2fs";
		argv[n++] = "-q";
		argv[n++] = "-F"; /* asks nobody: what stands in the way was looked for before */
		argv[n++] = "-t";
		argv[n++] = f->type;
		if (f->label)
			argv[n++] = "-L", argv[n++] = f->label;
	} else {
		return err_set(err, 0, "Coracle makes ext4, ext3, ext2, vfat and swap, not \"%s\"", f->type);
	}
	for (size_t i = 0; i < f->options.n; i++)
		argv[n++] = f->options.v[i];
	argv[n++] = path;
	argv[n] = NULL;
	return run(r, argv, err);
}
