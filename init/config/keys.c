/* keys.c - the top-level keys of cloud-config: ours, cloud-init's, nobody's. */
#include <errno.h>
#include <string.h>

#include "config.h"

struct top {
	const char *hostname;
	const char *fqdn;
	bool prefer_fqdn;
	bool preserve_hostname;
	bool create_hostname_file;
	struct config_file *files;
	const char *bootcmd;
	const char *runcmd;
	struct config_power power;
	bool accepted;
};

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
	KEY("hostname", NODE_SCALAR, read_hostname, struct top, hostname),
	KEY("fqdn", NODE_SCALAR, read_hostname, struct top, fqdn),
	KEY("prefer_fqdn_over_hostname", NODE_SCALAR, value_bool, struct top, prefer_fqdn),
	KEY("preserve_hostname", NODE_SCALAR, value_bool, struct top, preserve_hostname),
	KEY("create_hostname_file", NODE_SCALAR, value_bool, struct top, create_hostname_file),
	KEY("write_files", NODE_LIST, read_write_files, struct top, files),
	KEY("bootcmd", NODE_LIST, read_bootcmd, struct top, bootcmd),
	KEY("runcmd", NODE_LIST, read_runcmd, struct top, runcmd),
	KEY("power_state", NODE_MAP, read_power_state, struct top, power),
	KEY("containers", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("services", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("volumes", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("networks", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("secrets", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("configs", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("include", NODE_LIST, read_elsewhere, struct top, accepted),
	KEY("models", NODE_MAP, read_elsewhere, struct top, accepted),
	KEY("name", NODE_SCALAR, read_elsewhere, struct top, accepted),
	KEY("version", NODE_SCALAR, read_accepted, struct top, accepted),
	KEY("merge_how", ANY, read_accepted, struct top, accepted),
	KEY("merge_type", ANY, read_accepted, struct top, accepted),
	KEY("launch-index", NODE_SCALAR, read_accepted, struct top, accepted),
};

#define LATER "is not supported yet by Coracle"

static const struct known_key top_known[] = {
	{ "ssh_authorized_keys", DIAG_WARNING, LATER },
	{ "users", DIAG_WARNING, LATER },
	{ "user", DIAG_WARNING, LATER },
	{ "groups", DIAG_WARNING, LATER },
	{ "password", DIAG_WARNING, LATER },
	{ "chpasswd", DIAG_WARNING, LATER },
	{ "ssh_pwauth", DIAG_WARNING, LATER },
	{ "ssh_keys", DIAG_WARNING, LATER },
	{ "ssh_deletekeys", DIAG_WARNING, LATER },
	{ "ssh_genkeytypes", DIAG_WARNING, LATER },
	{ "ssh_import_id", DIAG_WARNING, LATER },
	{ "ssh_publish_hostkeys", DIAG_WARNING, LATER },
	{ "ssh_quiet_keygen", DIAG_WARNING, LATER },
	{ "ssh", DIAG_WARNING, LATER },
	{ "disable_root", DIAG_WARNING, LATER },
	{ "disable_root_opts", DIAG_WARNING, LATER },
	{ "allow_public_ssh_keys", DIAG_WARNING, LATER },
	{ "manage_etc_hosts", DIAG_WARNING, LATER },
	{ "manage_resolv_conf", DIAG_WARNING, LATER },
	{ "resolv_conf", DIAG_WARNING, LATER },
	{ "mounts", DIAG_WARNING, LATER },
	{ "mount_default_fields", DIAG_WARNING, LATER },
	{ "swap", DIAG_WARNING, LATER },
	{ "growpart", DIAG_WARNING, LATER },
	{ "resize_rootfs", DIAG_WARNING, LATER },
	{ "disk_setup", DIAG_WARNING, LATER },
	{ "fs_setup", DIAG_WARNING, LATER },
	{ "device_aliases", DIAG_WARNING, LATER },
	{ "ca_certs", DIAG_WARNING, LATER },
	{ "ca-certs", DIAG_WARNING, LATER },
	{ "ntp", DIAG_WARNING, LATER },
	{ "timezone", DIAG_WARNING, LATER },
	{ "phone_home", DIAG_WARNING, LATER },
	{ "final_message", DIAG_WARNING, LATER },
	{ "random_seed", DIAG_WARNING, LATER },
	{ "rsyslog", DIAG_WARNING, LATER },
	{ "vendor_data", DIAG_WARNING, LATER },
	{ "wireguard", DIAG_WARNING, LATER },
	{ "disable_ec2_metadata", DIAG_WARNING, LATER },
	{ "network", DIAG_WARNING, "is not read from user-data (nor by cloud-init); network-config is its place" },
	{ "ansible", DIAG_WARNING, NULL }, { "apk_repos", DIAG_WARNING, NULL }, { "apt", DIAG_WARNING, NULL },
	{ "apt_pipelining", DIAG_WARNING, NULL }, { "apt_reboot_if_required", DIAG_WARNING, NULL },
	{ "apt_update", DIAG_WARNING, NULL }, { "apt_upgrade", DIAG_WARNING, NULL }, { "apt_sources", DIAG_WARNING, NULL },
	{ "apt_mirror", DIAG_WARNING, NULL }, { "apt_proxy", DIAG_WARNING, NULL }, { "authkey_hash", DIAG_WARNING, NULL },
	{ "autoinstall", DIAG_WARNING, NULL }, { "byobu_by_default", DIAG_WARNING, NULL }, { "chef", DIAG_WARNING, NULL },
	{ "cloud_config_modules", DIAG_WARNING, NULL }, { "cloud_final_modules", DIAG_WARNING, NULL },
	{ "cloud_init_modules", DIAG_WARNING, NULL }, { "datasource", DIAG_WARNING, NULL },
	{ "datasource_list", DIAG_WARNING, NULL }, { "debug", DIAG_WARNING, NULL }, { "def_log_file", DIAG_WARNING, NULL },
	{ "drivers", DIAG_WARNING, NULL }, { "fan", DIAG_WARNING, NULL }, { "grub-dpkg", DIAG_WARNING, NULL },
	{ "grub_dpkg", DIAG_WARNING, NULL }, { "keyboard", DIAG_WARNING, NULL }, { "landscape", DIAG_WARNING, NULL },
	{ "locale", DIAG_WARNING, NULL }, { "locale_configfile", DIAG_WARNING, NULL }, { "log_cfgs", DIAG_WARNING, NULL },
	{ "lxd", DIAG_WARNING, NULL }, { "manual_cache_clean", DIAG_WARNING, NULL }, { "mcollective", DIAG_WARNING, NULL },
	{ "migrate", DIAG_WARNING, NULL }, { "no_ssh_fingerprints", DIAG_WARNING, NULL }, { "output", DIAG_WARNING, NULL },
	{ "package_reboot_if_required", DIAG_WARNING, NULL }, { "package_update", DIAG_WARNING, NULL },
	{ "package_upgrade", DIAG_WARNING, NULL }, { "packages", DIAG_WARNING, NULL }, { "puppet", DIAG_WARNING, NULL },
	{ "reporting", DIAG_WARNING, NULL }, { "rh_subscription", DIAG_WARNING, NULL }, { "rpi", DIAG_WARNING, NULL },
	{ "salt_minion", DIAG_WARNING, NULL }, { "snap", DIAG_WARNING, NULL },
	{ "spacewalk", DIAG_WARNING, NULL }, { "ssh_fp_console_blacklist", DIAG_WARNING, NULL },
	{ "ssh_key_console_blacklist", DIAG_WARNING, NULL }, { "syslog_fix_perms", DIAG_WARNING, NULL },
	{ "system_info", DIAG_WARNING, NULL }, { "ubuntu_advantage", DIAG_WARNING, NULL },
	{ "ubuntu_pro", DIAG_WARNING, NULL }, { "updates", DIAG_WARNING, NULL }, { "yum_repo_dir", DIAG_WARNING, NULL },
	{ "yum_repos", DIAG_WARNING, NULL }, { "zypper", DIAG_WARNING, NULL },
};

static const struct schema top_schema = {
	.what = "the configuration",
	.keys = top_keys,
	.n_keys = ARRAY_SIZE(top_keys),
	.known = top_known,
	.n_known = ARRAY_SIZE(top_known),
	.known_why = "is known to cloud-init and not supported by Coracle; it is not used",
	.unknown = DIAG_UNKNOWN,
	.extensions = true,
};

void config_read(struct ctx *ctx, const struct node *root, struct config *c)
{
	struct top *top = ARENA_NEW(ctx->arena, struct top);

	if (root->type != NODE_MAP) {
		diag_at(ctx->diags, DIAG_ERROR, root, "such as \"hostname: edge-1\"",
			"a configuration is a mapping of keys, not %s", node_describe(root));
		return;
	}
	top->create_hostname_file = true;
	schema_read(ctx, &top_schema, root, top);
	c->hostname = top->hostname;
	c->fqdn = top->fqdn;
	c->prefer_fqdn = top->prefer_fqdn;
	c->preserve_hostname = top->preserve_hostname;
	c->no_hostname_file = !top->create_hostname_file;
	c->files = top->files;
	c->bootcmd = top->bootcmd;
	c->power = top->power;
	if (top->runcmd)
		config_add_script(ctx, c, "runcmd", top->runcmd, strlen(top->runcmd));
	compose_read(ctx, root, &c->compose);
}

void config_add_script(struct ctx *ctx, struct config *c, const char *name, const char *text, size_t len)
{
	struct config_script **at = &c->scripts;

	while (*at)
		at = &(*at)->next;
	*at = ARENA_NEW(ctx->arena, struct config_script);
	**at = (struct config_script){ .name = name, .text = text, .len = len };
}

/* A hostname with dots is the fqdn too, unless that is given (cloud-init, cc_set_hostname). */
void config_finish(struct ctx *ctx, struct config *c)
{
	const char *dot;

	if (!c->fqdn && c->hostname && strchr(c->hostname, '.'))
		c->fqdn = c->hostname;
	if (!c->hostname && c->fqdn)
		c->hostname = c->fqdn;
	dot = c->hostname ? strchr(c->hostname, '.') : NULL;
	if (dot)
		c->hostname = arena_strndup(ctx->arena, c->hostname, (size_t)(dot - c->hostname));
	compose_finish(ctx, &c->compose);
}
