/* main.c - coracle-data: check, grow and mount the data file system on /var.
 *
 * A one-shot that init starts when /run/coracle/devices names an ext4 labelled CORACLE-DATA. A clean file system of the
 * right size costs one read, a mount and a few directories. It exits 0 with /var mounted; with any other code init
 * puts a tmpfs there. Growing that fails is a problem but no failure: the data are there, only not larger. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "init/data/check.h"
#include "init/data/ext4.h"
#include "init/data/grow.h"
#include "init/data/var.h"
#include "report.h"
#include "sys.h"

#define DEVICES "/run/coracle/devices"
#define LABEL "CORACLE-DATA"
#define VAR "/var"
#define RESIZE_FS _IOW('f', 16, uint64_t)	/* EXT4_IOC_RESIZE_FS, which no public header has */

/* The first device in the file with our label; its lines are "NODE TYPE LABEL". Returns how many there are. */
static int find_device(char *text, char *node, size_t size)
{
	int count = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[64];
		char type[16];
		char label[160];

		if (sscanf(line, "%63s %15s %159s", name, type, label) != 3 || strcmp(type, "ext4") || strcmp(label, LABEL))
			continue;
		if (count++ == 0)
			snprintf(node, size, "%s", name);
	}
	return count;
}

static int read_super(const char *node, struct ext4_super *super, struct err *err)
{
	unsigned char sb[EXT4_SUPER_LEN];
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, node, O_RDONLY, 0);
	ssize_t n;

	if (fd < 0)
		return err_set(err, -fd, "open %s", node);
	n = pread(fd, sb, sizeof(sb), EXT4_SUPER_OFFSET);
	if (n != (ssize_t)sizeof(sb))
		return err_set(err, n < 0 ? errno : EIO, "read %s", node);
	return ext4_decode(sb, super, err);
}

/* Neither nosuid nor nodev: containers' layers and writable trees lie here, and their images have setuid programs and
 * device nodes. Names on the host's own paths below /var are only writable by root. */
static int mount_var(const char *node, struct err *err)
{
	int r = sys_mount(node, VAR, "ext4", MS_NOATIME, "errors=remount-ro");

	return r < 0 ? err_set(err, -r, "mount %s on " VAR, node) : 0;
}

/* Online, by the kernel: the file system takes what its device has. */
static int grow_file_system(const char *node, const struct ext4_super *super, struct err *err)
{
	int64_t sectors = grow_device_sectors(node);
	uint64_t blocks;
	CLEANUP_FD int fd = -1;

	if (sectors <= 0)
		return err_set(err, 0, "no size of %s", node);
	blocks = (uint64_t)sectors / (super->block_size / 512);
	if (blocks <= super->blocks)
		return 0;
	fd = sys_openat(AT_FDCWD, VAR, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_set(err, -fd, "open " VAR);
	if (ioctl(fd, RESIZE_FS, &blocks) < 0)
		return err_set(err, errno, "grow the file system of %s from %llu to %llu blocks", node,
			       (unsigned long long)super->blocks, (unsigned long long)blocks);
	report_note("data", "%s grew from %llu to %llu MiB", node, (unsigned long long)(super->blocks * super->block_size >> 20),
		    (unsigned long long)(blocks * super->block_size >> 20));
	return 0;
}

static int check_and_mount(const char *node, struct ext4_super *super, struct err *err)
{
	struct err first = ERR_INIT;
	int r;

	if ((r = read_super(node, super, err)) < 0)
		return r;
	if (!super->clean && (r = check_repair(node, err)) < 0)
		return r;
	if ((r = grow_partition(node, &first)) < 0)
		report_problem("data", "grow %s: %s", node, first.text);
	if (mount_var(node, &first) == 0)
		return 0;
	/* It looked clean and is not: one repair, one more try. */
	report_problem("data", "%s; checking it", first.text);
	if ((r = check_repair(node, err)) < 0)
		return r;
	return mount_var(node, err);
}

static int run(struct err *err)
{
	char text[8192];
	char node[64];
	struct ext4_super super;
	struct err grow = ERR_INIT;
	ssize_t n = fd_read_small(AT_FDCWD, DEVICES, text, sizeof(text));
	int found;
	int r;

	if (n < 0)
		return err_set(err, (int)-n, "read " DEVICES);
	found = find_device(text, node, sizeof(node));
	if (found == 0)
		return err_set(err, 0, "no device labelled " LABEL);
	if (found > 1)
		report_problem("data", "%d file systems are labelled " LABEL ": using %s", found, node);
	umask(022);
	if ((r = check_and_mount(node, &super, err)) < 0)
		return r;
	if (grow_file_system(node, &super, &grow) < 0)
		report_problem("data", "%s", grow.text);
	return var_make_directories(VAR, err);
}

int main(void)
{
	struct err err = ERR_INIT;

	if (run(&err) == 0)
		return 0;
	report_problem("data", "%s", err.text);
	return 1;
}
