/* network_int.h - between the files network*.c. */
#ifndef CORACLE_ENGINE_NETWORK_INT_H
#define CORACLE_ENGINE_NETWORK_INT_H

#include <yyjson.h>
#include "network.h"

#define NETWORK_ARENA_MAX (256u << 10)
#define NETWORK_RECORD_MAX (512u << 10)

struct network *network_new(void);
void network_free(struct network *n);
void network_enlist(struct network *n);
void network_random_id(char out[CONTAINER_ID_LEN + 1]);
int network_save(const struct network *n, struct err *err);
void network_unlink(const struct network *n);

/* Values of an object; a key that is missing leaves *out as family 0. Maps become "k=v". */
char **network_take_map(struct arena *mem, yyjson_val *obj);
char **network_take_list(struct arena *mem, yyjson_val *arr);
int network_take_prefix(yyjson_val *o, const char *key, bool subnet, struct net_prefix *out, struct err *err);
int network_take_address(yyjson_val *o, const char *key, struct net_addr *out, struct err *err);

/* The subnet, range and gateway under these keys, into the wish. */
int network_take_pool(yyjson_val *o, const char *subnet, const char *range, const char *gateway, struct network_wish *w, struct err *err);

/* network_docker.c: Docker's JSON in the words of service.networks and runtime/net/port.h. */
char *network_docker_wishes(yyjson_val *endpoint_settings);
char *network_docker_networks(const struct container *c);
char **network_docker_ports(const struct container *c, struct arena *mem);

/* An address of the network that is somebody's already. */
bool network_address_used(const struct net_addr *a, void *network);

#endif
