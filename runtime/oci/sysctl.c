/* sysctl.c - writes linux.sysctl. Runs in the container's first process before pivot_root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "lib/fd.h"
#include "runtime/oci/sysctl.h"

/* "net.ipv4.conf.eth0/1.forwarding": as sysctl(8), the separator that comes
 * first is the separator, and the other one stands for itself, exchanged. */
static int file_of(const char *key, char *out, size_t size)
{
	const char *first = strpbrk(key, "./");
	int n = snprintf(out, size, "/proc/sys/%s", key);

	if (n >= (int)size)
		return -ENAMETOOLONG;
	if (first && *first == '.')
		for (char *p = out + strlen("/proc/sys/"); *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return 0;
}

int sysctl_apply(const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->sysctl_n; i++) {
		char path[512];
		int r = file_of(s->sysctl[i].key, path, sizeof path);

		if (r == 0)
			r = fd_write_small(AT_FDCWD, path, s->sysctl[i].value);
		if (r < 0)
			return err_set(err, -r, "set linux.sysctl %s to \"%s\"", s->sysctl[i].key, s->sysctl[i].value);
	}
	return 0;
}
