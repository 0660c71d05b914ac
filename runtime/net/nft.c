/* nft.c - messages of nf_tables, one behind the other (coracle-engine). Pure.
 *
 * Numbers in attributes are in network order; what a register holds is compared as bytes, in the order that the packet or the kernel has it. */
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

static void put_message(struct nft *n)
{
	n->m.u.head.nlmsg_len = (uint32_t)n->m.len;
	n->m.u.head.nlmsg_seq = n->seq++;
	if (n->m.full)
		n->out->error = -EFBIG;
	buf_add(n->out, n->m.u.bytes, n->m.len);
}

static void batch_edge(struct nft *n, uint16_t type)
{
	struct nfgenmsg body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	nl_begin(&n->m, type, 0, &body, sizeof(body));
	put_message(n);
}

void nft_begin(struct nft *n, struct buf *out, const char *table)
{
	*n = (struct nft){ .out = out, .table = table };
	batch_edge(n, NFNL_MSG_BATCH_BEGIN);
}

void nft_end(struct nft *n)
{
	batch_edge(n, NFNL_MSG_BATCH_END);
}

static void begin(struct nft *n, unsigned type, uint16_t flags)
{
	struct nfgenmsg body = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	nl_begin(&n->m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, &body, sizeof(body));
}

static void add_be32(struct nft *n, unsigned attribute, uint32_t v)
{
	nl_add_u32(&n->m, attribute, htonl(v));
}

