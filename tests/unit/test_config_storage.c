/* test_config_storage.c - mounts, swap, disk_setup and fs_setup: what is read, the lines of fstab, tables on files, what is refused. */
#include "config_helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "init/config/modules/storage_fs.h"
#include "init/config/modules/storage_probe.h"
#include "init/config/modules/storage_table.h"

#define GIB ((uint64_t)1 << 30)
#define OPTIONS "defaults,nofail,x-systemd.after=cloud-init-network.service,_netdev,comment=cloudconfig"

static struct storage_line lines[MOUNTS_MAX + 1];
static unsigned n_lines;

/* The fstab that a configuration makes of an old one. */
static const char *fstab(const char *config, const char *old)
{
	struct config *c = helper_config(config);
	struct run *r = helper_current();
	const char *swap = c->storage.swap.size || c->storage.swap.automatic ? c->storage.swap.path : NULL;

	return storage_fstab(&r->ctx, &c->storage, old, swap, false, lines, &n_lines);
}

static void fstab_lines(void **state)
{
	(void)state;
	assert_string_equal(fstab("#cloud-config\nmounts:\n- [sdc, /opt/data]\n- [ xvdh, /opt/data, auto, 'defaults,nofail', '0', 0]\n"
				  "- [LABEL=x, /mnt/x]\n- ['server:/export', /mnt/n, nfs]\n- [/dev/nvme0n1p2, /srv, ext4, noatime]\n- [tmpfs, /run/x, tmpfs]\n", ""),
			    "/dev/sdc\t/opt/data\tauto\t" OPTIONS "\t0\t2\n"
			    "/dev/xvdh\t/opt/data\tauto\tdefaults,nofail,comment=cloudconfig\t0\t0\n"
			    "LABEL=x\t/mnt/x\tauto\t" OPTIONS "\t0\t2\n"
			    "server:/export\t/mnt/n\tnfs\t" OPTIONS "\t0\t2\n"
			    "/dev/nvme0n1p2\t/srv\text4\tnoatime,comment=cloudconfig\t0\t2\n"
			    "tmpfs\t/run/x\ttmpfs\t" OPTIONS "\t0\t2\n");
	assert_problems("");
	assert_int_equal(n_lines, 6);
	assert_string_equal(fstab("#cloud-config\nmount_default_fields: [None, None, ext4, 'defaults,noexec', '1', '1']\nmounts: [[vdb, /a], [vdc, /b, auto]]\n", ""),
			    "/dev/vdb\t/a\text4\tdefaults,noexec,comment=cloudconfig\t1\t1\n/dev/vdc\t/b\tauto\tdefaults,noexec,comment=cloudconfig\t1\t1\n");
}

static void fstab_old(void **state)
{
	const char *old = "# mine\nproc /proc proc defaults 0 0\n/dev/vdb\t/old\tauto\tdefaults,comment=cloudconfig\t0\t2\n/dev/vdd /keep ext4 ro 0 0";

	(void)state;
	assert_string_equal(fstab("#cloud-config\nmounts: [[vdb, /new, ext4, ro, 0, 0]]\n", old),
			    "# mine\nproc /proc proc defaults 0 0\n/dev/vdd /keep ext4 ro 0 0\n/dev/vdb\t/new\text4\tro,comment=cloudconfig\t0\t0\n");
	/* somebody else's line stays */
	assert_null(fstab("#cloud-config\nmounts: [[vdd, /new]]\n", old));
	assert_problems("t:2:10: warning: /dev/vdd is in /etc/fstab already; that line stays as it is\n");
	/* nothing asked for: nothing touched */
	assert_null(fstab("#cloud-config\nmounts: []\n", old));
}

static void fstab_removes(void **state)
{
	(void)state;
	assert_string_equal(fstab("#cloud-config\nmounts: [[vdb, /a, ext4, ro, 0, 0], [vdc, /b, ext4, ro, 0, 0], [/dev/vdb, null], [swap]]\n", ""),
			    "/dev/vdc\t/b\text4\tro,comment=cloudconfig\t0\t0\n");
	assert_null(fstab("#cloud-config\nmounts: [[ephemeral0, /mnt], [ebs1, /x], [ephemeral, /y]]\n", ""));
	assert_problems("t:2:10: warning: ephemeral0 is not mounted: there is no disk of that name here (name the device, or LABEL=NAME)\n"
			"t:2:30: warning: ebs1 is not mounted: there is no disk of that name here (name the device, or LABEL=NAME)\n"
			"t:2:42: warning: ephemeral is not mounted: there is no disk of that name here (name the device, or LABEL=NAME)\n");
}

