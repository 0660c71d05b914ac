/* keys_other.c - the top-level keys of cloud-init's schema (26.2, and older ones that people still write) that Coracle does not do, and why.
 *
 * A table, read by keys.c in coracle-config. A key that is done has its row there and none here. */
#include "keys_other.h"

#define PACKAGES "is not done: Coracle has no package manager; what a machine runs comes in containers"
#define AGENT "is not done: this agent is not part of Coracle; it can run in a container"
#define DISTRIBUTION "is not done: it configures a program of another distribution"
#define DATASOURCE "is not used: it is a setting of the image, and the datasources here are fixed"
#define LOGGING "is not used: the log is /var/log/cloud-init.log, always"

const struct known_key other_keys[OTHER_KEYS] = {
	{ "ssh_import_id", DIAG_WARNING, "is not used: Coracle fetches no keys; put them into ssh_authorized_keys" },

	{ "ansible", DIAG_WARNING, AGENT },
	{ "chef", DIAG_WARNING, AGENT },
	{ "landscape", DIAG_WARNING, AGENT },
	{ "mcollective", DIAG_WARNING, AGENT },
	{ "puppet", DIAG_WARNING, AGENT },
	{ "salt_minion", DIAG_WARNING, AGENT },
	{ "spacewalk", DIAG_WARNING, AGENT },
	{ "rightscale", DIAG_WARNING, AGENT },
	{ "rsyslog", DIAG_WARNING, "is not done: there is no syslog daemon; logs can be taken with `coracle logs`, or by a container" },
	{ "lxd", DIAG_WARNING, "is not done: Coracle runs OCI containers, not LXD's" },
	{ "wireguard", DIAG_WARNING, "is not done: this kernel has no WireGuard" },

	{ "add_apt_repo_match", DIAG_WARNING, PACKAGES },
	{ "apk_repos", DIAG_WARNING, PACKAGES },
	{ "apt", DIAG_WARNING, PACKAGES },
	{ "apt_custom_sources_list", DIAG_WARNING, PACKAGES },
	{ "apt_ftp_proxy", DIAG_WARNING, PACKAGES },
	{ "apt_http_proxy", DIAG_WARNING, PACKAGES },
	{ "apt_https_proxy", DIAG_WARNING, PACKAGES },
	{ "apt_mirror", DIAG_WARNING, PACKAGES },
	{ "apt_mirror_search", DIAG_WARNING, PACKAGES },
	{ "apt_mirror_search_dns", DIAG_WARNING, PACKAGES },
	{ "apt_pipelining", DIAG_WARNING, PACKAGES },
	{ "apt_preserve_sources_list", DIAG_WARNING, PACKAGES },
	{ "apt_proxy", DIAG_WARNING, PACKAGES },
	{ "apt_reboot_if_required", DIAG_WARNING, PACKAGES },
	{ "apt_sources", DIAG_WARNING, PACKAGES },
	{ "apt_update", DIAG_WARNING, PACKAGES },
	{ "apt_upgrade", DIAG_WARNING, PACKAGES },
	{ "debconf_selections", DIAG_WARNING, PACKAGES },
	{ "package_reboot_if_required", DIAG_WARNING, PACKAGES },
	{ "package_update", DIAG_WARNING, PACKAGES },
	{ "package_upgrade", DIAG_WARNING, PACKAGES },
	{ "packages", DIAG_WARNING, PACKAGES },
	{ "rh_subscription", DIAG_WARNING, PACKAGES },
	{ "snap", DIAG_WARNING, PACKAGES },
	{ "snappy", DIAG_WARNING, PACKAGES },
	{ "ubuntu_advantage", DIAG_WARNING, PACKAGES },
	{ "ubuntu_pro", DIAG_WARNING, PACKAGES },
	{ "yum_repo_dir", DIAG_WARNING, PACKAGES },
	{ "yum_repos", DIAG_WARNING, PACKAGES },
	{ "zypper", DIAG_WARNING, PACKAGES },

	{ "autoinstall", DIAG_WARNING, "is not done: Coracle is installed by writing one file; there is no installer" },
	{ "byobu_by_default", DIAG_WARNING, DISTRIBUTION },
	{ "drivers", DIAG_WARNING, "is not done: drivers are part of Coracle's kernel, none are installed" },
	{ "fan", DIAG_WARNING, DISTRIBUTION },
	{ "grub-dpkg", DIAG_WARNING, DISTRIBUTION },
	{ "grub_dpkg", DIAG_WARNING, DISTRIBUTION },
	{ "keyboard", DIAG_WARNING, "is not done: the console has the kernel's keyboard layout" },
	{ "rpi", DIAG_WARNING, DISTRIBUTION },
	{ "disable_ec2_metadata", DIAG_WARNING, "is not done: nothing here asks the metadata service after boot; containers can be given networks that do not reach it" },
	{ "updates", DIAG_WARNING, "is not done: devices and networks that come later do not have the configuration applied again (hotplug)" },

	{ "datasource", DIAG_WARNING, DATASOURCE },
	{ "datasource_list", DIAG_WARNING, DATASOURCE },
	{ "manual_cache_clean", DIAG_WARNING, DATASOURCE },
	{ "def_log_file", DIAG_WARNING, LOGGING },
	{ "log_basic", DIAG_WARNING, LOGGING },
	{ "log_cfgs", DIAG_WARNING, LOGGING },
	{ "logcfg", DIAG_WARNING, LOGGING },
	{ "syslog_fix_perms", DIAG_WARNING, LOGGING },
	{ "debug", DIAG_WARNING, LOGGING },
	{ "reporting", DIAG_WARNING, "is not done: progress is not sent anywhere; `cloud-init status` and phone_home tell it" },
	{ "migrate", DIAG_WARNING, "is not done: there are no marks of an older cloud-init to move" },
	{ "network", DIAG_WARNING, "is not read from user-data (nor by cloud-init); network-config is its place" },
};
