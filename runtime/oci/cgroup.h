/* cgroup.h - one container's place in the host's control groups.
 *
 * Hosts come as v2 (/sys/fs/cgroup is cgroup2), v1, or hybrid (v1 controllers
 * below a tmpfs, cgroup2 in unified/); all are served. The container's path is
 * the same in every hierarchy: linux.cgroupsPath (on v2 a relative one is beside
 * our own group, else taken from the hierarchy's root), or /coracle/ID. What was there before us is used but never removed. */
#ifndef CORACLE_OCI_CGROUP_H
#define CORACLE_OCI_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"
#include "runtime/oci/spec.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_HIERARCHIES 24
#define CGROUP_PATH_MAX 1024

struct cgroup_hierarchy {
	char name[64];		/* directory below CGROUP_ROOT: "" (pure v2), "memory", "cpu,cpuacct", "unified" */
	char option[72];	/* v1: mount option of the hierarchy: "memory", "name=systemd" */
	bool v2;
	bool created;		/* the directory is ours to remove */
	bool left_out;		/* rootless: not ours to make groups in */
	int dir;		/* the container's directory, -1: not open */
};

struct cgroup {
	int base;		/* CGROUP_ROOT, -1: not open */
	int home, late;		/* cgroup_low.c: the runtime's own memory group and the container's, -1: not needed */
	bool pure_v2;
	bool named;		/* linux.cgroupsPath was given */
	char unit[256], slice[256];	/* systemd's (--systemd-cgroup), "": the groups are made by us */
	bool adopted;		/* the group is the unit's, with the container's process in it already */
	char path[CGROUP_PATH_MAX];	/* without a leading slash: "coracle/ID" */
	struct cgroup_hierarchy h[CGROUP_HIERARCHIES];
	int n;
};

/* --rootless: whether groups that may not be made are left out (--rootless auto, as when this is not called: by who we are). */
void cgroup_set_rootless(bool yes);
/* Finds out what the host has and fixes the path. c need not be initialised. */
int cgroup_init(struct cgroup *c, const char *cgroups_path, const char *id, struct err *err);
/* cgroup_relative.c: linux.cgroupsPath as cgroup_init is to take it; out is where it may be put together. */
const char *cgroup_absolute(const char *path, char out[CGROUP_PATH_MAX]);
/* Makes the directories and writes the limits. On failure the caller runs cgroup_remove. */
int cgroup_create(struct cgroup *c, const struct spec_resources *res, struct err *err);
/* Opens the existing directories of a container (exec, update, events). */
int cgroup_open(struct cgroup *c, struct err *err);
/* Opens the one directory that state, kill, pause, resume and ps need. */
int cgroup_open_main(struct cgroup *c, struct err *err);
/* Writes other limits into the open groups; device rules stay as they are (res->no_devices must be set). */
int cgroup_update(const struct cgroup *c, const struct spec_resources *res, struct err *err);
void cgroup_fini(struct cgroup *c);

/* cgroup_journal.c: from begin on, cgroup_write remembers what it overwrites; end, before the groups are closed, forgets it or writes
 * it back, the last first. */
void cgroup_journal_begin(void);
int cgroup_journal_note(int dir, const char *file, const char *value, struct err *err);
void cgroup_journal_end(bool undo);

/* The cgroup2 directory for CLONE_INTO_CGROUP, or -1. */
int cgroup_unified_fd(const struct cgroup *c);
/* Moves a process (0: the caller) into every v1 hierarchy, or into all of them when v2_too. */
int cgroup_join(const struct cgroup *c, pid_t pid, bool v2_too, struct err *err);

/* cgroup_owner.c: makes process.user the owner of a v2 group that the container may write to; nothing in other cases. */
int cgroup_give(const struct cgroup *c, const struct spec *s, struct err *err);

/* cgroup_sub.c: exec --cgroup, "PATH" or "CONTROLLER[,CONTROLLER]:PATH": c's groups become the named ones inside of them. */
int cgroup_sub(struct cgroup *c, const char *const *args, size_t n, struct err *err);
/* Opens the cgroup2 directory that a process is in now: a container with a manager of its own (systemd) moves its first
 * process out of the group it was started in, which then takes no further ones (EBUSY). */
