/* keys.c - the top-level keys of cloud-config: ours, cloud-init's, nobody's. */
#include <errno.h>
#include <string.h>

#include "config.h"
#include "containers/containers.h"
#include "formats/scripts.h"
#include "keys_other.h"

bool config_hostname_ok(const char *name)
{
	size_t n = strlen(name);

	/* 64 is the kernel's __NEW_UTS_LEN; the underscore is no host name by RFC 1123, but people use it */
	if (n == 0 || n > 64 || name[0] == '-' || name[0] == '.' || name[n - 1] == '.')
		return false;
	for (const char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._", *p) ||
		    (*p == '.' && p[1] == '.'))
			return false;
	return true;
}

static int read_hostname(struct ctx *ctx, const struct node *value, void *out)
{
	const char *name;

	if (value_line(ctx, value, &name) < 0)
		return -EINVAL;
	if (!config_hostname_ok(name))
		return diag_at(ctx->diags, DIAG_ERROR, value, "letters, digits, - and . ; at most 64 characters",
			       "%s is not a host name", diag_quote(ctx->arena, value->text, value->len));
	*(const char **)out = name;
	return 0;
}

/* Keys that need nothing done: they steer cloud-init's own machinery. */
static int read_accepted(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	(void)value;
	*(bool *)out = true;
	return 0;
}

/* The Compose keys are read together, by compose_read. */
static int read_elsewhere(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	(void)value;
	(void)out;
	return 0;
}

#define ANY (NODE_SCALAR | NODE_LIST | NODE_MAP)

