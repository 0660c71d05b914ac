/* sysctl.c - linux.sysctl: the check runs in the runtime, the writing in the container's first process before pivot_root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/cdefs.h"
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

/* The name with dots as separators: "net/ipv4/conf/eth0.1/x" -> "net.ipv4.conf.eth0/1.x". */
static int dotted(const char *key, char *out, size_t size)
{
	const char *first = strpbrk(key, "./");

	if (snprintf(out, size, "%s", key) >= (int)size)
		return -ENAMETOOLONG;
	if (first && *first == '/')
		for (char *p = out; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return 0;
}

static bool of_ipc(const char *name)
{
	static const char *const NAMES[] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
		if (!strcmp(NAMES[i], name))
			return true;
	return !strncmp(name, "fs.mqueue.", 10);
}

static bool host_network(const struct spec *s)
{
	const struct spec_namespace *ns = &s->ns[NS_NET];
	struct stat ours, joined;

	if (!ns->present || !ns->path)
		return !ns->present;
	/* a path that is not there is reported where it is opened */
	return stat("/proc/self/ns/net", &ours) == 0 && stat(ns->path, &joined) == 0 && ours.st_dev == joined.st_dev && ours.st_ino == joined.st_ino;
}

int sysctl_check(const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->sysctl_n; i++) {
		char k[256];

		if (dotted(s->sysctl[i].key, k, sizeof k) < 0 || strstr(k, "..") || strstr(k, "//") || *k == '/' || *k == '.')
			return err_set(err, 0, "linux.sysctl: \"%s\" is not a name", s->sysctl[i].key);
		if (of_ipc(k)) {
			if (!s->ns[NS_IPC].present)
				return err_set(err, 0, "linux.sysctl: sysctl \"%s\" is not allowed in the hosts ipc namespace", k);
		} else if (!strncmp(k, "net.", 4)) {
			if (host_network(s))
				return err_set(err, 0, "linux.sysctl: sysctl \"%s\" not allowed in host network namespace", k);
		} else if (s->ns[NS_UTS].present && !strcmp(k, "kernel.hostname"))
			return err_set(err, 0, "linux.sysctl: sysctl \"%s\" is not allowed as it conflicts with the OCI \"hostname\" field", k);
		else if (!s->ns[NS_UTS].present || strcmp(k, "kernel.domainname"))
			return err_set(err, 0, "linux.sysctl: sysctl \"%s\" is not in a separate kernel namespace", k);
	}
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