int cgroup_unified_of(const struct cgroup *c, pid_t pid);

/* cgroup_low.c: below this limit a process is set up outside of its memory group. */
#define CGROUP_LOW_MEMORY (16 << 20)
/* The group that the caller itself is in, below CGROUP_ROOT: "memory/a/b". */
int cgroup_home(const struct cgroup_hierarchy *h, char *out, size_t size);
void cgroup_plan_low(struct cgroup *c, const struct spec_resources *res);
/* The directory for CLONE_INTO_CGROUP: cgroup_unified_fd, or -1 for a process that is to come later. */
int cgroup_clone_fd(const struct cgroup *c);
/* In the container's process: out of the group for the time of its making, and in again. Nothing where there is no need. */
int cgroup_step_out(const struct cgroup *c, struct err *err);
int cgroup_step_in(const struct cgroup *c, struct err *err);
/* -EINVAL with the reason when the kernel has killed for want of memory under a limit this low. */
int cgroup_low_killed(const struct cgroup *c, int64_t limit, struct err *err);

/* Calls fn for each process of the container, those of child groups too. */
int cgroup_each_pid(const struct cgroup *c, int (*fn)(pid_t pid, void *arg), void *arg, struct err *err);
/* Sends sig to all of them; SIGKILL by cgroup.kill where the kernel has it. */
int cgroup_signal(const struct cgroup *c, int sig, struct err *err);
int cgroup_freeze(const struct cgroup *c, bool frozen, struct err *err);
/* 1 frozen, 0 not (or unknown). */
int cgroup_frozen(const struct cgroup *c);
/* Kills what is left and removes the directories, waiting up to 10 s for them to become empty. all: also those not marked created. */
int cgroup_remove(struct cgroup *c, bool all, struct err *err);

/* Mounts the container's view of the control groups at the directory destfd of the rootfs (type "cgroup").
 * flags: MS_*; own_ns: the container has a cgroup namespace; label: linux.mountLabel or NULL. */
int cgroup_mount(const struct cgroup *c, int destfd, unsigned long flags, bool own_ns, const char *label, struct err *err);

/* cgroup_rootless.c: a hierarchy that we may not make directories in (code: -errno, which err holds). 0: it is left out. */
int cgroup_leave_out(const struct cgroup *c, struct cgroup_hierarchy *h, const struct spec_resources *res, int code, struct err *err);

/* What this host cannot do at all, before anything is written. */
int cgroup_check(const struct cgroup *c, const struct spec_resources *res, struct err *err);

/* cgroup_v1.c, cgroup_v2.c, cgroup_memory.c; hierarchies that are not created are taken as having values already. */

/* The hierarchy of a v1 controller, or NULL. */
const struct cgroup_hierarchy *cgroup_v1_find(const struct cgroup *c, const char *controller);
int cgroup_v1_check(const struct cgroup *c, const struct spec_resources *res, struct err *err);
int cgroup_memory_v1(int dir, bool fresh, const struct spec_resources *x, struct err *err);
int cgroup_memory_v2(int dir, bool fresh, const struct spec_resources *x, struct err *err);
/* A number in a file of the group; "max" and what exceeds it are INT64_MAX. -errno when there is none. */
int64_t cgroup_weight_of_shares(uint64_t shares);
int64_t cgroup_read_int(int dir, const char *file);
/* Some writes are for the host's first user namespace alone. */
bool cgroup_in_userns(void);
int cgroup_v1_apply(const struct cgroup_hierarchy *h, const struct spec_resources *res, struct err *err);
int cgroup_v1_prepare_cpuset(const struct cgroup *c, const struct cgroup_hierarchy *h, struct err *err);
int cgroup_v2_apply(const struct cgroup *c, const struct cgroup_hierarchy *h, const struct spec_resources *res, struct err *err);
/* Writes a file of the group; the error names it and the value. */
int cgroup_write(int dir, const char *file, const char *value, struct err *err);
int cgroup_write_int(int dir, const char *file, int64_t value, struct err *err);

#endif
