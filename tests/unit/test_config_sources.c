/* test_config_sources.c - which cloud a machine is in by recorded DMI, and the readers of what firmware and clouds say. */
#include "config_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "httpframe.h"
#include "init/config/datasource/azure.h"
#include "init/config/datasource/credentials.h"
#include "init/config/datasource/imds.h"
#include "init/config/datasource/seedfrom.h"
#include "init/config/datasource/smbios.h"
#include "init/config/datasource/xml.h"
#include "init/config/http/answer.h"

struct recorded {
	const char *name;	/* of the source; NULL: none */
	const char *dmi[6][2];
};

/* As such machines show it below /sys/class/dmi/id. */
static const struct recorded recorded[] = {
	{ "Ec2", { { "sys_vendor", "Amazon EC2" }, { "product_name", "t3.micro" }, { "product_uuid", "ec2e1916-9099-7caf-fd21-012345abcdef" }, { "product_serial", "ec2e1916-9099-7caf-fd21-012345abcdef" } } },
	{ "Ec2", { { "sys_vendor", "Xen" }, { "product_name", "HVM domU" }, { "product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF" } } },
	{ "Ec2", { { "product_uuid", "45e12aec-dcd1-b213-94ed-01234abcdef0" } } },
	{ "Ec2", { { "product_serial", "srv-abcde.gb1.brightbox.com" } } },
	{ NULL, { { "sys_vendor", "QEMU" }, { "product_name", "Standard PC (Q35 + ICH9, 2009)" }, { "product_uuid", "1f2ce5ea-0c3b-4b33-8a2c-6a6bb0cbbf2e" } } },
	{ NULL, { { "product_uuid", "45e1aaec-dcd1-b213-94ed-01234abcdef0" } } },
	{ "GCE", { { "sys_vendor", "Google" }, { "product_name", "Google Compute Engine" }, { "product_serial", "GoogleCloud-8F2E88F09A0E23" } } },
	{ "GCE", { { "product_name", "Google" }, { "product_serial", "GoogleCloud-8F2E88F09A0E23" } } },
	{ "OpenStack", { { "sys_vendor", "OpenStack Foundation" }, { "product_name", "OpenStack Nova" } } },
	{ "OpenStack", { { "product_name", "OpenStack Compute" } } },
	{ "OpenStack", { { "product_name", "Standard PC" }, { "chassis_asset_tag", "OpenTelekomCloud" } } },
	{ "Azure", { { "sys_vendor", "Microsoft Corporation" }, { "product_name", "Virtual Machine" }, { "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77" } } },
	{ NULL, { { "sys_vendor", "Microsoft Corporation" }, { "product_name", "Virtual Machine" }, { "chassis_asset_tag", "1234-5678" } } },
	{ "DigitalOcean", { { "sys_vendor", "DigitalOcean" }, { "product_name", "Droplet" }, { "product_serial", "2756294" } } },
	{ "Hetzner", { { "sys_vendor", "Hetzner" }, { "product_name", "vServer" }, { "product_serial", "12345678" } } },
	{ NULL, { { "sys_vendor", "Dell Inc." }, { "product_name", "PowerEdge R640" } } },
};

static const char *detected(struct machine_facts *f)
{
	for (size_t i = 0; i < datasources_n; i++)
		if (datasources[i].detect && datasources[i].detect(f))
			return datasources[i].name;
	return NULL;
}

static void clouds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		struct run *r = helper_run();
		struct machine_facts *f = ARENA_NEW(&r->arena, struct machine_facts);
		const char *name;

		folder_fresh();
		for (size_t k = 0; k < ARRAY_SIZE(recorded[i].dmi) && recorded[i].dmi[k][0]; k++)
			folder_put(arena_printf(&r->arena, "sys/class/dmi/id/%s", recorded[i].dmi[k][0]), arena_printf(&r->arena, "%s\n", recorded[i].dmi[k][1]));
		facts_init(f, &r->ctx, folder_places(r));
		name = detected(f);
		if (!recorded[i].name != !name || (name && strcmp(name, recorded[i].name)))
			fail_msg("set %zu: %s, not %s", i, name ? name : "none", recorded[i].name ? recorded[i].name : "none");
	}
}

