/* datasource.c - the table of sources, and reading files from them. */
#include "datasource.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"

const struct places machine_places = {
	.cmdline = "/proc/cmdline",
	.serial = "/sys/class/dmi/id/product_serial",
	.fw_cfg = "/sys/firmware/qemu_fw_cfg/by_name",
	.devices = "/run/coracle/devices",
	.seed_dir = "/var/lib/cloud/seed",
	.mount_point = "/run/coracle/seed",
};

static const struct datasource sources[] = {
	{ "NoCloud", nocloud_read },
	{ "fw_cfg", fw_cfg_read },
};

int datasource_find(struct ctx *ctx, const struct places *p, struct seed *seed)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i].read(ctx, p, seed) > 0)
			return 1;
	seed->name = "DataSourceNone";
	return 0;
}

int seed_read_file(struct ctx *ctx, int dirfd, const char *dirname, const char *file, const char **out, size_t *len)
{
	struct err err = ERR_INIT;
	CLEANUP_FREE char *data = NULL;
	size_t n;
	int r = fd_read_file(dirfd, file, USERDATA_MAX, &data, &n, &err);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, NULL, "%s: %s", dirname, err.text);
		return r;
	}
	*out = arena_strndup(ctx->arena, data, n);
	*len = n;
	return 1;
}

int seed_read_dir(struct ctx *ctx, int dirfd, const char *what, bool required, struct seed *seed)
{
	const char *user_data = NULL;
	const char *meta_data = NULL;
	size_t user_len = 0;
	size_t meta_len = 0;
	int user = seed_read_file(ctx, dirfd, what, "user-data", &user_data, &user_len);
	int meta = seed_read_file(ctx, dirfd, what, "meta-data", &meta_data, &meta_len);

	if (required && (user <= 0 || meta <= 0)) {
		if (user == 0 || meta == 0)
			diag_add(ctx->diags, DIAG_WARNING, NULL, 0, 0, "both must be there, they may be empty",
				 "%s is not a valid seed: it has no %s", what, user == 0 ? "user-data" : "meta-data");
		return 0;
	}
	if (meta > 0)
		meta_read(ctx, "meta-data", meta_data, meta_len, &seed->meta);
	if (user > 0) {
		seed->user_data = user_data;
		seed->user_data_len = user_len;
	}
	seed_read_file(ctx, dirfd, what, "vendor-data", &seed->vendor_data, &seed->vendor_data_len);
	seed_read_file(ctx, dirfd, what, "network-config", &seed->network_config, &seed->network_config_len);
	return 1;
}
