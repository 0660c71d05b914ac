/* modules.c - the table of modules, how often each is done, and what they share. */
#include "module.h"
#include "../containers/containers.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* cloud-init's order (config/cloud.cfg.tmpl), but access to the machine comes first, before anything that can fail or hang;
 * deferred files are written before the last stage, so that containers find them. */
static const struct module modules[] = {
	{ "seed_random", STAGE_INIT, MODULE_INSTANCE, random_wanted, apply_random },
	{ "set_hostname", STAGE_INIT, MODULE_ALWAYS, hostname_wanted, apply_hostname },
	{ "update_etc_hosts", STAGE_INIT, MODULE_ALWAYS, hosts_wanted, apply_hosts },
	{ "users_groups", STAGE_INIT, MODULE_ETC, NULL, apply_users_groups },
	{ "ssh", STAGE_INIT, MODULE_ETC, NULL, apply_ssh },
	{ "set_passwords", STAGE_INIT, MODULE_ETC, set_passwords_wanted, apply_set_passwords },
	{ "boothook", STAGE_INIT, MODULE_ALWAYS, boothooks_wanted, apply_boothooks },
	{ "ca_certs", STAGE_INIT, MODULE_ETC, certs_wanted, apply_certs },
	{ "resolv_conf", STAGE_INIT, MODULE_ETC, resolv_wanted, apply_resolv },
	{ "bootcmd", STAGE_INIT, MODULE_ALWAYS, bootcmd_wanted, apply_bootcmd },
	{ "ignition", STAGE_INIT, MODULE_ETC, NULL, ignition_apply },
	{ "write_files", STAGE_INIT, MODULE_ETC, NULL, apply_files },
	{ "disk_setup", STAGE_INIT, MODULE_INSTANCE, disk_setup_wanted, apply_disk_setup },
	{ "mounts", STAGE_INIT, MODULE_ETC, mounts_wanted, apply_mounts },
	{ "locale", STAGE_CONFIG, MODULE_ETC, locale_wanted, apply_locale },
	{ "ntp", STAGE_CONFIG, MODULE_ETC, ntp_wanted, apply_ntp },
	{ "timezone", STAGE_CONFIG, MODULE_ETC, timezone_wanted, apply_timezone },
	{ "runcmd", STAGE_CONFIG, MODULE_ETC, NULL, apply_scripts },
	{ "write_files_deferred", STAGE_CONFIG, MODULE_ETC, NULL, apply_files_deferred },
	{ "containers", STAGE_CONFIG, MODULE_ALWAYS, NULL, apply_containers },
	{ "scripts_vendor", STAGE_FINAL, MODULE_INSTANCE, scripts_vendor_wanted, apply_scripts_vendor },
	{ "scripts_per_once", STAGE_FINAL, MODULE_ONCE, scripts_per_once_wanted, apply_scripts_per_once },
	{ "scripts_per_boot", STAGE_FINAL, MODULE_ALWAYS, scripts_per_boot_wanted, apply_scripts_per_boot },
	{ "scripts_per_instance", STAGE_FINAL, MODULE_INSTANCE, scripts_per_instance_wanted, apply_scripts_per_instance },
	{ "scripts_user", STAGE_FINAL, MODULE_INSTANCE, scripts_user_wanted, apply_scripts_user },
	{ "ssh_authkey_fingerprints", STAGE_FINAL, MODULE_INSTANCE, ssh_fingerprints_wanted, apply_ssh_fingerprints },
	{ "phone_home", STAGE_FINAL, MODULE_INSTANCE, phone_home_wanted, apply_phone_home },
	{ "final_message", STAGE_FINAL, MODULE_ALWAYS, NULL, apply_final_message },
	{ "power_state_change", STAGE_FINAL, MODULE_INSTANCE, power_state_wanted, apply_power_state },
};

const char *module_instance_path(struct run *r, const char *name)
{
	return arena_printf(&r->arena, "/var/lib/cloud/instances/%s/%s", r->instance_id, name);
}

/* NULL: done each time. */
static const char *mark_path(struct run *r, const struct module *m)
{
	switch (system_when(&r->config.system, m->name, (int)m->when)) {
	case MODULE_INSTANCE:
		return arena_printf(&r->arena, "/var/lib/cloud/instances/%s/sem/config_%s", r->instance_id, m->name);
	case MODULE_ONCE:
		return arena_printf(&r->arena, "/var/lib/cloud/sem/config_%s.once", m->name);
	default:
		return NULL;
	}
}

static bool is_done(struct run *r, const struct module *m)
{
	const char *path = mark_path(r, m);

	return path && target_exists(&r->target, path);
}

/* Before it is carried out, and on the disk: what reboots the machine must not do so for ever. */
static void mark(struct run *r, const struct module *m)
{
	struct err err = ERR_INIT;
	const char *text = arena_printf(&r->arena, "%d: %" PRIu64 "\n", (int)getpid(), status_now() / 1000000);
	struct target_file f = { .path = mark_path(r, m), .data = text, .len = strlen(text), .mode = 0644, .sync = true };

	if (f.path && target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, NULL, &err);
}

void modules_run(struct run *r, enum status_stage stage)
{
	r->diags.stage = stage;
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		const struct module *m = &modules[i];

		if (m->stage != stage || (m->wanted && !m->wanted(r)) || is_done(r, m))
			continue;
		mark(r, m);
		m->apply(r);
	}
}

bool modules_final_wanted(struct run *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (modules[i].stage == STAGE_FINAL && modules[i].wanted && modules[i].wanted(r) && !is_done(r, &modules[i]))
			return true;
	return false;
}

void module_failed(struct run *r, const struct node *at, const struct err *err)
{
	diag_at(&r->diags, DIAG_ERROR, at, NULL, "%s", err->text);
}

void module_put(struct run *r, const char *path, const char *text, mode_t mode)
{
	struct err err = ERR_INIT;

	if (target_put(&r->target, path, text, mode, &err) < 0)
		module_failed(r, NULL, &err);
}

void module_script_ended(struct run *r, const char *what, int status)
{
	if (status < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "%s cannot be run: %s", what, err_name(-status));
	else if (status != 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, "see /var/log/cloud-init-output.log", "%s failed with status %d", what,
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}