static const struct key top_keys[] = {
	KEY("hostname", NODE_SCALAR, read_hostname, struct config, hostname),
	KEY("fqdn", NODE_SCALAR, read_hostname, struct config, fqdn),
	KEY("prefer_fqdn_over_hostname", NODE_SCALAR, value_bool, struct config, prefer_fqdn),
	KEY("preserve_hostname", NODE_SCALAR, value_bool, struct config, preserve_hostname),
	KEY("create_hostname_file", NODE_SCALAR, value_bool, struct config, create_hostname_file),
	KEY("manage_etc_hosts", NODE_SCALAR, read_manage_etc_hosts, struct config, manage_hosts),
	KEY("write_files", NODE_LIST, read_write_files, struct config, files),
	KEY("bootcmd", NODE_LIST, read_bootcmd, struct config, bootcmd),
	KEY("runcmd", NODE_LIST, read_runcmd, struct config, runcmd),
	KEY("power_state", NODE_MAP, read_power_state, struct config, power),
	KEY("mounts", NODE_LIST, read_mounts, struct config, storage.mounts),
	KEY("mount_default_fields", NODE_LIST, read_mount_default_fields, struct config, storage),
	KEY("swap", NODE_MAP, read_swap, struct config, storage.swap),
	KEY("disk_setup", NODE_MAP, read_disk_setup, struct config, storage.disks),
	KEY("fs_setup", NODE_LIST, read_fs_setup, struct config, storage.filesystems),
	KEY("device_aliases", NODE_MAP, read_device_aliases, struct config, storage.aliases),
	KEY("growpart", NODE_MAP, read_growpart, struct config, storage.accepted),
	KEY("resize_rootfs", NODE_SCALAR, read_resize_rootfs, struct config, storage.accepted),
	KEY("users", ANY, read_users, struct config, accounts),
	KEY("user", NODE_SCALAR | NODE_MAP, read_user, struct config, accounts),
	KEY("groups", ANY, read_groups, struct config, accounts),
	KEY("system_info", NODE_MAP, read_system_info, struct config, accounts),
	KEY("password", NODE_SCALAR, read_password, struct config, passwords),
	KEY("chpasswd", NODE_MAP, read_chpasswd, struct config, passwords),
	KEY("ssh_authorized_keys", ANY, read_ssh_authorized_keys, struct config, ssh),
	KEY("ssh_pwauth", NODE_SCALAR, read_ssh_pwauth, struct config, ssh.pwauth),
	KEY("disable_root", NODE_SCALAR, value_choice, struct config, ssh.disable_root),
	KEY("disable_root_opts", NODE_SCALAR, read_ssh_options, struct config, ssh.disable_root_opts),
	KEY("allow_public_ssh_keys", NODE_SCALAR, value_choice, struct config, ssh.allow_public_keys),
	KEY("ssh_keys", NODE_MAP, read_ssh_keys, struct config, ssh),
	KEY("ssh_deletekeys", NODE_SCALAR, value_choice, struct config, ssh.delete_keys),
	KEY("ssh_genkeytypes", NODE_SCALAR | NODE_LIST, read_ssh_types, struct config, ssh.types),
	KEY("ssh_quiet_keygen", NODE_SCALAR, value_bool, struct config, accepted),
	KEY("ssh_publish_hostkeys", NODE_MAP, read_ssh_publish, struct config, ssh),
	KEY("ssh", NODE_MAP, read_ssh_console, struct config, ssh),
	KEY("no_ssh_fingerprints", NODE_SCALAR, value_choice, struct config, ssh.no_fingerprints),
	KEY("authkey_hash", NODE_SCALAR, read_ssh_hash, struct config, ssh.fingerprint_hash),
	KEY("ssh_fp_console_blacklist", NODE_SCALAR | NODE_LIST, read_ssh_skip, struct config, ssh.fingerprint_skip),
	KEY("ssh_key_console_blacklist", NODE_SCALAR | NODE_LIST, read_ssh_skip, struct config, ssh.console_skip),
	KEY("vendor_data", ANY, read_vendor_data, struct config, vendor),
	KEY("vendor_data2", ANY, read_vendor_data, struct config, vendor2),
	KEY("ca_certs", NODE_MAP, read_ca_certs, struct config, system.certs),
	KEY("ca-certs", NODE_MAP, read_ca_certs, struct config, system.certs),
	KEY("ntp", ANY | KEY_NULL, read_ntp, struct config, system.ntp),
	KEY("timezone", NODE_SCALAR, read_timezone, struct config, system),
	KEY("locale", NODE_SCALAR, read_locale, struct config, system.locale),
	KEY("locale_configfile", NODE_SCALAR, value_path, struct config, system.locale.file),
	KEY("phone_home", NODE_MAP, read_phone_home, struct config, system.phone),
	KEY("final_message", NODE_SCALAR, read_final_message, struct config, system.final_message),
	KEY("random_seed", NODE_MAP, read_random_seed, struct config, system.random),
	KEY("manage_resolv_conf", NODE_SCALAR, value_bool, struct config, system.resolv.manage),
	KEY("manage-resolv-conf", NODE_SCALAR, value_bool, struct config, system.resolv.manage),
	KEY("resolv_conf", NODE_MAP, read_resolv_conf, struct config, system.resolv),
	KEY("cloud_init_modules", NODE_LIST, read_module_list, struct config, system.frequencies),
	KEY("cloud_config_modules", NODE_LIST, read_module_list, struct config, system.frequencies),
	KEY("cloud_final_modules", NODE_LIST, read_module_list, struct config, system.frequencies),
	KEY("output", ANY, read_output, struct config, accepted),
	KEY("containers", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("services", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("volumes", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("networks", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("secrets", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("configs", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("include", NODE_LIST, read_elsewhere, struct config, accepted),
	KEY("models", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("rancher", NODE_MAP, read_elsewhere, struct config, accepted),
	KEY("name", NODE_SCALAR, read_elsewhere, struct config, accepted),
	KEY("version", NODE_SCALAR, read_accepted, struct config, accepted),
	KEY("merge_how", ANY, read_accepted, struct config, accepted),
	KEY("merge_type", ANY, read_accepted, struct config, accepted),
	KEY("launch-index", NODE_SCALAR, read_accepted, struct config, accepted),
};

static const struct schema top_schema = {
	.what = "the configuration",
	.keys = top_keys,
	.n_keys = ARRAY_SIZE(top_keys),
	.known = other_keys,
	.n_known = OTHER_KEYS,
	.known_why = "is known to cloud-init and not supported by Coracle; it is not used",
	.unknown = DIAG_UNKNOWN,
	.extensions = true,
};

void config_init(struct config *c)
{
	*c = (struct config){ .create_hostname_file = true };
}

void config_read(struct ctx *ctx, const struct node *root, struct config *c)
{
	if (root->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, root, "such as \"hostname: edge-1\"",
			"a configuration is a mapping of keys, not %s", node_describe(root));
		return;
	}
	c->root = root;
	schema_read(ctx, &top_schema, root, c);
	compose_read(ctx, root, &c->compose);
	if (node_get(root, "rancher") && node_get(root, "rancher")->type == NODE_MAP)
		rancher_read(ctx, node_get(root, "rancher"), c);
}

void config_add_script(struct ctx *ctx, struct config *c, enum config_script_kind kind, const char *name, const char *text, size_t len)
{
	struct config_script **at = &c->scripts;

	while (*at)
		at = &(*at)->next;
	*at = ARENA_NEW(ctx->arena, struct config_script);
	**at = (struct config_script){ .kind = kind, .name = name, .text = text, .len = len };
}

void config_finish(struct ctx *ctx, struct config *c)
{
	if (c->runcmd)
		config_add_script(ctx, c, SCRIPT_USER, "runcmd", c->runcmd, strlen(c->runcmd));
	system_finish(ctx, &c->system);
	containers_read_files(ctx, c);
	compose_finish(ctx, &c->compose);
}
