/* keys.c - the keys of Compose that Coracle does not do yet, each known by its name.
 *
 * Without some of them a container still does what was asked, only less is
 * watched or limited: those warn, and the service starts. The others change what
 * the process may do, sees or is connected to: a service that has one is left out. */
#include "compose.h"

#define REJECT DIAG_ERROR
#define WARN DIAG_WARNING
#define UNLIMITED "is a Compose key that Coracle does not support yet; the container runs without that limit"

const struct known_key compose_known_service_keys[] = {
	{ "annotations", WARN, NULL }, { "attach", WARN, NULL }, { "build", WARN, NULL }, { "deploy", WARN, NULL },
	{ "develop", WARN, NULL }, { "expose", WARN, NULL }, { "logging", WARN, NULL }, { "pull_policy", WARN, NULL },
	{ "pull_refresh_after", WARN, NULL }, { "storage_opt", WARN, NULL },
	{ "healthcheck", WARN, "is a Compose key that Coracle does not support yet; the container runs unwatched" },
	{ "blkio_config", WARN, UNLIMITED }, { "cpu_count", WARN, UNLIMITED }, { "cpu_percent", WARN, UNLIMITED },
	{ "cpu_period", WARN, UNLIMITED }, { "cpu_quota", WARN, UNLIMITED }, { "cpu_rt_period", WARN, UNLIMITED },
	{ "cpu_rt_runtime", WARN, UNLIMITED }, { "cpu_shares", WARN, UNLIMITED }, { "cpus", WARN, UNLIMITED },
	{ "cpuset", WARN, UNLIMITED }, { "mem_limit", WARN, UNLIMITED }, { "mem_reservation", WARN, UNLIMITED },
	{ "mem_swappiness", WARN, UNLIMITED }, { "memswap_limit", WARN, UNLIMITED }, 
	{ "oom_score_adj", WARN, UNLIMITED }, { "pids_limit", WARN, UNLIMITED }, { "ulimits", WARN, UNLIMITED },
	{ "cgroup", REJECT, NULL }, { "cgroup_parent", REJECT, NULL }, { "configs", REJECT, NULL },
	{ "credential_spec", REJECT, NULL }, { "device_cgroup_rules", REJECT, NULL }, { "devices", REJECT, NULL },
	{ "dns", REJECT, NULL }, { "dns_opt", REJECT, NULL }, { "dns_search", REJECT, NULL }, { "domainname", REJECT, NULL },
	{ "env_file", REJECT, NULL }, { "extends", REJECT, NULL }, { "external_links", REJECT, NULL },
	{ "extra_hosts", REJECT, NULL }, { "gpus", REJECT, NULL }, { "group_add", REJECT, NULL }, { "ipc", REJECT, NULL },
	{ "isolation", REJECT, NULL }, { "label_file", REJECT, NULL }, { "links", REJECT, NULL },
	{ "mac_address", REJECT, NULL }, { "models", REJECT, NULL },
	{ "networks", REJECT, "is not supported yet by Coracle: there are no bridge networks yet; network_mode is host or none" },
	{ "pid", REJECT, NULL }, { "platform", REJECT, NULL }, { "post_start", REJECT, NULL }, { "pre_stop", REJECT, NULL },
	{ "profiles", REJECT, NULL }, { "provider", REJECT, NULL }, { "runtime", REJECT, NULL }, { "scale", REJECT, NULL },
	{ "secrets", REJECT, NULL }, { "security_opt", REJECT, NULL }, { "shm_size", REJECT, NULL },
	{ "sysctls", REJECT, NULL }, { "use_api_socket", REJECT, NULL }, { "userns_mode", REJECT, NULL },
	{ "uts", REJECT, NULL }, { "volumes_from", REJECT, NULL },
};
const size_t compose_known_service_count = ARRAY_SIZE(compose_known_service_keys);

const struct known_key compose_known_top_keys[] = {
	{ "networks", WARN, "is not supported yet by Coracle: there are no bridge networks yet" },
	{ "secrets", WARN, NULL }, { "configs", WARN, NULL }, { "include", WARN, NULL }, { "models", WARN, NULL },
};
const size_t compose_known_top_count = ARRAY_SIZE(compose_known_top_keys);
