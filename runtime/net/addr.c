/* addr.c - addresses, subnets and what is free in them (coracle-engine). Pure. */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t net_addr_size(const struct net_addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

bool net_addr_parse(const char *s, struct net_addr *out)
{
	*out = (struct net_addr){ 0 };
	if (inet_pton(AF_INET, s, out->b) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, s, out->b) == 1)
		out->family = AF_INET6;
	return out->family != 0;
}

char *net_addr_text(const struct net_addr *a, char out[NET_ADDR_TEXT])
{
	out[0] = '\0';
	if (a->family)
		inet_ntop(a->family, a->b, out, NET_ADDR_TEXT);
	return out;
}

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, net_addr_size(a)) == 0;
}

bool net_addr_is_any(const struct net_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, net_addr_size(a)) == 0;
}

bool net_addr_is_loopback(const struct net_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->b[0] == 127 : a->family == AF_INET6 && memcmp(a->b, one, 16) == 0;
}

static void mask(struct net_addr *a, unsigned len)
{
	for (size_t i = 0; i < net_addr_size(a); i++) {
		unsigned left = len > 8 * i ? len - 8 * (unsigned)i : 0;

		a->b[i] = (uint8_t)(left >= 8 ? a->b[i] : a->b[i] & ~(0xff >> left));
	}
}

int net_prefix_parse(const char *s, bool subnet, struct net_prefix *out, struct err *err)
{
	const char *slash = strchr(s, '/');
	char text[NET_ADDR_TEXT], *end;
	struct net_addr masked;
	unsigned long bits;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return err_set(err, 0, "invalid CIDR address: %.64s", s);
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	bits = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || !net_addr_parse(text, &out->addr) || bits > 8 * net_addr_size(&out->addr))
		return err_set(err, 0, "invalid CIDR address: %.64s", s);
	out->len = (unsigned)bits;
	masked = out->addr;
	mask(&masked, out->len);
	if (!subnet || net_addr_equal(&masked, &out->addr))
		return 0;
	return err_set(err, 0, "invalid subnet %.64s: it should be %s/%u", s, net_addr_text(&masked, text), out->len);
}

char *net_prefix_text(const struct net_prefix *p, char out[NET_ADDR_TEXT])
{
	char address[NET_ADDR_TEXT];

	out[0] = '\0';
	if (p->addr.family)
		snprintf(out, NET_ADDR_TEXT, "%.50s/%u", net_addr_text(&p->addr, address), p->len);
	return out;
}

bool net_prefix_has(const struct net_prefix *p, const struct net_addr *a)
{
	struct net_addr x = *a, y = p->addr;

	mask(&x, p->len);
	mask(&y, p->len);
	return p->addr.family && net_addr_equal(&x, &y);
}

bool net_prefix_overlap(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->len <= b->len ? net_prefix_has(a, &b->addr) : net_prefix_has(b, &a->addr);
}

struct net_addr net_prefix_at(const struct net_prefix *p, uint64_t n)
{
	struct net_addr a = p->addr;

	mask(&a, p->len);
	for (size_t i = net_addr_size(&a); i-- > 0 && n;) {
		n += a.b[i];
		a.b[i] = (uint8_t)n;
		n >>= 8;
	}
	return a;
}

uint64_t net_prefix_count(const struct net_prefix *p)
{
	size_t host = 8 * net_addr_size(&p->addr) - p->len;

	return 1ULL << MIN(host, (size_t)32);
}

/* Where a lies in p; only the last four bytes count, as no more are ever given out. */
static uint64_t offset_of(const struct net_prefix *p, const struct net_addr *a)
{
	struct net_addr base = net_prefix_at(p, 0);
	size_t n = net_addr_size(a);
	uint32_t x = 0, y = 0;

	for (size_t i = n - 4; i < n; i++) {
		x = x << 8 | a->b[i];
		y = y << 8 | base.b[i];
	}
	return (uint32_t)(x - y);
}

int net_pool_next(const struct net_prefix *subnet, const struct net_prefix *range, const struct net_addr *last,
	bool (*used)(const struct net_addr *a, void *arg), void *arg, struct net_addr *out)
{
	const struct net_prefix *from = range->addr.family ? range : subnet;
	uint64_t n = MIN(net_prefix_count(from), 1ULL << 20), start = 0;
	uint64_t whole = net_prefix_count(subnet);

	if (last && last->family == from->addr.family && net_prefix_has(from, last))
		start = offset_of(from, last) + 1;
	for (uint64_t i = 0; i < n; i++) {
		struct net_addr a = net_prefix_at(from, (start + i) % n);
		uint64_t at = offset_of(subnet, &a);

		if (whole > 2 && (at == 0 || (a.family == AF_INET && at == whole - 1)))
			continue;
		if (used(&a, arg))
			continue;
		*out = a;
		return 0;
	}
	return -ENOSPC;
}

int net_pool_subnet(bool (*overlaps)(const struct net_prefix *p, void *arg), void *arg, struct net_prefix *out)
{
	for (uint8_t i = 17; i < 32; i++) {
		*out = (struct net_prefix){ { AF_INET, { 172, i } }, 16 };
		if (!overlaps(out, arg))
			return 0;
	}
	for (unsigned i = 0; i < 256; i += 16) {
		*out = (struct net_prefix){ { AF_INET, { 192, 168, (uint8_t)i } }, 20 };
		if (!overlaps(out, arg))
			return 0;
	}
	return -ENOSPC;
}

void net_pool_ula(const uint8_t random[16], struct net_prefix *out)
{
	*out = (struct net_prefix){ { AF_INET6, { 0xfd } }, 64 };
	memcpy(out->addr.b + 1, random, 7);
}

void net_addr_mac(const struct net_addr *a, uint8_t mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x42;
	memcpy(mac + 2, a->b + (net_addr_size(a) >= 4 ? net_addr_size(a) - 4 : 0), 4);
}

bool net_mac_parse(const char *s, uint8_t mac[6])
{
	unsigned v[6];
	int used = 0;

	if (sscanf(s, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &used) != 6 || s[used])
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return !(mac[0] & 1);
}

char *net_mac_text(const uint8_t mac[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return out;
}
