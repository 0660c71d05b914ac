/* caps.c - capability names and sets. Runs in the container's process before
 * execve; never adds a capability the caller lacks. */
#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "runtime/oci/caps.h"

static const char *const NAMES[CAPS_KNOWN] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
	"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
	"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

int caps_number(const char *name)
{
	if (!strncasecmp(name, "CAP_", 4))
		name += 4;
	for (int i = 0; i < CAPS_KNOWN; i++)
		if (!strcasecmp(NAMES[i] + 4, name))
			return i;
	return -1;
}

const char *caps_name(int number)
{
	return number >= 0 && number < CAPS_KNOWN ? NAMES[number] : NULL;
}

int caps_limit_bounding(uint64_t mask, struct err *err)
{
	for (int i = 0; i < 64; i++) {
		if (mask >> i & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno == EINVAL)	/* beyond the last one of this kernel */
				return 0;
			/* without CAP_SETPCAP only what is not there any more may stay */
			if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
				return err_set(err, EPERM, "drop %s from the bounding set", i < CAPS_KNOWN ? NAMES[i] : "a capability");
		}
	}
	return 0;
}

static int set_three(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32) },
	};

	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static int get_permitted(uint64_t *permitted)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	*permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	return 0;
}

int caps_set(const struct spec_caps *c, struct err *err)
{
	uint64_t permitted = c->permitted, inheritable = c->inheritable, have = 0;
	int r = set_three(c->effective & permitted, permitted, inheritable);

	if (r == -EPERM && get_permitted(&have) == 0) {
		permitted &= have;
		inheritable &= have;
		r = set_three(c->effective & permitted, permitted, inheritable);
	}
	if (r < 0)
		return err_set(err, -r, "set capabilities");
	/* a kernel forgets the ambient set with setuid; execve needs it again */
	for (int i = 0; i < CAPS_KNOWN; i++)
		if (c->ambient & permitted & inheritable & UINT64_C(1) << i &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return err_set(err, errno, "raise ambient %s", NAMES[i]);
	return 0;
}

uint64_t caps_missing(const struct spec_caps *c)
{
	uint64_t have = UINT64_MAX;

	return get_permitted(&have) < 0 ? 0 : (c->effective | c->permitted | c->inheritable | c->ambient) & ~have;
}
