/* netplan.c - pieces of network configuration version 2, as JSON. */
#include "netplan.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void comma(struct buf *b, bool *first)
{
	buf_puts(b, *first ? "" : ", ");
	*first = false;
}

void netplan_text(struct buf *b, bool *first, const char *key, const char *text)
{
	if (!text)
		return;
	comma(b, first);
	buf_printf(b, "\"%s\": ", key);
	buf_json_string(b, text, strlen(text));
}

void netplan_list(struct buf *b, bool *first, const char *key, const struct strings *list)
{
	if (list->n == 0)
		return;
	comma(b, first);
	buf_printf(b, "\"%s\": [", key);
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(b, i ? ", " : "");
		buf_json_string(b, list->v[i], strlen(list->v[i]));
	}
	buf_putc(b, ']');
}

/* Prefix length of a mask, -1 when it has holes or is none. */
static int prefix_of(const char *mask, bool six)
{
	unsigned char bytes[16];
	size_t n = six ? 16 : 4;
	char *end;
	long v = strtol(mask, &end, 10);
	unsigned bits = 0;
	bool zero = false;

	if (*mask && !*end)
		return v >= 0 && v <= (long)(8 * n) ? (int)v : -1;
	if (inet_pton(six ? AF_INET6 : AF_INET, mask, bytes) != 1)
		return -1;
	for (size_t i = 0; i < 8 * n; i++) {
		bool bit = bytes[i / 8] >> (7 - i % 8) & 1;

		if (bit && zero)
			return -1;
		zero = zero || !bit;
		bits += bit;
	}
	return (int)bits;
}

const char *netplan_address(struct arena *a, const char *address, const char *mask)
{
	const char *slash = address ? strchr(address, '/') : NULL;
	const char *bare = slash ? arena_strndup(a, address, (size_t)(slash - address)) : address;
	unsigned char bytes[16];
	bool six;
	int prefix;

	if (!address)
		return NULL;
	six = strchr(bare, ':') != NULL;
	if (inet_pton(six ? AF_INET6 : AF_INET, bare, bytes) != 1)
		return NULL;
	mask = slash ? slash + 1 : mask;
	prefix = mask ? prefix_of(mask, six) : six ? 128 : 32;
	return prefix < 0 ? NULL : arena_printf(a, "%s/%d", bare, prefix);
}

const char *netplan_id(struct arena *a, const char *text)
{
	char *copy = arena_strndup(a, text, strlen(text));

	for (char *p = copy; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '-';
	return copy;
}
