/* text.c - addresses, masks, hardware addresses and names of devices, from and to text.
 *
 * Pure functions of coracle-config; nothing here reports or touches the machine. */
#include "plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../scalar.h"

static unsigned bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

int plan_parse_ip(const char *s, size_t n, struct plan_address *out)
{
	char copy[INET6_ADDRSTRLEN + 1];
	struct plan_address a = { .family = AF_INET };

	if (n == 0 || n >= sizeof(copy) || memchr(s, '\0', n))
		return -EINVAL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	if (strchr(copy, ':'))
		a.family = AF_INET6;
	if (inet_pton(a.family, copy, a.bytes) != 1)
		return -EINVAL;
	a.prefix = (uint8_t)bits_of(a.family);
	*out = a;
	return 0;
}

int plan_parse_mask(const char *s, int family, uint8_t *prefix)
{
	struct plan_address mask;
	uint64_t number;
	unsigned n = 0;

	if (scalar_uint(s, bits_of(family), &number) == 0) {
		*prefix = (uint8_t)number;
		return 0;
	}
	if (plan_parse_ip(s, strlen(s), &mask) < 0 || mask.family != family)
		return -EINVAL;
	while (n < bits_of(family) && (mask.bytes[n / 8] & (0x80u >> n % 8)))
		n++;
	/* ones and then zeros only */
	for (unsigned i = n; i < bits_of(family); i++)
		if (mask.bytes[i / 8] & (0x80u >> i % 8))
			return -EINVAL;
	*prefix = (uint8_t)n;
	return 0;
}

int plan_parse_prefixed(const char *s, struct plan_address *out)
{
	const char *slash = strchr(s, '/');
	struct plan_address a;

	if (plan_parse_ip(s, slash ? (size_t)(slash - s) : strlen(s), &a) < 0)
		return -EINVAL;
	if (slash && plan_parse_mask(slash + 1, a.family, &a.prefix) < 0)
		return -EINVAL;
	*out = a;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int plan_parse_mac(const char *s, struct plan_mac *out)
{
	struct plan_mac m = { .len = 0 };

	for (;; s++) {
		int high = hex(s[0]);
		int low = high < 0 ? -1 : hex(s[1]);

		if (low < 0 || m.len == PLAN_MAC_MAX)
			return -EINVAL;
		m.bytes[m.len++] = (uint8_t)(high << 4 | low);
		s += 2;
		if (!*s)
			break;
		if (*s != ':' && *s != '-')
			return -EINVAL;
	}
	if (m.len != 6 && m.len != 20)
		return -EINVAL;
	*out = m;
	return 0;
}

bool plan_name_ok(const char *s)
{
	size_t n = strlen(s);

	/* the kernel refuses / : and blanks; shells, unit files and file names mind more */
	return n > 0 && n < IFNAMSIZ && s[0] != '.' && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@") == n && strcmp(s, "lo") != 0 &&
	       strcmp(s, "all") != 0 && strcmp(s, "default") != 0;
}

const char *plan_ip_text(struct arena *a, const struct plan_address *ip, bool with_prefix)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(ip->family, ip->bytes, text, sizeof(text));
	return with_prefix ? arena_printf(a, "%s/%u", text, ip->prefix) : arena_printf(a, "%s", text);
}

const char *plan_mac_text(struct arena *a, const struct plan_mac *m)
{
	char text[3 * PLAN_MAC_MAX + 1];

	for (unsigned i = 0; i < m->len; i++) {
		static const char digits[] = "0123456789abcdef";

		text[3 * i] = digits[m->bytes[i] >> 4];
		text[3 * i + 1] = digits[m->bytes[i] & 15];
		text[3 * i + 2] = ':';
	}
	return arena_strndup(a, text, m->len ? 3u * m->len - 1 : 0);
}

struct plan_address plan_network_of(const struct plan_address *a)
{
	struct plan_address net = *a;

	for (unsigned i = a->prefix; i < bits_of(a->family); i++)
		net.bytes[i / 8] = (uint8_t)(net.bytes[i / 8] & ~(0x80u >> i % 8));
	return net;
}

bool plan_same_network(const struct plan_address *net, const struct plan_address *ip)
{
	struct plan_address a = plan_network_of(net);
	struct plan_address b = *ip;

	b.prefix = net->prefix;
	b = plan_network_of(&b);
	return net->family == ip->family && !memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

bool plan_same_mac(const struct plan_mac *a, const struct plan_mac *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}
