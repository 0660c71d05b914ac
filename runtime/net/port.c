/* port.c - reads published ports (coracle-engine). Pure. */
#include "port.h"

#include <stdlib.h>
#include <string.h>

const char *net_protocol_name(enum net_protocol p)
{
	return p == NET_UDP ? "udp" : p == NET_SCTP ? "sctp" : "tcp";
}

/* N or N-N of n characters. */
static bool take_range(const char *s, size_t n, bool zero, uint16_t *low, uint16_t *high)
{
	unsigned long v[2] = { 0, 0 };
	size_t at = 0;
	int i = 0;

	for (; i < 2; i++) {
		size_t start = at;

		while (at < n && s[at] >= '0' && s[at] <= '9' && at - start < 5)
			v[i] = v[i] * 10 + (unsigned long)(s[at++] - '0');
		if (at == start || v[i] > 65535 || (v[i] == 0 && !zero))
			return false;
		if (at == n)
			break;
		if (i > 0 || s[at++] != '-')
			return false;
	}
	*low = (uint16_t)v[0];
	*high = i == 0 ? *low : (uint16_t)v[1];
	return *high >= *low;
}

static bool take_protocol(const char *s, enum net_protocol *out)
{
	*out = strcmp(s, "udp") == 0 ? NET_UDP : strcmp(s, "sctp") == 0 ? NET_SCTP : NET_TCP;
	return *out != NET_TCP || strcmp(s, "tcp") == 0;
}

static bool take_address(const char *s, size_t n, struct net_addr *out)
{
	char text[NET_ADDR_TEXT];

	if (n > 2 && s[0] == '[' && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	if (n == 0)
		return true;
	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return net_addr_parse(text, out);
}

int net_publish_parse(const char *s, struct net_publish *out, struct err *err)
{
	size_t end = strcspn(s, "/");
	const char *container = memrchr(s, ':', end), *host;
	bool ok;

	*out = (struct net_publish){ .protocol = NET_TCP };
	ok = !s[end] || take_protocol(s + end + 1, &out->protocol);
	if (container) {
		size_t before = (size_t)(container - s);

		host = memrchr(s, ':', before);
		host = host ? host + 1 : s;
		if (container > host)
			ok = ok && take_range(host, (size_t)(container - host), true, &out->host, &out->host_end);
		if (host > s)
			ok = ok && take_address(s, (size_t)(host - s) - 1, &out->ip);
	}
	container = container ? container + 1 : s;
	ok = ok && take_range(container, end - (size_t)(container - s), false, &out->port, &out->port_end);
	if (!ok)
		return err_set(err, 0, "invalid port specification: \"%.100s\"", s);
	if (out->host && out->port_end > out->port && out->host_end - out->host != out->port_end - out->port)
		return err_set(err, 0, "invalid ranges specified for container and host Ports: \"%.100s\"", s);
	return 0;
}
