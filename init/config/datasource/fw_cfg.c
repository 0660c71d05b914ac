/* fw_cfg.c - a configuration on QEMU's command line: -fw_cfg name=opt/org.coracle/user-data,file=...
 *
 * No disk, no network: the cheapest way to configure a machine. The kernel
 * shows each entry as a directory with the bytes in `raw`. meta-data, vendor-data and network-config are
 * read from beside it. Without meta-data the instance-id is made from the user-data, so that another configuration is another instance. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "datasource.h"
#include "fd.h"
#include "sha256.h"
#include "sys.h"

int fw_cfg_read(struct ctx *ctx, const struct places *p, struct seed *seed)
{
	CLEANUP_FD int dirfd = sys_openat(AT_FDCWD, p->fw_cfg, O_RDONLY | O_DIRECTORY, 0);
	CLEANUP_FD int probe = -1;
	const char *meta = NULL;
	size_t meta_len = 0;
	char hex[SHA256_HEX_LEN + 1];

	if (dirfd < 0)
		return 0;
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/user-data/raw", &seed->user_data, &seed->user_data_len);
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/meta-data/raw", &meta, &meta_len);
	if (!seed->user_data && !meta) {
		probe = sys_openat(dirfd, "opt/com.coreos/config", O_PATH, 0);
		if (probe >= 0)
			diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, "give opt/org.coracle/user-data",
				 "fw_cfg opt/com.coreos/config: not supported yet: an Ignition configuration");
		return 0;
	}
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/vendor-data/raw", &seed->vendor_data, &seed->vendor_data_len);
	seed_read_file(ctx, dirfd, "fw_cfg", "opt/org.coracle/network-config/raw", &seed->network_config, &seed->network_config_len);
	if (meta)
		meta_read(ctx, "meta-data", meta, meta_len, &seed->meta);
	if (!seed->meta.instance_id) {
		sha256_hex(seed->user_data ? seed->user_data : "", seed->user_data_len, hex);
		seed->meta.instance_id = arena_printf(ctx->arena, "fwcfg-%.16s", hex);
	}
	seed->name = "DataSourceFwCfg [opt/org.coracle]";
	return 1;
}
