/* test_config_system.c - certificates, NTP, time zone, messages, random seed, resolv.conf, frequencies; and the whole list of cloud-init's keys. */
#include "config_helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/config/modules/module.h"
#include "init/config/modules/zones.h"
#include "report.h"

/* Every key of cloud-init's schema (26.2). */
static const char *const schema_keys[] = {
	"allow_public_ssh_keys", "ansible", "apk_repos", "apt", "apt_pipelining", "apt_reboot_if_required", "apt_update", "apt_upgrade",
	"authkey_hash", "autoinstall", "bootcmd", "byobu_by_default", "ca-certs", "ca_certs", "chef", "chpasswd", "cloud_config_modules",
	"cloud_final_modules", "cloud_init_modules", "create_hostname_file", "device_aliases", "disable_ec2_metadata", "disable_root",
	"disable_root_opts", "disk_setup", "drivers", "fan", "final_message", "fqdn", "fs_setup", "groups", "growpart", "grub-dpkg", "grub_dpkg",
	"hostname", "keyboard", "landscape", "launch-index", "locale", "locale_configfile", "lxd", "manage_etc_hosts", "manage_resolv_conf",
	"mcollective", "merge_how", "merge_type", "migrate", "mount_default_fields", "mounts", "network", "no_ssh_fingerprints", "ntp", "output",
	"package_reboot_if_required", "package_update", "package_upgrade", "packages", "password", "phone_home", "power_state",
	"prefer_fqdn_over_hostname", "preserve_hostname", "puppet", "random_seed", "reporting", "resize_rootfs", "resolv_conf", "rh_subscription",
	"rpi", "rsyslog", "runcmd", "salt_minion", "snap", "spacewalk", "ssh", "ssh_authorized_keys", "ssh_deletekeys",
	"ssh_fp_console_blacklist", "ssh_genkeytypes", "ssh_import_id", "ssh_key_console_blacklist", "ssh_keys", "ssh_publish_hostkeys",
	"ssh_pwauth", "ssh_quiet_keygen", "swap", "system_info", "timezone", "ubuntu_advantage", "ubuntu_pro", "updates", "user", "users",
	"vendor_data", "version", "wireguard", "write_files", "yum_repo_dir", "yum_repos", "zypper",
};

/* What is not done says so once, with its reason. */
static const char *const not_done[] = {
	"ansible", "chef", "landscape", "mcollective", "puppet", "salt_minion", "spacewalk", "rightscale", "rsyslog", "lxd", "wireguard",
	"add_apt_repo_match", "apk_repos", "apt", "apt_mirror", "apt_pipelining", "apt_proxy", "apt_reboot_if_required", "apt_sources",
	"apt_update", "apt_upgrade", "debconf_selections", "package_reboot_if_required", "package_update", "package_upgrade", "packages",
	"rh_subscription", "snap", "snappy", "ubuntu_advantage", "ubuntu_pro", "yum_repo_dir", "yum_repos", "zypper", "autoinstall",
	"byobu_by_default", "drivers", "fan", "grub-dpkg", "grub_dpkg", "keyboard", "rpi", "disable_ec2_metadata", "updates", 
	"datasource", "datasource_list", "manual_cache_clean",
	"def_log_file", "log_cfgs", "syslog_fix_perms", "debug", "reporting", "migrate", "network",
};

static void all_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(schema_keys); i++) {
		char text[128];

		snprintf(text, sizeof(text), HEAD "%s: {}\n", schema_keys[i]);
		helper_config(text);
		if (strstr(helper_problems(), "unknown key"))
			fail_msg("%s is not known", schema_keys[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_done); i++) {
		char text[128];
		char place[128];
		struct run *r;

		snprintf(text, sizeof(text), HEAD "%s: x\n", not_done[i]);
		snprintf(place, sizeof(place), "t:2:1: warning: \"%s\" is not ", not_done[i]);
		helper_config(text);
		r = helper_current();
		if (r->diags.kept != 1 || strncmp(helper_problems(), place, strlen(place)) != 0)
			fail_msg("%s: %s", not_done[i], helper_problems());
		snprintf(text, sizeof(text), HEAD "%s:\n", not_done[i]);
		helper_config(text);
		assert_problems("");
	}
}

