/* plan.h - a network plan: devices, their addresses, routes, rules and names, whatever form it was written in.
 *
 * Both versions of network-config, the kernel command line and the clouds' own forms become this one; print.c writes it as version 2, apply.c
 * makes the machine so. Everything lives in the arena of the run. Used inside init/config/network, and by its tests. */
#ifndef CORACLE_CONFIG_NETWORK_PLAN_H
#define CORACLE_CONFIG_NETWORK_PLAN_H

#include <net/if.h>
#include <stdint.h>
#include <sys/types.h>
#include "network.h"

#define PLAN_DEVICES_MAX 128
#define PLAN_MAC_MAX 20		/* bytes: 6 of Ethernet, 20 of InfiniBand */
#define PLAN_UNSET INT64_C(-1)	/* of numbers that may be left out */

/* An address or a network. family AF_UNSPEC: not given. */
struct plan_address {
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t prefix;
	uint8_t bytes[16];
};

struct plan_addresses {
	struct plan_address *v;
	size_t n;
};

struct plan_mac {
	uint8_t len;		/* 0: not given */
	uint8_t bytes[PLAN_MAC_MAX];
};

/* true, false, or not said. */
enum plan_choice { PLAN_DEFAULT, PLAN_NO, PLAN_YES };

struct plan_route {
	const struct node *at;
	struct plan_address to;		/* prefix 0: default */
	struct plan_address via;	/* AF_UNSPEC: on the link */
	struct plan_address from;
	int64_t metric, table, mtu;	/* PLAN_UNSET */
	int type, scope;		/* RTN_UNICAST ...; RT_SCOPE_..., -1 */
	bool on_link;
	struct plan_route *next;
};

struct plan_rule {
	const struct node *at;
	struct plan_address from, to;
	int64_t table, priority, mark, tos;
	struct plan_rule *next;
};

/* dhcp4-overrides, dhcp6-overrides. */
struct plan_dhcp {
	enum plan_choice enabled;
	bool stateless;		/* v6: what else the server says, and no address (an information request; RFC 8415, 18.2.6) */
	enum plan_choice use_dns, use_routes, use_mtu, use_hostname, use_domains, send_hostname;
	int64_t metric;
	const char *hostname;
};

enum plan_kind { PLAN_ETHERNET, PLAN_BOND, PLAN_BRIDGE, PLAN_VLAN };

/* A parameter of a bond or bridge, as netlink wants it. */
struct plan_param {
	const struct param_key *key;	/* params.h */
	const char *text;		/* as version 2 writes it */
	uint32_t number;
	const char *port;		/* path-cost and port-priority: of this member; else NULL */
	struct plan_addresses targets;	/* arp-ip-targets */
	struct plan_param *next;
};

struct network_device {
	const struct node *at;
	enum plan_kind kind;
	const char *id;			/* what others call it: the key of version 2, the name of version 1 */
	/* which device it is (PLAN_ETHERNET); without any of them the one whose name is id */
	struct plan_mac match_mac;
	struct strings match_names;	/* globs */
	struct strings match_drivers;	/* globs */
	const char *set_name;		/* NULL: it keeps its name */
	/* how it is made */
	struct strings members;		/* of a bond or bridge: ids */
	const char *link;		/* of a VLAN: id */
	int64_t vlan_id;
	struct plan_param *params;

	struct plan_dhcp dhcp[2];	/* v4, v6 */
	enum plan_choice accept_ra, ipv6_privacy, wake_on_lan;
	enum plan_choice link_local6;	/* PLAN_NO: no fe80:: address; link_local4: 169.254.x.y is not done */
	bool optional;
	bool manual;			/* version 1, control: manual: made and named, not brought up */
	bool unmanaged;			/* activation-mode off/manual */
	struct plan_mac mac;
	int64_t mtu, mtu6;
	struct plan_addresses addresses;
	struct plan_route *routes;
	struct plan_rule *rules;
	struct plan_addresses nameservers;
	struct strings search;
	struct network_device *master;	/* filled by plan_check */
	bool seen;			/* plan_check's */
	struct network_device *next;
};

struct network_plan {
	bool disabled;			/* network: {config: disabled}: nothing is to be done */
	struct network_device *devices;	/* as written */
	size_t n_devices;
	struct plan_route *routes;	/* of version 1, for whichever device reaches the gateway */
	struct plan_addresses nameservers;	/* of no device */
	struct strings search;
	const char *source;		/* "network-config", "ip=": for messages */
};

/* ---- plan.c */

struct network_device *plan_add_device(struct ctx *ctx, struct network_plan *p, enum plan_kind kind, const char *id);
struct network_device *plan_find_device(const struct network_plan *p, const char *id);
/* DHCPv6 for it. stateless: only where nothing asked for an address too; then router advertisements are taken, unless refused. */
void network_set_dhcp6(struct network_device *d, bool stateless);
/* The name it has when the plan is in force; NULL: found by its match, and it keeps its name. */
const char *plan_device_name(const struct network_device *d);
void plan_add_address(struct ctx *ctx, struct plan_addresses *to, const struct plan_address *a);
struct plan_route *plan_add_route(struct ctx *ctx, struct plan_route **list);
struct plan_rule *plan_add_rule(struct ctx *ctx, struct plan_rule **list);
bool plan_has_addresses(const struct network_device *d);
bool plan_wants_dhcp(const struct network_device *d);

/* Cross checks: members and links exist and go in no circle, nobody has two masters, names are there once. */
void plan_check(struct ctx *ctx, struct network_plan *p);

/* ---- text.c: pure; 0 or -EINVAL, and *out left alone */

int plan_parse_ip(const char *s, size_t n, struct plan_address *out);	/* prefix: the whole length */
int plan_parse_prefixed(const char *s, struct plan_address *out);	/* address/prefix or address/netmask; `default` is not taken */
int plan_parse_mask(const char *s, int family, uint8_t *prefix);	/* 24, 255.255.255.0, ffff:: */
int plan_parse_mac(const char *s, struct plan_mac *out);
bool plan_name_ok(const char *s);	/* what the kernel takes as the name of a device, without characters that a shell or a file name could mind */
const char *plan_ip_text(struct arena *a, const struct plan_address *ip, bool with_prefix);
const char *plan_mac_text(struct arena *a, const struct plan_mac *m);
/* The network of an address: its host bits are 0. */
struct plan_address plan_network_of(const struct plan_address *a);
bool plan_same_network(const struct plan_address *net, const struct plan_address *ip);
bool plan_same_mac(const struct plan_mac *a, const struct plan_mac *b);

#endif
