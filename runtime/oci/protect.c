/* protect.c - keeps our executable out of the container's reach (CVE-2019-5736).
 *
 * A process of ours inside a container has a link /proc/PID/exe that a hostile
 * program could open for writing. runc copies itself into memory for each
 * start; here the kernel is asked to refuse the write: on a read-only file
 * system (the operating system's own root) there is nothing to do, elsewhere we
 * execute ourselves once more through a read-only mount that is attached to
 * nothing, so nobody can remount it. Three system calls and an execve, no copy. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/verbs.h"

#define ST_RDONLY 1
#define SELF "/proc/self/exe"
#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u

extern char **environ;

static int readonly_clone(void)
{
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	int r, fd = sys_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &ro, sizeof ro);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Where mounts are not allowed (no CAP_SYS_ADMIN): a sealed copy. */
static int sealed_copy(void)
{
	CLEANUP_FD int in = sys_openat(AT_FDCWD, SELF, O_RDONLY, 0);
	CLEANUP_FD int out = sys_memfd_create("coracle-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char buf[65536];
	ssize_t n;
	int r;

	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	while ((n = sys_read(in, buf, sizeof buf)) > 0)
		if ((r = fd_write_full(out, buf, (size_t)n)) < 0)
			return r;
	if (n < 0)
		return (int)n;
	if (fchmod(out, 0500) < 0 || fcntl(out, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return fd_take(&out);
}

static int protected_already(void)
{
	struct statfs fs;
	int fd, seals;

	if (statfs(SELF, &fs) < 0)
		return -errno;
	if (fs.f_flags & ST_RDONLY)
		return 1;
	fd = sys_openat(AT_FDCWD, SELF, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	seals = fcntl(fd, F_GET_SEALS);
	close(fd);
	return seals >= 0 && seals & F_SEAL_WRITE;
}

int protect_binary(char **argv, struct err *err)
{
	int r = protected_already(), fd;

	if (r != 0)
		return r < 0 ? err_set(err, -r, "look at " SELF) : 0;
	fd = readonly_clone();
	if (fd < 0)
		fd = sealed_copy();
	if (fd < 0)
		return err_set(err, -fd, "protect the runtime's executable");
	r = sys_execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return err_set(err, -r, "execute the protected runtime");
}
