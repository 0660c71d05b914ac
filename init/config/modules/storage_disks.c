/* storage_disks.c - carries disk_setup and fs_setup out: partition tables, then file systems.
 *
 * Runs in coracle-config on the machine, once per instance. It writes to a device only when it has it for itself alone (O_EXCL: nothing of it is
 * mounted or swapped to), and when the device is blank or the configuration says `overwrite: true`; what cloud-init would write over in silence is an error
 * here. What is as wanted already stays, so that a machine that forgets (no data disk) can come here on each boot. */
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "../run.h"
#include "fd.h"
#include "storage_fs.h"
#include "storage_probe.h"
#include "storage_table.h"
#include "sys.h"

static int open_alone(const char *path, struct err *err)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_EXCL | O_NOCTTY, 0);
	struct stat st;

	if (fd == -EBUSY)
		return err_set(err, EBUSY, "it is mounted, or used for swap");
	if (fd < 0)
		return err_set(err, -fd, "open it");
	if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode))
		return fd;
	close(fd);
	return err_set(err, 0, "it is no block device");
}

static int check_sectors(int fd, uint64_t *sectors, struct err *err)
{
	int sector = 0;
	uint64_t size;
	int r = probe_size(fd, &size, err);

	if (r < 0)
		return r;
	if (ioctl(fd, BLKSSZGET, &sector) < 0 || sector != (int)TABLE_SECTOR)
		return err_set(err, 0, "its sectors are not of %u bytes", TABLE_SECTOR);
	*sectors = size / TABLE_SECTOR;
	return 0;
}

/* 0 when it may be written over. */
static int check_fit(int fd, bool overwrite, uint64_t size, struct err *err)
{
	struct probe p;
	int r;

	if (probe_device(fd, &p) == 1 && !strcmp(p.label, "CORACLE-DATA"))
		return err_set(err, 0, "it holds this machine's data file system");
	if (overwrite)
		return 0;
	r = probe_blank(fd, size);
	if (r < 0)
		return err_set(err, -r, "read it");
	return r ? 0 : err_set(err, 0, "it is not blank, and stays as it is; `overwrite: true` would destroy what is on it");
}

/* The kernel looks at the table again; devtmpfs has the nodes when it returns. Partitions of a kernel that does not know the table are told it one by one. */
static int reread(int fd, const struct table *t, struct err *err)
{
	if (ioctl(fd, BLKRRPART) < 0)
		return err_set(err, errno, "have the kernel read the new table");
	for (unsigned i = 0; i < t->n; i++) {
		struct blkpg_partition p = { .start = (long long)(t->part[i].first * TABLE_SECTOR), .length = (long long)(t->part[i].sectors * TABLE_SECTOR), .pno = (int)i + 1 };
		struct blkpg_ioctl_arg arg = { .op = BLKPG_ADD_PARTITION, .datalen = sizeof(p), .data = &p };

		if (ioctl(fd, BLKPG, &arg) < 0 && errno != EBUSY) /* it is there */
			return err_set(err, errno, "tell the kernel of partition %u", i + 1);
	}
	return 0;
}

static int set_up_disk(const struct storage_disk *d, const char *path, struct err *err)
{
	struct table t = { .n = 0 };
	CLEANUP_FD int fd = -1;
	uint64_t sectors = 0;
	int r;

	if (d->layout == LAYOUT_NONE)
		return 0;
	{
		CLEANUP_FD int look = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);

		if (look < 0)
			return err_set(err, -look, "open it");
		if ((r = check_sectors(look, &sectors, err)) < 0 || (d->layout != LAYOUT_REMOVE && (r = table_plan(d, sectors, &t, err)) < 0))
			return r;
		if (d->layout == LAYOUT_REMOVE ? probe_blank(look, sectors * TABLE_SECTOR) == 1 : table_matches(look, sectors, &t))
			return 0;
	}
	fd = open_alone(path, err);
	if (fd < 0)
		return fd;
	if ((r = check_fit(fd, d->overwrite, sectors * TABLE_SECTOR, err)) < 0)
		return r;
	r = d->layout == LAYOUT_REMOVE ? table_wipe(fd, sectors, err) : table_write(fd, sectors, &t, err);
	return r < 0 ? r : reread(fd, &t, err);
}

/* Makes what is chosen: swap and vfat by ourselves, the others by their programs. */
static int make_fs(struct run *r, const struct storage_fs *f, const char *path, bool overwrite, struct err *err)
{
	CLEANUP_FD int fd = open_alone(path, err);
	uint64_t size;
	int e;

	if (fd < 0)
		return fd;
	if ((e = probe_size(fd, &size, err)) < 0 || (e = check_fit(fd, overwrite, size, err)) < 0)
		return e;
	if (!f->command && !strcmp(f->type, "swap"))
		return storage_mkswap(fd, size, f->label, err);
	if (!f->command && !strcmp(f->type, "vfat"))
		return storage_mkvfat(fd, size, f->label, err);
	fd_close(&fd);
	return fs_make(r, f, path, err);
}

static int set_up_fs(struct run *r, const struct storage_fs *f, bool forgets, struct err *err)
{
	struct fs_choice c;
	int e = fs_choose(&r->ctx, &r->config.storage, f, &c, err);

	if (e < 0)
		return e;
	if (c.is_there && (!f->overwrite || forgets)) {
		if (f->overwrite)
			diag_at(&r->diags, DIAG_WARNING, f->at, "with a data disk it is made once for each instance",
				"%s keeps its file system: without a data disk this would destroy it on each boot", c.path);
		return 0;
	}
	return make_fs(r, f, c.path, f->overwrite || c.replace, err);
}

/* /var in memory: what was done for this instance is not remembered. */
static bool machine_forgets(void)
{
	struct statfs var;

	return statfs("/var", &var) < 0 || var.f_type == TMPFS_MAGIC;
}

bool disk_setup_wanted(const struct run *r)
{
	return r->target.machine && (r->config.storage.disks || r->config.storage.filesystems);
}

void apply_disk_setup(struct run *r)
{
	struct storage *s = &r->config.storage;
	bool forgets;

	forgets = machine_forgets();
	for (const struct storage_disk *d = s->disks; d; d = d->next) {
		const char *path = storage_device(&r->ctx, s, d->device, false);
		struct err err = ERR_INIT;

		if (!path || path[0] != '/')
			diag_at(&r->diags, DIAG_WARNING, d->at, "name the device", "%s is not partitioned: there is no disk of that name here", d->device);
		else if (set_up_disk(d, path, &err) < 0)
			diag_at(&r->diags, DIAG_ERROR, d->at, NULL, "partition %s: %s", path, err.text);
	}
	for (const struct storage_fs *f = s->filesystems; f; f = f->next) {
		struct err err = ERR_INIT;

		if (set_up_fs(r, f, forgets, &err) < 0)
			diag_at(&r->diags, DIAG_ERROR, f->at, NULL, "make a file system on %s: %s", f->device, err.text);
	}
}