/* Whatever a field holds, an entry is one line of six fields. */
static void fstab_injection(void **state)
{
	(void)state;
	assert_string_equal(fstab("#cloud-config\nmounts: [['#/dev/vdb', '/a b', ext4, 'x\\040y', 0, 0]]\n", ""),
			    "\\043/dev/vdb\t/a\\040b\text4\tx\\134040y,comment=cloudconfig\t0\t0\n");
	assert_null(fstab("#cloud-config\nmounts:\n- [vdb, /a, auto, \"defaults\\n/dev/vdc / ext4 rw 0 0\"]\n- [\"v\\ndb\", /a]\n- [vdb, \"/a\\n\"]\n- [vdb, /a, \"a\\nb\"]\n"
			  "- [vdb, /a, auto, \"a\\rb\"]\n- [vdb, /a, auto, ro, \"0\\n\"]\n", ""));
	for (unsigned line = 3; line <= 8; line++) {
		char place[16];

		snprintf(place, sizeof(place), "t:%u:", line);
		helper_assert_mentions(place);
	}
	assert_null(fstab("#cloud-config\nswap: {filename: \"/a\\nb\", size: 1M}\n", ""));
	helper_assert_mentions("t:2:18: error: line breaks and control characters are not allowed");
}

static void mounts_wrong(void **state)
{
	static const struct { const char *yaml; const char *problem; } cases[] = {
		{ "mounts: [vdb]", "t:2:10: error: an entry of mounts is a list of one to six fields, not text (- [vdb, /srv/data])" },
		{ "mounts: [[]]", "not an empty one" },
		{ "mounts: [[a, /b, c, d, 0, 0, 0]]", "at most six fields, not 7" },
		{ "mounts: [[vdb, srv]]", "the directory \"srv\" is relative" },
		{ "mounts: [[vdb, /srv/../etc]]", "has \"..\" in it" },
		{ "mounts: [[vdb, {a: b}]]", "the directory of a mount must be text, not a mapping" },
		{ "mounts: [[~, /a]]", "a mount needs a device" },
		{ "mounts: [[vdb, /a, '']]", "the file system of a mount is empty" },
		{ "mounts: [[vdb, /a, auto, ro, x]]", "\"x\" is not a dump frequency" },
		{ "mounts: {vdb: /a}", "mounts must be a list, not a mapping" },
		{ "mount_default_fields: [auto]", "mount_default_fields has six fields, not 1" },
		{ "swap: {size: big}", "\"big\" is not a size" },
		{ "swap: {size: 1.5}", "\"1.5\" is not a size" },
		{ "swap: {size: 99999999999999999999}", "is not a size" },
		{ "swap: {size: 1G, filename: swap}", "the path \"swap\" is relative" },
		{ "swap: {sise: 1G}", "unknown key \"sise\" in swap (did you mean \"size\"?)" },
		{ "swap: 1G", "swap must be a mapping, not text" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), "#cloud-config\n%s\n", cases[i].yaml);
		helper_config(text);
		helper_assert_mentions(cases[i].problem);
	}
	/* a bad entry does not take the others with it */
	assert_string_equal(fstab("#cloud-config\nmounts: [bad, [vdb, /a, ext4, ro, 0, 0]]\n", ""), "/dev/vdb\t/a\text4\tro,comment=cloudconfig\t0\t0\n");
}

