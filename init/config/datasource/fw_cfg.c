/* fw_cfg.c - a configuration on QEMU's command line: -fw_cfg name=opt/org.coracle/user-data,file=...
 *
 * No disk, no network: the cheapest way to configure a machine. The kernel
 * shows each entry as a directory with the bytes in `raw`. meta-data, vendor-data and network-config are
 * read from beside it. Without meta-data the instance-id is made from the user-data, so that another configuration is another instance.
 * opt/com.coreos/config is where Ignition's users put theirs: it counts when there is none of ours. */
#include <fcntl.h>

#include "datasource.h"
#include "fd.h"
#include "sys.h"

static void finish(struct machine_facts *f, const char *where, struct seed *seed)
{
	seed_hash_instance(f->ctx, "fwcfg", seed);
	seed->name = arena_printf(f->ctx->arena, "DataSourceFwCfg [%s]", where);
	seed->why = arena_printf(f->ctx->arena, "fw_cfg %s", where);
	seed->cloud_name = seed->platform = "fwcfg";
	seed->subplatform = where;
}

int fw_cfg_read(struct machine_facts *f, struct seed *seed)
{
	CLEANUP_FD int dirfd = sys_openat(AT_FDCWD, f->places->fw_cfg, O_RDONLY | O_DIRECTORY, 0);
	struct ctx *ctx = f->ctx;
	const char *meta = NULL;
	size_t meta_len = 0;

	if (dirfd < 0)
		return 0;
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/user-data/raw", &seed->user_data, &seed->user_data_len);
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/meta-data/raw", &meta, &meta_len);
	if (!seed->user_data && !meta) {
		if (seed_read_file(ctx, dirfd, "fw_cfg", "opt/com.coreos/config/raw", &seed->user_data, &seed->user_data_len) <= 0)
			return 0;
		finish(f, "opt/com.coreos/config", seed);
		return 1;
	}
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/vendor-data/raw", &seed->vendor_data, &seed->vendor_data_len);
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/network-config/raw", &seed->network_config, &seed->network_config_len);
	if (meta)
		meta_read(ctx, "meta-data", meta, meta_len, &seed->meta);
	finish(f, "opt/org.coracle", seed);
	return 1;
}
