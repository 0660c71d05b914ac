/* reboot.c - coracle reboot: init takes the machine down in order, and the firmware, or a kernel that was loaded, starts it anew. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli.h"
#include "fd.h"

#define USAGE "reboot [--kexec KERNEL [--initrd FILE] [--append TEXT]]"
#define COMMAND_LINE_MAX 2048	/* COMMAND_LINE_SIZE of x86 */

static void on_line(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

/* The running kernel's command line, and what is to be added. */
static int command_line(const char *append, char *out, size_t size, struct err *err)
{
	ssize_t n = fd_read_small(AT_FDCWD, "/proc/cmdline", out, size);

	if (n < 0)
		return err_set(err, (int)-n, "read /proc/cmdline");
	if (append && (size_t)snprintf(out + n, size - (size_t)n, " %s", append) >= size - (size_t)n)
		return err_set(err, E2BIG, "the command line with \"%s\"", append);
	return 0;
}

static int load(const char *kernel, const char *initrd, const char *append, struct err *err)
{
	char line[COMMAND_LINE_MAX];
	CLEANUP_FD int kernel_fd = open(kernel, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int initrd_fd = -1;

	if (kernel_fd < 0)
		return err_set(err, errno, "open %s", kernel);
	if (initrd && (initrd_fd = open(initrd, O_RDONLY | O_CLOEXEC)) < 0)
		return err_set(err, errno, "open %s", initrd);
	if (command_line(append, line, sizeof(line), err) < 0)
		return -1;
	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(line) + 1, line, initrd ? 0UL : (unsigned long)KEXEC_FILE_NO_INITRAMFS) == 0)
		return 0;
	if (errno == ENOEXEC)
		return err_set(err, 0, "load %s: not a kernel that can be started so; a vmlinuz is", kernel);
	return err_set(err, errno, "load %s", kernel);
}

int verb_reboot(int argc, char **argv)
{
	const char *kernel = NULL, *initrd = NULL, *append = NULL;
	struct err err = ERR_INIT;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return cli_usage(USAGE);
		if (strcmp(argv[i], "--kexec") == 0)
			kernel = argv[i + 1];
		else if (strcmp(argv[i], "--initrd") == 0)
			initrd = argv[i + 1];
		else if (strcmp(argv[i], "--append") == 0)
			append = argv[i + 1];
		else
			return cli_usage(USAGE);
	}
	if (!kernel && (initrd || append))
		return cli_usage(USAGE);
	if (kernel && load(kernel, initrd, append, &err) < 0)
		return cli_fail(&err);
	return cli_init("reboot", on_line, NULL, &err) < 0 ? cli_fail(&err) : 0;
}
