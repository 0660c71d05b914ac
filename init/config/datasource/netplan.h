/* netplan.h - writes network configuration version 2 from what clouds say of their networks. Used by the datasources only. */
#ifndef CORACLE_CONFIG_NETPLAN_H
#define CORACLE_CONFIG_NETPLAN_H

#include "buf.h"
#include "../schema.h"

#define NETPLAN_MAX ((size_t)256 << 10)

/* "key": "text", with a comma in front when *first is false, which it is then. NULL text: nothing. */
void netplan_text(struct buf *b, bool *first, const char *key, const char *text);
/* "key": [ ... ] of texts; nothing when there are none. */
void netplan_list(struct buf *b, bool *first, const char *key, const struct strings *list);
/* "address/24"; the mask may be a prefix length or dotted, and the address may have one already. NULL when it is none (a text in the arena else). */
const char *netplan_address(struct arena *a, const char *address, const char *mask);
/* Removes what the kernel would not take in the name of a device or an id: other characters become '-'. */
const char *netplan_id(struct arena *a, const char *text);

#endif
