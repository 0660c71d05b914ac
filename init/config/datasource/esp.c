/* esp.c - a configuration on the machine's EFI partition: /coracle/user-data, and meta-data, vendor-data, network-config beside it.
 *
 * For a disk or stick that was written with Coracle's image: any computer can put a file there. Asked last, because it is the only source
 * for which a device is mounted on suspicion; only file systems labelled as EFI partitions are. */
#include <fcntl.h>
#include <unistd.h>
#include <strings.h>
#include <string.h>

#include "datasource.h"
#include "fd.h"
#include "sys.h"

static bool is_esp(const struct device *d)
{
	static const char *const labels[] = { "CORACLE-ESP", "EFI", "ESP", "EFISYS", "SYSTEM" };

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (!strcmp(d->type, "vfat") && !strcasecmp(d->label, labels[i]))
			return true;
	return false;
}

static int read_one(struct machine_facts *f, const struct device *d, struct seed *seed)
{
	CLEANUP_FD int dirfd = -1;
	int fd = device_open(f, d);
	int found = 0;

	if (fd < 0)
		return 0;
	dirfd = sys_openat(fd, "coracle", O_RDONLY | O_DIRECTORY, 0);
	if (dirfd >= 0 && faccessat(dirfd, "user-data", F_OK, 0) == 0)
		found = seed_read_dir(f->ctx, dirfd, arena_printf(f->ctx->arena, "%s:/coracle", d->node), false, seed);
	fd_close(&dirfd);
	device_close(f, &fd);
	return found && seed->user_data;
}

int esp_read(struct machine_facts *f, struct seed *seed)
{
	facts_list_devices(f);
	for (size_t i = 0; i < f->n_devices; i++) {
		const struct device *d = &f->devices[i];

		if (!is_esp(d) || !read_one(f, d, seed))
			continue;
		seed_hash_instance(f->ctx, "esp", seed);
		seed->name = arena_printf(f->ctx->arena, "DataSourceESP [seed=%s]", d->node);
		seed->why = arena_printf(f->ctx->arena, "%s has /coracle/user-data", d->node);
		seed->cloud_name = seed->platform = "esp";
		seed->subplatform = arena_printf(f->ctx->arena, "seed-dir (%s)", d->node);
		return 1;
	}
	return 0;
}
