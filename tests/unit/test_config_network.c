/* test_config_network.c - reading network-config: what both versions mean, and what is wrong with them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_helper.h"
#include "init/config/network/plan.h"

static struct network_plan *plan;

/* The plan of a text, as version 2; problems are in the helper. */
static const char *read_as_text(const char *yaml)
{
	struct run *r = helper_run();
	size_t len;

	plan = network_read(&r->ctx, "t", yaml, strlen(yaml));
	return plan ? network_text(&r->ctx, plan, &len) : "";
}

/* Reads it without a problem, and what is printed means the same when it is read again. */
static void assert_plan(const char *yaml, const char *expected)
{
	const char *text = read_as_text(yaml);
	char *first;

	assert_problems("");
	assert_string_equal(text, expected);
	first = strdup(text);
	assert_string_equal(read_as_text(first), first);
	assert_problems("");
	free(first);
}

static void version_1(void **state)
{
	(void)state;
	assert_plan("version: 1\nconfig:\n- {type: physical, name: eth0, mac_address: '52:54:00:12:34:00', mtu: 9000, subnets: [{type: dhcp}]}\n",
		    "network:\n  version: 2\n  ethernets:\n    \"eth0\":\n      match:\n        macaddress: \"52:54:00:12:34:00\"\n"
		    "      set-name: \"eth0\"\n      dhcp4: true\n      mtu: 9000\n");
	assert_plan("network:\n  version: 1\n  config:\n  - type: physical\n    name: eth0\n    subnets:\n"
		    "    - {type: static, address: 192.0.2.10, netmask: 255.255.255.0, gateway: 192.0.2.1, dns_nameservers: [192.0.2.53, '2001:db8::53'], dns_search: a b}\n"
		    "    - {type: static6, address: '2001:db8::10/64', routes: [{network: '::', netmask: '::', gateway: '2001:db8::1', metric: 5}]}\n"
		    "    - {type: ipv6_slaac}\n"
		    "  - {type: nameserver, address: 1.1.1.1, search: [c]}\n  - {type: route, destination: 10.0.0.0/8, gateway: 192.0.2.2}\n",
		    "network:\n  version: 2\n  ethernets:\n    \"eth0\":\n      accept-ra: true\n"
		    "      addresses: [\"192.0.2.10/24\", \"2001:db8::10/64\"]\n"
		    "      nameservers:\n        addresses: [\"192.0.2.53\", \"2001:db8::53\"]\n        search: [\"a\", \"b\"]\n"
		    "      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"192.0.2.1\"\n      - to: \"::/0\"\n        via: \"2001:db8::1\"\n        metric: 5\n"
		    "  x-nameservers:\n    addresses: [\"1.1.1.1\"]\n    search: [\"c\"]\n"
		    "  x-routes:\n  - to: \"10.0.0.0/8\"\n    via: \"192.0.2.2\"\n");
	assert_plan("version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: ipv6_dhcpv6-stateless}]}]\n",
		    "network:\n  version: 2\n  ethernets:\n    \"eth0\":\n      dhcp6: stateless\n      accept-ra: true\n");
	assert_plan("version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp6}, {type: ipv6_dhcpv6-stateless}]}]\n",
		    "network:\n  version: 2\n  ethernets:\n    \"eth0\":\n      dhcp6: true\n      accept-ra: true\n");
}

static void version_1_groups(void **state)
{
	(void)state;
	assert_plan("version: 1\nconfig:\n- {type: physical, name: e1}\n- {type: physical, name: e2}\n"
		    "- {type: bond, name: bond0, bond_interfaces: [e1, e2], params: {bond-mode: 4, bond-lacp_rate: fast, bond_miimon: 100}}\n"
		    "- {type: vlan, name: bond0.5, vlan_link: bond0, vlan_id: 5, subnets: [{type: dhcp4}]}\n"
		    "- {type: bridge, name: br0, bridge_interfaces: [bond0.5], params: {bridge_stp: 'off', bridge_fd: 2, bridge_pathcost: ['bond0.5 50']}}\n",
		    "network:\n  version: 2\n  ethernets:\n    \"e1\":\n    \"e2\":\n  bonds:\n    \"bond0\":\n      interfaces: [\"e1\", \"e2\"]\n"
		    "      parameters:\n        mode: \"802.3ad\"\n        lacp-rate: \"fast\"\n        mii-monitor-interval: \"100\"\n"
		    "  bridges:\n    \"br0\":\n      interfaces: [\"bond0.5\"]\n      parameters:\n        stp: \"false\"\n        forward-delay: \"2\"\n"
		    "        path-cost:\n          \"bond0.5\": 50\n"
		    "  vlans:\n    \"bond0.5\":\n      id: 5\n      link: \"bond0\"\n      dhcp4: true\n");
}

