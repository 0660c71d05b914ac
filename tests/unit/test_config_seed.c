/* test_config_seed.c - datasources: the words of a NoCloud line, layers and who wins, fw_cfg, labels, the order of devices. */
#include "config_helper.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "path.h"

#define CMDLINE "proc/cmdline"
#define SERIAL "sys/class/dmi/id/product_serial"
#define FW_CFG "sys/firmware/qemu_fw_cfg/by_name/"
#define DEVICES "run/coracle/devices"
#define SEED "var/lib/cloud/seed/"

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

/* Writes dir/name, with the folders on the way. */
static void put(const char *name, const char *text)
{
	char path[512];
	char *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(path_mkdirs(path, 0755), 0);
	*slash = '/';
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct run *find(int expected)
{
	struct run *r = helper_run();
	struct places *places = ARENA_NEW(&r->arena, struct places);

	*places = places_below(&r->arena, dir);
	/* without this file the machine's own devices would be looked at */
	if (access(places->devices, F_OK) != 0)
		put(DEVICES, "");
	assert_int_equal(datasource_find(&r->ctx, places, &r->seed), expected);
	return r;
}

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
	struct run *r = find(0);

	(void)state;
	assert_string_equal(r->seed.name, "DataSourceNone");
	assert_problems("");
	/* a directory that has only one of the two files is no seed */
	put(SEED "nocloud/user-data", "#cloud-config\n");
	find(0);
	helper_assert_mentions("seed/nocloud is not a valid seed: it has no meta-data (both must be there, they may be empty)");
}

static void layers(void **state)
{
	struct run *r;

	(void)state;
	put(SERIAL, "ds=nocloud;i=from-serial\n");
	put(CMDLINE, "quiet ds=nocloud;i=from-cmdline;h=host-cmdline\n");
	put(SEED "nocloud/user-data", "first");
	put(SEED "nocloud/meta-data", "instance-id: from-dir\nlocal-hostname: host-dir\n");
	put(SEED "nocloud-net/user-data", "second");
	put(SEED "nocloud-net/meta-data", "");
	put(SEED "nocloud-net/vendor-data", "vendor");
	put("from/user-data", "third");
	put("from/meta-data", "local-hostname: host-from\n");
	put("from/network-config", "net");
	r = find(1);
	assert_problems("");
	/* of meta-data the first layer wins, of the other files the last */
	assert_string_equal(r->seed.meta.instance_id, "from-serial");
	assert_string_equal(r->seed.meta.local_hostname, "host-cmdline");
	assert_string_equal(r->seed.user_data, "second");
	assert_string_equal(r->seed.vendor_data, "vendor");
	assert_null(r->seed.network_config);
	assert_non_null(strstr(r->seed.name, "DataSourceNoCloud [seed="));
	put(CMDLINE, arena_printf(&r->arena, "ds=nocloud;s=file://%s/from\n", dir));
	r = find(1);
	assert_string_equal(r->seed.user_data, "third");
	assert_string_equal(r->seed.network_config, "net");
	assert_string_equal(r->seed.meta.local_hostname, "host-dir");
}

static void line_alone(void **state)
{
	struct run *r;

	(void)state;
	put(CMDLINE, "ds=nocloud;h=a\n");
	r = find(1);
	assert_string_equal(r->seed.name, "DataSourceNoCloud [seed=cmdline]");
	assert_string_equal(r->seed.meta.instance_id, "nocloud");
	assert_null(r->seed.user_data);
	put(CMDLINE, "ds=nocloud;s=ftp://10.0.2.2/\n");
	find(1);
	helper_assert_mentions("seedfrom: a seed is not fetched by ftp (serve it by http or https)");
	put(CMDLINE, "ds=nocloud;s=gopher://x\n");
	find(1);
	helper_assert_mentions("seedfrom: \"gopher://x\" cannot be read");
	put(CMDLINE, "ds=nocloud;s=/nowhere/at/all\n");
	find(1);
	helper_assert_mentions("seedfrom: there is no seed in \"/nowhere/at/all\"");
	put(CMDLINE, "ds=nocloud;i=../x;h=a_b!\n");
	r = find(1);
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
	put(FW_CFG "opt/com.coreos/config/raw", "{}");
	r = find(1);
	assert_string_equal(r->seed.name, "DataSourceFwCfg [opt/com.coreos/config]");
	assert_string_equal(r->seed.user_data, "{}");
	put(FW_CFG "opt/org.coracle/user-data/raw", "#cloud-config\nhostname: a\n");
	r = find(1);
	assert_problems("");
	assert_string_equal(r->seed.name, "DataSourceFwCfg [opt/org.coracle]");
	assert_string_equal(r->seed.user_data, "#cloud-config\nhostname: a\n");
	assert_int_equal(strlen(r->seed.meta.instance_id), 6 + 16);
	snprintf(first, sizeof(first), "%s", r->seed.meta.instance_id);
	/* another configuration is another instance; the same is the same */
	assert_string_equal(find(1)->seed.meta.instance_id, first);
	put(FW_CFG "opt/org.coracle/user-data/raw", "#cloud-config\nhostname: b\n");
	assert_string_not_equal(find(1)->seed.meta.instance_id, first);
	put(FW_CFG "opt/org.coracle/meta-data/raw", "instance-id: mine\n");
	assert_string_equal(find(1)->seed.meta.instance_id, "mine");
	/* NoCloud is asked first */
	put(CMDLINE, "ds=nocloud\n");
	assert_string_equal(find(1)->seed.name, "DataSourceNoCloud [seed=cmdline]");
}

static void devices(void **state)
{
	const char *all;
	const char *a;
	const char *b;

	(void)state;
	put(DEVICES, "/dev/no-such-a iso9660 cidata\n/dev/no-such-x ext4 cidata\n/dev/no-such-b vfat CIDATA\n/dev/no-such-c vfat Cidata\n"
		       "/dev/no-such-d vfat my\\040data\nbroken\n");
	find(0);
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
	assert_int_not_equal(access(arena_printf(&helper_run()->arena, "%s/run/coracle/seed", dir), F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, setup, teardown), cmocka_unit_test(labels),
		cmocka_unit_test_setup_teardown(nothing, setup, teardown), cmocka_unit_test_setup_teardown(layers, setup, teardown),
		cmocka_unit_test_setup_teardown(line_alone, setup, teardown), cmocka_unit_test_setup_teardown(fw_cfg, setup, teardown),
		cmocka_unit_test_setup_teardown(devices, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
