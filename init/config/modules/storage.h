/* storage.h - disks, file systems, mounts and swap as a configuration asks for them.
 *
 * The readers fill struct storage; the appliers write /etc/fstab, and on the machine make partitions and file systems, and mount. The
 * area where data can be lost: nothing that is not blank is written over unless `overwrite: true` says so. Used by coracle-config only. */
#ifndef CORACLE_CONFIG_STORAGE_H
#define CORACLE_CONFIG_STORAGE_H

#include <stdbool.h>
#include <stdint.h>
#include "../schema.h"
#include "err.h"

#define MOUNT_FIELDS 6
#define MOUNTS_MAX 128
#define DISKS_MAX 32
#define PARTITIONS_MAX 128
#define MKFS_OPTIONS_MAX 32

struct run;

enum { FSTAB_SPEC, FSTAB_FILE, FSTAB_TYPE, FSTAB_OPTIONS, FSTAB_FREQ, FSTAB_PASS };

/* An entry of `mounts`; a NULL field takes the default, a NULL FSTAB_FILE removes. */
struct storage_mount {
	const struct node *at;
	const char *field[MOUNT_FIELDS];
	struct storage_mount *next;
};

struct storage_swap {
	const struct node *at;
	const char *path;	/* NULL: /swap.img */
	bool automatic;
	uint64_t size;		/* bytes; 0 and not automatic: no swap file is wanted */
	uint64_t max;		/* bytes, of an automatic size; 0: no limit given */
};

enum storage_layout { LAYOUT_NONE, LAYOUT_WHOLE, LAYOUT_REMOVE, LAYOUT_LIST };

struct storage_part {
	uint64_t millipercent;	/* 50 % are 50000 */
	const char *type;	/* NULL: Linux; else as written: 82, 8200, a GUID */
};

struct storage_disk {
	const struct node *at;
	const char *device;	/* as written */
	bool gpt;
	bool overwrite;
	enum storage_layout layout;
	struct storage_part *parts;
	unsigned n_parts;
	struct storage_disk *next;
};

enum storage_where { WHERE_ANY, WHERE_AUTO, WHERE_NONE, WHERE_NUMBER };

struct storage_fs {
	const struct node *at;
	const char *device;
	const char *label;	/* NULL: none */
	const char *type;
	const char *replace;	/* replace_fs */
	const char *command;	/* cmd, as written: a shell command with %(label)s and the like */
	struct strings options;
	enum storage_where where;
	unsigned number;	/* of WHERE_NUMBER */
	bool overwrite;
	struct storage_fs *next;
};

struct storage_alias {
	const char *name;
	const char *path;
	struct storage_alias *next;
};

struct storage {
	struct storage_mount *mounts;
	bool has_defaults;
	const char *defaults[MOUNT_FIELDS];
	struct storage_swap swap;
	struct storage_disk *disks;
	struct storage_fs *filesystems;
	struct storage_alias *aliases;
	bool accepted;		/* growpart, resize_rootfs: nothing to keep of them */
};

/* storage_read_mounts.c, storage_read_disks.c: fields of struct storage, or the whole. */
int read_mounts(struct ctx *ctx, const struct node *value, void *out);			/* struct storage_mount * */
int read_mount_default_fields(struct ctx *ctx, const struct node *value, void *out);	/* struct storage */
int read_swap(struct ctx *ctx, const struct node *value, void *out);			/* struct storage_swap */
int read_disk_setup(struct ctx *ctx, const struct node *value, void *out);		/* struct storage_disk * */
int read_fs_setup(struct ctx *ctx, const struct node *value, void *out);		/* struct storage_fs * */
int read_device_aliases(struct ctx *ctx, const struct node *value, void *out);		/* struct storage_alias * */
int read_growpart(struct ctx *ctx, const struct node *value, void *out);		/* bool */
int read_resize_rootfs(struct ctx *ctx, const struct node *value, void *out);		/* bool */
/* uint64_t bytes: 1048576, 2G, 1.5 GB. */
int read_size(struct ctx *ctx, const struct node *value, void *out);

/* storage_names.c: what people call a device.
 * The path of it: aliases replaced, "vdb" is /dev/vdb, "NAME.1" its partition. look: only what is in /dev counts, and a disk with a first partition
 * means that, as cloud-init does. Returns the name itself where it is none of a device (LABEL=, tmpfs, host:/path), NULL for a cloud's name
 * (ephemeral0, ebs1, swap) that nothing here answers to. */
const char *storage_device(struct ctx *ctx, const struct storage *s, const char *name, bool look);
/* Partition n of a disk: /dev/vda1, /dev/nvme0n1p1. */
const char *storage_partition_name(struct ctx *ctx, const char *disk, unsigned n);

/* storage_fstab.c: the text of a new /etc/fstab out of the old one. lines: what is in force, each a full entry of six fields, in order, at most MOUNTS_MAX + 1.
 * Returns NULL when the configuration asks for no entry; then the old file stays. */
struct storage_line {
	const struct node *at;
	const char *field[MOUNT_FIELDS];	/* not escaped; options without comment=cloudconfig */
};
const char *storage_fstab(struct ctx *ctx, const struct storage *s, const char *old, const char *swap_path, bool look, struct storage_line *lines,
			  unsigned *n_lines);

/* storage_mount.c: carries one line out on the machine: the directory, mount(2) or swapon(2). Returns 0 or -errno. */
int storage_mount(struct run *r, const struct storage_line *line, struct err *err);

/* storage_swap.c */
/* Bytes of an automatic swap file (cloud-init, suggested_swapsize). memory, available: bytes; max 0: none given. */
uint64_t storage_swap_size(uint64_t memory, uint64_t available, uint64_t max);
/* Makes the first page of a swap area. size: of the whole file. Returns 0 or -errno. */
int storage_mkswap(int fd, uint64_t size, const char *label, struct err *err);
/* storage_vfat.c: FAT32, on less than 64 MiB FAT16. Returns 0 or -errno. */
int storage_mkvfat(int fd, uint64_t size, const char *label, struct err *err);

/* The swap file that the configuration asks for, made if need be on the machine. Returns its path, NULL when there is none. */
const char *storage_swap_file(struct run *r);

/* The modules. */
bool disk_setup_wanted(const struct run *r);
void apply_disk_setup(struct run *r);
bool mounts_wanted(const struct run *r);
void apply_mounts(struct run *r);

#endif
