/* state.h - what the runtime remembers of a container: --root/ID/.
 *
 *	state.new	the same as state.json, while the container is being created
 *	state.json	by rename, when it is created
 *	config.json	the bundle's configuration as it was then (hooks, process and seccomp for exec, later changes have no effect)
 *	start.sock	the created container waits there; gone once it is started
 *
 * The directory (0700) is made exclusively: it is the lock of the id. What
 * changes later (running, stopped, paused) is asked of the kernel, so nothing
 * here can become stale or need repair after a crash. */
#ifndef CORACLE_OCI_STATE_H
#define CORACLE_OCI_STATE_H

#include <stdbool.h>
#include <sys/types.h>
#include <yyjson.h>
#include "lib/buf.h"
#include "lib/err.h"
#include "runtime/oci/cgroup.h"
#include "runtime/oci/intelrdt.h"
#include "runtime/oci/spec.h"

#define STATE_ID_MAX 1024

enum state_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };

struct state {
	yyjson_doc *doc;
	int dir;			/* --root/ID, -1: not open */
	const char *id, *version, *bundle, *rootfs, *created;
	const char *unit;		/* systemd's, "": none */
	const char *cgroup;		/* below the hierarchies' roots */
	bool cgroup_ours;		/* made by us, removed by us */
	bool has_hooks;
	pid_t pid;
	uint64_t start_time;		/* /proc/PID/stat, field 22: tells a reused pid apart */
	unsigned namespaces;		/* 1 << enum spec_ns: differs from the runtime's own */
	int64_t memory_limit;		/* of containers that may find it too low for their program, else 0 */
	yyjson_val *annotations;	/* object or NULL */
	yyjson_val *resctrl;		/* directories of ours in resctrl, array or NULL */
	bool creating;			/* only state.new is there */
};

/* Letters, digits and "_+-." , not "." or "..", as runc. */
int state_check_id(const char *id, struct err *err);

/* Makes --root/ID. -EEXIST: "container with given ID already exists". Returns its descriptor. */
int state_create_dir(const char *root, const char *id, struct err *err);
/* Writes state.new: what is known while the container is being created. created: RFC 3339. */
int state_write(int dir, const char *id, const struct spec *s, const char *bundle, const char *rootfs, const struct cgroup *c, const struct rdt *rdt, pid_t pid, const char *created, struct err *err);
/* The container is created: from now on state.json is there. */
int state_publish(int dir, struct err *err);
/* update: the container, which had none, has been given directories in resctrl, that delete is to remove. */
int state_add_rdt(const struct state *s, const struct rdt *rdt, struct err *err);
/* Keeps a copy of the configuration. */
int state_write_config(int dir, const struct spec *s, struct err *err);
/* Removes --root/ID and what is in it. */
void state_remove_dir(const char *root, const char *id);

/* Reads a container's state; "container does not exist" when there is none. */
int state_load(struct state *s, const char *root, const char *id, struct err *err);
void state_fini(struct state *s);
/* cg may be NULL: then a paused container counts as running. */
enum state_status state_status(const struct state *s, const struct cgroup *cg);
const char *state_status_name(enum state_status st);
/* Opens what tells of the container's processes; cgroup_open(c) thereafter opens all of its groups. */
int state_open_cgroup(const struct state *s, struct cgroup *c, struct err *err);
/* A pidfd of the container's process, which is the one that was created; -ESRCH when it has ended. */
int state_pidfd(const struct state *s);

/* The state as runtime.md has it, for hooks (compact). pid 0 leaves it out. */
void state_json(struct buf *out, const char *version, const char *id, const char *status, pid_t pid, const char *bundle, const struct spec_pair *annotations, size_t n);
/* "2026-11-24T07:25:00.123456789Z" */
void state_time(char out[40]);

#endif