#define PEM_INDENTED \
	"    -----BEGIN CERTIFICATE-----\n" \
	"    MIIBfDCCASGgAwIBAgIUdQ1nRSasmAOFUJOgXPvxgyEG3rQwCgYIKoZIzj0EAwIw\n" \
	"    EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjcxODE5MTBaGA8yMTI2MTEwMzE4\n" \
	"    MTkxMFowEjEQMA4GA1UEAwwHdGVzdC1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n" \
	"    A0IABCTkTRFCktah7q1OQZPQQVXSPfseTeII7WGK10ErwrmqOe2LzcpM/Js/4GAq\n" \
	"    4YwM8+pfo1xNcwzAU/uiYdJkwZajUzBRMB0GA1UdDgQWBBQVHqnc1rsI2Cx4eqTS\n" \
	"    Y1zM6BVfWzAfBgNVHSMEGDAWgBQVHqnc1rsI2Cx4eqTSY1zM6BVfWzAPBgNVHRMB\n" \
	"    Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDmENv0tGD9XoMm8XyQR+CnVQJD\n" \
	"    lk9PLx0cyd5cwqQQyAIhAP4TomL/WVZYFJvlbG9RzBTliMD6LiKiYBXeYGJjj31P\n" \
	"    -----END CERTIFICATE-----\n"
#define PEM \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBfDCCASGgAwIBAgIUdQ1nRSasmAOFUJOgXPvxgyEG3rQwCgYIKoZIzj0EAwIw\n" \
	"EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjcxODE5MTBaGA8yMTI2MTEwMzE4\n" \
	"MTkxMFowEjEQMA4GA1UEAwwHdGVzdC1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n" \
	"A0IABCTkTRFCktah7q1OQZPQQVXSPfseTeII7WGK10ErwrmqOe2LzcpM/Js/4GAq\n" \
	"4YwM8+pfo1xNcwzAU/uiYdJkwZajUzBRMB0GA1UdDgQWBBQVHqnc1rsI2Cx4eqTS\n" \
	"Y1zM6BVfWzAfBgNVHSMEGDAWgBQVHqnc1rsI2Cx4eqTSY1zM6BVfWzAPBgNVHRMB\n" \
	"Af8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDmENv0tGD9XoMm8XyQR+CnVQJD\n" \
	"lk9PLx0cyd5cwqQQyAIhAP4TomL/WVZYFJvlbG9RzBTliMD6LiKiYBXeYGJjj31P\n" \
	"-----END CERTIFICATE-----\n"

static void certs(void **state)
{
	(void)state;
	folder_put("etc/ssl/certs/ca-certificates.crt", "default\n");
	folder_apply(HEAD "ca_certs:\n  trusted:\n  - |\n" PEM_INDENTED);
	assert_problems("");
	assert_string_equal(folder_content("etc/ssl/certs/ca-certificates.crt"), "default\n# From the boot configuration:\n" PEM);
	/* again: what an earlier run has added is not added twice */
	folder_apply(HEAD "ca-certs:\n  trusted:\n  - |\n    some words\n" PEM_INDENTED "    more words\n");
	assert_string_equal(folder_content("etc/ssl/certs/ca-certificates.crt"), "default\n# From the boot configuration:\n" PEM);
	folder_apply(HEAD "ca_certs:\n  remove-defaults: true\n  trusted:\n  - |\n" PEM_INDENTED);
	assert_string_equal(folder_content("etc/ssl/certs/ca-certificates.crt"), "# From the boot configuration:\n" PEM);
	/* what is no certificate stays out */
	folder_apply(HEAD "ca_certs:\n  trusted: [word, \"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"]\n");
	helper_assert_mentions("user-data:3:13: warning: this is no certificate; it is left out (PEM: ");
	helper_assert_mentions("user-data:3:19: warning: ");
	folder_apply(HEAD "ca_certs:\n  trusted:\n  - |\n    -----BEGIN PRIVATE KEY-----\n    c2VjcmV0\n    -----END PRIVATE KEY-----\n");
	helper_assert_mentions("user-data:4:5: error: this is a private key, not a certificate");
	assert_null(strstr(helper_problems(), "c2Vj"));
	folder_apply(HEAD "ca_certs: {invalid_key: true}\n");
	helper_assert_mentions("unknown key \"invalid_key\" in ca_certs");
}

