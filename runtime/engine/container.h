/* container.h - one container: its record on disk, its state, and what can be done with it.
 *
 * The record is ROOT/containers/ID/config.json (written once, synced: what the
 * container is) and state.json (rewritten at each change, not synced: a power
 * cut ends every container anyway). container.c keeps records; lifecycle.c starts and stops. */
#ifndef CORACLE_ENGINE_CONTAINER_H
#define CORACLE_ENGINE_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "arena.h"
#include "child.h"
#include "err.h"
#include "runtime/image/image.h"
#include "log.h"
#include "loop.h"
#include "restart.h"
#include "service.h"
#include "sha256.h"

struct store_image;

#define CONTAINER_ID_LEN 64
#define CONTAINER_SHORT_LEN 12

enum container_status {
	CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_RESTARTING,
	CONTAINER_REMOVING, CONTAINER_EXITED, CONTAINER_DEAD,
};

/* What the engine is doing with it at this moment. */
enum container_phase {
	PHASE_DOWN,		/* nothing of it runs, nothing is under way */
	PHASE_CREATING,		/* coracle-runtime create runs */
	PHASE_WATCHING,		/* init was asked to watch its pid */
	PHASE_STARTING,		/* coracle-runtime start runs */
	PHASE_UP,		/* its first process runs */
	PHASE_CLEANING,		/* coracle-runtime delete runs */
};

enum container_event {
	EVENT_STARTED = 1,	/* a start ended; result 0 or -errno, text in error */
	EVENT_EXITED = 2,	/* a run ended; result: exit code */
	EVENT_DOWN = 4,		/* nothing of it is left; result: exit code */
	EVENT_REMOVED = 8,
};

struct container;

/* Someone who waits for events; embedded in its owner, one event ends it. */
struct container_waiter {
	int events;
	void (*fire)(struct container *c, enum container_event e, int result, void *arg);
	void *arg;
	struct container_waiter *next;
	bool added;
};

struct container {
	struct container *next;
	struct arena mem;		/* of svc and exposed */

	/* config.json */
	char id[CONTAINER_ID_LEN + 1];
	char image_id[IMAGE_DIGEST_SIZE];	/* "" when the image is missing */
	char config_hash[SHA256_HEX_LEN + 1];
	int64_t created_ns;
	struct service svc;		/* merged with the image's configuration */
	char **exposed;			/* "80/tcp" */
	bool from_boot;			/* of containers.json of some boot */

	/* state.json */
	enum container_status status;
	pid_t pid;
	uint64_t pid_ticks;		/* its start time in /proc/PID/stat: the pid may be another's by now */
	int exit_code;
	char error[512];
	int64_t started_ns, finished_ns;
	struct restart_state restart;
	int restart_count;
	bool ever_started;
	bool this_boot;			/* the state is of this boot */
	bool starting;			/* saved before `start`: the engine may have died between the two */
	bool kept_by_hand;		/* restart.stopped_by_hand as the disk has it, whatever happens to the power */

	/* in memory */
	enum container_phase phase;
	int interrupted;		/* times that coracle-runtime was killed while it created or started this one, in a row */
	bool stamped;			/* its first start is among the times of the boot */
	bool swept;			/* this start began with leftovers of an earlier one, and they were cleaned up */
	bool exit_seen;			/* the first process ended; exit_status is valid */
	int exit_status;		/* as wait(2); -1 unknown */
	bool own_child;			/* its first process is our child */
	bool kill_sent, stopping;
	bool stop_signal_due;		/* a stop came while it was starting */
	int64_t stop_grace_due;
	bool start_again;		/* start as soon as it is down */
	bool removing;
	bool announced;			/* the failure was reported */
	uint64_t up_since;		/* loop_now() */
	struct loop_watch pidfd;	/* fd -1: none */
	struct loop_timer save;		/* writes state.json a moment later */
	struct loop_timer timer;	/* back-off of a restart, or grace of a stop */
	void (*create_done)(int status, void *arg);	/* while volumes are filled */
	struct child *child;		/* coracle-runtime, while it runs */
	struct log *log;
	struct container_waiter *waiters;
};

/* Reads all records; unreadable ones are reported and left alone. Returns 0 or -errno. */
int container_load_all(struct err *err);

/* Makes the record of a service whose image is img (NULL: missing). mem of svc is copied. */
int container_create(const struct service *svc, const struct store_image *img, const char *config_hash,
	struct container **out, struct err *err);

/* Removes the record and all its files; it must be down. */
void container_forget(struct container *c);

/* Writes state.json; a failure is reported once. What somebody asked for (stopped by hand or not) is on the disk when this returns. */
void container_save_state(struct container *c);

/* config hash of a service: equal services, equal hash. */
void container_config_hash(const struct service *svc, char out[SHA256_HEX_LEN + 1]);

/* By id, unique id prefix, or name with or without '/'. NULL: none (*ambiguous tells why). */
struct container *container_find(const char *what, bool *ambiguous);
struct container *container_by_name(const char *name);

const char *container_status_name(enum container_status s);

void container_wait(struct container *c, struct container_waiter *w);
void container_unwait(struct container *c, struct container_waiter *w);
void container_fire(struct container *c, enum container_event e, int result);

#endif
