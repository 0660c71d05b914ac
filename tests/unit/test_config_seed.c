/* test_config_seed.c - datasources: the words of a NoCloud line, layers and who wins, fw_cfg, labels, the order of devices. */
#include "config_helper.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CMDLINE "proc/cmdline"
#define SERIAL "sys/class/dmi/id/product_serial"
#define FW_CFG "sys/firmware/qemu_fw_cfg/by_name/"
#define DEVICES "run/coracle/devices"
#define SEED "var/lib/cloud/seed/"

static void lines(void **state)
{
	static const struct { const char *line, *from, *host, *id; int found; } cases[] = {
		{ "console=ttyS0 quiet", NULL, NULL, NULL, 0 },
		{ "ds=nocloud", NULL, NULL, NULL, 1 },
		{ "ds=nocloud;s=/seed/;h=web;i=i-1", "/seed/", "web", "i-1", 1 },
		{ "quiet ds=nocloud-net;seedfrom=http://10.0.2.2/;local-hostname=a;instance-id=b x", "http://10.0.2.2/", "a", "b", 1 },
		{ "ds=nocloud;i=1 ds=nocloud;i=2", NULL, NULL, "2", 1 },
		{ "xds=nocloud;i=1", NULL, NULL, NULL, 0 },
		{ "ds=nocloudy", NULL, NULL, NULL, 0 },
		{ "ds=ec2;i=1", NULL, NULL, NULL, 0 },
		{ "ds=nocloud;;x;s=;z=1\n", "", NULL, NULL, 1 },
		{ "", NULL, NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();
		struct nocloud_line l = { NULL, NULL, NULL };

		assert_int_equal(nocloud_parse_line(&r->arena, cases[i].line, &l), cases[i].found);
		assert_int_equal(!l.seedfrom, !cases[i].from);
		assert_int_equal(!l.local_hostname, !cases[i].host);
		assert_int_equal(!l.instance_id, !cases[i].id);
		if (l.seedfrom)
			assert_string_equal(l.seedfrom, cases[i].from);
		if (l.local_hostname)
			assert_string_equal(l.local_hostname, cases[i].host);
		if (l.instance_id)
			assert_string_equal(l.instance_id, cases[i].id);
	}
}

static void labels(void **state)
{
	(void)state;
	assert_true(nocloud_label_ok("iso9660", "cidata"));
	assert_true(nocloud_label_ok("vfat", "CIDATA"));
	assert_false(nocloud_label_ok("vfat", "Cidata"));
	assert_false(nocloud_label_ok("ext4", "cidata"));
	assert_false(nocloud_label_ok("iso9660", "cidata2"));
}

static void nothing(void **state)
{
	struct run *r = folder_find(0);

	(void)state;
	assert_string_equal(r->seed.name, "DataSourceNone");
	assert_problems("");
	/* a directory that has only one of the two files is no seed */
	folder_put(SEED "nocloud/user-data", "#cloud-config\n");
	folder_find(0);
	helper_assert_mentions("seed/nocloud is not a valid seed: it has no meta-data (both must be there, they may be empty)");
}

static void layers(void **state)
{
	struct run *r;

	(void)state;
	folder_put(SERIAL, "ds=nocloud;i=from-serial\n");
	folder_put(CMDLINE, "quiet ds=nocloud;i=from-cmdline;h=host-cmdline\n");
	folder_put(SEED "nocloud/user-data", "first");
	folder_put(SEED "nocloud/meta-data", "instance-id: from-dir\nlocal-hostname: host-dir\n");
	folder_put(SEED "nocloud-net/user-data", "second");
	folder_put(SEED "nocloud-net/meta-data", "");
	folder_put(SEED "nocloud-net/vendor-data", "vendor");
	folder_put("from/user-data", "third");
	folder_put("from/meta-data", "local-hostname: host-from\n");
	folder_put("from/network-config", "net");
	r = folder_find(1);
	assert_problems("");
	/* of meta-data the first layer wins, of the other files the last */
	assert_string_equal(r->seed.meta.instance_id, "from-serial");
	assert_string_equal(r->seed.meta.local_hostname, "host-cmdline");
	assert_string_equal(r->seed.user_data, "second");
	assert_string_equal(r->seed.vendor_data, "vendor");
	assert_null(r->seed.network_config);
	assert_non_null(strstr(r->seed.name, "DataSourceNoCloud [seed="));
	folder_put(CMDLINE, arena_printf(&r->arena, "ds=nocloud;s=file://%s/from\n", folder_path()));
	r = folder_find(1);
	assert_string_equal(r->seed.user_data, "third");
	assert_string_equal(r->seed.network_config, "net");
	assert_string_equal(r->seed.meta.local_hostname, "host-dir");
}

static void line_alone(void **state)
{
	struct run *r;

	(void)state;
	folder_put(CMDLINE, "ds=nocloud;h=a\n");
	r = folder_find(1);
	assert_string_equal(r->seed.name, "DataSourceNoCloud [seed=cmdline]");
	assert_string_equal(r->seed.meta.instance_id, "nocloud");
	assert_null(r->seed.user_data);
	folder_put(CMDLINE, "ds=nocloud;s=ftp://10.0.2.2/\n");
	folder_find(1);
	helper_assert_mentions("seedfrom: a seed is not fetched by ftp (serve it by http or https)");
	folder_put(CMDLINE, "ds=nocloud;s=gopher://x\n");
	folder_find(1);
	helper_assert_mentions("seedfrom: \"gopher://x\" cannot be read");
	folder_put(CMDLINE, "ds=nocloud;s=/nowhere/at/all\n");
	folder_find(1);
	helper_assert_mentions("seedfrom: there is no seed in \"/nowhere/at/all\"");
	folder_put(CMDLINE, "ds=nocloud;i=../x;h=a_b!\n");
	r = folder_find(1);
	assert_string_equal(r->seed.meta.instance_id, "nocloud");
	assert_null(r->seed.meta.local_hostname);
	helper_assert_mentions("\"../x\" cannot be an instance-id");
	helper_assert_mentions("\"a_b!\" is not a host name");
}

static void fw_cfg(void **state)
{
	struct run *r;
	char first[64];

	(void)state;
	folder_put(FW_CFG "opt/com.coreos/config/raw", "{}");
	r = folder_find(1);
	assert_string_equal(r->seed.name, "DataSourceFwCfg [opt/com.coreos/config]");
	assert_string_equal(r->seed.user_data, "{}");
	folder_put(FW_CFG "opt/org.coracle/user-data/raw", "#cloud-config\nhostname: a\n");
	r = folder_find(1);
	assert_problems("");
	assert_string_equal(r->seed.name, "DataSourceFwCfg [opt/org.coracle]");
	assert_string_equal(r->seed.user_data, "#cloud-config\nhostname: a\n");
	assert_int_equal(strlen(r->seed.meta.instance_id), 6 + 16);
	snprintf(first, sizeof(first), "%s", r->seed.meta.instance_id);
	/* another configuration is another instance; the same is the same */
	assert_string_equal(folder_find(1)->seed.meta.instance_id, first);
	folder_put(FW_CFG "opt/org.coracle/user-data/raw", "#cloud-config\nhostname: b\n");
	assert_string_not_equal(folder_find(1)->seed.meta.instance_id, first);
	folder_put(FW_CFG "opt/org.coracle/meta-data/raw", "instance-id: mine\n");
	assert_string_equal(folder_find(1)->seed.meta.instance_id, "mine");
	/* NoCloud is asked first */
	folder_put(CMDLINE, "ds=nocloud\n");
	assert_string_equal(folder_find(1)->seed.name, "DataSourceNoCloud [seed=cmdline]");
}

static void devices(void **state)
{
	const char *all;
	const char *a;
	const char *b;

	(void)state;
	folder_put(DEVICES, "/dev/no-such-a iso9660 cidata\n/dev/no-such-x ext4 cidata\n/dev/no-such-b vfat CIDATA\n/dev/no-such-c vfat Cidata\n"
		       "/dev/no-such-d vfat my\\040data\nbroken\n");
	folder_find(0);
	all = helper_problems();
	a = strstr(all, "mount /dev/no-such-a (iso9660): ");
	b = strstr(all, "mount /dev/no-such-b (vfat): ");
	assert_non_null(a);
	assert_non_null(b);
	/* highest name first */
	assert_true(b < a);
	assert_null(strstr(helper_problems(), "no-such-x"));
	assert_null(strstr(helper_problems(), "no-such-c"));
	assert_null(strstr(helper_problems(), "no-such-d"));
	assert_int_not_equal(access(folder_at("run/coracle/seed"), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(lines), cmocka_unit_test(labels),
		folder_test(nothing), folder_test(layers),
		folder_test(line_alone), folder_test(fw_cfg),
		folder_test(devices),
	};

	return helper_run_tests(tests);
}
