/* test_config_network_forms.c - the network as the kernel command line and OpenStack say it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config_helper.h"
#include "init/config/network/plan.h"

static struct network_plan *plan;

static const char *read_line(const char *line)
{
	struct run *r = helper_run();
	size_t len;

	plan = network_from_cmdline(&r->ctx, line);
	return plan ? network_text(&r->ctx, plan, &len) + strlen("network:\n  ") : "nothing";
}

static void assert_line(const char *line, const char *expected)
{
	const char *text = read_line(line);

	assert_problems("");
	assert_string_equal(text, expected);
}

static void says_nothing(void **state)
{
	(void)state;
	assert_line("console=ttyS0 quiet zip=1 nameserver=1.1.1.1 vlan=v:eth0 xip=dhcp", "nothing");
	assert_line("", "nothing");
}

static void kernel_form(void **state)
{
	(void)state;
	assert_line("quiet ip=192.0.2.10::192.0.2.1:255.255.255.0::eth0:off:192.0.2.53:192.0.2.54 root=x",
		    "version: 2\n  ethernets:\n    \"eth0\":\n      addresses: [\"192.0.2.10/24\"]\n      nameservers:\n        addresses: [\"192.0.2.53\", \"192.0.2.54\"]\n"
		    "      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"192.0.2.1\"\n");
	assert_line("ip=:::::eth1:dhcp", "version: 2\n  ethernets:\n    \"eth1\":\n      dhcp4: true\n");
	assert_line("ip=dhcp", "version: 2\n  ethernets:\n    \"all\":\n      match:\n        name: [\"*\"]\n      dhcp4: true\n      optional: true\n");
	assert_line("ip=off", "config: disabled\n");
}

static void dracut_forms(void **state)
{
	(void)state;
	assert_line("ip=eth0:dhcp:1400:52:54:00:12:34:56 ip=eth1:auto6",
		    "version: 2\n  ethernets:\n    \"eth0\":\n      dhcp4: true\n      macaddress: \"52:54:00:12:34:56\"\n      mtu: 1400\n    \"eth1\":\n      accept-ra: true\n");
	assert_line("ip=[2001:db8::10]::[2001:db8::1]:64::eth0:none nameserver=[2001:db8::53] nameserver=2001:db8::54 rd.route=[2001:db8:1::]/48:[2001:db8::2]:eth0",
		    "version: 2\n  ethernets:\n    \"eth0\":\n      addresses: [\"2001:db8::10/64\"]\n      routes:\n      - to: \"::/0\"\n        via: \"2001:db8::1\"\n"
		    "      - to: \"2001:db8:1::/48\"\n        via: \"2001:db8::2\"\n  x-nameservers:\n    addresses: [\"2001:db8::53\", \"2001:db8::54\"]\n");
	assert_line("ip=192.0.2.10::192.0.2.1:24::bond0.5:none:1450 vlan=bond0.5:bond0 bond=bond0:eth0,eth1:mode=802.3ad,miimon=100:1500 bridge=br0:eth2 rd.route=198.51.100.0/24:192.0.2.9",
		    "version: 2\n  ethernets:\n    \"eth0\":\n    \"eth1\":\n    \"eth2\":\n  bonds:\n    \"bond0\":\n      interfaces: [\"eth0\", \"eth1\"]\n"
		    "      parameters:\n        mode: \"802.3ad\"\n        mii-monitor-interval: \"100\"\n      mtu: 1500\n"
		    "  bridges:\n    \"br0\":\n      interfaces: [\"eth2\"]\n"
		    "  vlans:\n    \"bond0.5\":\n      id: 5\n      link: \"bond0\"\n      mtu: 1450\n      addresses: [\"192.0.2.10/24\"]\n"
		    "      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"192.0.2.1\"\n"
		    "  x-routes:\n  - to: \"198.51.100.0/24\"\n    via: \"192.0.2.9\"\n");
	assert_line("ifname=lan:52:54:00:12:34:56 ip=lan:dhcp6",
		    "version: 2\n  ethernets:\n    \"lan\":\n      match:\n        macaddress: \"52:54:00:12:34:56\"\n      set-name: \"lan\"\n      dhcp6: true\n      accept-ra: true\n");
}

static void network_config_word(void **state)
{
	(void)state;
	/* version: 2, ethernets: {eth0: {dhcp4: true}}; it comes before ip= */
	assert_line("ip=off network-config=dmVyc2lvbjogMgpldGhlcm5ldHM6IHtldGgwOiB7ZGhjcDQ6IHRydWV9fQo= x",
		    "version: 2\n  ethernets:\n    \"eth0\":\n      dhcp4: true\n");
	assert_line("network-config=disabled", "config: disabled\n");
	assert_string_equal(read_line("a network-config=%%%"), "nothing");
	assert_problems("kernel command line:1:18: error: network-config= cannot be decoded (base64 of a network-config)\n");
	/* version: 2, ethernets: {eth0: {dhpc4: true}} */
	read_line("network-config=dmVyc2lvbjogMgpldGhlcm5ldHM6IHtldGgwOiB7ZGhwYzQ6IHRydWV9fQo=");
	assert_problems("network-config= of the kernel command line:2:20: error: unknown key \"dhpc4\" in an Ethernet device (did you mean \"dhcp4\"?)\n");
}

