/* test_config_system.c - certificates, NTP, time zone, messages, random seed, resolv.conf, frequencies; and the whole list of cloud-init's keys. */
#include "config_helper.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "init/config/modules/module.h"
#include "init/config/modules/zones.h"
#include "path.h"
#include "report.h"

#define HEAD "#cloud-config\n"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/coracle-test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	helper_end();
	return path_remove_tree(AT_FDCWD, dir);
}

static void fresh(void)
{
	assert_int_equal(teardown(NULL), 0);
	assert_int_equal(setup(NULL), 0);
}

static const char *content(const char *name)
{
	static char text[65536];
	char path[256];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return "(none)";
	text[n] = '\0';
	return text;
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%s/%.*s", dir, (int)(slash - name), name);
		mkdir(path, 0755);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct run *apply(const char *text)
{
	struct run *r = helper_run();

	assert_int_equal(target_open(&r->target, dir, false, NULL), 0);
	r->seed.name = "DataSourceNoCloud [seed=x]";
	r->seed.meta.instance_id = "i-1";
	r->seed.user_data = text;
	r->seed.user_data_len = strlen(text);
	run_read_seed(r);
	apply_config(r);
	return r;
}

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
	put("etc/ssl/certs/ca-certificates.crt", "default\n");
	apply(HEAD "ca_certs:\n  trusted:\n  - |\n" PEM_INDENTED);
	assert_problems("");
	assert_string_equal(content("etc/ssl/certs/ca-certificates.crt"), "default\n# From the boot configuration:\n" PEM);
	/* again: what an earlier run has added is not added twice */
	apply(HEAD "ca-certs:\n  trusted:\n  - |\n    some words\n" PEM_INDENTED "    more words\n");
	assert_string_equal(content("etc/ssl/certs/ca-certificates.crt"), "default\n# From the boot configuration:\n" PEM);
	apply(HEAD "ca_certs:\n  remove-defaults: true\n  trusted:\n  - |\n" PEM_INDENTED);
	assert_string_equal(content("etc/ssl/certs/ca-certificates.crt"), "# From the boot configuration:\n" PEM);
	/* what is no certificate stays out */
	apply(HEAD "ca_certs:\n  trusted: [word, \"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"]\n");
	helper_assert_mentions("user-data:3:13: warning: this is no certificate; it is left out (PEM: ");
	helper_assert_mentions("user-data:3:19: warning: ");
	apply(HEAD "ca_certs:\n  trusted:\n  - |\n    -----BEGIN PRIVATE KEY-----\n    c2VjcmV0\n    -----END PRIVATE KEY-----\n");
	helper_assert_mentions("user-data:4:5: error: this is a private key, not a certificate");
	assert_null(strstr(helper_problems(), "c2Vj"));
	apply(HEAD "ca_certs: {invalid_key: true}\n");
	helper_assert_mentions("unknown key \"invalid_key\" in ca_certs");
}

static void ntp(void **state)
{
	(void)state;
	apply(HEAD "ntp: {servers: [192.0.2.1, ntp.example.org], pools: [pool.example.org]}\n");
	assert_problems("");
	assert_string_equal(content("etc/ntp.conf"), "# From the boot configuration; busybox's ntpd is given the same servers by its unit.\n"
						     "server 192.0.2.1\nserver ntp.example.org\npool pool.example.org\n");
	assert_non_null(strstr(content("etc/coracle/units/ntp.unit"), "\nExecStart=/bin/busybox ntpd -n -p 192.0.2.1 -p ntp.example.org -p pool.example.org\n"));
	assert_non_null(strstr(content("etc/coracle/units/ntp.unit"), "After=network\n"));
	apply(HEAD "ntp:\n");
	assert_problems("");
	assert_non_null(strstr(content("etc/coracle/units/ntp.unit"), " -p 0.pool.ntp.org -p 1.pool.ntp.org "));
	apply(HEAD "ntp: {ntp_client: chrony, allow: [x], peers: [y], config: {}}\n");
	helper_assert_mentions("warning: the time comes by busybox's ntpd, not by \"chrony\"");
	helper_assert_mentions("warning: \"allow\" is not done");
	helper_assert_mentions("warning: \"peers\" is not done");
	apply(HEAD "ntp: {servers: ['-p evil']}\n");
	helper_assert_mentions("error: \"-p evil\" is not a time server");
	apply(HEAD "ntp: {servers: [\"a\\nExecStart=/bin/x\"]}\n");
	helper_assert_mentions("is not a time server");
	apply(HEAD "ntp: [a]\n");
	helper_assert_mentions("ntp must be a mapping, not a list");
	fresh();
	apply(HEAD "ntp: {enabled: false, servers: [a]}\n");
	assert_problems("");
	assert_string_equal(content("etc/coracle/units/ntp.unit"), "(none)");
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
	apply(HEAD "timezone: America/New_York\nlocale: en_US.UTF-8\n");
	assert_problems("");
	assert_string_equal(content("etc/timezone"), "America/New_York\n");
	assert_memory_equal(content("etc/localtime"), "TZif2", 5);
	assert_string_equal(content("etc/default/locale"), "LANG=en_US.UTF-8\n");
	apply(HEAD "timezone: Europe/Berlni\n");
	assert_problems("user-data:2:11: error: \"Europe/Berlni\" is not a time zone (did you mean \"Europe/Berlin\"?)\n");
	apply(HEAD "timezone: ../../etc/passwd\n");
	helper_assert_mentions("is not a time zone");
	apply(HEAD "locale: false\n");
	assert_problems("");
	apply(HEAD "locale: de_DE.ISO-8859-1\nlocale_configfile: /etc/lo\n");
	assert_problems("user-data:2:9: warning: text on this machine is UTF-8, not ISO-8859-1\n");
	assert_string_equal(content("etc/lo"), "LANG=de_DE.ISO-8859-1\n");
	apply(HEAD "locale: \"C\\nX\"\n");
	helper_assert_mentions("is not a locale");
}

