/* labels.c - AppArmor and SELinux, straight through /proc and /sys: no library. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/vfs.h>
#include "lib/fd.h"
#include "runtime/oci/labels.h"

#define SELINUX_MAGIC 0xf97cff8cL
#define LABEL_MAX 4096

static bool apparmor_enabled(void)
{
	char text[8];

	return fd_read_small(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text, sizeof text) > 0 && text[0] == 'Y';
}

static bool selinux_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && (unsigned long)fs.f_type == SELINUX_MAGIC;
}

int labels_check(const struct spec_process *p, struct err *err)
{
	if (p->apparmor && *p->apparmor && !apparmor_enabled())
		return err_set(err, 0, "process.apparmorProfile \"%s\": apparmor: config provided but apparmor not supported", p->apparmor);
	if (p->selinux && *p->selinux && !selinux_enabled())
		return err_set(err, 0, "process.selinuxLabel \"%s\": selinux label is specified in config, but selinux is disabled or not supported", p->selinux);
	return 0;
}

int labels_set(const struct spec_process *p, bool keyring, struct err *err)
{
	char text[LABEL_MAX];
	int r;

	if (p->apparmor && *p->apparmor) {
		if (snprintf(text, sizeof text, "exec %s", p->apparmor) >= (int)sizeof text)
			return err_set(err, ENAMETOOLONG, "process.apparmorProfile");
		r = fd_write_small(AT_FDCWD, "/proc/self/attr/apparmor/exec", text);
		if (r == -ENOENT)
			r = fd_write_small(AT_FDCWD, "/proc/self/attr/exec", text);
		if (r < 0)
			return err_set(err, -r, "unable to apply apparmor profile: process.apparmorProfile \"%s\"", p->apparmor);
	}
	if (p->selinux && *p->selinux) {
		r = fd_write_small(AT_FDCWD, "/proc/self/attr/exec", p->selinux);
		if (r == 0 && keyring)
			r = fd_write_small(AT_FDCWD, "/proc/self/attr/keycreate", p->selinux);
		if (r < 0)
			return err_set(err, -r, "set process.selinuxLabel \"%s\"", p->selinux);
	}
	return 0;
}