static void version_2(void **state)
{
	(void)state;
	assert_plan("version: 2\nrenderer: networkd\nethernets:\n  lan:\n    match: {name: 'en*', driver: [virtio_net, 'mlx*']}\n    dhcp4: yes\n"
		    "    dhcp4-overrides: {use-dns: no, route-metric: 50, use-routes: true}\n    dhcp6: false\n    accept-ra: no\n    optional: true\n    wakeonlan: true\n"
		    "    addresses: [192.0.2.1/24]\n    routing-policy: [{from: 192.0.2.0/24, table: 100, priority: 5}]\n"
		    "    routes: [{to: default, via: 192.0.2.254, table: 100, on-link: true}, {to: 203.0.113.0/24, type: blackhole}]\n    link-local: []\n",
		    "network:\n  version: 2\n  ethernets:\n    \"lan\":\n      match:\n        name: [\"en*\"]\n        driver: [\"virtio_net\", \"mlx*\"]\n"
		    "      dhcp4: true\n      dhcp6: false\n      dhcp4-overrides:\n        use-dns: false\n        use-routes: true\n        route-metric: 50\n"
		    "      accept-ra: false\n      link-local: []\n      wakeonlan: true\n      addresses: [\"192.0.2.1/24\"]\n"
		    "      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"192.0.2.254\"\n        table: 100\n        on-link: true\n"
		    "      - to: \"203.0.113.0/24\"\n        type: \"blackhole\"\n"
		    "      routing-policy:\n      - from: \"192.0.2.0/24\"\n        table: 100\n        priority: 5\n      optional: true\n");
	/* a bridge with parameters has the spanning tree, as netplan says */
	assert_plan("version: 2\nbridges: {br0: {parameters: {priority: 10}}}\n",
		    "network:\n  version: 2\n  bridges:\n    \"br0\":\n      parameters:\n        priority: \"10\"\n        stp: \"true\"\n");
	assert_plan("network: {config: disabled}\n", "network:\n  config: disabled\n");
}

static void problems_v2(void **state)
{
	(void)state;
	read_as_text("version: 2\nethernets:\n  eth0:\n    dhpc4: true\n    addresses: [10.0.0.1, 10.0.0.300/24]\n    mtu: big\n    routes: [{to: nowhere, via: 1.2.3.4}]\n"
		     "    gateway4: 10.0.0.254\nwifis: {w: {}}\nvlan: {}\n");
	assert_problems("t:4:5: error: unknown key \"dhpc4\" in an Ethernet device (did you mean \"dhcp4\"?)\n"
			"t:5:17: error: the address \"10.0.0.1\" has no prefix length (such as 10.0.0.1/24)\n"
			"t:5:27: error: \"10.0.0.300/24\" is not an address with its prefix length (such as 192.0.2.10/24 or 2001:db8::10/64)\n"
			"t:6:10: error: \"big\" is not an MTU (68 to 65536)\n"
			"t:7:19: error: \"nowhere\" is not a destination (such as 198.51.100.0/24, or default)\n"
			"t:8:15: warning: gateway4 is deprecated; it is taken as the default route (routes: [{to: default, via: ...}])\n"
			"t:9:1: error: \"wifis\" is known to netplan and not supported by Coracle; it is not used\n"
			"t:10:1: error: unknown key \"vlan\" in network-config version 2 (did you mean \"vlans\"?)\n");
}

static void name_for_dhcp(void **state)
{
	(void)state;
	read_as_text("version: 2\nethernets:\n  e: {dhcp4: true, dhcp4-overrides: {send-hostname: false}}\n");
	assert_problems("");
	read_as_text("version: 2\nethernets:\n  e: {dhcp4: true, dhcp4-overrides: {send-hostname: true}}\n");
	assert_problems("t:3:53: warning: no name is sent to the DHCP server\n");
}