static void ntp(void **state)
{
	(void)state;
	folder_apply(HEAD "ntp: {servers: [192.0.2.1, ntp.example.org], pools: [pool.example.org]}\n");
	assert_problems("");
	assert_string_equal(folder_content("etc/ntp.conf"), "# From the boot configuration; busybox's ntpd is given the same servers by its unit.\n"
						     "server 192.0.2.1\nserver ntp.example.org\npool pool.example.org\n");
	assert_non_null(strstr(folder_content("etc/coracle/units/ntp.unit"), "\nExecStart=/bin/busybox ntpd -n -p 192.0.2.1 -p ntp.example.org -p pool.example.org\n"));
	assert_non_null(strstr(folder_content("etc/coracle/units/ntp.unit"), "After=network\n"));
	folder_apply(HEAD "ntp:\n");
	assert_problems("");
	assert_non_null(strstr(folder_content("etc/coracle/units/ntp.unit"), " -p 0.pool.ntp.org -p 1.pool.ntp.org "));
	folder_apply(HEAD "ntp: {ntp_client: chrony, allow: [x], peers: [y], config: {}}\n");
	helper_assert_mentions("warning: the time comes by busybox's ntpd, not by \"chrony\"");
	helper_assert_mentions("warning: \"allow\" is not done");
	helper_assert_mentions("warning: \"peers\" is not done");
	folder_apply(HEAD "ntp: {servers: ['-p evil']}\n");
	helper_assert_mentions("error: \"-p evil\" is not a time server");
	folder_apply(HEAD "ntp: {servers: [\"a\\nExecStart=/bin/x\"]}\n");
	helper_assert_mentions("is not a time server");
	folder_apply(HEAD "ntp: [a]\n");
	helper_assert_mentions("ntp must be a mapping, not a list");
	folder_fresh();
	folder_apply(HEAD "ntp: {enabled: false, servers: [a]}\n");
	assert_problems("");
	assert_string_equal(folder_content("etc/coracle/units/ntp.unit"), "(none)");
}