static void swap_read(void **state)
{
	static const struct { const char *text; uint64_t bytes; } sizes[] = {
		{ "1048576", 1048576 }, { "2G", 2 * GIB }, { "512M", 512 << 20 }, { "1.5G", GIB + GIB / 2 }, { "10 MB", 10 << 20 }, { "100B", 100 }, { "4k", 4096 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char text[128];

		snprintf(text, sizeof(text), "#cloud-config\nswap: {filename: /s, size: %s, maxsize: 3G}\n", sizes[i].text);
		assert_true(helper_config(text)->storage.swap.size == sizes[i].bytes);
		assert_problems("");
		assert_true(helper_config(text)->storage.swap.max == 3 * GIB);
	}
	assert_true(helper_config("#cloud-config\nswap: {size: auto}\n")->storage.swap.automatic);
	assert_string_equal(fstab("#cloud-config\nswap: {filename: /swap.img, size: auto}\nmounts: [[vdb, /a, ext4, ro, 0, 0]]\n", ""),
			    "/dev/vdb\t/a\text4\tro,comment=cloudconfig\t0\t0\n/swap.img\tnone\tswap\tsw,comment=cloudconfig\t0\t0\n");
}

/* The figures are those of cc_mounts.suggested_swapsize. */
static void swap_sizes(void **state)
{
	(void)state;
	assert_true(storage_swap_size(2 * GIB, 100 * GIB, 0) == 2 * GIB);
	assert_true(storage_swap_size(8 * GIB, 100 * GIB, 0) == 4 * GIB);
	assert_true(storage_swap_size(16 * GIB, 100 * GIB, 0) == 4 * GIB);
	assert_true(storage_swap_size(64 * GIB, 100 * GIB, 0) == 8 * GIB);
	assert_true(storage_swap_size(32 * GIB, 100 * GIB, 0) == 6 * GIB);
	assert_true(storage_swap_size(8 * GIB, 8 * GIB, 0) == 2 * GIB);		/* a quarter of what is free */
	assert_true(storage_swap_size(GIB, 100 * GIB, 10485760) == 10485760);
	assert_true(storage_swap_size(8 * GIB, 10 * GIB, 100 * GIB) == 4 * GIB);
	assert_true(storage_swap_size(8 * GIB, GIB, 100 * GIB) == GIB / 10 * 9);
	assert_true(storage_swap_size(0, 0, 0) == 0);
}

static int scratch(off_t size)
{
	char name[] = "/tmp/coracle-test.XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void swap_area(void **state)
{
	CLEANUP_FD int fd = scratch(1 << 20);
	struct err err = ERR_INIT;
	struct probe p;

	(void)state;
	assert_int_equal(probe_device(fd, &p), 0);
	assert_int_equal(probe_blank(fd, 1 << 20), 1);
	assert_int_equal(storage_mkswap(fd, 1 << 20, "mine", &err), 0);
	assert_int_equal(probe_device(fd, &p), 1);
	assert_string_equal(p.type, "swap");
	assert_string_equal(p.label, "mine");
	assert_int_equal(strlen(p.uuid), 36);
	assert_int_equal(probe_blank(fd, 1 << 20), 0);
	assert_true(storage_mkswap(fd, 4096, NULL, &err) < 0);
}

static void vfat(void **state)
{
	static const off_t sizes[] = { 4 << 20, 16 << 20, 33 << 20, 63 << 20, 64 << 20, 300 << 20 };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP_FD int fd = scratch(sizes[i]);
		struct probe p;

		assert_int_equal(storage_mkvfat(fd, (uint64_t)sizes[i], "data", &err), 0);
		assert_int_equal(probe_device(fd, &p), 1);
		assert_string_equal(p.type, "vfat");
		assert_string_equal(p.label, "DATA");
		assert_int_equal(strlen(p.uuid), 9);
		assert_int_equal(storage_mkvfat(fd, (uint64_t)sizes[i], NULL, &err), 0);
		assert_int_equal(probe_device(fd, &p), 1);
		assert_string_equal(p.label, "");
		assert_true(storage_mkvfat(fd, (uint64_t)sizes[i], "twelve chars", &err) < 0);
		assert_true(storage_mkvfat(fd, (uint64_t)sizes[i], "a/b", &err) < 0);
		assert_true(storage_mkvfat(fd, 1 << 20, NULL, &err) < 0);
	}
}

static void disks_read(void **state)
{
	const struct storage_disk *d = helper_config("#cloud-config\ndisk_setup:\n  /dev/vdb: {table_type: gpt, layout: [33.3, [66, 82]], overwrite: true}\n"
						     "  ephemeral0: {layout: true}\n  vdc: {layout: remove}\n  vdd: {layout: false, table_type: mbr}\n")->storage.disks;

	(void)state;
	assert_problems("");
	assert_string_equal(d->device, "/dev/vdb");
	assert_true(d->gpt && d->overwrite && d->layout == LAYOUT_LIST && d->n_parts == 2);
	assert_int_equal(d->parts[0].millipercent, 33300);
	assert_string_equal(d->parts[1].type, "82");
	d = d->next;
	assert_true(!d->gpt && !d->overwrite && d->layout == LAYOUT_WHOLE);
	assert_int_equal(d->next->layout, LAYOUT_REMOVE);
	assert_int_equal(d->next->next->layout, LAYOUT_NONE);
}

static void disks_wrong(void **state)
{
	static const struct { const char *yaml; const char *problem; } cases[] = {
		{ "disk_setup: {vdb: {layout: [60, 60]}}", "together more than 100 percent" },
		{ "disk_setup: {vdb: {layout: []}}", "1 to 128 partitions, not 0" },
		{ "disk_setup: {vdb: {layout: [0]}}", "\"0\" is not the size of a partition" },
		{ "disk_setup: {vdb: {layout: [101]}}", "\"101\" is not the size of a partition" },
		{ "disk_setup: {vdb: {layout: [-5]}}", "\"-5\" is not the size" },
		{ "disk_setup: {vdb: {layout: [[50]]}}", "a partition is a size, or a list of size and type" },
		{ "disk_setup: {vdb: {layout: [[50, 'x;y']]}}", "is not the type of a partition" },
		{ "disk_setup: {vdb: {layout: some}}", "\"some\" is not a layout" },
		{ "disk_setup: {vdb: {layout: [10, 10, 10, 10, 10]}}", "an MBR has at most four partitions" },
		{ "disk_setup: {vdb: {table_type: bsd}}", "\"bsd\" is not a partition table" },
		{ "disk_setup: {vdb: yes}", "a disk of disk_setup is a mapping, not text" },
		{ "disk_setup: {'../vdb': {layout: true}}", "is not a device" },
		{ "fs_setup: [{filesystem: ext4}]", "needs a device" },
		{ "fs_setup: [{device: vdb}]", "needs a filesystem" },
		{ "fs_setup: [{device: vdb, filesystem: -F}]", "\"-F\" cannot be used here" },
		{ "fs_setup: [{device: vdb, filesystem: ext4, partition: some}]", "\"some\" is not a partition" },
		{ "fs_setup: [vdb]", "an entry of fs_setup is a mapping, not text" },
		{ "device_aliases: {a: [b]}", "an alias stands for a device, not a list" },
		{ "growpart: {mode: maybe}", "\"maybe\" is not a mode of growpart" },
		{ "growpart: {mode: 'off'}", "warning: growpart cannot be off" },
		{ "growpart: {mode: off}", "warning: growpart cannot be off" },
		{ "growpart: {devices: [/dev/vdb1]}", "warning: \"/dev/vdb1\" is not grown" },
		{ "resize_rootfs: false", "warning: resize_rootfs cannot be off" },
		{ "resize_rootfs: later", "\"later\" is not a value of resize_rootfs" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), "#cloud-config\n%s\n", cases[i].yaml);
		helper_config(text);
		helper_assert_mentions(cases[i].problem);
	}
	helper_config("#cloud-config\ngrowpart: {mode: auto, devices: [/], ignore_growroot_disabled: false}\nresize_rootfs: noblock\n");
	assert_problems("");
}

