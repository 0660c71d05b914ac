/* spec.h - config.json of an OCI bundle (runtime-spec 1.x) as C structures.
 *
 * spec_load() accepts any 1.x version, ignores properties it does not know
 * (config.md, "Extensibility") and refuses values it cannot honour, naming the
 * property. Strings live in the JSON document, lists in the arena: all of it is
 * valid until spec_free(). */
#ifndef CORACLE_OCI_SPEC_H
#define CORACLE_OCI_SPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <yyjson.h>
#include "lib/err.h"
#include "runtime/oci/arena.h"

#define SPEC_VERSION "1.3.0"	/* what we implement, printed by --version and `features` */
#define SPEC_BYTES_MAX (8u << 20)	/* largest config.json that is read */
#define SPEC_WARNINGS_MAX 16
#define SPEC_SECCOMP_ANNOTATION "org.coracle.seccomp"

enum spec_ns { NS_USER, NS_PID, NS_NET, NS_MNT, NS_IPC, NS_UTS, NS_CGROUP, NS_TIME, NS_COUNT };

struct spec_namespace {
	bool present;		/* listed in linux.namespaces */
	const char *path;	/* to join; NULL: a new one */
};

struct spec_id_map {
	uint32_t container, host, size;
};

struct spec_mount {
	const char *destination;	/* absolute, inside the rootfs */
	const char *source;		/* NULL when absent */
	const char *type;		/* NULL when absent */
	char **options;			/* NULL-terminated, never NULL */
	struct spec_id_map *uid_map, *gid_map;
	size_t uid_maps, gid_maps;
};

struct spec_device {
	char type;		/* c b u p */
	const char *path;	/* absolute */
	unsigned major, minor;
	mode_t mode;		/* permission bits */
	uid_t uid;
	gid_t gid;
};

struct spec_hook {
	const char *path;
	char **args, **env;	/* NULL when absent */
	int timeout;		/* seconds, 0: none */
};

enum spec_hook_kind { HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART, HOOK_POSTSTOP, HOOK_KINDS };

struct spec_hooks {
	struct spec_hook *list;
	size_t n;
};

struct spec_rlimit {
	int resource;
	uint64_t soft, hard;
};

/* As sched_setattr(2) takes it. */
struct spec_scheduler {
	bool present;
	uint32_t policy, priority;
	uint64_t flags, runtime, deadline, period;
	int32_t nice;
};

#define SPEC_CPU_WORDS 128	/* 8192 processors, the most a kernel is built for */
#define SPEC_NODE_WORDS 16

/* Capability sets are masks of (1 << number). */
struct spec_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct spec_process {
	bool terminal, no_new_privs, has_umask, has_oom, has_caps, has_ioprio;
	unsigned console_height, console_width;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t groups_n;
	mode_t umask;
	char **args, **env;	/* NULL-terminated; args NULL when absent */
	const char *cwd;
	struct spec_rlimit *rlimits;
	size_t rlimits_n;
	struct spec_caps caps;
	int oom_score_adj;
	int ioprio;		/* as ioprio_set(2) takes it */
	struct spec_scheduler scheduler;
	uint64_t *cpus_initial, *cpus_final;	/* execCPUAffinity: SPEC_CPU_WORDS words, or NULL */
	const char *apparmor, *selinux;
};

struct spec_device_rule {
	bool allow;
	char type;		/* a b c */
	int64_t major, minor;	/* -1: any */
	unsigned access;	/* 1 read, 2 write, 4 mknod */
};

struct spec_blkio_rule {
	unsigned major, minor;
	uint64_t value;
};

enum spec_throttle { THROTTLE_READ_BPS, THROTTLE_WRITE_BPS, THROTTLE_READ_IOPS, THROTTLE_WRITE_IOPS, THROTTLE_KINDS };

struct spec_hugepage {
	const char *page_size;
	uint64_t limit;
};

struct spec_pair {
	const char *key, *value;
};

struct spec_memory_policy {
	bool present;
	int mode;		/* with its flags, as set_mempolicy(2) takes it */
	uint64_t *nodes;	/* SPEC_NODE_WORDS words, or NULL */
};

struct spec_rdt {
	bool present, monitoring;
	const char *clos;	/* closID, NULL: the container's id */
	const char *l3, *bandwidth;	/* NULL when absent */
	char **schemata;	/* NULL-terminated or NULL */
};

