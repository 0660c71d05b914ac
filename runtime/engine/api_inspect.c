/* api_inspect.c - GET /containers/ID/json, in the shape of dockerd 26 (coracle-engine). */
#include "apiint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_shared.h"
#include "bundle.h"
#include "engine.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

/* What every container has here because the option does not exist yet. */
static const char host_config_rest[] =
	"\"AutoRemove\":false,\"VolumeDriver\":\"\",\"VolumesFrom\":null,\"ConsoleSize\":[0,0],"
	"\"Cgroup\":\"\",\"Links\":null,\"PublishAllPorts\":false,"
	"\"UsernsMode\":\"\",\"Runtime\":\"coracle\",\"Isolation\":\"\","
	"\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],"
	"\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],"
	"\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,"
	"\"CpusetMems\":\"\",\"DeviceRequests\":null,"
	"\"MemorySwappiness\":null,\"OomKillDisable\":null,"
	"\"CpuCount\":0,\"CpuPercent\":0,\"IOMaximumIOps\":0,\"IOMaximumBandwidth\":0";

static void add_state(struct buf *b, const struct container *c)
{
	char time[GOTIME_MAX];

	jw_kobj(b, "State");
	jw_kstr(b, "Status", container_status_name(c->status));
	jw_kbool(b, "Running", c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING);
	jw_kbool(b, "Paused", c->status == CONTAINER_PAUSED);
	jw_kbool(b, "Restarting", c->status == CONTAINER_RESTARTING);
	jw_kbool(b, "OOMKilled", false);
	jw_kbool(b, "Dead", c->status == CONTAINER_DEAD);
	jw_kint(b, "Pid", c->pid);
	jw_kint(b, "ExitCode", c->exit_code);
	jw_kstr(b, "Error", c->error);
	jw_kstr(b, "StartedAt", gotime_format(c->started_ns, time));
	jw_kstr(b, "FinishedAt", gotime_format(c->finished_ns, time));
	jw_close(b, '}');
}

static void add_path(struct buf *b, const char *key, const struct container *c, const char *name)
{
	char path[600];

	jw_kstr(b, key, engine_container_path(c->id, name, path, sizeof(path)));
}

static void add_binds(struct buf *b, const struct service *s)
{
	char text[1024];
	bool any = false;

	for (size_t i = 0; i < s->mount_count; i++)
		any = any || (s->mounts[i].type != MOUNT_TMPFS && !s->mounts[i].anonymous);
	if (!any) {
		jw_kraw(b, "Binds", "null");
		return;
	}
	jw_karr(b, "Binds");
	for (size_t i = 0; i < s->mount_count; i++) {
		const struct service_mount *m = &s->mounts[i];

		if (m->type == MOUNT_TMPFS || m->anonymous)
			continue;
		text_set(text, sizeof(text), "%s:%s%s", m->source, m->target, m->read_only ? ":ro" : "");
		jw_str(b, text);
	}
	jw_close(b, ']');
}

static void add_tmpfs(struct buf *b, struct arena *mem, const struct service *s)
{
	bool any = false;

	for (size_t i = 0; i < s->mount_count; i++) {
		CLEANUP_BUF struct buf options = { 0 };

		if (s->mounts[i].type != MOUNT_TMPFS)
			continue;
		if (!any)
			jw_kobj(b, "Tmpfs");
		any = true;
		buf_init(&options, 4096);
		for (char **o = s->mounts[i].options; *o; o++)
			buf_printf(&options, "%s%s", options.len ? "," : "", *o);
		jw_kstr(b, s->mounts[i].target, arena_strdup(mem, options.data));
	}
	if (any)
		jw_close(b, '}');
}

static void add_list(struct buf *b, const char *key, char *const *v)
{
	if (v)
		jw_kstrv(b, key, v);
	else
		jw_kraw(b, key, "[]");
}

static void add_limits(struct buf *b, const struct service *s)
{
	int64_t swap = s->memswap_limit ? s->memswap_limit : s->mem_limit <= INT64_MAX / 2 ? 2 * s->mem_limit : -1;

	jw_kint(b, "Memory", s->mem_limit);
	jw_kint(b, "MemoryReservation", s->mem_reservation);
	jw_kint(b, "MemorySwap", s->mem_limit ? swap : 0);
	jw_kint(b, "CpuShares", s->cpu_shares);
	jw_kint(b, "CpuPeriod", s->cpu_period);
	jw_kint(b, "CpuQuota", s->cpu_quota);
	jw_kstr(b, "CpusetCpus", s->cpuset ? s->cpuset : "");
	if (s->pids_limit)
		jw_kint(b, "PidsLimit", s->pids_limit);
	else
		jw_kraw(b, "PidsLimit", "null");
	jw_kint(b, "OomScoreAdj", s->oom_score_adj);
	jw_kint(b, "ShmSize", s->shm_size ? s->shm_size : 67108864);
	jw_karr(b, "Ulimits");
	for (char **u = s->ulimits; u && *u; u++) {
		const char *equals = strchr(*u, '='), *colon = equals ? strchr(equals, ':') : NULL;
		char name[32];

		if (!colon)
			continue;
		text_set(name, sizeof(name), "%.*s", (int)(equals - *u), *u);
		jw_open(b, '{');
		jw_kstr(b, "Name", name);
		jw_kint(b, "Hard", strtoll(colon + 1, NULL, 10));
		jw_kint(b, "Soft", strtoll(equals + 1, NULL, 10));
		jw_close(b, '}');
	}
	jw_close(b, ']');
}

