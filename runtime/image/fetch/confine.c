/* confine.c - namespaces, root, capabilities and limits of coracle-fetch.
 *
 * Runs first thing in coracle-fetch. The order matters: chroot needs a
 * capability that the next step drops. */
#include "runtime/image/fetch/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"

#define CAP_BIT(c) (1ull << (c))

static const uint64_t kept = CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |
	CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_SETFCAP);

static int become_root_alone(struct err *err)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();
	int r = sys_unshare(CLONE_NEWUSER);

	if (r < 0)
		return err_set(err, -r, "user namespace");
	if ((r = fd_write_small(AT_FDCWD, "/proc/self/setgroups", "deny")) < 0)
		return err_set(err, -r, "write /proc/self/setgroups");
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	if ((r = fd_write_small(AT_FDCWD, "/proc/self/uid_map", map)) < 0)
		return err_set(err, -r, "write /proc/self/uid_map");
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	if ((r = fd_write_small(AT_FDCWD, "/proc/self/gid_map", map)) < 0)
		return err_set(err, -r, "write /proc/self/gid_map");
	return 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct cap[2];
	uint64_t have;

	for (int c = 0; c < 64; c++)
		if (!(kept & CAP_BIT(c)) && prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 && errno == EINVAL)
			break;
	if (syscall(SYS_capget, &head, cap) < 0)
		return err_set(err, errno, "read capabilities");
	have = ((uint64_t)cap[1].permitted << 32 | cap[0].permitted) & kept;
	for (int i = 0; i < 2; i++) {
		cap[i].permitted = cap[i].effective = (uint32_t)(have >> (32 * i));
		cap[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, cap) < 0)
		return err_set(err, errno, "drop capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return err_set(err, errno, "clear ambient capabilities");
	return 0;
}

static int limit(int what, uint64_t value, const char *name, struct err *err)
{
	struct rlimit r;

	if (getrlimit(what, &r) < 0)
		return err_set(err, errno, "read limit %s", name);
	if (r.rlim_max < value)
		value = r.rlim_max;
	r.rlim_cur = r.rlim_max = value;
	if (setrlimit(what, &r) < 0)
		return err_set(err, errno, "limit %s", name);
	return 0;
}

int confine_enter(int dirfd, uint64_t max_file, int *owners, struct err *err)
{
	int r;

	*owners = geteuid() == 0;
	if ((r = sys_close_range(5, ~0u, 0)) < 0 && r != -ENOSYS)
		return err_set(err, -r, "close descriptors");
	if (!*owners && (r = become_root_alone(err)) < 0)
		return r;
	r = sys_unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
	if (r < 0 && r != -EPERM && r != -EINVAL && r != -ENOSPC)
		return err_set(err, -r, "enter empty namespaces");
	if (fchdir(dirfd) < 0 || chroot(".") < 0)
		return err_set(err, errno, "change the root directory");
	if ((r = drop_capabilities(err)) < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, errno, "give up privileges");
	if ((r = limit(RLIMIT_NOFILE, 1100, "open files", err)) < 0 ||
	    (r = limit(RLIMIT_FSIZE, max_file, "file size", err)) < 0 ||
	    (r = limit(RLIMIT_CORE, 0, "core size", err)) < 0 ||
	    (r = limit(RLIMIT_AS, 256u << 20, "memory", err)) < 0)
		return r;
	return 0;
}
