/* early.c - the way from the initramfs to the root.
 *
 * Runs as PID 1 in the initramfs, which holds /init and /root.erofs. Nothing may be assumed: no /dev/console,
 * no /dev/null, no open descriptor. The usual way is six system calls: EROFS mounts the file directly
 * when the initramfs is a ramfs; on a tmpfs the kernel says ENOTBLK and a loop device stands in. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define ROOT_FILE "/root.erofs"
#define NEW_ROOT "/newroot"

/* Without a root there is nothing to run. The text stays readable for a while, then the firmware or boot loader gets
 * its chance to start another system. PID 1 must not end: that would be a panic without explanation. */
static void give_up(const char *what, int r)
{
	struct timespec wait = { 15, 0 };

	sys_mkdirat(AT_FDCWD, "/dev", 0755);
	sys_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	report_problem("init", "cannot start: %s: %s; the machine reboots in 15 s", what, err_name(-r));
	while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
		;
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/* The loop device needs /dev for as long as it takes to set it up. */
static int mount_by_loop(void)
{
	struct loop_config config = { .info = { .lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR } };
	char node[32];
	int number;
	CLEANUP_FD int control = -1;
	CLEANUP_FD int file = -1;
	CLEANUP_FD int device = -1;

	sys_mkdirat(AT_FDCWD, "/dev", 0755);
	sys_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if ((control = sys_openat(AT_FDCWD, "/dev/loop-control", O_RDWR, 0)) < 0)
		return control;
	if ((number = ioctl(control, LOOP_CTL_GET_FREE)) < 0)
		return -errno;
	snprintf(node, sizeof(node), "/dev/loop%d", number);
	if ((device = sys_openat(AT_FDCWD, node, O_RDONLY, 0)) < 0)
		return device;
	if ((file = sys_openat(AT_FDCWD, ROOT_FILE, O_RDONLY, 0)) < 0)
		return file;
	config.fd = (unsigned)file;
	if (ioctl(device, LOOP_CONFIGURE, &config) < 0)
		return -errno;
	return sys_mount(node, NEW_ROOT, "erofs", MS_RDONLY, NULL);
}

void early_switch_root(void)
{
	static char *const argv[] = { (char *)"/sbin/init", NULL };
	static char *const envp[] = { NULL };
	int r;

	if (access(ROOT_FILE, F_OK) < 0)
		return;
	sys_mkdirat(AT_FDCWD, NEW_ROOT, 0755);
	r = sys_mount(ROOT_FILE, NEW_ROOT, "erofs", MS_RDONLY, NULL);
	if (r == -ENOTBLK) {
		r = mount_by_loop();
		sys_umount2("/dev", MNT_DETACH);
	}
	if (r < 0)
		give_up("mount " ROOT_FILE, r);
	/* The initramfs cannot be unmounted, so its memory is given back file by file. The mount holds root.erofs open:
	 * its pages stay, only the name goes. */
	unlink("/init");
	unlink(ROOT_FILE);
	if (chdir(NEW_ROOT) < 0)
		give_up("enter " NEW_ROOT, -errno);
	if ((r = sys_mount(".", "/", NULL, MS_MOVE, NULL)) < 0)
		give_up("move the root", r);
	if (chroot(".") < 0)
		give_up("change to the root", -errno);
	execve(argv[0], argv, envp);
	give_up("run /sbin/init", -errno);
}