void nft_add_table(struct nft *n)
{
	begin(n, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nl_add_text(&n->m, NFTA_TABLE_NAME, n->table);
	put_message(n);
}

void nft_delete_table(struct nft *n)
{
	begin(n, NFT_MSG_DELTABLE, 0);
	nl_add_text(&n->m, NFTA_TABLE_NAME, n->table);
	put_message(n);
}

void nft_flush_table(struct nft *n)
{
	begin(n, NFT_MSG_DELRULE, 0);
	nl_add_text(&n->m, NFTA_RULE_TABLE, n->table);
	put_message(n);
}

void nft_add_chain(struct nft *n, const char *name, const char *type, uint32_t hook, int32_t priority)
{
	size_t nest;

	begin(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nl_add_text(&n->m, NFTA_CHAIN_TABLE, n->table);
	nl_add_text(&n->m, NFTA_CHAIN_NAME, name);
	if (type) {
		nest = nl_nest(&n->m, NFTA_CHAIN_HOOK);
		add_be32(n, NFTA_HOOK_HOOKNUM, hook);
		add_be32(n, NFTA_HOOK_PRIORITY, (uint32_t)priority);
		nl_end(&n->m, nest);
		nl_add_text(&n->m, NFTA_CHAIN_TYPE, type);
	}
	put_message(n);
}

void nft_rule(struct nft *n, const char *chain)
{
	begin(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nl_add_text(&n->m, NFTA_RULE_TABLE, n->table);
	nl_add_text(&n->m, NFTA_RULE_CHAIN, chain);
	n->nest = nl_nest(&n->m, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *n)
{
	nl_end(&n->m, n->nest);
	put_message(n);
}

/* -- expressions ---------------------------------------------------------- */

struct expression {
	size_t element, data;
};

static struct expression open_expression(struct nft *n, const char *name)
{
	struct expression e = { .element = nl_nest(&n->m, NFTA_LIST_ELEM) };

	nl_add_text(&n->m, NFTA_EXPR_NAME, name);
	e.data = nl_nest(&n->m, NFTA_EXPR_DATA);
	return e;
}

static void close_expression(struct nft *n, struct expression e)
{
	nl_end(&n->m, e.data);
	nl_end(&n->m, e.element);
}

static void add_value(struct nft *n, unsigned attribute, const void *v, size_t size)
{
	size_t nest = nl_nest(&n->m, attribute);

	nl_add(&n->m, NFTA_DATA_VALUE, v, size);
	nl_end(&n->m, nest);
}

static void load_meta(struct nft *n, uint32_t key)
{
	struct expression e = open_expression(n, "meta");

	add_be32(n, NFTA_META_DREG, NFT_REG_1);
	add_be32(n, NFTA_META_KEY, key);
	close_expression(n, e);
}

static void load_payload(struct nft *n, uint32_t base, uint32_t offset, uint32_t size)
{
	struct expression e = open_expression(n, "payload");

	add_be32(n, NFTA_PAYLOAD_DREG, NFT_REG_1);
	add_be32(n, NFTA_PAYLOAD_BASE, base);
	add_be32(n, NFTA_PAYLOAD_OFFSET, offset);
	add_be32(n, NFTA_PAYLOAD_LEN, size);
	close_expression(n, e);
}

static void compare(struct nft *n, uint32_t op, const void *v, size_t size)
{
	struct expression e = open_expression(n, "cmp");

	add_be32(n, NFTA_CMP_SREG, NFT_REG_1);
	add_be32(n, NFTA_CMP_OP, op);
	add_value(n, NFTA_CMP_DATA, v, size);
	close_expression(n, e);
}

/* reg1 = reg1 & mask */
static void and_with(struct nft *n, const void *mask, size_t size)
{
	static const uint8_t zero[16];
	struct expression e = open_expression(n, "bitwise");

	add_be32(n, NFTA_BITWISE_SREG, NFT_REG_1);
	add_be32(n, NFTA_BITWISE_DREG, NFT_REG_1);
	add_be32(n, NFTA_BITWISE_LEN, (uint32_t)size);
	add_value(n, NFTA_BITWISE_MASK, mask, size);
	add_value(n, NFTA_BITWISE_XOR, zero, size);
	close_expression(n, e);
}

static void match_name(struct nft *n, uint32_t key, const char *name, bool equal)
{
	char padded[IFNAMSIZ] = "";

	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	load_meta(n, key);
	compare(n, equal ? NFT_CMP_EQ : NFT_CMP_NEQ, padded, sizeof(padded));
}

void nft_match_iif(struct nft *n, const char *name, bool equal)
{
	match_name(n, NFT_META_IIFNAME, name, equal);
}

void nft_match_oif(struct nft *n, const char *name, bool equal)
{
	match_name(n, NFT_META_OIFNAME, name, equal);
}

void nft_match_family(struct nft *n, int family)
{
	uint8_t protocol = family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	load_meta(n, NFT_META_NFPROTO);
	compare(n, NFT_CMP_EQ, &protocol, 1);
}

void nft_match_protocol(struct nft *n, uint8_t protocol)
{
	load_meta(n, NFT_META_L4PROTO);
	compare(n, NFT_CMP_EQ, &protocol, 1);
}

/* tcp, udp and sctp have both ports at the beginning of their headers */
void nft_match_port(struct nft *n, enum nft_side side, uint16_t port)
{
	uint16_t wire = htons(port);

	load_payload(n, NFT_PAYLOAD_TRANSPORT_HEADER, side == NFT_SIDE_SOURCE ? 0 : 2, 2);
	compare(n, NFT_CMP_EQ, &wire, 2);
}

void nft_match_prefix(struct nft *n, enum nft_side side, const struct net_prefix *p)
{
	size_t size = net_addr_size(&p->addr);
	struct net_addr base = net_prefix_at(p, 0);
	uint32_t offset = size == 4 ? 12 : 8;	/* of the source address in its header */
	uint8_t mask[16] = { 0 };

	nft_match_family(n, p->addr.family);
	if (p->len == 0)
		return;
	load_payload(n, NFT_PAYLOAD_NETWORK_HEADER, offset + (side == NFT_SIDE_SOURCE ? 0 : (uint32_t)size), (uint32_t)size);
	if (p->len < 8 * size) {
		for (unsigned i = 0; i < p->len; i++)
			mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
		and_with(n, mask, size);
	}
	compare(n, NFT_CMP_EQ, base.b, size);
}

static void match_ct_bits(struct nft *n, uint32_t key, uint32_t bits)
{
	struct expression e = open_expression(n, "ct");
	uint32_t zero = 0;

	add_be32(n, NFTA_CT_DREG, NFT_REG_1);
	add_be32(n, NFTA_CT_KEY, key);
	close_expression(n, e);
	and_with(n, &bits, sizeof(bits));
	compare(n, NFT_CMP_NEQ, &zero, sizeof(zero));
}

void nft_match_ct_state(struct nft *n, uint32_t bits)
{
	match_ct_bits(n, NFT_CT_STATE, bits);
}

void nft_match_ct_dnat(struct nft *n)
{
	match_ct_bits(n, NFT_CT_STATUS, IPS_DST_NAT);
}

void nft_match_local(struct nft *n)
{
	struct expression e = open_expression(n, "fib");
	uint32_t local = RTN_LOCAL;

	add_be32(n, NFTA_FIB_DREG, NFT_REG_1);
	add_be32(n, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	add_be32(n, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
	close_expression(n, e);
	compare(n, NFT_CMP_EQ, &local, sizeof(local));
}

static void verdict(struct nft *n, int32_t code, const char *chain)
{
	struct expression e = open_expression(n, "immediate");
	size_t data, inner;

	add_be32(n, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nl_nest(&n->m, NFTA_IMMEDIATE_DATA);
	inner = nl_nest(&n->m, NFTA_DATA_VERDICT);
	add_be32(n, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		nl_add_text(&n->m, NFTA_VERDICT_CHAIN, chain);
	nl_end(&n->m, inner);
	nl_end(&n->m, data);
	close_expression(n, e);
}

void nft_verdict(struct nft *n, int32_t code)
{
	verdict(n, code, NULL);
}

void nft_jump(struct nft *n, const char *chain)
{
	verdict(n, NFT_JUMP, chain);
}

static void load_value(struct nft *n, uint32_t reg, const void *v, size_t size)
{
	struct expression e = open_expression(n, "immediate");

	add_be32(n, NFTA_IMMEDIATE_DREG, reg);
	add_value(n, NFTA_IMMEDIATE_DATA, v, size);
	close_expression(n, e);
}

void nft_dnat(struct nft *n, const struct net_addr *to, uint16_t port)
{
	uint16_t wire = htons(port);
	struct expression e;

	load_value(n, NFT_REG_1, to->b, net_addr_size(to));
	load_value(n, NFT_REG_2, &wire, sizeof(wire));
	e = open_expression(n, "nat");
	add_be32(n, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	add_be32(n, NFTA_NAT_FAMILY, to->family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	add_be32(n, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	add_be32(n, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
	close_expression(n, e);
}

void nft_masquerade(struct nft *n)
{
	close_expression(n, open_expression(n, "masq"));
}
