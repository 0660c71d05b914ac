/* device.c - file systems that a configuration may be on: their list, and a look into one.
 *
 * Devices are mounted read-only in a private place and unmounted at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "blkid.h"
#include "facts.h"
#include "fd.h"
#include "path.h"
#include "sys.h"

#define LIST_MAX ((size_t)64 << 10)

static void add(struct machine_facts *f, const char *node, const char *type, const char *label)
{
	struct arena *a = f->ctx->arena;

	if (f->n_devices < DEVICES_MAX)
		f->devices[f->n_devices++] = (struct device){
			arena_strndup(a, node, strlen(node)), arena_strndup(a, type, strlen(type)), arena_strndup(a, label, strlen(label)),
		};
}

static int found_device(const char *node, const struct blkid *b, void *arg)
{
	add(arg, node, b->type, b->label);
	return 0;
}

/* vdb before vda, as cloud-init sorts them. */
static int by_name_reversed(const void *a, const void *b)
{
	return strcmp(((const struct device *)b)->node, ((const struct device *)a)->node);
}

/* "NODE TYPE LABEL" per line; blanks in labels are written \040, and such labels are never ours. */
void facts_list_devices(struct machine_facts *f)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	if (f->listed)
		return;
	f->listed = true;
	if (fd_read_file(AT_FDCWD, f->places->devices, LIST_MAX, &text, NULL, NULL) < 0)
		blkid_scan(found_device, f);
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char *type = strchr(line, ' ');
		char *label = type ? strchr(type + 1, ' ') : NULL;

		if (!type)
			continue;
		*type++ = '\0';
		if (label)
			*label++ = '\0';
		add(f, line, type, label ? label : "");
	}
	qsort(f->devices, f->n_devices, sizeof(f->devices[0]), by_name_reversed);
}

int device_open(struct machine_facts *f, const struct device *d)
{
	const char *at = f->places->mount_point;
	int fd = sys_openat(AT_FDCWD, d->node, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd >= 0)
		return fd;
	r = path_mkdirs(at, 0700);
	if (r == 0)
		r = sys_mount(d->node, at, d->type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (r == 0) {
		fd = sys_openat(AT_FDCWD, at, O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0)
			return fd;
		sys_umount2(at, MNT_DETACH);
		r = fd;
	}
	rmdir(at);
	diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "mount %s (%s): %s", d->node, d->type, err_name(-r));
	return r;
}

void device_close(struct machine_facts *f, int *fd)
{
	fd_close(fd);
	if (sys_umount2(f->places->mount_point, MNT_DETACH) == 0)
		rmdir(f->places->mount_point);
}
