/* module.h - what a configuration becomes, step by step: a table of modules in cloud-init's order.
 *
 * A module carries out one part of `struct config`, which the readers have filled and checked. It reports what goes wrong (r->diags) and
 * returns: one that fails never stops the others. Modules of the last stage run in a process of their own (coracle-config final), after
 * the containers have been started, with the same `struct config` read again. Names and frequencies are cloud-init's, so that the marks
 * it leaves below /var/lib/cloud (sem/) mean the same (cloud-init, cloudinit/settings.py and helpers.py). */
#ifndef CORACLE_CONFIG_MODULE_H
#define CORACLE_CONFIG_MODULE_H

#include "../run.h"

enum module_when {
	MODULE_ALWAYS,		/* on each boot */
	MODULE_INSTANCE,	/* once for each instance-id: /var/lib/cloud/instances/ID/sem/config_NAME */
	MODULE_ONCE,		/* once: /var/lib/cloud/sem/config_NAME.once */
	MODULE_ETC,		/* cloud-init does it once for each instance; here on each boot, because it only writes to /etc, which is new then */
};

struct module {
	const char *name;
	enum status_stage stage;
	enum module_when when;
	/* False: the configuration has nothing for it; then it leaves no mark. NULL: always wanted in its stage, but no reason to run the last one. */
	bool (*wanted)(const struct run *r);
	void (*apply)(struct run *r);
};

/* Carries out all modules of a stage that are wanted and not done. */
void modules_run(struct run *r, enum status_stage stage);

/* True when a module of the last stage is wanted and not done. */
bool modules_final_wanted(struct run *r);

/* What modules share: files of our own; problems are reported. */
void module_put(struct run *r, const char *path, const char *text, mode_t mode);
/* An error of a step, at the place that asked for it (NULL: none). */
void module_failed(struct run *r, const struct node *at, const struct err *err);
/* instances/ID/NAME below /var/lib/cloud. */
const char *module_instance_path(struct run *r, const char *name);
/* Reports that `what` could not be run, or failed, by its wait status or -errno. */
void module_script_ended(struct run *r, const char *what, int status);

/* The modules, each in the file of its subject. */
void apply_hostname(struct run *r);
bool hostname_wanted(const struct run *r);
void apply_hosts(struct run *r);
bool hosts_wanted(const struct run *r);
void apply_users_groups(struct run *r);
void apply_ssh(struct run *r);
void apply_set_passwords(struct run *r);
void apply_ssh_fingerprints(struct run *r);
bool ssh_fingerprints_wanted(const struct run *r);
bool set_passwords_wanted(const struct run *r);
void apply_bootcmd(struct run *r);
bool bootcmd_wanted(const struct run *r);
void apply_files(struct run *r);
void apply_files_deferred(struct run *r);
void apply_scripts(struct run *r);
void apply_containers(struct run *r);
void apply_boothooks(struct run *r);
bool boothooks_wanted(const struct run *r);
void apply_scripts_vendor(struct run *r);
bool scripts_vendor_wanted(const struct run *r);
void apply_scripts_per_once(struct run *r);
bool scripts_per_once_wanted(const struct run *r);
void apply_scripts_per_boot(struct run *r);
bool scripts_per_boot_wanted(const struct run *r);
void apply_scripts_per_instance(struct run *r);
bool scripts_per_instance_wanted(const struct run *r);
void apply_scripts_user(struct run *r);
bool scripts_user_wanted(const struct run *r);
void apply_power_state(struct run *r);
bool power_state_wanted(const struct run *r);

#endif