static void zones(void **state)
{
	unsigned char bytes[256];
	size_t n = timezone_file("CET-1CEST,M3.5.0,M10.5.0/3", bytes, sizeof(bytes));
	size_t count = 0;
	const char *name;
	struct run *r = helper_run();

	(void)state;
	assert_string_equal(zone_rule("Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(zone_rule("UTC"), "UTC0");
	assert_null(zone_rule("Europe/Berl"));
	assert_null(zone_rule("urope/Berlin"));
	assert_null(zone_rule(""));
	assert_null(zone_rule("Europe/Berlin Europe/Busingen"));
	assert_memory_equal(bytes, "TZif2", 5);
	assert_memory_equal(bytes + n - 28, "\nCET-1CEST,M3.5.0,M10.5.0/3\n", 28);
	/* each of them makes a file */
	for (; (name = zone_name(count, &r->ctx)); count++)
		assert_true(timezone_file(zone_rule(name), bytes, sizeof(bytes)) > 100);
	assert_true(count > 400);
	folder_apply(HEAD "timezone: America/New_York\nlocale: en_US.UTF-8\n");
	assert_problems("");
	assert_string_equal(folder_content("etc/timezone"), "America/New_York\n");
	assert_memory_equal(folder_content("etc/localtime"), "TZif2", 5);
	assert_string_equal(folder_content("etc/default/locale"), "LANG=en_US.UTF-8\n");
	folder_apply(HEAD "timezone: Europe/Berlni\n");
	assert_problems("user-data:2:11: error: \"Europe/Berlni\" is not a time zone (did you mean \"Europe/Berlin\"?)\n");
	folder_apply(HEAD "timezone: ../../etc/passwd\n");
	helper_assert_mentions("is not a time zone");
	folder_apply(HEAD "locale: false\n");
	assert_problems("");
	folder_apply(HEAD "locale: de_DE.ISO-8859-1\nlocale_configfile: /etc/lo\n");
	assert_problems("user-data:2:9: warning: text on this machine is UTF-8, not ISO-8859-1\n");
	assert_string_equal(folder_content("etc/lo"), "LANG=de_DE.ISO-8859-1\n");
	folder_apply(HEAD "locale: \"C\\nX\"\n");
	helper_assert_mentions("is not a locale");
}

/* A tree with the tz database has a link into it. */
static void zone_of_database(void **state)
{
	char link[256];
	ssize_t n;

	(void)state;
	folder_put("usr/share/zoneinfo/UTC", "TZif");
	folder_apply(HEAD "timezone: UTC\n");
	n = readlink(folder_at("etc/localtime"), link, sizeof(link) - 1);
	assert_true(n > 0);
	link[n] = '\0';
	assert_string_equal(link, "/usr/share/zoneinfo/UTC");
}

static void fills(void **state)
{
	struct ctx *ctx = &helper_run()->ctx;
	const struct fill names[] = { { "instance_id", "i-1" }, { "version", "9" } };
	static const char *const cases[][3] = {
		{ "http://x/$INSTANCE_ID/", "http://x/i-1/", NULL }, { "${instance_id}$VERSION", "i-19", NULL }, { "{{ v1.instance_id }}-{{version}}", "i-1-9", NULL },
		{ "$other $version", "$other 9", "other" }, { "100 $ {{ }} ${ }", "100 $ {{ }} ${ }", NULL }, { "{{ x.y }}", "{{ x.y }}", "x.y" },
		{ "$versions", "$versions", "versions" }, { "{{ version", "{{ version", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *unknown;

		assert_string_equal(system_fill(ctx, cases[i][0], names, 2, &unknown), cases[i][1]);
		assert_string_equal(unknown ? unknown : "-", cases[i][2] ? cases[i][2] : "-");
	}
}

static void message(void **state)
{
	(void)state;
	folder_apply(HEAD "final_message: |\n  ready $DATASOURCE\n  {{ version }} $nothing\n");
	assert_problems("warning: final_message has the unknown name \"nothing\" ($version, $timestamp, $datasource, $uptime)\n");
	assert_string_equal(folder_content("var/log/cloud-init-output.log"), "ready DataSourceNoCloud [seed=x]\n" CORACLE_VERSION " $nothing\n");
	assert_non_null(strstr(folder_content("var/lib/cloud/instance/boot-finished"), " - v. " CORACLE_VERSION "\n"));
	folder_apply(HEAD "final_message: 12:30:45\n");
	assert_problems("");
	assert_non_null(strstr(folder_content("var/log/cloud-init-output.log"), "\n12:30:45\n"));
	/* with a last stage it comes there */
	folder_fresh();
	folder_apply(HEAD "runcmd: [ls]\n");
	assert_string_equal(folder_content("var/lib/cloud/instance/boot-finished"), "(none)");
	folder_fresh();
	folder_apply(HEAD);
	assert_non_null(strstr(folder_content("var/log/cloud-init-output.log"), "Cloud-init v. " CORACLE_VERSION " finished at "));
}

static void phone(void **state)
{
	static const struct { const char *yaml; const char *problem; } cases[] = {
		{ "{post: all}", "phone_home needs a url" }, { "{url: 'ftp://u:secret@x/'}", "begins with http:// or https://" },
		{ "{url: 'http://x/', post: [shadow]}", "\"shadow\" cannot be posted" }, { "{url: 'http://x/', tries: 0}", "\"0\" is not a number of tries" },
		{ "{url: \"http://x/\\nHost: y\"}", "control characters are not allowed" },
	};
	struct config *c = helper_config(HEAD "phone_home: {url: 'http://x/$INSTANCE_ID', post: [pub_key_rsa, fqdn], tries: 3}\n");

	(void)state;
	assert_problems("");
	assert_int_equal(c->system.phone.post.n, 2);
	assert_int_equal(c->system.phone.tries, 3);
	c = helper_config(HEAD "phone_home: {url: 'http://x/', post: all}\n");
	assert_int_equal(c->system.phone.post.n, 0);
	assert_int_equal(c->system.phone.tries, 10);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[256];

		snprintf(text, sizeof(text), HEAD "phone_home: %s\n", cases[i].yaml);
		assert_null(helper_config(text)->system.phone.url);
		helper_assert_mentions(cases[i].problem);
		assert_null(strstr(helper_problems(), "secret"));
	}
}

static void seed(void **state)
{
	static const char meta[] = "{instance-id: i-9, random_seed: Y2xvdWRz}";
	static const char data[] = HEAD "random_seed: {file: /root/seed, data: mine}\n";
	struct run *r;

	(void)state;
	folder_apply(HEAD "random_seed: {file: /root/seed, data: 'MYUb34023nD:LFDK10913jk;dfnk:Df', encoding: raw}\n");
	assert_problems("");
	assert_string_equal(folder_content("root/seed"), "MYUb34023nD:LFDK10913jk;dfnk:Df");
	/* once for each instance */
	folder_apply(HEAD "random_seed: {file: /root/seed2, data: x}\n");
	assert_string_equal(folder_content("root/seed2"), "(none)");
	assert_string_equal(helper_config(HEAD "random_seed: {data: aGVsbG8=, encoding: b64}\n")->system.random.data, "hello");
	helper_config(HEAD "random_seed: {data: '?secret', encoding: base64}\n");
	assert_problems("t:2:21: error: the data of random_seed is not base64\n");
	helper_config(HEAD "random_seed: {data: secret, encoding: rot13}\n");
	assert_problems("t:2:21: error: \"rot13\" is not an encoding (raw, base64 or gzip)\n");
	helper_config(HEAD "random_seed: {command_required: true}\n");
	helper_assert_mentions("there is no command");
	helper_config(HEAD "random_seed: {file: seed}\n");
	helper_assert_mentions("is relative");
	/* what the cloud brings is added to it */
	folder_fresh();
	r = helper_run();
	folder_target(&r->target);
	meta_read(&r->ctx, "meta-data", meta, strlen(meta), &r->seed.meta);
	r->seed.user_data = data;
	r->seed.user_data_len = strlen(data);
	run_read_seed(r);
	apply_config(r);
	assert_string_equal(folder_content("root/seed"), "mineclouds");
}

static void resolv(void **state)
{
	(void)state;
	folder_apply(HEAD "manage_resolv_conf: true\nresolv_conf:\n  nameservers: [192.0.2.1, '2001:db8::1']\n  searchdomains: [a.example, b.example]\n  domain: example.com\n"
		   "  sortlist: [10.0.0.1/255, 10.0.0.2]\n  options: {rotate: true, timeout: 1, debug: false}\n");
	assert_problems("");
	assert_string_equal(folder_content("etc/resolv.conf"), "# From the boot configuration: resolv_conf\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example b.example\n"
							"domain example.com\nsortlist 10.0.0.1/255 10.0.0.2\noptions rotate timeout:1\n");
	folder_fresh();
	folder_apply(HEAD "resolv_conf: {nameservers: [192.0.2.1]}\n");
	assert_problems("user-data:2:14: warning: resolv_conf is not used: manage_resolv_conf is not true (manage_resolv_conf: true)\n");
	assert_string_equal(folder_content("etc/resolv.conf"), "(none)");
	folder_apply(HEAD "manage_resolv_conf: true\n");
	assert_problems("warning: manage_resolv_conf is true, and there is no resolv_conf\n");
	folder_apply(HEAD "manage_resolv_conf: true\nresolv_conf: {nameservers: [one.example]}\n");
	helper_assert_mentions("\"one.example\" is not an address");
	folder_apply(HEAD "manage_resolv_conf: true\nresolv_conf: {searchdomains: [\"a\\nnameserver 203.0.113.1\"]}\n");
	helper_assert_mentions("is not a domain");
	folder_apply(HEAD "manage_resolv_conf: true\nresolv_conf: {options: {\"a b\": true}}\n");
	helper_assert_mentions("\"a b\" is not an option");
	assert_string_equal(folder_content("etc/resolv.conf"), "(none)");
}

static void frequencies(void **state)
{
	struct config *c = helper_config(HEAD "cloud_final_modules:\n- [scripts-user, always]\n- phone_home\n- [bootcmd, once-per-instance]\ncloud_init_modules: [[mounts, once]]\n");

	(void)state;
	assert_problems("");
	assert_int_equal(system_when(&c->system, "scripts_user", MODULE_INSTANCE), MODULE_ALWAYS);
	assert_int_equal(system_when(&c->system, "phone_home", MODULE_INSTANCE), MODULE_INSTANCE);
	assert_int_equal(system_when(&c->system, "bootcmd", MODULE_ALWAYS), MODULE_INSTANCE);
	assert_int_equal(system_when(&c->system, "mounts", MODULE_ETC), MODULE_ETC);
	helper_config(HEAD "cloud_final_modules: [[scripts-usr, always], [scripts-user, daily], {a: b}, []]\n");
	helper_assert_mentions("\"scripts-usr\" is not a module (did you mean \"scripts_user\"?)");
	helper_assert_mentions("\"daily\" is not how often a module can be run (always, once-per-instance or once)");
	helper_assert_mentions("a module is a name, or a list of name and frequency, not a mapping");
	helper_assert_mentions("a module is a name, or a list of name and frequency, not a list");
	/* always: also when it is done */
	folder_put("var/lib/cloud/instances/i-1/sem/config_scripts_user", "");
	folder_apply(HEAD "runcmd: [ls]\n");
	assert_string_equal(folder_content("run/coracle/final"), "(none)");
	folder_apply(HEAD "runcmd: [ls]\ncloud_final_modules: [[scripts-user, always]]\n");
	assert_string_not_equal(folder_content("run/coracle/final"), "(none)");
	helper_config(HEAD "output: {all: '| tee -a /var/log/cloud-init-output.log'}\n");
	assert_problems("");
	helper_config(HEAD "output: {init: {output: '> /dev/console', error: '&1'}}\n");
	helper_assert_mentions("t:2:9: warning: output is not redirected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys), cmocka_unit_test(fills), cmocka_unit_test(phone),
		folder_test(certs), folder_test(ntp),
		folder_test(zones), folder_test(zone_of_database),
		folder_test(message), folder_test(seed),
		folder_test(resolv), folder_test(frequencies),
	};

	report_set_dir("");
	return helper_run_tests(tests);
}
