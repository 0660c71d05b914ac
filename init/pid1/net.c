/* net.c - the little that PID 1 does to networks: loopback up, Ethernet interfaces found.
 *
 * Runs in PID 1; addresses are the business of udhcpc or of the configuration. */
#include "init/pid1/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

static int set_up(int sock, const char *name)
{
	struct ifreq req;

	memset(&req, 0, sizeof(req));
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &req) < 0)
		return -errno;
	req.ifr_flags = (short)(req.ifr_flags | IFF_UP);
	return ioctl(sock, SIOCSIFFLAGS, &req) < 0 ? -errno : 0;
}

static int interface_up(const char *name)
{
	CLEANUP_FD int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = sock < 0 ? -errno : set_up(sock, name);

	if (r < 0)
		report_problem("init", "bring %s up: %s", name, err_name(-r));
	return r;
}

void net_loopback_up(void)
{
	interface_up("lo");
}

/* Type 1 is Ethernet (ARPHRD_ETHER); bridges, veth and the like have no device behind them. */
static int is_physical_ethernet(const char *name)
{
	char path[96];
	char type[16];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/device", name);
	if (access(path, F_OK) < 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%.15s/type", name);
	return fd_read_small(AT_FDCWD, path, type, sizeof(type)) > 0 && !strcmp(type, "1");
}

int net_find_ethernet(char names[][16], int max)
{
	char buf[2048] __attribute__((aligned(8)));
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, "/sys/class/net", O_RDONLY | O_DIRECTORY, 0);
	int count = 0;
	long n;

	if (fd < 0)
		return 0;
	/* getdents64 directly: readdir needs the heap. */
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent *d = (const struct dirent *)(const void *)(buf + at);

			at += d->d_reclen;
			if (d->d_name[0] == '.' || !strcmp(d->d_name, "lo") || strlen(d->d_name) > 15 || count == max)
				continue;
			if (is_physical_ethernet(d->d_name))
				snprintf(names[count++], 16, "%.15s", d->d_name);
		}
	}
	return count;
}
