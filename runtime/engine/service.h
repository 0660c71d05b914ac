/* service.h - what one container is to be: a service of containers.json, and
 * the same as kept in a container's record (docs/design/interfaces.md).
 *
 * Reading is strict: an unknown key, a wrong type or a missing key is an error
 * that names it, as the file is written by coracle-config, complete. Pure:
 * text in, structure out; all memory is the arena's. */
#ifndef CORACLE_ENGINE_SERVICE_H
#define CORACLE_ENGINE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "restart.h"

#define SERVICES_MAX 1024		/* services in one containers.json */
#define SERVICE_FILE_MAX (8u << 20)	/* bytes of containers.json */
#define SERVICE_ARENA_MAX (1u << 20)	/* bytes of one service in memory */

enum mount_type { MOUNT_BIND, MOUNT_VOLUME, MOUNT_TMPFS };

struct service_mount {
	enum mount_type type;
	char *source;		/* path or volume name; NULL for tmpfs and anonymous volumes not yet named */
	char *target;
	bool read_only;
	bool anonymous;		/* a volume without a name of its own: an image's VOLUME */
	char **options;
};

enum depend_condition { DEPEND_STARTED, DEPEND_COMPLETED, DEPEND_HEALTHY };

struct service_depend {
	char *name;
	enum depend_condition condition;
	bool required;
};

struct service {
	char *name, *container_name, *image;
	char **command, **entrypoint;		/* NULL: the image's */
	char **environment;			/* K=V */
	char *working_dir, *user, *hostname;	/* NULL: the image's or none */
	struct service_mount *mounts;
	size_t mount_count;
	bool read_only, privileged, tty;
	struct restart_rule restart;
	struct service_depend *depends;
	size_t depend_count;
	char *network_mode;			/* "host" or "none" */
	char **cap_add, **cap_drop;
	char **labels;				/* k=v */
	char *stop_signal;			/* NULL: the image's or SIGTERM */
	int64_t stop_grace_ms;
	int line;				/* of the user's file, for messages */

	/* What is written only where it is asked for; NULL and 0: it is not. */
	bool init, stdin_open;
	char *domainname;
	char **group_add;
	int64_t mem_limit, mem_reservation, memswap_limit;	/* bytes; memswap_limit -1: any */
	int64_t cpu_quota, cpu_period, cpu_shares;		/* microseconds */
	char *cpuset;
	int64_t pids_limit;			/* -1: any */
	int64_t oom_score_adj, shm_size;
	char **ulimits;				/* nofile=1024:2048 */
	char **sysctls;				/* k=v */
	char **devices;				/* SOURCE:TARGET:PERMISSIONS */
	char **device_rules;			/* c 1:3 rwm */
	char **security_opt;
	char *pid, *ipc, *uts, *cgroup;		/* "host" */
	char **dns, **dns_search, **dns_opt;
	char **extra_hosts;			/* NAME=ADDRESS */
	char **annotations;			/* k=v */
	char *pull_policy;
	char *healthcheck;			/* JSON, for whom it may concern */
};

struct yyjson_val;

/* One service object. Returns 0 or -errno. */
int service_parse(struct arena *mem, struct yyjson_val *v, struct service *out, struct err *err);
/* The same as JSON, keys in fixed order: equal services give equal text (but for line, which is left out when !with_line). */
void service_write(struct buf *b, const struct service *s, bool with_line);

struct service_list {
	struct service *v;
	size_t count;
	char **volumes;			/* names */
	struct arena mem;
};

/* The whole of containers.json (n bytes). Duplicate names are errors. The
 * caller ends it with service_list_free(), also after a failure. */
int service_list_parse(const char *json, size_t n, struct service_list *out, struct err *err);
void service_list_free(struct service_list *l);

#endif
