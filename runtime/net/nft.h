/* nft.h - a small encoder of nf_tables' netlink messages (linux/netfilter/nf_tables.h): one transaction in one buffer.
 *
 * Pure: bytes go into the caller's buffer, netlink_batch() (lib/netlink.h) sends them. A rule is nft_rule(), then matches
 * and actions in order, then nft_rule_end(). All of it is of the family inet. What does not fit sticks in the buffer (buf_error()). */
#ifndef CORACLE_NET_NFT_H
#define CORACLE_NET_NFT_H

#include <stdbool.h>
#include <stdint.h>
#include "addr.h"
#include "buf.h"
#include "netlink.h"

struct nft {
	struct buf *out;
	const char *table;
	struct nl_message m;
	size_t nest;		/* of the rule's expressions */
	uint32_t seq;
};

enum nft_side { NFT_SIDE_SOURCE, NFT_SIDE_DESTINATION };

void nft_begin(struct nft *n, struct buf *out, const char *table);
void nft_end(struct nft *n);

void nft_add_table(struct nft *n);
void nft_delete_table(struct nft *n);		/* it must be there */
void nft_flush_table(struct nft *n);		/* all rules of all its chains */
/* type "filter" or "nat" with a hook (NF_INET_...), or NULL: a chain to jump to. */
void nft_add_chain(struct nft *n, const char *name, const char *type, uint32_t hook, int32_t priority);

void nft_rule(struct nft *n, const char *chain);
void nft_rule_end(struct nft *n);

void nft_match_iif(struct nft *n, const char *name, bool equal);
void nft_match_oif(struct nft *n, const char *name, bool equal);
void nft_match_family(struct nft *n, int family);		/* AF_INET, AF_INET6 */
void nft_match_protocol(struct nft *n, uint8_t protocol);
void nft_match_port(struct nft *n, enum nft_side side, uint16_t port);
/* Also matches the family. */
void nft_match_prefix(struct nft *n, enum nft_side side, const struct net_prefix *p);
void nft_match_ct_state(struct nft *n, uint32_t bits);		/* any of NF_CT_STATE_BIT() */
void nft_match_ct_dnat(struct nft *n);				/* its destination was translated */
void nft_match_local(struct nft *n);				/* the destination is an address of this machine */

void nft_verdict(struct nft *n, int32_t verdict);		/* NF_ACCEPT, NF_DROP, NFT_RETURN */
void nft_jump(struct nft *n, const char *chain);
void nft_dnat(struct nft *n, const struct net_addr *to, uint16_t port);
void nft_masquerade(struct nft *n);

#endif