static void unsupported(void **state)
{
	static const struct { const char *file, *text, *says; } cases[] = {
		{ "sys_vendor", "Vultr", "this is Vultr (sys_vendor is Vultr), whose metadata service Coracle does not read" },
		{ "sys_vendor", "Scaleway", "this is Scaleway" },
		{ "chassis_asset_tag", "OracleCloud.com", "this is Oracle (chassis_asset_tag is OracleCloud.com)" },
		{ "product_name", "Alibaba Cloud ECS", "this is AliYun" },
		{ "sys_vendor", "VMware, Inc.", "warning: this is VMware (sys_vendor is VMware, Inc.), whose guestinfo Coracle does not read" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();

		folder_fresh();
		folder_put(arena_printf(&r->arena, "sys/class/dmi/id/%s", cases[i].file), cases[i].text);
		assert_string_equal(folder_find(0)->seed.name, "DataSourceNone");
		helper_assert_mentions(cases[i].says);
		helper_assert_mentions("put the configuration on a disk labelled cidata");
	}
}

static void forced(void **state)
{
	struct run *r;

	(void)state;
	folder_put("sys/class/dmi/id/sys_vendor", "Vultr");
	folder_put("proc/cmdline", "quiet ds=None");
	folder_find(0);
	assert_string_equal(helper_problems() ? helper_problems() : "", "");
	folder_put("proc/cmdline", "ci.ds=Oracle");
	folder_find(0);
	helper_assert_mentions("this is Oracle (ci.ds=Oracle on the kernel command line)");
	folder_put("proc/cmdline", "ci.datasource=ConfigDrive");
	folder_find(0);
	helper_assert_mentions("ci.datasource=ConfigDrive on the kernel command line, but that source has nothing");
	folder_put("proc/cmdline", "ds=nocluod;s=/x");
	folder_find(0);
	helper_assert_mentions("ds=\"nocluod\": there is no source of that name");
	folder_put("proc/cmdline", "ds=nocloud;i=mine x=1");
	r = folder_find(1);
	assert_string_equal(r->seed.meta.instance_id, "mine");
	assert_string_equal(node_get(r->seed.meta.tree, "instance-id")->text, "mine");
	folder_put("proc/cmdline", "ds=nocloud;i=mine cloud-init=disabled");
	r = folder_find(0);
	assert_string_equal(r->seed.disabled, "cloud-init=disabled on the kernel command line");
	folder_put("proc/cmdline", "ds=nocloud");
	folder_put("etc/cloud/cloud-init.disabled", "");
	assert_string_equal(folder_find(0)->seed.disabled, "/etc/cloud/cloud-init.disabled");
}

#define META "{\"uuid\": \"u-1\", \"hostname\": \"drive\", \"public_keys\": {\"a\": \"ssh-rsa AAAA a\\n\"}, \"files\": [{\"path\": \"/etc/x\", \"content_path\": \"/content/0000\"}]}"

static void config_drive(void **state)
{
	struct run *r = helper_run();

	(void)state;
	folder_put("run/coracle/devices", arena_printf(&r->arena, "%s/drive iso9660 config-2\n", folder_path()));
	folder_put("drive/openstack/latest/meta_data.json", "{}");
	folder_find(0);
	helper_assert_mentions("meta_data.json has no uuid");
	folder_put("drive/openstack/2018-08-27/meta_data.json", META);
	folder_put("drive/openstack/2018-08-27/user_data", "#!/bin/sh\n");
	folder_put("drive/openstack/2018-08-27/vendor_data.json", "{\"cloud-init\": [\"#cloud-config\\n{}\", \"#!/bin/sh\\n\"]}");
	folder_put("drive/openstack/2018-08-27/vendor_data2.json", "\"#cloud-config\\ntimezone: UTC\\n\"");
	folder_put("drive/openstack/content/0000", "injected");
	r = folder_find(1);
	assert_problems("");
	assert_string_equal(r->seed.name, arena_printf(&r->arena, "DataSourceConfigDrive [net,ver=2][source=%s/drive]", folder_path()));
	assert_string_equal(r->seed.meta.instance_id, "u-1");
	assert_string_equal(r->seed.meta.local_hostname, "drive");
	assert_int_equal(r->seed.meta.public_keys.n, 1);
	assert_string_equal(r->seed.meta.public_keys.v[0], "ssh-rsa AAAA a");
	assert_string_equal(r->seed.user_data, "#!/bin/sh\n");
	assert_non_null(strstr(r->seed.vendor_data, "#cloud-config-archive\n[\"#cloud-config\\n{}\""));
	assert_string_equal(r->seed.vendor_data2, "#cloud-config\ntimezone: UTC\n");
	assert_string_equal(r->seed.files->path, "/etc/x");
	assert_string_equal(r->seed.files->content, "injected");
	assert_int_equal(r->seed.files->mode, 0660);
	/* nothing outside of the drive is read */
	folder_put("drive/openstack/2018-08-27/meta_data.json", "{\"uuid\": \"u\", \"files\": [{\"path\": \"/etc/x\", \"content_path\": \"/../../secret\"}]}");
	assert_null(folder_find(1)->seed.files);
	helper_assert_mentions("leads out of the config drive");
}

static void keys(void **state)
{
	static const struct { const char *text; size_t n; } cases[] = {
		{ "public-keys: ssh-rsa A a\n", 1 },
		{ "public-keys: |\n  ssh-rsa A a\n  ssh-rsa B b\n", 2 },
		{ "public-keys: [ssh-rsa A a, ssh-rsa B b]\n", 2 },
		{ "public-keys: {one: ssh-rsa A a, two: [ssh-rsa B b, ssh-rsa C c, '']}\n", 3 },
		{ "public-keys:\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();

		meta_read(&r->ctx, "meta-data", cases[i].text, strlen(cases[i].text), &r->seed.meta);
		assert_problems("");
		assert_int_equal(r->seed.meta.public_keys.n, cases[i].n);
		if (cases[i].n)
			assert_string_equal(r->seed.meta.public_keys.v[0], "ssh-rsa A a");
	}
	meta_read(&helper_run()->ctx, "meta-data", "public-keys: [[a]]\n", 19, &(struct meta){ .instance_id = NULL });
	helper_assert_mentions("a public key must be text, not a list");
}

static void addresses(void **state)
{
	static const char *const dmi[][2] = { { "sys/class/dmi/id/product_serial", "SN 1\n" }, { "sys/class/dmi/id/product_uuid", "u-u\n" } };
	struct machine_facts *f;
	const char *unknown = NULL;
	struct run *r = helper_run();

	(void)state;
	assert_string_equal(seedfrom_address(&r->arena, "http://h/a/", "user-data"), "http://h/a/user-data");
	assert_string_equal(seedfrom_address(&r->arena, "http://h/a", "user-data"), "http://h/a/user-data");
	assert_string_equal(seedfrom_address(&r->arena, "http://h/?f=", "user-data"), "http://h/?f=user-data");
	assert_string_equal(seedfrom_address(&r->arena, "http://h/?f=%s&x", "user-data"), "http://h/?f=user-data&x");
	for (size_t i = 0; i < ARRAY_SIZE(dmi); i++)
		folder_put(dmi[i][0], dmi[i][1]);
	f = ARENA_NEW(&r->arena, struct machine_facts);
	facts_init(f, &r->ctx, folder_places(r));
	assert_string_equal(seedfrom_expand(f, "a/__dmi.system-serial-number__/__dmi.system-uuid__/", &unknown), "a/SN 1/u-u/");
	assert_string_equal(seedfrom_expand(f, "a__b", &unknown), "a__b");
	assert_null(seedfrom_expand(f, "a/__dmi.nothing__/", &unknown));
	assert_string_equal(unknown, "nothing");
	assert_string_equal(http_url_shown(&r->arena, "https://u:p@h:1/x?token=1#f"), "https://h:1/x");
	assert_string_equal(http_url_shown(&r->arena, "http://h"), "http://h");
	assert_string_equal(http_url_shown(&r->arena, "http://h/a@b"), "http://h/a@b");
}

/* Type 1 with two strings, type 11 with ours, the end. */
static const char table[] = "\x01\x08\x01\x00xxxxMaker\0Model\0\0"
			    "\x0b\x05\x02\x00\x03io.systemd.credential:ssh.authorized_keys.root=ssh-ed25519 AAAA root\0io.systemd.credential.binary:coracle.user-data=I2Nsb3VkLWNvbmZpZwo=\0other\0\0"
			    "\x7f\x04\x03\x00\0\0";

static int count(const char *s, size_t n, void *arg)
{
	assert_int_equal(strlen(s), n);
	++*(unsigned *)arg;
	return 0;
}

static void smbios(void **state)
{
	unsigned n = 0;

	(void)state;
	assert_int_equal(smbios_strings(table, sizeof(table) - 1, SMBIOS_OEM_STRINGS, count, &n), 0);
	assert_int_equal(n, 3);
	n = 0;
	smbios_strings(table, sizeof(table) - 1, 1, count, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < sizeof(table); i++) {
		char *copy = malloc(i + 1);

		/* no byte beyond is touched: ASan watches */
		memcpy(copy, table, i);
		smbios_strings(copy, i, SMBIOS_OEM_STRINGS, count, &n);
		free(copy);
	}
}

static void credentials(void **state)
{
	struct run *r;

	(void)state;
	folder_put_bytes("sys/firmware/dmi/tables/DMI", table, sizeof(table) - 1);
	folder_put("sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials/system.hostname/raw", "by-fw-cfg\n");
	folder_put("proc/cmdline", "x systemd.set_credential=system.hostname:late systemd.set_credential=passwd.hashed-password.root:$6$salt$hash y\n");
	r = folder_find(1);
	assert_problems("");
	assert_string_equal(r->seed.name, "DataSourceCredentials [SMBIOS]");
	assert_string_equal(r->seed.user_data, "#cloud-config\n");
	assert_int_equal(r->seed.root_keys.n, 1);
	assert_string_equal(r->seed.root_keys.v[0], "ssh-ed25519 AAAA root");
	assert_string_equal(r->seed.root_hashed_password, "$6$salt$hash");
	assert_string_equal(r->seed.meta.local_hostname, "by-fw-cfg");
	/* beside another source, which is the one that is named */
	folder_put("proc/cmdline", "ds=nocloud systemd.set_credential=passwd.hashed-password.root:a:b\n");
	r = folder_find(1);
	assert_string_equal(r->seed.name, "DataSourceNoCloud [seed=cmdline]");
	assert_int_equal(r->seed.root_keys.n, 1);
	assert_null(r->seed.root_hashed_password);
	helper_assert_mentions("the credential passwd.hashed-password.root is not a hash of crypt(3)");
	assert_null(strstr(helper_problems(), "a:b"));
}

static void xml(void **state)
{
	static const char ok[] = "<?xml version='1.0'?>\n<!-- c --><ns:A x='>'><B> a &lt;&#x20ac;&amp; <![CDATA[<c>]]></B><E/><F a=\"1\"/>\n<C><D>1</D></C></ns:A>";
	static const char *const bad[] = { "", "x", "<a>", "<a></b>", "<a", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<a>&x;</a>", "<a>&#0;</a>", "<a>&#xd800;</a>",
					   "<a><![CDATA[</a>", "<!-- ", "<a b='></a>", "<>" };
	struct run *r = helper_run();
	const char *why = NULL;
	const struct xml *x = xml_read(&r->arena, ok, sizeof(ok) - 1, &why);

	(void)state;
	assert_non_null(x);
	assert_string_equal(x->name, "A");
	assert_string_equal(xml_text(x, "B"), "a <\xe2\x82\xac& <c>");
	assert_string_equal(xml_text(x, "C/D"), "1");
	assert_null(xml_text(x, "E"));
	assert_null(xml_text(x, "C/X"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why = NULL;
		assert_null(xml_read(&r->arena, bad[i], strlen(bad[i]), &why));
		assert_non_null(why);
	}
}

static void ovf(void **state)
{
	static const char text[] = "<Environment xmlns='http://schemas.dmtf.org/ovf/environment/1' xmlns:wa='http://schemas.microsoft.com/windowsazure'><wa:ProvisioningSection>"
		"<LinuxProvisioningConfigurationSet><ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType><HostName>vm-1</HostName><UserName>azureuser</UserName>"
		"<UserPassword>hunter2</UserPassword><SSH><PublicKeys><PublicKey><Fingerprint>F</Fingerprint><Path>/x</Path><Value>ssh-rsa AAAA az</Value></PublicKey></PublicKeys></SSH>"
		"<CustomData>I2Nsb3VkLWNvbmZpZwo=</CustomData></LinuxProvisioningConfigurationSet></wa:ProvisioningSection></Environment>";
	struct run *r = helper_run();

	(void)state;
	assert_int_equal(azure_read_ovf(&r->ctx, "ovf-env.xml", text, sizeof(text) - 1, &r->seed), 1);
	assert_problems("");
	assert_string_equal(r->seed.meta.local_hostname, "vm-1");
	assert_string_equal(r->seed.user_data, "#cloud-config\n");
	assert_string_equal(r->seed.meta.public_keys.v[0], "ssh-rsa AAAA az");
	assert_string_equal(r->seed.vendor_data, "#cloud-config\nuser: {name: \"azureuser\"}\n");
	assert_int_equal(azure_read_ovf(&r->ctx, "ovf-env.xml", "<a/>", 4, &r->seed), 0);
	helper_assert_mentions("ovf-env.xml has no LinuxProvisioningConfigurationSet");
}

static void surrogates(void **state)
{
	static const char text[] = "{\"a\": \"x \\ud83d\\ude00 \\\\ud83d\", \"b\": \"\\u00e9\"}";
	struct run *r = helper_run();
	const struct node *root = imds_parse(&r->ctx, "t", text, sizeof(text) - 1);

	(void)state;
	assert_problems("");
	assert_string_equal(imds_text(root, "a"), "x \xf0\x9f\x98\x80 \\ud83d");
	assert_string_equal(imds_text(root, "b"), "\xc3\xa9");
}

/* Takes the frames apart, given in two pieces cut at `cut`. */
static int answer(const char *bytes, size_t n, size_t cut, struct answering *a, struct err *err)
{
	struct buf in;
	int r;

	*a = (struct answering){ .err = err };
	buf_init(&a->body, 16);
	buf_init(&a->url, 100);
	buf_init(&in, 4096);
	buf_add(&in, bytes, cut);
	r = http_take_frames(&in, a);
	buf_add(&in, bytes + cut, n - cut);
	if (r == 0)
		r = http_take_frames(&in, a);
	buf_free(&in);
	return r;
}

static void frames(void **state)
{
	static const char good[] = "S\3\0\0\0" "200" "B\3\0\0\0" "abc" "R\0\0\0\0" "S\3\0\0\0" "404" "H\4\0\0\0" "a: b" "B\2\0\0\0" "xy" "D\0\0\0\0";
	static const char *const bad[] = { "S\3\0\0\0" "20x", "Z\0\0\0\0", "D\0\0\0\0", "B\0\0\xff\0", "E\3\0\0\0" "x y", "B\x11\0\0\0" "12345678901234567" };
	static const size_t sizes[] = { 8, 5, 5, 5, 8, 22 };
	struct err err = ERR_INIT;
	struct answering a;

	(void)state;
	for (size_t cut = 0; cut < sizeof(good); cut++) {
		assert_int_equal(answer(good, sizeof(good) - 1, cut, &a, &err), 0);
		assert_true(a.done);
		assert_int_equal(a.status, 404);
		assert_string_equal(a.body.data, "xy");
		buf_free(&a.body);
		buf_free(&a.url);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(answer(bad[i], sizes[i], 0, &a, &err), i == 5 ? -EFBIG : -EBADMSG);
		buf_free(&a.body);
		buf_free(&a.url);
	}
	assert_int_equal(answer("E\x08\0\0\0" "110 slow", 13, 0, &a, &err), 0);
	assert_int_equal(a.failed, 110);
	assert_string_equal(err.text, "slow");
	buf_free(&a.body);
	buf_free(&a.url);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(clouds), folder_test(unsupported),
		folder_test(forced), folder_test(config_drive),
		folder_test(keys), folder_test(addresses),
		cmocka_unit_test(smbios), folder_test(credentials),
		folder_test(xml), folder_test(ovf),
		folder_test(surrogates),
		cmocka_unit_test(frames),
	};

	return helper_run_tests(tests);
}
