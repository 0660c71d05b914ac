/* storage_fs.h - which device an entry of fs_setup means, and making the file system. Used by coracle-config only. */
#ifndef CORACLE_CONFIG_STORAGE_FS_H
#define CORACLE_CONFIG_STORAGE_FS_H

#include "storage.h"

struct fs_choice {
	const char *path;	/* the device */
	bool is_there;		/* it has the wanted file system already */
	bool replace;		/* it has the file system that replace_fs names */
};

/* By cloud-init's rules (cc_disk_setup.mkfs, find_device_node). Looks at the devices, writes nothing. Returns 0 or -errno. */
int fs_choose(struct ctx *ctx, const struct storage *s, const struct storage_fs *f, struct fs_choice *out, struct err *err);

/* Runs mke2fs, mkfs.vfat or the entry's own command. Returns 0 or -errno. */
int fs_make(struct run *r, const struct storage_fs *f, const char *path, struct err *err);

/* The text of `cmd` with %(label)s, %(filesystem)s and %(device)s put in. */
const char *fs_command(struct ctx *ctx, const struct storage_fs *f, const char *path);

#endif