static const struct storage_disk *disk(const char *keys)
{
	char text[256];

	snprintf(text, sizeof(text), "#cloud-config\ndisk_setup: {vdb: {%s}}\n", keys);
	assert_non_null(helper_config(text)->storage.disks);
	return helper_current()->config.storage.disks;
}

static void tables_gpt(void **state)
{
	uint64_t sectors = 64 << 11; /* 64 MiB */
	CLEANUP_FD int fd = scratch(64 << 20);
	struct err err = ERR_INIT;
	static struct table t;
	static struct gpt g;
	unsigned char head[34 * 512];
	struct gpt_entry e;

	(void)state;
	assert_int_equal(table_plan(disk("table_type: gpt, layout: [50, [25, 82], [25, EF00]]"), sectors, &t, &err), 0);
	assert_false(table_matches(fd, sectors, &t));
	assert_int_equal(table_write(fd, sectors, &t, &err), 0);
	assert_int_equal(probe_table(fd), TABLE_GPT);
	assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(gpt_decode(&g, head + 512, head + 1024, sectors, &err), 0);
	assert_true(gpt_get(&g, 0, &e) && e.first == 2048 && e.last == 2048 + (32 << 11) - 1 && !memcmp(e.type, gpt_type_linux, 16));
	assert_true(gpt_get(&g, 1, &e) && e.first == 2048 + (32 << 11) && e.type[0] == 0x6d);
	/* the last one ends with the last whole MiB before the backup table */
	assert_true(gpt_get(&g, 2, &e) && e.last == (63 << 11) - 1 && !memcmp(e.type, gpt_type_esp, 16));
	assert_false(gpt_get(&g, 3, &e));
	assert_true(table_matches(fd, sectors, &t));
	assert_int_equal(table_plan(disk("table_type: gpt, layout: [50, [25, 83], 25]"), sectors, &t, &err), 0);
	assert_false(table_matches(fd, sectors, &t));
	assert_int_equal(table_plan(disk("table_type: gpt, layout: [10, 20, 70]"), sectors, &t, &err), 0);
	assert_true(table_matches(fd, sectors, &t)); /* by cloud-init's measure: as many, no types given */
	assert_int_equal(table_plan(disk("table_type: gpt, layout: true"), sectors, &t, &err), 0);
	assert_true(table_matches(fd, sectors, &t));
	assert_int_equal(table_wipe(fd, sectors, &err), 0);
	assert_int_equal(probe_table(fd), TABLE_NONE);
	assert_int_equal(probe_blank(fd, 64 << 20), 1);
}