static void problems_v1(void **state)
{
	(void)state;
	read_as_text("version: 1\nconfig:\n- {type: physical, nam: eth0}\n- {type: physical, name: 'a b', mac_address: 3}\n- {type: tunnel}\n- text\n"
		     "- {type: physical, name: e, subnets: [{type: dhcp5}, {type: static}, {type: static, address: 10.0.0.1}]}\n- {type: nameserver, address: [x], interface: none}\n");
	assert_problems("t:3:3: error: a physical device needs a name (name: eth0)\n"
			"t:3:20: error: unknown key \"nam\" in a physical device (did you mean \"name\"?)\n"
			"t:4:26: error: \"a b\" cannot be the name of a network device (1 to 15 letters, digits and . _ - @, and not lo)\n"
			"t:4:46: error: \"3\" is not a hardware address (such as \"52:54:00:12:34:56\")\n"
			"t:5:10: error: \"tunnel\" is not a type of entry (physical, bond, bridge, vlan, nameserver or route)\n"
			"t:6:3: error: an entry of config is a mapping, not text (such as {type: physical, name: eth0})\n"
			"t:7:46: error: \"dhcp5\" is not a type of subnet (static, dhcp, dhcp6, ipv6_slaac, ipv6_dhcpv6-stateless, ipv6_dhcpv6-stateful, manual)\n"
			"t:7:54: error: a static subnet needs an address (address: 192.0.2.10/24)\n"
			"t:7:94: warning: \"10.0.0.1\" has no netmask; /24 is taken (write address/prefix)\n"
			"t:8:32: error: \"x\" is not the address of a name server (an IPv4 or IPv6 address)\n"
			"t:8:47: error: there is no device \"none\" here (it must stand above)\n");
}

static void cross_checks(void **state)
{
	(void)state;
	read_as_text("version: 2\nethernets:\n  a: {accept-ra: true}\n  b: {dhcp4: false}\n");
	assert_problems("t:3:3: warning: no name server is known: those in router advertisements to \"a\" are not taken "
			"(nameservers: {addresses: [...]}, or DHCPv6: ipv6_dhcpv6-stateless (dhcp6: stateless))\n");
	read_as_text("version: 2\nethernets:\n  a: {accept-ra: true}\n  b: {dhcp4: true}\n");
	assert_problems("");
	read_as_text("version: 2\nethernets:\n  a: {accept-ra: true, nameservers: {addresses: [192.0.2.53]}}\n");
	assert_problems("");
	read_as_text("version: 2\nethernets: {a: {}, b: {set-name: a, match: {name: x}}}\nbonds:\n  c: {interfaces: [a, nope], parameters: {primary: other, mode: 9}}\n"
		     "  d: {interfaces: [a]}\nvlans:\n  e: {id: 1, link: f}\n  f: {id: 2, link: e}\n  g: {id: 4095, link: a}\n  h: {id: 5, link: f}\n  i: {id: 6}\n");
	assert_problems("t:2:20: error: two devices shall have the name \"a\" (the other is in line 2)\n"
			"t:4:3: error: \"c\" shall have \"nope\", which is not defined here (name it below ethernets: or as type: physical)\n"
			"t:4:3: error: primary of \"c\" names \"other\", which is no member of it\n"
			"t:4:65: error: mode cannot be \"9\" (balance-rr, active-backup, balance-xor, broadcast, 802.3ad, balance-tlb, balance-alb)\n"
			"t:5:3: error: \"a\" is already a member of \"c\", and cannot be one of \"d\"\n"
			"t:7:3: error: \"e\" is above and below itself; it is left out\n"
			"t:8:3: error: \"f\" is left out with \"e\", on which it is\n"
			"t:9:3: error: the VLAN g has no id (id: 100)\n"
			"t:9:11: error: \"4095\" is not a VLAN id (0 to 4094)\n"
			"t:10:3: error: \"h\" is left out with \"f\", on which it is\n"
			"t:11:3: error: the VLAN i has no link (link: eth0)\n");
	assert_non_null(plan);
	assert_null(plan_find_device(plan, "f"));
	assert_non_null(plan_find_device(plan, "c"));
}