static void problems_of_a_line(void **state)
{
	(void)state;
	read_line("ip=a/b:dhcp ip=foo ip=192.0.2.300::192.0.2.1:24::eth0:none ip=192.0.2.1:::::eth0:none ip=192.0.2.1:::24:h:eth1:maybe bond=b:eth3:mode=9 team=t:eth0");
	assert_problems("kernel command line:1:1: error: \"ip=a/b:dhcp\": \"a/b\" cannot be the name of a network device (1 to 15 letters, digits and . _ - @)\n"
			"kernel command line:1:13: error: \"ip=foo\": this says nothing about an address (dhcp, DEVICE:dhcp, or ADDRESS::GATEWAY:NETMASK::DEVICE:none)\n"
			"kernel command line:1:20: error: \"ip=192.0.2.300::192.0.2.1:24::eth0:none\": \"192.0.2.300\" is neither an address nor followed by a way to get one (dhcp, dhcp6, auto6, link6, off)\n"
			"kernel command line:1:60: error: \"ip=192.0.2.1:::::eth0:none\": the netmask is missing (such as 255.255.255.0, or 24)\n"
			"kernel command line:1:87: error: \"ip=192.0.2.1:::24:h:eth1:maybe\": \"maybe\" is not a way to get an address (none, dhcp, dhcp6, auto6)\n"
			"kernel command line:1:87: warning: \"ip=192.0.2.1:::24:h:eth1:maybe\": \"h\" is a host name; it is not used (hostname: in user-data)\n"
			"kernel command line:1:118: error: \"bond=b:eth3:mode=9\": \"mode\" cannot be set so\n"
			"kernel command line:1:137: error: \"team=t:eth0\": teams are not supported by Coracle (bond=)\n");
}

static void openstack(void **state)
{
	static const char json[] =
		"{\"links\": [{\"id\": \"tap1\", \"type\": \"phy\", \"ethernet_mac_address\": \"FA:16:3E:00:00:01\", \"mtu\": 1450, \"vif_id\": \"x\"},\n"
		"{\"id\": \"tap2\", \"type\": \"ovs\", \"ethernet_mac_address\": \"fa:16:3e:00:00:02\", \"mtu\": null},\n"
		"{\"id\": \"b-1\", \"type\": \"bond\", \"bond_links\": [\"tap1\", \"tap2\"], \"bond_mode\": \"802.3ad\", \"ethernet_mac_address\": \"fa:16:3e:00:00:03\"},\n"
		"{\"id\": \"v-1\", \"type\": \"vlan\", \"vlan_link\": \"b-1\", \"vlan_id\": 101, \"vlan_mac_address\": \"fa:16:3e:00:00:04\"}],\n"
		"\"networks\": [{\"id\": \"n0\", \"link\": \"b-1\", \"type\": \"ipv4_dhcp\", \"network_id\": \"y\"},\n"
		"{\"id\": \"n1\", \"link\": \"v-1\", \"type\": \"ipv4\", \"ip_address\": \"10.0.0.9\", \"netmask\": \"255.255.252.0\",\n"
		" \"routes\": [{\"network\": \"0.0.0.0\", \"netmask\": \"0.0.0.0\", \"gateway\": \"10.0.0.1\"}], \"services\": [{\"type\": \"dns\", \"address\": \"8.8.4.4\"}]},\n"
		"{\"id\": \"n2\", \"link\": \"v-1\", \"type\": \"ipv6\", \"ip_address\": \"2001:db8::9/64\", \"gateway\": \"2001:db8::1\"}],\n"
		"\"services\": [{\"type\": \"dns\", \"address\": \"8.8.8.8\"}]}";
	struct run *r;
	const struct node *root = helper_yaml(json);
	size_t len;
	const char *text;

	(void)state;
	r = helper_last_run();
	text = network_from_openstack(&r->ctx, root, &len);
	assert_problems("");
	assert_string_equal(text,
		"network:\n  version: 2\n  ethernets:\n    \"tap1\":\n      match:\n        macaddress: \"fa:16:3e:00:00:01\"\n      mtu: 1450\n"
		"    \"tap2\":\n      match:\n        macaddress: \"fa:16:3e:00:00:02\"\n"
		"  bonds:\n    \"bond0\":\n      interfaces: [\"tap1\", \"tap2\"]\n      parameters:\n        mode: \"802.3ad\"\n      dhcp4: true\n"
		"      macaddress: \"fa:16:3e:00:00:03\"\n"
		"  vlans:\n    \"vlan101\":\n      id: 101\n      link: \"bond0\"\n      macaddress: \"fa:16:3e:00:00:04\"\n"
		"      addresses: [\"10.0.0.9/22\", \"2001:db8::9/64\"]\n      nameservers:\n        addresses: [\"8.8.4.4\"]\n"
		"      routes:\n      - to: \"0.0.0.0/0\"\n        via: \"10.0.0.1\"\n      - to: \"::/0\"\n        via: \"2001:db8::1\"\n"
		"  x-nameservers:\n    addresses: [\"8.8.8.8\"]\n");
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
		cmocka_unit_test(says_nothing), cmocka_unit_test(kernel_form), cmocka_unit_test(dracut_forms), cmocka_unit_test(network_config_word),
		cmocka_unit_test(problems_of_a_line), cmocka_unit_test(openstack),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
