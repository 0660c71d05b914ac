/* frequency.c - cloud_init_modules, cloud_config_modules and cloud_final_modules: how often a module is done; and output.
 *
 * Readers of coracle-config; nothing is touched. cloud-init runs the modules of these lists and no others; here a list never switches a module off: what the
 * rest of the configuration asks for is done, and what people write these lists for, [scripts-user, always], is honoured. */
#include <errno.h>
#include <string.h>

#include "../text.h"
#include "module.h"

#define OUTPUT_LOG "/var/log/cloud-init-output.log"
#define LISTED_MAX 200

/* cloud-init's modules, of all versions since 20. */
static const char *const known[] = {
	"ansible", "apk_configure", "apt_configure", "apt_pipelining", "bootcmd", "byobu", "ca_certs", "chef", "debug", "disable_ec2_metadata", "disk_setup",
	"emit_upstart", "fan", "final_message", "growpart", "grub_dpkg", "install_hotplug", "keyboard", "keys_to_console", "landscape", "locale",
	"lxd", "mcollective", "migrator", "mounts", "ntp", "package_update_upgrade_install", "phone_home", "power_state_change", "puppet", "raspberry_pi",
	"refresh_rmc_and_interface", "reset_rmc", "resizefs", "resolv_conf", "rh_subscription", "rightscale_userdata", "rsyslog", "runcmd", "salt_minion",
	"scripts_per_boot", "scripts_per_instance", "scripts_per_once", "scripts_user", "scripts_vendor", "seed_random", "set_hostname", "set_passwords",
	"snap", "snappy", "spacewalk", "ssh", "ssh_authkey_fingerprints", "ssh_import_id", "timezone", "ubuntu_advantage", "ubuntu_autoinstall",
	"ubuntu_drivers", "ubuntu_pro", "update_etc_hosts", "update_hostname", "users_groups", "vendor_scripts", "wireguard", "write_files",
	"write_files_deferred", "yum_add_repo", "zypper_add_repo",
};

static const char *known_name(size_t i, const void *arg)
{
	(void)arg;
	return i < ARRAY_SIZE(known) ? known[i] : NULL;
}

static int read_when(struct ctx *ctx, const struct node *value, int *out)
{
	static const struct { const char *word; int when; } words[] = {
		{ "always", MODULE_ALWAYS }, { "once-per-instance", MODULE_INSTANCE }, { "instance", MODULE_INSTANCE }, { "once", MODULE_ONCE },
	};

	for (size_t i = 0; value->type == NODE_SCALAR && i < ARRAY_SIZE(words); i++)
		if (!strcmp(value->text, words[i].word)) {
			*out = words[i].when;
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "always, once-per-instance or once", "%s is not how often a module can be run",
		       value->type == NODE_SCALAR ? diag_quote(ctx->arena, value->text, value->len) : node_describe(value));
}

/* The name with underscores; a name that nobody knows is told. */
static const char *module_name(struct ctx *ctx, const struct node *value)
{
	char *name = arena_strndup(ctx->arena, value->text, value->len);
	const char *near;

	for (char *p = name; (p = strchr(p, '-'));)
		*p = '_';
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(name, known[i]))
			return name;
	near = text_nearest(name, strlen(name), known_name, NULL);
	diag_at(ctx->diags, DIAG_UNKNOWN, value, near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL, "%s is not a module",
		diag_quote(ctx->arena, value->text, value->len));
	return NULL;
}

static int read_listed(struct ctx *ctx, const struct node *entry, struct system_frequency **list)
{
	const struct item *first = entry->type == NODE_LIST ? entry->items : NULL;
	const struct node *named = first ? first->value : entry;
	struct system_frequency *f;
	const char *name;
	int when = MODULE_INSTANCE;

	if (named->type != NODE_SCALAR || (entry->type == NODE_LIST && entry->count == 0))
		return diag_at(ctx->diags, DIAG_ERROR, entry, "- [scripts-user, always]", "a module is a name, or a list of name and frequency, not %s",
			       node_describe(entry));
	name = module_name(ctx, named);
	if (!name || !first || !first->next || node_is_null(first->next->value))
		return 0;
	if (read_when(ctx, first->next->value, &when) < 0)
		return -EINVAL;
	if (first->next->next)
		diag_at(ctx->diags, DIAG_WARNING, first->next->next->value, NULL, "modules take no arguments here; those of %s are not used", name);
	f = ARENA_NEW(ctx->arena, struct system_frequency);
	*f = (struct system_frequency){ .name = name, .when = when, .next = *list };
	*list = f;
	return 0;
}

int read_module_list(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	if (value->count > LISTED_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "more than %d modules", LISTED_MAX);
	for (const struct item *i = value->items; i; i = i->next)
		if (read_listed(ctx, i->value, out) < 0)
			r = -EINVAL;
	return r;
}

/* What is done on each boot because /etc is new stays so, whatever is wanted: done less often it would be lost. */
int system_when(const struct system *s, const char *module, int when)
{
	if (when == MODULE_ETC)
		return when;
	for (const struct system_frequency *f = s->frequencies; f; f = f->next)
		if (!strcmp(f->name, module))
			return f->when;
	return when;
}

static bool goes_to_our_log(const struct node *n)
{
	if (n->type == NODE_SCALAR)
		return node_is_null(n) || !strcmp(n->text, "| tee -a " OUTPUT_LOG) || !strcmp(n->text, ">> " OUTPUT_LOG) || !strcmp(n->text, "> " OUTPUT_LOG) ||
		       !strcmp(n->text, "&1");
	for (const struct item *i = n->items; i; i = i->next)
		if (!goes_to_our_log(i->value))
			return false;
	return true;
}

int read_output(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	if (!goes_to_our_log(value))
		diag_at(ctx->diags, DIAG_WARNING, value, NULL, "output is not redirected: that of scripts is in " OUTPUT_LOG ", always");
	return 0;
}

void system_finish(struct ctx *ctx, struct system *s)
{
	if (s->resolv.at && !s->resolv.manage)
		diag_at(ctx->diags, DIAG_WARNING, s->resolv.at, "manage_resolv_conf: true", "resolv_conf is not used: manage_resolv_conf is not true");
	if (s->resolv.manage && !s->resolv.at)
		diag_at(ctx->diags, DIAG_WARNING, NULL, NULL, "manage_resolv_conf is true, and there is no resolv_conf");
	if (s->locale.file && !s->locale.name)
		s->locale.file = NULL; /* the file of a locale that is not set */
}
