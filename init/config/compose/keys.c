/* keys.c - the keys of Compose that Coracle does not do, each known by its name.
 *
 * Without some of them a container still does what was asked, only less is
 * watched or limited: those warn, and the service starts. The others change what
 * the process may do, sees or is connected to: a service that has one is left out. */
#include "compose.h"

#define REJECT DIAG_ERROR
#define WARN DIAG_WARNING
#define UNLIMITED "is a Compose key that Coracle does not support yet; the container runs without that limit"
#define NO_KERNEL "is a limit that the kernel does not have any more (cgroup v2); the container runs without it"
#define NO_NETWORK "is not supported yet by Coracle: there are no bridge networks yet"

const struct known_key compose_known_service_keys[] = {
	{ "build", WARN, "is not supported: Coracle does not build images" }, { "develop", WARN, "is for `compose watch`; it is not used" },
	{ "pull_refresh_after", WARN, NULL }, { "storage_opt", WARN, UNLIMITED }, { "blkio_config", WARN, UNLIMITED },
	{ "cpu_count", WARN, "is for Windows; it is not used" }, { "cpu_percent", WARN, "is for Windows; it is not used" },
	{ "cpu_rt_period", WARN, NO_KERNEL }, { "cpu_rt_runtime", WARN, NO_KERNEL }, { "mem_swappiness", WARN, NO_KERNEL },
	{ "cgroup_parent", REJECT, NULL }, { "credential_spec", REJECT, "is for Windows" },
	{ "extends", REJECT, "is not supported: there is no other file here; YAML's `<<: *anchor` takes another service's keys" },
	{ "external_links", REJECT, NO_NETWORK }, { "gpus", REJECT, "is not supported by Coracle; name the devices under devices" },
	{ "isolation", REJECT, "is for Windows" }, { "label_file", REJECT, NULL }, { "links", REJECT, NO_NETWORK },
	{ "mac_address", REJECT, NO_NETWORK }, { "models", REJECT, "is not supported by Coracle" },
	{ "post_start", REJECT, NULL }, { "pre_stop", REJECT, NULL },
	{ "profiles", REJECT, "is not supported: nobody chooses a profile at boot; leave the service out, or the key" },
	{ "provider", REJECT, "is not supported by Coracle" },
	{ "runtime", REJECT, "is not supported: Coracle has one runtime" }, { "use_api_socket", REJECT, NULL },
	{ "volumes_from", REJECT, "is not supported: name the volumes of both services" },
};
const size_t compose_known_service_count = ARRAY_SIZE(compose_known_service_keys);

const struct known_key compose_known_top_keys[COMPOSE_KNOWN_TOP] = {
	{ "include", REJECT, "is not supported: there is no other file here; what it names is left out" },
	{ "models", REJECT, "is not supported by Coracle" },
};
