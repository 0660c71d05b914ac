/* dns.c - DNS messages in and out (coracle-engine). Pure: see the limits in dns.h. */
#include "dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FLAG_QR 0x8000u
#define FLAG_TC 0x0200u
#define FLAG_RD 0x0100u
#define FLAG_RA 0x0080u
#define OPCODE(flags) ((flags) >> 11 & 15)
#define NOTHING (-255)

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A name without compression at *at. A dot inside a label, or what does not print, is no name that we could know: it becomes '?'. */
static bool take_name(const uint8_t *p, size_t n, size_t *at, char *out)
{
	size_t len = 0;

	for (;;) {
		size_t label = *at < n ? p[(*at)++] : 64;

		if (label == 0)
			break;
		if (label > 63 || label > n - *at || len + label + 1 >= DNS_NAME_MAX - 1)
			return false;
		if (len)
			out[len++] = '.';
		for (size_t i = 0; i < label; i++) {
			uint8_t c = p[(*at)++];

			out[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c <= ' ' || c > '~' || c == '.' ? '?' : c);
		}
	}
	out[len] = '\0';
	return true;
}

/* Steps over a name that may be compressed. */
static bool skip_name(const uint8_t *p, size_t n, size_t *at)
{
	while (*at < n) {
		size_t label = p[(*at)++];

		if (label == 0)
			return true;
		if (label >= 192) {
			(*at)++;
			return *at <= n;
		}
		if (label > 63)
			return false;
		*at += label;
	}
	return false;
}

/* The OPT record among the others, for the size that the client takes. */
static bool take_edns(const uint8_t *p, size_t n, size_t at, unsigned records, struct dns_query *q)
{
	while (records-- > 0) {
		if (!skip_name(p, n, &at) || n - at < 10)
			return false;
		if (get16(p + at) == DNS_OPT)
			q->udp_max = MIN(MAX((size_t)get16(p + at + 2), (size_t)DNS_UDP_MAX), (size_t)DNS_EDNS_MAX);
		if ((size_t)get16(p + at + 8) > n - at - 10)
			return false;
		at += 10 + (size_t)get16(p + at + 8);
	}
	return true;
}

int dns_read_query(const uint8_t *p, size_t n, struct dns_query *q)
{
	size_t at = DNS_HEADER;
	unsigned flags;

	*q = (struct dns_query){ .udp_max = DNS_UDP_MAX };
	if (n < DNS_HEADER || get16(p + 2) & FLAG_QR)
		return NOTHING;
	q->id = get16(p);
	flags = get16(p + 2);
	if (OPCODE(flags) != 0)
		return -DNS_NOTIMP;
	if (get16(p + 4) != 1 || get16(p + 6) != 0 || get16(p + 8) != 0 || !take_name(p, n, &at, q->name) || n - at < 4)
		return -DNS_FORMERR;
	q->type = get16(p + at);
	q->class = get16(p + at + 2);
	q->question = at + 4;
	return take_edns(p, n, q->question, get16(p + 10), q) ? 0 : -DNS_FORMERR;
}

static void put_header(const uint8_t *query, unsigned rcode, unsigned answers, uint8_t *out)
{
	memset(out, 0, DNS_HEADER);
	memcpy(out, query, 2);
	put16(out + 2, FLAG_QR | (get16(query + 2) & FLAG_RD) | FLAG_RA | rcode);
	put16(out + 6, answers);
}

size_t dns_write_refusal(const uint8_t *query, enum dns_rcode rcode, uint8_t out[DNS_HEADER])
{
	put_header(query, rcode, 0, out);
	return DNS_HEADER;
}

static bool put_text_name(const char *name, uint8_t *out, size_t size, size_t *len)
{
	size_t at = 0;

	while (*name) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > 63 || at + n + 2 > size)
			return false;
		out[at++] = (uint8_t)n;
		memcpy(out + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	if (at + 1 > size)
		return false;
	out[at++] = 0;
	*len = at;
	return true;
}

/* One record whose name is the question's. */
static bool put_record(const struct dns_record *r, uint32_t ttl, uint8_t *out, size_t size, size_t *len)
{
	size_t data = r->name ? 0 : net_addr_size(&r->addr);

	if (size < 12 + data)
		return false;
	put16(out, 0xc000 | DNS_HEADER);
	put16(out + 2, r->name ? DNS_PTR : r->addr.family == AF_INET ? DNS_A : DNS_AAAA);
	put16(out + 4, 1);
	put16(out + 6, ttl >> 16);
	put16(out + 8, ttl);
	if (r->name ? !put_text_name(r->name, out + 12, size - 12, &data) : false)
		return false;
	if (!r->name)
		memcpy(out + 12, r->addr.b, data);
	put16(out + 10, (unsigned)data);
	*len += 12 + data;
	return true;
}

size_t dns_write_answer(const uint8_t *query, const struct dns_query *q, enum dns_rcode rcode, const struct dns_record *records, size_t count,
	uint32_t ttl, uint8_t *out, size_t size)
{
	size_t len = q->question;
	unsigned put = 0;
	bool cut = false;

	if (size < len)
		return 0;
	memcpy(out, query, len);
	while (!cut && put < count && put < UINT16_MAX) {
		cut = !put_record(&records[put], ttl, out + len, size - len, &len);
		put += !cut;
	}
	put_header(query, rcode, put, out);
	put16(out + 4, 1);
	if (cut)
		put16(out + 2, get16(out + 2) | FLAG_TC);
	return len;
}

bool dns_is_answer(const uint8_t *p, size_t n, uint16_t id, const uint8_t *query, const struct dns_query *q)
{
	struct dns_query theirs = { 0 };
	size_t at = DNS_HEADER;

	if (n < DNS_HEADER || get16(p) != id || !(get16(p + 2) & FLAG_QR))
		return false;
	/* a refusal may come without the question */
	if (get16(p + 4) == 0)
		return (get16(p + 2) & 15) != DNS_NOERROR;
	(void)query;
	return get16(p + 4) == 1 && take_name(p, n, &at, theirs.name) && n - at >= 4 && get16(p + at) == q->type && get16(p + at + 2) == q->class &&
	       strcmp(theirs.name, q->name) == 0;
}

size_t dns_cut(uint8_t *p, size_t n, const struct dns_query *q, size_t limit)
{
	if (n <= limit || q->question > n)
		return n;
	put16(p + 2, get16(p + 2) | FLAG_TC);
	put16(p + 6, 0);
	put16(p + 8, 0);
	put16(p + 10, 0);
	return q->question;
}

static bool reverse4(const char *name, struct net_addr *out)
{
	unsigned v[4];
	int used = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &v[0], &v[1], &v[2], &v[3], &used) != 4 || used == 0 || name[used])
		return false;
	*out = (struct net_addr){ .family = AF_INET };
	for (int i = 0; i < 4; i++) {
		if (v[i] > 255)
			return false;
		out->b[3 - i] = (uint8_t)v[i];
	}
	return true;
}

bool dns_reverse_parse(const char *name, struct net_addr *out)
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(name) != 72 || strcmp(name + 64, "ip6.arpa") != 0)
		return reverse4(name, out);
	*out = (struct net_addr){ .family = AF_INET6 };
	for (int i = 0; i < 32; i++) {
		const char *d = strchr(digits, name[2 * i]);

		if (!d || !name[2 * i] || name[2 * i + 1] != '.')
			return false;
		out->b[15 - i / 2] = (uint8_t)(out->b[15 - i / 2] | (unsigned)(d - digits) << (i % 2 ? 4 : 0));
	}
	return true;
}