static void add_devices(struct buf *b, char *const *devices)
{
	jw_karr(b, "Devices");
	for (; devices && *devices; devices++) {
		const char *target = strchr(*devices, ':'), *access = target ? strchr(target + 1, ':') : NULL;
		char path[512];

		if (!access)
			continue;
		jw_open(b, '{');
		text_set(path, sizeof(path), "%.*s", (int)(target - *devices), *devices);
		jw_kstr(b, "PathOnHost", path);
		text_set(path, sizeof(path), "%.*s", (int)(access - target - 1), target + 1);
		jw_kstr(b, "PathInContainer", path);
		jw_kstr(b, "CgroupPermissions", access + 1);
		jw_close(b, '}');
	}
	jw_close(b, ']');
}

static void add_reach(struct buf *b, const struct service *s)
{
	jw_kstr(b, "PidMode", s->pid ? s->pid : "");
	jw_kstr(b, "IpcMode", s->ipc ? s->ipc : "private");
	jw_kstr(b, "UTSMode", s->uts ? s->uts : "");
	jw_kstr(b, "CgroupnsMode", s->cgroup ? s->cgroup : "private");
	jw_kstrv(b, "SecurityOpt", s->security_opt);
	jw_kstrv(b, "GroupAdd", s->group_add);
	jw_kstrv(b, "ExtraHosts", s->extra_hosts);
	jw_kstrv(b, "DeviceCgroupRules", s->device_rules);
	add_list(b, "Dns", s->dns);
	add_list(b, "DnsSearch", s->dns_search);
	add_list(b, "DnsOptions", s->dns_opt);
	add_devices(b, s->devices);
}

static void add_host_config(struct buf *b, struct arena *mem, const struct container *c)
{
	const struct service *s = &c->svc;
	char number[32];

	jw_kobj(b, "HostConfig");
	add_binds(b, s);
	add_tmpfs(b, mem, s);
	jw_kstr(b, "ContainerIDFile", "");
	jw_kobj(b, "LogConfig");
	jw_kstr(b, "Type", "json-file");
	jw_kobj(b, "Config");
	text_set(number, sizeof(number), "%lld", (long long)engine.opt.log_max_size);
	jw_kstr(b, "max-size", number);
	text_set(number, sizeof(number), "%d", engine.opt.log_max_files);
	jw_kstr(b, "max-file", number);
	jw_close(b, '}');
	jw_close(b, '}');
	jw_kstr(b, "NetworkMode", s->network_mode);
	jw_kraw(b, "PortBindings", "{}");
	jw_kobj(b, "RestartPolicy");
	jw_kstr(b, "Name", restart_policy_name(s->restart.policy));
	jw_kint(b, "MaximumRetryCount", s->restart.max_retries);
	jw_close(b, '}');
	jw_kstrv(b, "CapAdd", s->cap_add && s->cap_add[0] ? s->cap_add : NULL);
	jw_kstrv(b, "CapDrop", s->cap_drop && s->cap_drop[0] ? s->cap_drop : NULL);
	jw_kbool(b, "Privileged", s->privileged);
	jw_kbool(b, "ReadonlyRootfs", s->read_only);
	add_limits(b, s);
	add_reach(b, s);
	jw_raw(b, host_config_rest);
	jw_close(b, '}');
}

static void add_config(struct buf *b, const struct container *c)
{
	const struct service *s = &c->svc;
	char text[512];
	bool any = false;

	jw_kobj(b, "Config");
	bundle_hostname(c, text, sizeof(text));
	jw_kstr(b, "Hostname", text);
	jw_kstr(b, "Domainname", s->domainname ? s->domainname : "");
	jw_kstr(b, "User", s->user ? s->user : "");
	jw_kbool(b, "AttachStdin", false);
	jw_kbool(b, "AttachStdout", false);
	jw_kbool(b, "AttachStderr", false);
	if (c->exposed && c->exposed[0]) {
		jw_kobj(b, "ExposedPorts");
		for (char **p = c->exposed; *p; p++)
			jw_kraw(b, *p, "{}");
		jw_close(b, '}');
	}
	jw_kbool(b, "Tty", s->tty);
	jw_kbool(b, "OpenStdin", false);
	jw_kbool(b, "StdinOnce", false);
	jw_kstrv(b, "Env", s->environment);
	jw_kstrv(b, "Cmd", s->command && s->command[0] ? s->command : NULL);
	jw_kstr(b, "Image", api_familiar(s->image, text, sizeof(text)));
	for (size_t i = 0; i < s->mount_count; i++) {
		if (!s->mounts[i].anonymous)
			continue;
		if (!any)
			jw_kobj(b, "Volumes");
		any = true;
		jw_kraw(b, s->mounts[i].target, "{}");
	}
	if (any)
		jw_close(b, '}');
	else
		jw_kraw(b, "Volumes", "null");
	jw_kstr(b, "WorkingDir", s->working_dir ? s->working_dir : "");
	jw_kstrv(b, "Entrypoint", s->entrypoint && s->entrypoint[0] ? s->entrypoint : NULL);
	jw_kraw(b, "OnBuild", "null");
	jw_kmap(b, "Labels", s->labels);
	if (s->stop_signal)
		jw_kstr(b, "StopSignal", s->stop_signal);
	if (s->stop_grace_ms != 10000)
		jw_kint(b, "StopTimeout", s->stop_grace_ms / 1000);
	jw_close(b, '}');
}