static void no_version(void **state)
{
	(void)state;
	read_as_text("ethernets: {a: {dhcp4: true}}\n");
	assert_problems("t:1:1: error: this network-config does not say its version (version: 2)\n");
	assert_non_null(plan_find_device(plan, "a"));
	read_as_text("version: 3\n");
	assert_problems("t:1:10: error: the version of a network-config cannot be \"3\" (1 or 2)\n");
	read_as_text("#cloud-config\nhostname: a\n");
	assert_problems("t:2:1: error: this is no network-config (it begins with version: 2 and ethernets:, or with version: 1 and config:)\n");
	read_as_text("network: {version: 2}\nhostname: a\n");
	assert_problems("t:2:1: error: unknown key \"hostname\" beside network (indent it below network:)\n");
	read_as_text("- a\n");
	assert_problems("t:1:1: error: a network-config is a mapping of keys, not a list (it begins with version: 2 and ethernets:, or with version: 1 and config:)\n");
}

static void injections(void **state)
{
	(void)state;
	read_as_text("version: 2\nethernets:\n  eth0:\n    nameservers: {addresses: ['1.1.1.1\\nnameserver'], search: [\"a\\nnameserver 6.6.6.6\", '$(reboot)', ok]}\n"
		     "    set-name: \"../x\"\n    match: {name: \"a\\nb\"}\n");
	assert_int_equal(plan->devices->search.n, 4);
	assert_string_equal(plan->devices->search.v[1], "nameserver");
	helper_assert_mentions("\"$(reboot)\" is not a domain");
	helper_assert_mentions("cannot be the name of a network device");
	helper_assert_mentions("control characters");
}

static void looks(void **state)
{
	static const char *const yes[] = { "version: 2\n", "# mine\n\nnetwork:\n", "{\"version\": 1}", "{ network: {} }", "---\nethernets: {}\n", "\xef\xbb\xbfnetwork:\n" };
	static const char *const no[] = { "#cloud-config\nnetwork:\n", "hostname: a\n", "", "#!/bin/sh\n", "#include\nversion:", "# only\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!network_looks_like(yes[i], strlen(yes[i])))
			fail_msg("not taken for a network-config: %s", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (network_looks_like(no[i], strlen(no[i])))
			fail_msg("taken for a network-config: %s", no[i]);
}

static void builder(void **state)
{
	struct run *r = helper_run();
	struct network_plan *p = network_plan_new(&r->ctx);
	struct network_device *d = network_add_ethernet(&r->ctx, p, "eth0", "02:00:00:00:00:01");
	size_t len;

	(void)state;
	assert_non_null(d);
	assert_int_equal(network_add_address(&r->ctx, d, "192.0.2.10", "255.255.255.0"), 0);
	assert_int_equal(network_add_address(&r->ctx, d, "192.0.2.10", "255.0.255.0"), -EINVAL);
	assert_int_equal(network_add_address(&r->ctx, d, "x", NULL), -EINVAL);
	assert_int_equal(network_add_route(&r->ctx, d, "default", "192.0.2.1"), 0);
	assert_int_equal(network_add_route(&r->ctx, d, "::/0", "192.0.2.1"), -EINVAL);
	assert_int_equal(network_add_nameserver(&r->ctx, d, "192.0.2.1"), 0);
	assert_null(network_add_ethernet(&r->ctx, p, "a b", NULL));
	assert_null(network_add_ethernet(&r->ctx, p, NULL, "02:00"));
	network_set_dhcp(network_add_ethernet(&r->ctx, p, NULL, "02:00:00:00:00:02"), true, false);
	assert_string_equal(network_text(&r->ctx, p, &len),
			    "network:\n  version: 2\n  ethernets:\n    \"eth0\":\n      match:\n        macaddress: \"02:00:00:00:00:01\"\n      set-name: \"eth0\"\n"
			    "      addresses: [\"192.0.2.10/24\"]\n      nameservers:\n        addresses: [\"192.0.2.1\"]\n"
			    "      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"192.0.2.1\"\n"
			    "    \"02:00:00:00:00:02\":\n      match:\n        macaddress: \"02:00:00:00:00:02\"\n      dhcp4: true\n      dhcp6: false\n");
}

static int teardown(void **state)
{
	(void)state;
	helper_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1), cmocka_unit_test(version_1_groups), cmocka_unit_test(version_2), cmocka_unit_test(problems_v2),
		cmocka_unit_test(name_for_dhcp), cmocka_unit_test(problems_v1), cmocka_unit_test(cross_checks), cmocka_unit_test(no_version), cmocka_unit_test(injections),
		cmocka_unit_test(looks), cmocka_unit_test(builder),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