/* A tree with the tz database has a link into it. */
static void zone_of_database(void **state)
{
	char path[256];
	char link[256];
	ssize_t n;

	(void)state;
	put("usr/share/zoneinfo/UTC", "TZif");
	apply(HEAD "timezone: UTC\n");
	snprintf(path, sizeof(path), "%s/etc/localtime", dir);
	n = readlink(path, link, sizeof(link) - 1);
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
	apply(HEAD "final_message: |\n  ready $DATASOURCE\n  {{ version }} $nothing\n");
	assert_problems("warning: final_message has the unknown name \"nothing\" ($version, $timestamp, $datasource, $uptime)\n");
	assert_string_equal(content("var/log/cloud-init-output.log"), "ready DataSourceNoCloud [seed=x]\n" CORACLE_VERSION " $nothing\n");
	assert_non_null(strstr(content("var/lib/cloud/instance/boot-finished"), " - v. " CORACLE_VERSION "\n"));
	apply(HEAD "final_message: 12:30:45\n");
	assert_problems("");
	assert_non_null(strstr(content("var/log/cloud-init-output.log"), "\n12:30:45\n"));
	/* with a last stage it comes there */
	fresh();
	apply(HEAD "runcmd: [ls]\n");
	assert_string_equal(content("var/lib/cloud/instance/boot-finished"), "(none)");
	fresh();
	apply(HEAD);
	assert_non_null(strstr(content("var/log/cloud-init-output.log"), "Cloud-init v. " CORACLE_VERSION " finished at "));
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
	apply(HEAD "random_seed: {file: /root/seed, data: 'MYUb34023nD:LFDK10913jk;dfnk:Df', encoding: raw}\n");
	assert_problems("");
	assert_string_equal(content("root/seed"), "MYUb34023nD:LFDK10913jk;dfnk:Df");
	/* once for each instance */
	apply(HEAD "random_seed: {file: /root/seed2, data: x}\n");
	assert_string_equal(content("root/seed2"), "(none)");
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
	fresh();
	r = helper_run();
	assert_int_equal(target_open(&r->target, dir, false, NULL), 0);
	meta_read(&r->ctx, "meta-data", meta, strlen(meta), &r->seed.meta);
	r->seed.user_data = data;
	r->seed.user_data_len = strlen(data);
	run_read_seed(r);
	apply_config(r);
	assert_string_equal(content("root/seed"), "mineclouds");
}

static void resolv(void **state)
{
	(void)state;
	apply(HEAD "manage_resolv_conf: true\nresolv_conf:\n  nameservers: [192.0.2.1, '2001:db8::1']\n  searchdomains: [a.example, b.example]\n  domain: example.com\n"
		   "  sortlist: [10.0.0.1/255, 10.0.0.2]\n  options: {rotate: true, timeout: 1, debug: false}\n");
	assert_problems("");
	assert_string_equal(content("etc/resolv.conf"), "# From the boot configuration: resolv_conf\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example b.example\n"
							"domain example.com\nsortlist 10.0.0.1/255 10.0.0.2\noptions rotate timeout:1\n");
	fresh();
	apply(HEAD "resolv_conf: {nameservers: [192.0.2.1]}\n");
	assert_problems("user-data:2:14: warning: resolv_conf is not used: manage_resolv_conf is not true (manage_resolv_conf: true)\n");
	assert_string_equal(content("etc/resolv.conf"), "(none)");
	apply(HEAD "manage_resolv_conf: true\n");
	assert_problems("warning: manage_resolv_conf is true, and there is no resolv_conf\n");
	apply(HEAD "manage_resolv_conf: true\nresolv_conf: {nameservers: [one.example]}\n");
	helper_assert_mentions("\"one.example\" is not an address");
	apply(HEAD "manage_resolv_conf: true\nresolv_conf: {searchdomains: [\"a\\nnameserver 203.0.113.1\"]}\n");
	helper_assert_mentions("is not a domain");
	apply(HEAD "manage_resolv_conf: true\nresolv_conf: {options: {\"a b\": true}}\n");
	helper_assert_mentions("\"a b\" is not an option");
	assert_string_equal(content("etc/resolv.conf"), "(none)");
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
	put("var/lib/cloud/instances/i-1/sem/config_scripts_user", "");
	apply(HEAD "runcmd: [ls]\n");
	assert_string_equal(content("run/coracle/final"), "(none)");
	apply(HEAD "runcmd: [ls]\ncloud_final_modules: [[scripts-user, always]]\n");
	assert_string_not_equal(content("run/coracle/final"), "(none)");
	helper_config(HEAD "output: {all: '| tee -a /var/log/cloud-init-output.log'}\n");
	assert_problems("");
	helper_config(HEAD "output: {init: {output: '> /dev/console', error: '&1'}}\n");
	helper_assert_mentions("t:2:9: warning: output is not redirected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys), cmocka_unit_test(fills), cmocka_unit_test(phone),
		cmocka_unit_test_setup_teardown(certs, setup, teardown), cmocka_unit_test_setup_teardown(ntp, setup, teardown),
		cmocka_unit_test_setup_teardown(zones, setup, teardown), cmocka_unit_test_setup_teardown(zone_of_database, setup, teardown),
		cmocka_unit_test_setup_teardown(message, setup, teardown), cmocka_unit_test_setup_teardown(seed, setup, teardown),
		cmocka_unit_test_setup_teardown(resolv, setup, teardown), cmocka_unit_test_setup_teardown(frequencies, setup, teardown),
	};
	int failed;

	report_set_dir("");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	helper_end();
	return failed;
}