static void tables_mbr(void **state)
{
	uint64_t sectors = 64 << 11;
	CLEANUP_FD int fd = scratch(64 << 20);
	struct err err = ERR_INIT;
	static struct table t;
	unsigned char s[512];

	(void)state;
	assert_int_equal(pwrite(fd, "\x53\xef", 2, (1 << 20) + 1024 + 56), 2); /* an old ext4 where the partition will begin */
	assert_int_equal(table_plan(disk("layout: [50, [50, 82]]"), sectors, &t, &err), 0);
	assert_int_equal(table_write(fd, sectors, &t, &err), 0);
	assert_int_equal(probe_table(fd), TABLE_MBR);
	assert_int_equal(pread(fd, s, 512, 0), 512);
	assert_int_equal(s[446 + 4], 0x83);
	assert_int_equal(s[462 + 4], 0x82);
	assert_memory_equal(s + 446 + 8, "\x00\x08\x00\x00\x00\x00\x01\x00", 8);
	assert_memory_equal(s + 462 + 8, "\x00\x08\x01\x00\x00\xf8\x00\x00", 8);
	assert_true(table_matches(fd, sectors, &t));
	assert_int_equal(pread(fd, s, 2, (1 << 20) + 1024 + 56), 2);
	assert_memory_equal(s, "\0\0", 2);
	assert_true(table_plan(disk("layout: true"), (uint64_t)5 << 32, &t, &err) < 0);
	assert_non_null(strstr(err.text, "use gpt"));
	assert_true(table_plan(disk("layout: true"), 100, &t, &err) < 0);
	assert_true(table_plan(disk("layout: [0.5, 99]"), 8192, &t, &err) < 0);
	assert_non_null(strstr(err.text, "partition 1 would have no room"));
	assert_true(table_plan(disk("table_type: gpt, layout: [[100, 9999]]"), sectors, &t, &err) < 0);
	assert_non_null(strstr(err.text, "is not known here"));
}

/* A disk with anything at either end is not blank. */
static void blank(void **state)
{
	static const off_t places[] = { 0, 511, 4095, 65600, (1 << 20) - 1, (63 << 20), (64 << 20) - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_FD int fd = scratch(64 << 20);

		assert_int_equal(probe_blank(fd, 64 << 20), 1);
		assert_int_equal(pwrite(fd, "x", 1, places[i]), 1);
		assert_int_equal(probe_blank(fd, 64 << 20), 0);
	}
}

