/* test_net_parts.c - addresses, pools, published ports, DNS messages, the rules' transaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "runtime/net/dns.h"
#include "runtime/net/port.h"
#include "runtime/net/ruleset.h"

static void addresses(void **state)
{
	static const char *const bad[] = { "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "x/8", "10.0.0.0/", "10.0.0.0/8x", "fd00::1/64" };
	struct net_prefix a, b;
	char text[NET_ADDR_TEXT];
	struct net_addr x;

	(void)state;
	assert_int_equal(net_prefix_parse("10.1.0.0/16", true, &a, NULL), 0);
	assert_string_equal(net_prefix_text(&a, text), "10.1.0.0/16");
	x = net_prefix_at(&a, 258);
	assert_string_equal(net_addr_text(&x, text), "10.1.1.2");
	assert_true(net_prefix_has(&a, &x));
	assert_int_equal(net_prefix_parse("10.1.128.0/17", true, &b, NULL), 0);
	assert_true(net_prefix_overlap(&a, &b) && net_prefix_overlap(&b, &a));
	assert_int_equal(net_prefix_parse("10.2.0.0/16", true, &b, NULL), 0);
	assert_false(net_prefix_overlap(&a, &b));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(net_prefix_parse(bad[i], true, &a, NULL) < 0);
}

static bool used(const struct net_addr *a, void *arg)
{
	(void)arg;
	return a->b[3] == 1 || a->b[3] == 2;
}

static void pools(void **state)
{
	struct net_prefix p = { { AF_INET, { 10, 0, 0, 0 } }, 29 }, none = { { 0, { 0 } }, 0 };
	struct net_addr out, last;

	(void)state;
	assert_int_equal(net_pool_next(&p, &none, NULL, used, NULL, &out), 0);
	assert_int_equal(out.b[3], 3);
	last = out;
	assert_int_equal(net_pool_next(&p, &none, &last, used, NULL, &out), 0);
	assert_int_equal(out.b[3], 4);
	last.b[3] = 6;	/* 7 is the broadcast address, 0 the subnet's */
	assert_int_equal(net_pool_next(&p, &none, &last, used, NULL, &out), 0);
	assert_int_equal(out.b[3], 3);
	p.len = 30;
	assert_true(net_pool_next(&p, &none, NULL, used, NULL, &out) < 0);
}

static void ports(void **state)
{
	static const char *const bad[] = { "", "0", "65536", "80/icmp", "a", "1-2-3", "5-4", "1-2:3-5", "999.1.1.1:1:1", "80:", "1:2:3:4", "-1", "80/" };
	struct net_publish p;

	(void)state;
	assert_int_equal(net_publish_parse("8080:80/udp", &p, NULL), 0);
	assert_true(p.host == 8080 && p.port == 80 && p.protocol == NET_UDP && p.ip.family == 0);
	assert_int_equal(net_publish_parse("[::1]:1-3:4-6", &p, NULL), 0);
	assert_true(p.ip.family == AF_INET6 && p.host_end == 3 && p.port_end == 6);
	assert_int_equal(net_publish_parse("127.0.0.1::80/tcp", &p, NULL), 0);
	assert_true(p.ip.family == AF_INET && p.host == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (net_publish_parse(bad[i], &p, NULL) == 0)
			fail_msg("taken: %s", bad[i]);
}

static const uint8_t query[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03WeB\x05local\x00\x00\x01\x00\x01";

static void dns(void **state)
{
	struct dns_record many[100], one = { .addr = { AF_INET, { 1, 2, 3, 4 } } };
	uint8_t out[512], loop[sizeof(query)];
	struct dns_query q;
	struct net_addr a;
	size_t n = sizeof(query) - 1, len;

	(void)state;
	assert_int_equal(dns_read_query(query, n, &q), 0);
	assert_string_equal(q.name, "web.local");
	assert_int_equal(q.type, DNS_A);
	for (size_t i = 0; i < n; i++)
		assert_true(dns_read_query(query, i, &q) < 0);
	assert_int_equal(dns_read_query(query, n, &q), 0);
	len = dns_write_answer(query, &q, DNS_NOERROR, &one, 1, 600, out, sizeof(out));
	assert_int_equal(len, n + 16);
	assert_true(dns_is_answer(out, len, 0x1234, query, &q));
	assert_false(dns_is_answer(out, len, 0x1235, query, &q));
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = one;
	len = dns_write_answer(query, &q, DNS_NOERROR, many, ARRAY_SIZE(many), 600, out, sizeof(out));
	assert_true(len <= sizeof(out) && out[2] & 2);
	memcpy(loop, query, n);
	loop[12] = 0xc0;	/* a pointer in a question */
	assert_int_equal(dns_read_query(loop, n, &q), -DNS_FORMERR);
	assert_true(dns_reverse_parse("4.3.2.1.in-addr.arpa", &a) && a.b[0] == 1 && a.b[3] == 4);
	assert_false(dns_reverse_parse("4.3.2.999.in-addr.arpa", &a));
}

static void rules(void **state)
{
	struct ruleset_network net = { .bridge = "br0", .v4 = { { AF_INET, { 10 } }, 8 }, .masquerade = true, .icc = true };
	struct ruleset_port port = { .protocol = NET_TCP, .host = 80, .to = { AF_INET, { 10, 0, 0, 2 } }, .port = 80 };
	struct buf a, b;

	(void)state;
	buf_init(&a, RULESET_MAX);
	buf_init(&b, RULESET_MAX);
	ruleset_build(&a, &net, 1, &port, 1, false);
	ruleset_build(&b, &net, 1, &port, 1, false);
	assert_int_equal(buf_error(&a), 0);
	assert_true(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	for (size_t at = 0, step; at < a.len; at += step) {
		uint32_t len;

		memcpy(&len, a.data + at, 4);
		step = (len + 3) & ~3u;
		assert_true(len >= 16 && at + step <= a.len);
	}
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses), cmocka_unit_test(pools), cmocka_unit_test(ports), cmocka_unit_test(dns), cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
