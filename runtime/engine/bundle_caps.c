/* bundle_caps.c - capabilities of a container: Docker's default set, cap_add, cap_drop (coracle-engine). Pure. */
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "jw.h"
#include "text.h"

static const char *const names[] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
};

#define ALL_CAPS ((1ULL << ARRAY_SIZE(names)) - 1)

/* moby oci/caps/defaults.go */
static const char *const defaults[] = {
	"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
	"NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
};

static uint64_t bit_of(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	if (strcasecmp(name, "ALL") == 0)
		return ALL_CAPS;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return 1ULL << i;
	return 0;
}

static int collect(char *const *list, uint64_t *mask, bool *all, struct err *err)
{
	for (; list && *list; list++) {
		uint64_t bit = bit_of(*list);

		if (!bit)
			return err_set(err, 0, "unknown capability %s", *list);
		if (bit == ALL_CAPS)
			*all = true;
		else
			*mask |= bit;
	}
	return 0;
}

int bundle_caps(char *const *add, char *const *drop, uint64_t *mask, struct err *err)
{
	uint64_t added = 0, dropped = 0;
	bool add_all = false, drop_all = false;
	int r = collect(add, &added, &add_all, err);

	r = r < 0 ? r : collect(drop, &dropped, &drop_all, err);
	if (r < 0)
		return r;
	*mask = 0;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		*mask |= bit_of(defaults[i]);
	if (drop_all)
		*mask = added;
	else if (add_all)
		*mask = ALL_CAPS & ~dropped;
	else
		*mask = (*mask | added) & ~dropped;
	return 0;
}

static void add_set(struct buf *b, const char *key, uint64_t mask)
{
	char name[40];

	jw_karr(b, key);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(mask >> i & 1))
			continue;
		text_set(name, sizeof(name), "CAP_%s", names[i]);
		jw_str(b, name);
	}
	jw_close(b, ']');
}

/* Another user than root gets nothing but the bounding set, as after an execve(2); nobody inherits any (CVE-2022-24769). */
void bundle_add_caps(struct buf *b, const struct service *s, uint64_t mask, bool root_user)
{
	if (s->privileged)
		mask = ALL_CAPS;
	jw_kobj(b, "capabilities");
	add_set(b, "bounding", mask);
	add_set(b, "effective", root_user ? mask : 0);
	add_set(b, "permitted", root_user ? mask : 0);
	jw_close(b, '}');
}