/* Each value is valid when its has_ flag is set. */
struct spec_resources {
	bool present;
	bool no_devices;	/* update: leave the device rules alone */
	bool has_mem_limit, has_mem_reservation, has_mem_swap, has_swappiness, disable_oom_killer, mem_check;
	bool has_mem_kernel;	/* kernel, kernelTCP: ignored with a warning, as no kernel has them any more */
	int64_t mem_limit, mem_reservation, mem_swap;	/* bytes, -1: no limit */
	uint64_t swappiness;
	bool has_shares, has_quota, has_burst, has_period, has_rt_runtime, has_rt_period, has_idle;
	uint64_t shares, burst, period, rt_period;
	int64_t quota, rt_runtime, idle;
	const char *cpus, *mems;
	bool has_pids;
	int64_t pids;
	bool has_weight, has_leaf_weight;
	uint64_t weight, leaf_weight;
	struct spec_blkio_rule *weight_devices;
	size_t weight_devices_n;
	struct spec_blkio_rule *throttle[THROTTLE_KINDS];
	size_t throttle_n[THROTTLE_KINDS];
	struct spec_hugepage *hugepages;
	size_t hugepages_n;
	bool has_class_id;
	uint64_t class_id;
	struct spec_pair *net_prio;	/* key: interface, value: priority as text */
	size_t net_prio_n;
	struct spec_pair *unified;
	size_t unified_n;
	struct spec_pair *rdma;		/* key: device, value: "hca_handle=N hca_object=N" */
	size_t rdma_n;
	struct spec_device_rule *devices;
	size_t devices_n;
};

struct spec {
	yyjson_doc *doc;
	struct arena arena;
	char *text;		/* config.json as read, kept for the state directory */
	size_t text_len;
	const char *version;	/* ociVersion */
	const char *hostname, *domainname;
	const char *root;	/* as written; NULL when absent */
	bool root_readonly;
	struct spec_mount *mounts;
	size_t mounts_n;
	bool has_process;
	struct spec_process process;
	struct spec_hooks hooks[HOOK_KINDS];
	struct spec_pair *annotations;
	size_t annotations_n;

	struct spec_namespace ns[NS_COUNT];
	struct spec_id_map *uid_map, *gid_map;
	size_t uid_maps, gid_maps;
	bool has_time_offset[2];	/* monotonic, boottime */
	int64_t time_offset_secs[2];
	uint32_t time_offset_nanos[2];
	struct spec_device *devices;
	size_t devices_n;
	const char *cgroups_path;
	struct spec_resources resources;
	struct spec_pair *sysctl;
	size_t sysctl_n;
	char **masked, **readonly;	/* NULL-terminated or NULL */
	const char *mount_label;
	unsigned long root_propagation;	/* MS_* flags, 0: not given */
	yyjson_val *seccomp;		/* linux.seccomp, compiled by seccomp.c; NULL when absent */
	bool seccomp_default;		/* the annotation asks for the built-in profile */
	bool has_personality, personality32;
	struct spec_memory_policy memory_policy;
	struct spec_rdt rdt;
	struct spec_pair *net_devices;	/* key: the host's name, value: the container's */
	size_t net_devices_n;
	const char *warnings[SPEC_WARNINGS_MAX];	/* what is there and has no effect */
	size_t warnings_n;
};

/* Reads dir/config.json (dirfd: directory of the bundle). s must be zeroed. */
int spec_load(struct spec *s, int dirfd, const char *name, struct err *err);
/* Reads only a process object, as `exec --process FILE` has it, into s->process. */
int spec_load_process(struct spec *s, const char *path, struct err *err);
void spec_free(struct spec *s);

/* The sections, one file each; called by spec_load. */
int spec_parse_process(struct spec *s, yyjson_val *process, const char *where, struct err *err);
int spec_parse_mounts(struct spec *s, yyjson_val *root, struct err *err);
int spec_parse_hooks(struct spec *s, yyjson_val *root, struct err *err);
int spec_parse_linux(struct spec *s, yyjson_val *lin, struct err *err);
int spec_parse_schedule(struct spec *s, yyjson_val *process, const char *where, struct err *err);
int spec_parse_platform(struct spec *s, yyjson_val *lin, struct err *err);
int spec_parse_resources(struct spec *s, yyjson_val *resources, struct err *err);
int spec_parse_id_maps(struct spec *s, yyjson_val *obj, const char *where, const char *key, struct spec_id_map **out, size_t *n, struct err *err);
int spec_parse_pairs(struct spec *s, yyjson_val *obj, const char *where, const char *key, struct spec_pair **out, size_t *n, struct err *err);

/* Notes something that is not an error, for the caller to report (log_spec_warnings). */
void spec_warn(struct spec *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "0-3,7" as a bitmap of words * 64 bits; where names the property. */
int spec_parse_list(struct spec *s, const char *text, const char *where, size_t words, uint64_t **out, struct err *err);
/* "RLIMIT_NOFILE" for messages. */
const char *spec_rlimit_name(int resource);
/* Names that `features` prints: the i-th one, NULL at the end. */
const char *spec_memory_mode_name(size_t i);
const char *spec_memory_flag_name(size_t i);

#endif
