/* volumeopts.c - mounting volumes by the local driver's options (children of coracle-engine). Source: moby volume/local/local_unix.go. */
#include "volumeopts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "buf.h"
#include "cdefs.h"

static const char *get(char *const *options, const char *key)
{
	size_t n = strlen(key);

	for (; options && *options; options++)
		if (strncmp(*options, key, n) == 0 && (*options)[n] == '=')
			return *options + n + 1;
	return NULL;
}

int volumeopts_check(char *const *options, struct err *err)
{
	static const char *const known[] = { "type", "o", "device" };
	const char *type = get(options, "type"), *o = get(options, "o"), *device = get(options, "device");

	for (char *const *p = options; p && *p; p++) {
		size_t k = 0, n = strcspn(*p, "=");

		while (k < ARRAY_SIZE(known) && (strlen(known[k]) != n || strncmp(*p, known[k], n) != 0))
			k++;
		if (k == ARRAY_SIZE(known))
			return err_set(err, 0, "invalid option: \"%.*s\"", (int)MIN(n, 60), *p);
	}
	if (!options || !options[0])
		return 0;
	if (!device || !device[0])
		return err_set(err, 0, "missing device in volume options");
	if ((!type || !type[0]) && (!o || !strstr(o, "bind")))
		return err_set(err, 0, "missing required option: \"type\"");
	return 0;
}

static const struct {
	const char *word;
	unsigned long set, clear;
} flags_of[] = {
	{ "ro", MS_RDONLY, 0 }, { "rw", 0, MS_RDONLY }, { "nosuid", MS_NOSUID, 0 }, { "suid", 0, MS_NOSUID }, { "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV }, { "noexec", MS_NOEXEC, 0 }, { "exec", 0, MS_NOEXEC }, { "sync", MS_SYNCHRONOUS, 0 }, { "noatime", MS_NOATIME, 0 },
	{ "nodiratime", MS_NODIRATIME, 0 }, { "relatime", MS_RELATIME, 0 }, { "strictatime", MS_STRICTATIME, 0 }, { "bind", MS_BIND, 0 },
	{ "rbind", MS_BIND | MS_REC, 0 }, { "dirsync", MS_DIRSYNC, 0 }, { "defaults", 0, 0 }, { "async", 0, MS_SYNCHRONOUS },
};

static void take_option(const char *word, size_t n, unsigned long *flags, struct buf *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(flags_of); i++) {
		if (strlen(flags_of[i].word) != n || strncmp(word, flags_of[i].word, n) != 0)
			continue;
		*flags = (*flags | flags_of[i].set) & ~flags_of[i].clear;
		return;
	}
	buf_printf(data, "%s%.*s", data->len ? "," : "", (int)n, word);
}

int volumeopts_mount(char *const *options, const char *path, struct err *err)
{
	const char *type = get(options, "type"), *o = get(options, "o"), *device = get(options, "device");
	CLEANUP_BUF struct buf data = { 0 };
	unsigned long flags = 0;

	buf_init(&data, 4096);
	for (const char *p = o ? o : ""; *p;) {
		size_t n = strcspn(p, ",");

		if (n)
			take_option(p, n, &flags, &data);
		p += n + (p[n] == ',');
	}
	if (mount(device ? device : "", path, flags & MS_BIND ? NULL : type, flags, data.len ? data.data : NULL) < 0)
		return err_set(err, errno, "failed to mount local volume: mount %s:%s, data: %s", device ? device : "", path, data.data);
	/* a bind takes its other flags by a second call only */
	if (flags & MS_BIND && flags & MS_RDONLY && mount(NULL, path, NULL, MS_REMOUNT | flags, NULL) < 0)
		return err_set(err, errno, "make %s read-only", path);
	return 0;
}