static const struct storage_fs *fs(const char *keys)
{
	char text[256];

	snprintf(text, sizeof(text), "#cloud-config\nfs_setup: [{%s}]\n", keys);
	assert_non_null(helper_config(text)->storage.filesystems);
	return helper_current()->config.storage.filesystems;
}

static void choose(void **state)
{
	char name[] = "/tmp/coracle-test.XXXXXX";
	CLEANUP_FD int fd = mkstemp(name);
	char keys[128];
	struct err err = ERR_INIT;
	struct fs_choice c;
	struct storage none = { .mounts = NULL };

	(void)state;
	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	snprintf(keys, sizeof(keys), "device: %s, filesystem: swap, label: a", name);
	assert_int_equal(fs_choose(&helper_current()->ctx, &none, fs(keys), &c, &err), 0);
	assert_string_equal(c.path, name);
	assert_false(c.is_there);
	assert_int_equal(storage_mkswap(fd, 4 << 20, "b", &err), 0);
	/* any: the type is enough; none and auto want the label too */
	assert_int_equal(fs_choose(&helper_current()->ctx, &none, fs(keys), &c, &err), 0);
	assert_true(c.is_there);
	snprintf(keys, sizeof(keys), "device: %s, filesystem: swap, label: a, partition: none", name);
	assert_int_equal(fs_choose(&helper_current()->ctx, &none, fs(keys), &c, &err), 0);
	assert_false(c.is_there);
	snprintf(keys, sizeof(keys), "device: %s, filesystem: swap, label: a, partition: auto", name);
	assert_true(fs_choose(&helper_current()->ctx, &none, fs(keys), &c, &err) < 0);
	assert_non_null(strstr(err.text, "has no free partition"));
	snprintf(keys, sizeof(keys), "device: %s, filesystem: ext4, replace_fs: swap", name);
	assert_int_equal(fs_choose(&helper_current()->ctx, &none, fs(keys), &c, &err), 0);
	assert_true(c.replace && !c.is_there);
	assert_true(fs_choose(&helper_current()->ctx, &none, fs("device: ephemeral0, filesystem: ext4"), &c, &err) < 0);
	unlink(name);
}

static void names(void **state)
{
	struct config *c = helper_config("#cloud-config\ndevice_aliases: {data: /dev/vdb, nv: nvme0n1}\n");
	struct ctx *ctx = &helper_current()->ctx;
	static const char *const cases[][2] = {
		{ "vdb", "/dev/vdb" }, { "vdb1", "/dev/vdb1" }, { "/dev/vdb.1", "/dev/vdb1" }, { "data", "/dev/vdb" }, { "data.2", "/dev/vdb2" },
		{ "nv.1", "/dev/nvme0n1p1" }, { "nvme1n1", "/dev/nvme1n1" }, { "nvme1", "nvme1" }, { "mmcblk0p1", "/dev/mmcblk0p1" }, { "xvdca", "xvdca" },
		{ "sr0", "/dev/sr0" }, { "LABEL=a.1", "LABEL=a.1" }, { "tmpfs", "tmpfs" }, { "a:/b.1", "a:/b.1" }, { "/dev/disk/by-id/x.1", "/dev/disk/by-id/x-part1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(storage_device(ctx, &c->storage, cases[i][0], false), cases[i][1]);
	assert_null(storage_device(ctx, &c->storage, "ephemeral0", false));
	assert_string_equal(fs_command(ctx, fs("device: vdb, filesystem: ext4, label: x, cmd: 'mkfs -t %(filesystem)s -L %(label)s %(device)s %%'"), "/dev/vdb1"),
			    "mkfs -t ext4 -L x /dev/vdb1 %");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fstab_lines), cmocka_unit_test(fstab_old), cmocka_unit_test(fstab_removes), cmocka_unit_test(fstab_injection),
		cmocka_unit_test(mounts_wrong), cmocka_unit_test(swap_read), cmocka_unit_test(swap_sizes), cmocka_unit_test(swap_area), cmocka_unit_test(vfat),
		cmocka_unit_test(disks_read), cmocka_unit_test(disks_wrong), cmocka_unit_test(tables_gpt), cmocka_unit_test(tables_mbr),
		cmocka_unit_test(blank), cmocka_unit_test(choose), cmocka_unit_test(names),
	};

	return helper_run_tests(tests);
}