static void add_network_settings(struct buf *b, const struct container *c)
{
	jw_kobj(b, "NetworkSettings");
	jw_kraw(b, "Bridge", "\"\"");
	jw_kstr(b, "SandboxID", "");
	jw_kstr(b, "SandboxKey", "");
	jw_kraw(b, "Ports", "{}");
	jw_kbool(b, "HairpinMode", false);
	jw_kstr(b, "LinkLocalIPv6Address", "");
	jw_kint(b, "LinkLocalIPv6PrefixLen", 0);
	jw_kraw(b, "SecondaryIPAddresses", "null");
	jw_kraw(b, "SecondaryIPv6Addresses", "null");
	jw_kstr(b, "EndpointID", "");
	jw_kstr(b, "Gateway", "");
	jw_kstr(b, "GlobalIPv6Address", "");
	jw_kint(b, "GlobalIPv6PrefixLen", 0);
	jw_kstr(b, "IPAddress", "");
	jw_kint(b, "IPPrefixLen", 0);
	jw_kstr(b, "IPv6Gateway", "");
	jw_kstr(b, "MacAddress", "");
	api_networks(b, c);
	jw_close(b, '}');
}

/* Path is the first word of what runs, Args the others. */
static void add_path_and_args(struct buf *b, const struct service *s)
{
	bool first = true;

	if ((!s->entrypoint || !s->entrypoint[0]) && (!s->command || !s->command[0])) {
		jw_kstr(b, "Path", "");
		jw_kraw(b, "Args", "[]");
		return;
	}
	for (int part = 0; part < 2; part++) {
		for (char **a = part ? s->command : s->entrypoint; a && *a; a++) {
			if (first) {
				jw_kstr(b, "Path", *a);
				jw_karr(b, "Args");
			} else {
				jw_str(b, *a);
			}
			first = false;
		}
	}
	jw_close(b, ']');
}

static void add_head(struct buf *b, const struct container *c)
{
	char text[600], name[128];

	jw_kstr(b, "Id", c->id);
	jw_kstr(b, "Created", gotime_format(c->created_ns, text));
	add_path_and_args(b, &c->svc);
	add_state(b, c);
	jw_kstr(b, "Image", c->image_id);
	add_path(b, "ResolvConfPath", c, "resolv.conf");
	add_path(b, "HostnamePath", c, "hostname");
	add_path(b, "HostsPath", c, "hosts");
	text_set(name, sizeof(name), "%s-json.log", c->id);
	add_path(b, "LogPath", c, name);
	text_set(text, sizeof(text), "/%s", c->svc.container_name);
	jw_kstr(b, "Name", text);
	jw_kint(b, "RestartCount", c->restart_count);
	jw_kstr(b, "Driver", "overlay2");
	jw_kstr(b, "Platform", "linux");
	jw_kstr(b, "MountLabel", "");
	jw_kstr(b, "ProcessLabel", "");
	jw_kstr(b, "AppArmorProfile", "");
	jw_kraw(b, "ExecIDs", "null");
}

static void add_driver(struct buf *b, const struct container *c)
{
	jw_kobj(b, "GraphDriver");
	jw_kobj(b, "Data");
	add_path(b, "MergedDir", c, "rootfs");
	add_path(b, "UpperDir", c, "upper");
	add_path(b, "WorkDir", c, "work");
	jw_close(b, '}');
	jw_kstr(b, "Name", "overlay2");
	jw_close(b, '}');
}

void api_inspect(struct request *r)
{
	struct container *c = api_container(r);
	struct buf b;

	if (!c)
		return;
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	add_head(&b, c);
	add_host_config(&b, &r->mem, c);
	add_driver(&b, c);
	if (api_flag(r, "size"))
		api_sizes(&b, c);
	api_mounts(&b, c);
	add_config(&b, c);
	add_network_settings(&b, c);
	jw_close(&b, '}');
	api_json(r, 200, &b);
}
