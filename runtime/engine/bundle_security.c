/* bundle_security.c - security_opt: paths that are hidden or read-only, the seccomp filter, new privileges (coracle-engine). Only writes text. */
#include "bundle.h"

#include <string.h>

#include "jw.h"

/* moby oci/defaults.go */
static const char *const masked_paths[] = {
	"/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
};
static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

bool bundle_has_option(const struct service *s, const char *option)
{
	for (char **o = s->security_opt; o && *o; o++)
		if (strcmp(*o, option) == 0)
			return true;
	return false;
}

static bool is_unmasked(const struct service *s, const char *path)
{
	for (char **o = s->security_opt; o && *o; o++)
		if (strncmp(*o, "unmask=", 7) == 0 && (strcmp(*o + 7, path) == 0 || strcmp(*o + 7, "ALL") == 0))
			return true;
	return false;
}

static void add_paths(struct buf *b, const struct service *s, const char *key, const char *const *paths, size_t n)
{
	jw_karr(b, key);
	for (size_t i = 0; i < n; i++)
		if (!is_unmasked(s, paths[i]))
			jw_str(b, paths[i]);
	for (char **o = s->security_opt; paths == masked_paths && o && *o; o++)
		if (strncmp(*o, "mask=", 5) == 0)
			jw_str(b, *o + 5);
	jw_close(b, ']');
}

void bundle_add_hidden(struct buf *b, const struct service *s)
{
	if (s->privileged || bundle_has_option(s, "systempaths=unconfined"))
		return;
	add_paths(b, s, "maskedPaths", masked_paths, ARRAY_SIZE(masked_paths));
	add_paths(b, s, "readonlyPaths", readonly_paths, ARRAY_SIZE(readonly_paths));
}

void bundle_add_annotations(struct buf *b, const struct service *s)
{
	jw_kobj(b, "annotations");
	if (!s->privileged && !bundle_has_option(s, "seccomp=unconfined"))
		jw_kstr(b, "org.coracle.seccomp", "default");
	for (char **a = s->annotations; a && *a; a++) {
		char key[256];
		size_t n = strcspn(*a, "=");

		/* these steer the runtime: never from a configuration */
		if (n >= sizeof(key) || strncmp(*a, "org.coracle.", 12) == 0)
			continue;
		memcpy(key, *a, n);
		key[n] = '\0';
		jw_kstr(b, key, *a + n + 1);
	}
	jw_close(b, '}');
}
