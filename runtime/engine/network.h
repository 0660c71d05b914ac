/* network.h - networks of containers: what they are, who is in them, and the way of a container into them and out.
 *
 * A network's record is ROOT/networks/ID.json, a container's addresses and ports are ROOT/containers/ID/network.json; both are synced
 * when they change. The kernel is made to agree with them (docs/design/networks.md). A container without a network of its own
 * (host, none, container:) costs nothing here. */
#ifndef CORACLE_ENGINE_NETWORK_H
#define CORACLE_ENGINE_NETWORK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "container.h"
#include "runtime/net/port.h"

#define NETWORKS_MAX 1024
#define NETWORK_ENDPOINTS_MAX 16	/* networks of one container */

enum network_driver { NETWORK_BRIDGE, NETWORK_HOST, NETWORK_NONE, NETWORK_MACVLAN, NETWORK_IPVLAN };

struct network {
	struct network *next;
	struct arena mem;
	char id[CONTAINER_ID_LEN + 1];
	char *name;
	enum network_driver driver;
	int64_t created_ns;
	bool ipv6, internal, attachable;
	bool predefined;			/* bridge, host, none */
	bool from_boot;				/* of the boot configuration */
	struct net_prefix subnet4, subnet6;	/* family 0: none (yet) */
	struct net_prefix range4, range6;	/* where addresses are taken from; family 0: all of the subnet */
	struct net_addr gateway4, gateway6;
	char bridge[IFNAMSIZ];			/* the device of the machine */
	char **options, **labels;		/* k=v */
	struct net_addr last4, last6;		/* given out last */

	bool up;				/* the bridge is there, as far as we know */
};

/* A container in a network. */
struct endpoint {
	char net_id[CONTAINER_ID_LEN + 1];
	char id[CONTAINER_ID_LEN + 1];
	char *name;				/* of the network */
	struct network *net;			/* NULL: it is no more */
	struct net_addr v4, v6;			/* family 0: none (yet) */
	struct net_addr want4, want6;		/* asked for */
	uint8_t mac[6];
	char **aliases;
	unsigned index;				/* of ethN */
	bool attached;
};

struct published {
	struct net_addr ip;			/* of the machine; family 0: any */
	enum net_protocol protocol;
	uint16_t host, port;			/* host 0: not chosen yet */
	uint16_t low, high;			/* host is to be one of these; 0: any */
	bool fixed;				/* host was asked for: it is kept */
	int fd[2];				/* IPv4 and IPv6: hold it while it is published; -1 */
};

/* What a container has of networks; c->net. */
struct container_network {
	struct arena mem;
	struct endpoint *endpoints;		/* NETWORK_ENDPOINTS_MAX */
	size_t count;
	struct published *ports;
	size_t port_count;
	bool live;				/* its devices are there, its ports published */
	struct dns_server *dns;			/* NULL: none */
};

/* -- networks (network_record.c) ------------------------------------------ */

extern struct network *networks;		/* in order of creation, the predefined ones first */

/* Reads all records. Called once, after container_load_all(). Returns 0 or -errno. */
int network_open(struct err *err);
struct network *network_by_name(const char *name);
/* By name, id or unique prefix of one. */
struct network *network_find(const char *what, bool *ambiguous);

/* What is asked of a new network; strings are the caller's. */
struct network_wish {
	const char *name, *driver;		/* driver NULL: bridge */
	bool ipv6, internal, attachable, from_boot;
	struct net_prefix subnet4, subnet6, range4, range6;
	struct net_addr gateway4, gateway6;
	char *const *options, *const *labels;
};
/* Makes and saves it. Returns 0 or -errno with the reason: -EEXIST name taken, -EINVAL, -EADDRINUSE overlap. */
int network_create(const struct network_wish *w, struct network **out, struct err *err);
/* -EBUSY: containers are in it; -EPERM: predefined. */
int network_remove(struct network *n, struct err *err);
/* Gives it what it needs to be used: a subnet. Saves it when that is new. */
int network_settle(struct network *n, struct err *err);
const char *network_driver_name(enum network_driver d);
const char *network_option(const struct network *n, const char *key);	/* NULL: not given */
bool network_option_is(const struct network *n, const char *key, bool otherwise);
bool network_in_use(const struct network *n);

/* `networks` of containers.json (JSON array). Those that are there already stay; one that differs and is empty is made anew. */
void network_provide(const char *json);

/* -- a container's (network_endpoint.c) ------------------------------------ */

/* It has devices of its own to come and go: not host, none or container:. */
bool network_is_own(const struct container *c);
/* The container whose network it shares (container:NAME), NULL: none, or it is not there. */
struct container *network_owner(const struct container *c);

int network_load_container(struct container *c, struct err *err);
int network_save_container(struct container *c, struct err *err);
/* Adds an endpoint; json (may be NULL) as in service.networks. */
int network_add_endpoint(struct container *c, struct network *n, const char *json, struct endpoint **out, struct err *err);
void network_drop_endpoint(struct container *c, struct endpoint *e);
/* Addresses and ports for the start that comes. Returns 0 or -errno with Docker's words. */
int network_prepare(struct container *c, struct err *err);
/* All of its memory, and what it has reserved. */
void network_forget(struct container *c);
struct endpoint *network_endpoint_of(const struct container *c, const struct network *n);

/* -- ports (network_port.c) ------------------------------------------------ */

int network_read_ports(struct container *c, struct err *err);
int network_reserve_ports(struct container *c, struct err *err);
void network_release_ports(struct container *c);

/* -- the kernel (network_link.c, network_rules.c) -------------------------- */

/* Between create and start: devices into the namespace of c->pid, names, rules. */
int network_attach(struct container *c, struct err *err);
int network_attach_one(struct container *c, struct endpoint *e, struct err *err);
void network_detach_one(struct container *c, struct endpoint *e);
/* Its processes are gone, or going: devices, rules and ports go. No harm when there are none. */
void network_detach(struct container *c);
/* After a start of the engine: takes up what a running container has. */
void network_adopt(struct container *c);
int network_bridge_up(struct network *n, struct err *err);
void network_bridge_down(struct network *n);
/* An open namespace is entered for the time of a call. */
int network_inside(const struct container *c, int (*call)(struct container *c, void *arg, struct err *err), void *arg, struct err *err);

/* Makes the kernel's rules be what the containers that are live want: now, or soon. */
int network_rules_apply(struct err *err);
void network_rules_later(void);
int network_sysctl(const char *value, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* -- names (network_dns.c) -------------------------------------------------- */

bool network_wants_dns(const struct container *c);
int network_dns_start(struct container *c, struct err *err);	/* called inside its namespace */
void network_dns_stop(struct container *c);

/* -- text (network_etc.c) ---------------------------------------------------- */

void network_add_hosts(struct buf *b, const struct container *c, const char *hostname);
/* hosts and resolv.conf again, in place: it was connected or disconnected. */
void network_refresh_etc(const struct container *c);
/* The address behind host-gateway; "" when there is none. */
char *network_gateway_text(const struct container *c, char out[NET_ADDR_TEXT]);

#endif
