/* datasource.c - the table of sources, the search through it, and reading files from them. */
#include "datasource.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../containers/containers.h"
#include "fd.h"
#include "sha256.h"

#define WAY_OUT "put the configuration on a disk labelled cidata, or name its address: ds=nocloud;s=https://... on the kernel command line"

/* Local ones first, then what the hardware tells; the ESP is mounted only when nothing else is there. */
const struct datasource datasources[] = {
	{ "NoCloud", NULL, nocloud_read },
	{ "FwCfg", NULL, fw_cfg_read },
	{ "Credentials", NULL, credentials_read },
	{ "ConfigDrive", detect_config_drive, config_drive_read },
	{ "Azure", detect_azure, azure_read },
	{ "DigitalOcean", detect_digitalocean, digitalocean_read },
	{ "Ec2", detect_ec2, ec2_read },
	{ "GCE", detect_gce, gce_read },
	{ "OpenStack", detect_openstack, openstack_read },
	{ "Hetzner", detect_hetzner, hetzner_read },
	{ "ESP", NULL, esp_read },
};
const size_t datasources_n = ARRAY_SIZE(datasources);

static const char *const unsupported[] = {
	"MAAS", "AltCloud", "Bigstep", "CloudSigma", "CloudStack", "Vultr", "AliYun", "OpenNebula", "VMware", "OVF", "SmartOS", "Scaleway", "IBMCloud",
	"Oracle", "Exoscale", "RbxCloud", "UpCloud", "LXD", "NWCS", "Akamai", "WSL", "CloudCIX",
};

static void say_unsupported(struct machine_facts *f, const char *name, const char *why)
{
	/* many a virtual machine of VMware has no guestinfo to read */
	diag_add(f->ctx->diags, strcmp(name, "VMware") ? DIAG_ERROR : DIAG_WARNING, NULL, 0, 0, WAY_OUT, "this is %s (%s), whose %s Coracle does not read", name,
		 why, strcmp(name, "VMware") ? "metadata service" : "guestinfo");
}

/* `ds=NAME[;...]`, `ci.ds=` and `ci.datasource=`: this one, whatever the hardware says. */
static const char *forced(struct machine_facts *f, const char **word)
{
	static const char *const words[] = { "ds", "ci.ds", "ci.datasource" };
	const char *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words) && !value; i++) {
		value = facts_word(f, words[i]);
		*word = words[i];
	}
	if (!value || !*value)
		return NULL;
	value = arena_strndup(f->ctx->arena, value, strcspn(value, ";"));
	return strcasecmp(value, "nocloud-net") ? value : "nocloud";
}

static bool disabled(struct machine_facts *f, struct seed *seed)
{
	const char *word = facts_word(f, "cloud-init");
	const char *policy = facts_word(f, "ci.di.policy");

	if (word && !strcmp(word, "disabled"))
		seed->disabled = "cloud-init=disabled on the kernel command line";
	else if (policy && !strcmp(policy, "disabled"))
		seed->disabled = "ci.di.policy=disabled on the kernel command line";
	else if (access(f->places->disabled, F_OK) == 0)
		seed->disabled = "/etc/cloud/cloud-init.disabled";
	return seed->disabled != NULL;
}

static int ask(struct machine_facts *f, const struct datasource *d, const char *why, struct seed *seed)
{
	if (d->detect && !why)
		why = d->detect(f);
	if (d->detect && !why)
		return 0;
	if (d->read(f, seed) <= 0)
		return 0;
	if (!seed->why)
		seed->why = why;
	return 1;
}

/* Returns 1 or 0 as datasource_find(), -1: the name is unknown (reported). */
static int ask_forced(struct machine_facts *f, const char *name, const char *word, struct seed *seed)
{
	const char *why = arena_printf(f->ctx->arena, "%s=%s on the kernel command line", word, name);

	for (size_t i = 0; i < datasources_n; i++)
		if (!strcasecmp(name, datasources[i].name)) {
			if (ask(f, &datasources[i], why, seed))
				return 1;
			diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, "no other source is asked then", "%s, but that source has nothing", why);
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (!strcasecmp(name, unsupported[i])) {
			say_unsupported(f, unsupported[i], why);
			return 0;
		}
	if (!strcasecmp(name, "none"))
		return 0;
	diag_add(f->ctx->diags, DIAG_ERROR, NULL, 0, 0, "such as nocloud, configdrive, ec2, gce, azure, openstack", "%s=%s: there is no source of that name", word,
		 diag_quote(f->ctx->arena, name, strlen(name)));
	return -1;
}

static int ask_all(struct machine_facts *f, struct seed *seed)
{
	const char *why;
	const char *name;

	for (size_t i = 0; i < datasources_n; i++)
		if (ask(f, &datasources[i], NULL, seed))
			return 1;
	name = detect_unsupported(f, &why);
	if (name)
		say_unsupported(f, name, why);
	return 0;
}

/* cc: or cloud-config-url=, which no source has to be there for. */
static bool cmdline_configures(struct machine_facts *f)
{
	const char *line = facts_get(f, FACT_CMDLINE);

	return facts_word(f, "cloud-config-url") || !strncmp(line, "cc:", 3) || strstr(line, " cc:");
}

int datasource_find(struct ctx *ctx, const struct places *p, struct seed *seed)
{
	struct machine_facts *f = ARENA_NEW(ctx->arena, struct machine_facts);
	const char *word;
	const char *name;
	int found = -1;

	facts_init(f, ctx, p);
	if (disabled(f, seed)) {
		seed->name = "DataSourceNone";
		return 0;
	}
	name = forced(f, &word);
	if (name)
		found = ask_forced(f, name, word, seed);
	if (found < 0)
		found = ask_all(f, seed);
	credentials_add(f, seed);
	if (!found && (seed->root_keys.n || seed->root_hashed_password || seed->meta.local_hostname)) {
		seed_hash_instance(ctx, "credential", seed);
		seed->name = "DataSourceCredentials [root]";
		seed->why = "credentials for root or the host name, and nothing else";
		seed->cloud_name = seed->platform = "credentials";
		found = 1;
	}
	if (!found)
		seed->name = "DataSourceNone";
	if (!found && cmdline_configures(f)) {
		seed->meta.instance_id = "iid-datasource-none"; /* as cloud-init's source of that name */
		seed->why = "a configuration on the kernel command line, and nothing else";
		seed->cloud_name = seed->platform = "none";
		found = 1;
	}
	meta_complete(ctx, &seed->meta);
	return found;
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

void seed_hash_instance(struct ctx *ctx, const char *prefix, struct seed *seed)
{
	char hex[SHA256_HEX_LEN + 1];

	if (seed->meta.instance_id)
		return;
	sha256_hex(seed->user_data ? seed->user_data : "", seed->user_data_len, hex);
	seed->meta.instance_id = arena_printf(ctx->arena, "%s-%.16s", prefix, hex);
}

void seed_add(struct ctx *ctx, const struct seed *seed, struct config *c)
{
	struct config_file **end = &c->files;
	struct config_file *own = c->files;

	if (seed->files) {
		for (*end = seed->files; *end; end = &(*end)->next)
			;
		*end = own;
	}
	if (seed->gce_declaration) {
		struct source *source = ARENA_NEW(ctx->arena, struct source);

		*source = (struct source){ "gce-container-declaration", seed->gce_declaration, seed->gce_declaration_len };
		gce_declaration_read(ctx, source, c);
	}
}
